"""A part's number as each company writes it."""

from typing import Protocol

from portal.core.actor import Actor


class Numbered(Protocol):
    """Whatever names a part by both numbers; the partner's may be empty."""

    @property
    def item_code(self) -> str: ...
    @property
    def partner_part_no(self) -> str: ...


def part_of(row: Numbered, actor: Actor) -> str:
    """The part number as the reader's company writes it, else the factory's."""
    return row.item_code if actor.is_factory else row.partner_part_no or row.item_code
