"""Cumulative quantities over the interface: figures, documents, reports, corrections, resets."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.inputs import Input
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.shipments import reads_cumulative as reads
from portal.shipments import service_cumulative as service
from portal.shipments import words_cumulative as words
from portal.shipments.model_cumulative import CumulativeEntry
from portal.shipments.reads_cumulative import Comparison, EntryRow, Line, Moved
from portal.shipments.rules_cumulating import period_on


class PolicyOut(Struct, kw_only=True):
    """How the contract counts. `version` is what a change carries as If-Match; 0: the defaults."""

    count_by: str
    count_per: str
    count_rejected: bool
    returns_lower: bool
    other_orders: bool
    version: int


class LineOut(Struct, kw_only=True):
    """The figures of one line at the end of a day. Nothing is clipped: a negative one is a difference to look at."""

    contract_line_id: UUID
    item_code: str
    unit: Annotated[str, Meta(examples=["H87"])]
    since: date
    begins_with: Decimal
    requested: Annotated[Decimal, Meta(examples=["105.000000"])]
    shipped: Decimal
    received: Decimal
    in_transit: Decimal
    open: Decimal
    ahead_behind: Decimal
    entries: list[EntryRow]


class CumulativeOut(Struct):
    """The cumulative quantities of a contract on a day."""

    day: date
    policy: PolicyOut
    lines: list[LineOut]


class DocumentOut(Struct, kw_only=True):
    """One line of a delivery note with what was received of it."""

    shipment_id: UUID
    number: str
    despatched_on: date
    shipped: Decimal
    received_on: date | None
    accepted: Decimal
    rejected: Decimal
    short: Decimal


class ComparisonOut(Struct, kw_only=True):
    """One side's newest report beside the portal's documents on the day of the report."""

    scope: str
    as_of: date
    requested: Decimal | None
    received: Decimal | None
    last_document: str
    last_document_known: bool
    requested_difference: Annotated[Decimal | None, Meta(description="theirs less ours")]
    received_difference: Decimal | None
    net: Annotated[Decimal | None, Meta(description="what the reported figures still ask of the seller")]
    first_difference: str | None
    document: str | None
    document_difference: Decimal | None
    sentence: Annotated[str, Meta(examples=["ASN-2 of 2 Jan 2026 is 80 pcs in the portal and 70 pcs in ..."])]


class Made(Struct):
    """What was proposed or reported."""

    id: UUID


class Answered(Struct):
    id: UUID
    status: str


class Answer(Input):
    """Agree or decline what the other company proposed, or withdraw what the own one did."""

    action: Literal["agree", "decline", "withdraw"]


def line_out(line: Line, day: date) -> LineOut:
    found, period = line.on(day), period_on(line.agreed, day, line.begin)
    return LineOut(
        contract_line_id=line.id, item_code=line.item_code, unit=line.unit, since=period.since,
        begins_with=period.base, entries=line.entries, **found._asdict(),
    )  # fmt: skip


def document_out(one: Moved) -> DocumentOut:
    return DocumentOut(shipment_id=one.shipment_id, number=one.number, **one.movement._asdict())


def comparison_out(one: Comparison, unit: str) -> ComparisonOut:
    found, said = one.finding, one.report
    return ComparisonOut(
        scope=said.scope, as_of=said.as_of, requested=said.requested, received=said.received,
        last_document=said.last_document, last_document_known=one.last_known,
        requested_difference=one.requested_difference, received_difference=one.received_difference, net=one.net,
        first_difference=found.kind.value if found else None, document=found.number if found else None,
        document_difference=found.difference if found else None, sentence=words.finding(found, unit) if found else "",
    )  # fmt: skip


class CumulativeController(Controller):
    path = "/contracts/{contract_id:uuid}/cumulative"
    tags = ("Cumulative quantities",)

    @get()
    async def figures(
        self, actor: NamedDependency[Actor], contract_id: FromPath[UUID], day: FromQuery[date | None] = None
    ) -> Response[CumulativeOut]:
        """The figures of every line at the end of a day (today, where the contract is kept), with all entries. Earlier
        counts stay queryable: ask for a day before a reset. The ETag is the version of the counting policy."""
        async with read(actor) as connection:
            head = await reads.head(connection, actor, contract_id)
            lines = await reads.lines(connection, actor, head)
        at = day or local_today(clock.now(), head.time_zone)
        policy = PolicyOut(**{name: getattr(head, name) for name in PolicyOut.__struct_fields__})
        body = CumulativeOut(at, policy, [line_out(line, at) for line in lines])
        return Response(body, headers={"ETag": f'"{head.version}"'})

    @get("/{line_id:uuid}/documents")
    async def documents(
        self,
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        straddling: FromQuery[date | None] = None,
    ) -> list[DocumentOut]:
        """The delivery notes of a line in the order of despatch. `straddling`: only those sent before that day and
        received on it or later, or not yet: to be looked at before a reset."""
        async with read(actor) as connection:
            head = await reads.head(connection, actor, contract_id)
            line = await reads.line(connection, actor, head, line_id)
        return [document_out(one) for one in (line.straddling(straddling) if straddling else line.moved)]

    @get("/{line_id:uuid}/reports")
    async def reports(
        self, actor: NamedDependency[Actor], contract_id: FromPath[UUID], line_id: FromPath[UUID]
    ) -> list[ComparisonOut]:
        """The newest report of each side beside the portal's documents, with the first document that disagrees."""
        async with read(actor) as connection:
            head = await reads.head(connection, actor, contract_id)
            line = await reads.line(connection, actor, head, line_id)
            return [comparison_out(one, line.unit) for one in await reads.comparisons(connection, actor, head, line)]

    @put("/policy")
    async def set_policy(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[service.SetPolicy],
    ) -> Response[Made]:
        """Say how the contract counts. If-Match carries the policy's version, `"0"` for none."""
        made = await service.set_policy(session, actor, contract_id, data, expected)
        return Response(Made(made.id), headers={"ETag": f'"{made.version}"'})

    @post("/{line_id:uuid}/reports", status_code=HTTP_201_CREATED)
    async def report(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        data: JSONBody[service.Report],
    ) -> Made:
        """Say what the own books hold, for example `{"received": "760", "last_document": "ASN-07", "documents":
        [{"number": "ASN-07", "day": "2026-11-24", "quantity": "760"}]}`. The portal's figures stay as they are."""
        return Made((await service.report(session, actor, contract_id, line_id, data)).id)

    @post("/{line_id:uuid}/corrections", status_code=HTTP_201_CREATED)
    async def correct(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        data: JSONBody[service.Correct],
    ) -> Made:
        """Propose a correction of one figure; it counts when the other company agrees."""
        return Made((await service.correct(session, actor, contract_id, line_id, data)).id)

    @post("/{line_id:uuid}/resets", status_code=HTTP_201_CREATED)
    async def reset(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        data: JSONBody[service.Reset],
    ) -> Made:
        """Propose that the count begins anew, or an opening figure; it counts when the other company agrees."""
        return Made((await service.reset(session, actor, contract_id, line_id, data)).id)

    @post("/entries/{entry_id:uuid}", status_code=HTTP_200_OK)
    async def answer(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        entry_id: FromPath[UUID],
        data: JSONBody[Answer],
    ) -> Answered:
        """Agree to what the other company proposed, decline it, or withdraw what the own one did."""
        entry: CumulativeEntry = await service.answer(session, actor, contract_id, entry_id, data.action)
        return Answered(entry.id, entry.status.value)


ROUTES: list[Any] = [CumulativeController]
