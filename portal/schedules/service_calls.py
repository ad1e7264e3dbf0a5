"""What schedule lines take from the periods of their contract: drafts nothing, published lines their order.

The ledger belongs to `portal.contracts.service_buckets`; here is what it is told of schedule lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service_buckets
from portal.contracts.model_buckets import EntryKind
from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import Entry
from portal.core.actor import Actor
from portal.schedules.model import LineStatus


class Told(Protocol):
    """A line with the day and quantity that are told of it."""

    @property
    def row(self) -> Any: ...
    @property
    def due(self) -> date: ...
    @property
    def quantity(self) -> Decimal: ...


class Item(Protocol):
    """A contract line as a refusal names it."""

    @property
    def id(self) -> UUID: ...
    @property
    def item_code(self) -> str: ...


async def call_drafts(
    session: AsyncSession, actor: Actor, party_id: UUID, lines: Iterable[Told], items: Mapping[UUID, Item]
) -> dict[UUID, UUID]:
    """The drafts among a contract's open lines are called off: each consumes its order. Returns their periods.

    Raises OverCeiling, NoPeriod or CallOutsideBand, and then nothing is published.
    """
    draft = LineStatus.DRAFT.value
    calls = [
        Call(
            *(row["id"], row["contract_line_id"], items[row["contract_line_id"]].item_code),
            *(line.due, line.quantity, row["period_start"] is not None),
        )
        for line in lines
        if (row := line.row)["status"] == draft
    ]
    return await service_buckets.consume(session, actor, party_id, calls)


class Confirmed(Protocol):
    """A locked line that the seller answers."""

    @property
    def id(self) -> UUID: ...
    @property
    def party_id(self) -> UUID: ...
    @property
    def bucket_id(self) -> UUID | None: ...


def confirmed_entries(answers: Sequence[tuple[Confirmed, Decimal]]) -> list[Entry]:
    """What the answers to lines write into the ledger; lines of a pure call-off write nothing."""
    return [
        Entry(head.party_id, head.bucket_id, EntryKind.CONFIRMED, quantity, "schedule_line", head.id, head.id)
        for head, quantity in answers
        if head.bucket_id is not None
    ]
