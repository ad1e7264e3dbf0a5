"""A bell inside one worker: whoever plans messages wakes whoever sends them. Others find them within a second."""

import asyncio

_ears: set[asyncio.Event] = set()


def listen(ear: asyncio.Event) -> None:
    """Set this event whenever something was planned here."""
    _ears.add(ear)


def deafen(ear: asyncio.Event) -> None:
    """Set it no more."""
    _ears.discard(ear)


def ring() -> None:
    """Something was planned."""
    for ear in _ears:
        ear.set()
