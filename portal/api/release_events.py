"""Releases for translators into EDI and other systems: what happened, one release whole by its own id, and what a
schedule said at a past moment."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from msgspec import Meta, Struct

from portal.api.releases import ReleaseOut, release_out
from portal.core import clock, paging
from portal.core.actor import Actor
from portal.core.db import read
from portal.parameters import FromPath, FromQuery
from portal.schedules import reads_events, reads_known
from portal.schedules.reads_events import ReleaseEvent, ReleaseHead
from portal.schedules.rules_known import Stood


class EventOut(Struct):
    """One event, with the ids that it carries inside of the portal too."""

    id: Annotated[UUID, Meta(description="the same for ever: what was handled once is not handled again")]
    event: ReleaseEvent
    at: datetime
    contract_id: UUID
    contract_number: str
    release_id: UUID
    number: int


class EventsOut(Struct):
    """Events in the order in which they became visible. `cursor` is where to go on, also when nothing was new."""

    items: list[EventOut]
    cursor: str | None


class ReleaseTold(Struct):
    """A release whole: whose it is, how it stands, its lines, and by contract line what else it told."""

    contract: ReleaseHead
    told: ReleaseOut


class KnownDelivery(Struct):
    """One delivery as it was asked for, and what was known of it then."""

    schedule_line_id: UUID
    contract_line_id: UUID
    item_code: str
    unit: str
    due_date: date
    quantity: Decimal
    zone: str
    level: str
    stood: Stood
    confirmed: Decimal
    shipped: Decimal
    received: Decimal


class KnownOut(Struct):
    """A schedule at a moment; `forecast` and `jit` are the numbers of the releases in force, null before the first."""

    contract_id: UUID
    as_of: datetime
    forecast: int | None
    jit: int | None
    jit_until: date | None
    lines: list[KnownDelivery]


class ReleaseEventController(Controller):
    path = "/release-events"
    tags = ("Releases",)

    @get()
    async def events(
        self, actor: NamedDependency[Actor], cursor: FromQuery[str | None] = None, limit: FromQuery[int] = 50
    ) -> EventsOut:
        """Releases that were published, acknowledged or rejected, the oldest first. Ask again with the `cursor` of the
        last answer; nothing is left out and nothing comes twice. An event reads as
        `{"event": "ReleasePublished", "contract_id": "...", "release_id": "...", "number": 27}`; fetch the rest with
        `GET /api/v1/releases/{release_id}`."""
        paging.check_limit(limit)
        after = paging.decode(cursor, _transaction, UUID) if cursor else None
        async with read(actor) as connection:
            rows = await reads_events.events(connection, actor, (after[0], after[1]) if after else None, limit)
        more = paging.encode(rows[-1].transaction, rows[-1].id) if rows else cursor
        fields = EventOut.__struct_fields__
        return EventsOut([EventOut(*(getattr(row, name) for name in fields)) for row in rows], more)


class ReleaseByIdController(Controller):
    path = "/releases"
    tags = ("Releases",)

    @get("/{release_id:uuid}")
    async def release(self, actor: NamedDependency[Actor], release_id: FromPath[UUID]) -> Response[ReleaseTold]:
        """One release with all it told: number, kind, horizon and aggregation, the release it replaces, lines with
        their commitment level, and by contract line the cumulative quantity received and its date, the last three
        receipts counted, in transit, backlog, immediate, go-ahead dates. The ETag is the version an answer carries."""
        async with read(actor) as connection:
            head = await reads_events.release_head(connection, actor, release_id)
            out = await release_out(connection, actor, head.contract_id, head.number)
        return Response(ReleaseTold(head, out), headers={"ETag": f'"{out.standing.version}"'})


class KnownController(Controller):
    path = "/contracts/{contract_id:uuid}/known"
    tags = ("Releases",)

    @get()
    async def known(
        self, actor: NamedDependency[Actor], contract_id: FromPath[UUID], as_of: FromQuery[datetime | None] = None
    ) -> KnownOut:
        """The schedule as it stood at a past instant, `2026-11-02T08:00:00+08:00` (without an offset: UTC; without
        `as_of`: now): the releases then in force, their deliveries, and what was known of each, as this company could
        see it. Nothing that came later has a say."""
        moment = as_of or clock.now()
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        async with read(actor) as connection:
            found = await reads_known.as_known(connection, actor, contract_id, moment)
        lines = [_known(line) for line in found.lines]
        return KnownOut(contract_id, moment, found.forecast, found.jit, found.jit_until, lines)


def _known(line: reads_known.KnownLine) -> KnownDelivery:
    return KnownDelivery(
        schedule_line_id=line.line_id,
        contract_line_id=line.part.id,
        item_code=line.part.item_code,
        unit=line.part.unit,
        due_date=line.due_date,
        quantity=line.quantity,
        zone=line.zone,
        level=line.level,
        stood=line.stood,
        confirmed=line.confirmed,
        shipped=line.shipped,
        received=line.received,
    )


def _transaction(value: Any) -> int:
    """A number that PostgreSQL can hold."""
    number = int(value)
    if not 0 <= number < 2**63:
        raise ValueError
    return number


ROUTES: list[Any] = [ReleaseEventController, ReleaseByIdController, KnownController]
