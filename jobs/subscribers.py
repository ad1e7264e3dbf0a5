"""An event on its way to somebody who reacts to it.

A subscriber is an *effect* (rows of our database, written in the transaction that marks the delivery as done, so it
happens exactly once) or an *errand* (calls another system or works for long, outside any transaction; it can run twice
and must bear it).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event as its subscriber gets it. `event` holds ids only: read the rows, they may have moved on."""

    id: UUID  # of the outbox row; an outside system can use it as its idempotency key
    party_id: UUID
    member_id: UUID | None  # who caused it; none: the system
    at: datetime
    event: Event


Effect: TypeAlias = Callable[[AsyncSession, Actor, Occurrence], Awaitable[None]]
Errand: TypeAlias = Callable[[Actor, Occurrence], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One reaction to one event, with its own tries. `seconds` is how long one try may take."""

    name: str
    effect: Effect | None = None
    errand: Errand | None = None
    seconds: int = 20
    slow: bool = False  # has its own queue, so that quick ones never wait behind it
    here: bool = False  # an errand within our own database, done by the relay in batches: no bell, no queue

    def __post_init__(self) -> None:
        assert (self.effect is None) != (self.errand is None), "a subscriber is either an effect or an errand"
        assert self.errand is not None or not self.here, "effects are done one by one"


Subscriptions: TypeAlias = Mapping[str, Sequence[Subscriber]]
