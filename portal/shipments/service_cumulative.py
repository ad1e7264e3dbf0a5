"""Commands on cumulative quantities: how they count, what a side's own books say, and what both agree on."""

import logging
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.days import Day
from portal.core.errors import NotFound
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.quantities import check_scale
from portal.core.versions import check_version
from portal.schedules.rules_cumulative import CountBy
from portal.shipments import reads_cumulative as reads
from portal.shipments import rules_cumulating as rules
from portal.shipments.events import CumulativeAnswered, CumulativeProposed
from portal.shipments.model_cumulative import (
    CountPer,
    CumulativeEntry,
    CumulativePolicy,
    CumulativeReport,
    EntryKind,
    EntryReason,
    EntryStatus,
    Figure,
)
from portal.shipments.reads_cumulative import Line
from portal.shipments.rules_cumulating import ENTRY_STATES, Document

logger = logging.getLogger(__name__)


class SetPolicy(Input):
    """How the cumulative quantities of a contract count."""

    count_by: CountBy = Field(default=CountBy.RECEIPT, description="which date of a delivery decides what counts")
    count_per: CountPer = CountPer.LINE
    count_rejected: bool = Field(default=True, description="rejected units count until they are returned")
    returns_lower: bool = False
    other_orders: bool = Field(default=False, description="receipts outside of the contract count too")


class ReportedDocument(Input):
    """One delivery in the reporting side's books."""

    number: str = Field(min_length=1, max_length=60, examples=["ASN-20261124-07"])
    day: Day
    quantity: Decimal = Field(ge=0, max_digits=18, decimal_places=6)


class Report(Input):
    """What the own books say. With the list of documents, the portal finds the first one that disagrees."""

    as_of: Day | None = Field(default=None, description="Without: today where the contract is kept")
    requested: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=6)
    received: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=6)
    last_document: str = Field(default="", max_length=60, description="the last delivery note that is counted in it")
    documents: list[ReportedDocument] = Field(default=[], max_length=5000)
    note: str = Field(default="", max_length=300)


class Correct(Input):
    """A correction of one figure: both sides must agree before it counts."""

    figure: Figure
    quantity: Decimal = Field(max_digits=18, decimal_places=6, description="what is added; negative takes away")
    effective_on: Day | None = Field(default=None, description="Without: today where the contract is kept")
    reason: EntryReason = EntryReason.CORRECTION
    document: str = Field(default="", max_length=60)
    note: str = Field(min_length=1, max_length=500, description="why; both sides read it")


class Reset(Input):
    """The count begins anew: with a figure to begin with, from the documents of a day, switched on another day."""

    kind: EntryKind = EntryKind.RESET
    start: Decimal = Field(default=Decimal(0), ge=0, max_digits=18, decimal_places=6)
    sync_date: Day | None = Field(
        default=None, description="documents from this day on count; none for an opening", examples=["2027-01-01"]
    )
    execution_date: Day = Field(description="the day of the switch", examples=["2027-01-04"])
    reason: EntryReason = EntryReason.FISCAL_YEAR
    note: str = Field(min_length=1, max_length=500)


def need(actor: Actor) -> None:
    """Who speaks for a company about cumulative quantities: those who agree on its contracts."""
    actor.require(Permission.EDIT_CONTRACTS if actor.is_factory else Permission.ACCEPT_CONTRACTS)


def may_speak(actor: Actor) -> bool:
    return actor.may(Permission.EDIT_CONTRACTS if actor.is_factory else Permission.ACCEPT_CONTRACTS)


async def set_policy(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: SetPolicy, version: int | None
) -> CumulativePolicy:
    """The factory says how a contract counts; both sides read it. version: 0 while nothing was set."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id, lock=True)
    query = select(CumulativePolicy).where(
        col(CumulativePolicy.tenant_id) == actor.tenant_id, col(CumulativePolicy.contract_id) == contract_id
    )
    policy = (await session.exec(query)).one_or_none()
    if version is not None:
        check_version(version, policy.version if policy else 0)
    if policy is None:
        policy = CumulativePolicy(
            tenant_id=actor.tenant_id, party_id=contract.party_id, contract_id=contract_id, version=0
        )
    for name, value in data.model_dump().items():
        setattr(policy, name, value)
    policy.version += 1
    session.add(policy)
    subject = Subject("contract", contract_id, contract.party_id, policy.version, contract_id)
    record(session, actor, subject, "counting_set", **data.model_dump(mode="json"))
    return policy


async def _line(session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID) -> tuple[reads.Head, Line]:
    """The contract, locked, and its line. Absent, foreign and hidden: NotFound."""
    need(actor)
    await get_contract(session, actor, contract_id, lock=True)
    connection = await db.driver(session)
    head = await reads.head(connection, actor, contract_id)
    return head, await reads.line(connection, actor, head, line_id)


async def report(
    session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID, data: Report
) -> CumulativeReport:
    """One side says what its own books hold; nothing of the portal's figures changes by it."""
    head, line = await _line(session, actor, contract_id, line_id)
    if data.requested is None and data.received is None and not data.documents:
        raise rules.NothingReported(field="received")
    for name in ("requested", "received"):
        if (figure := getattr(data, name)) is not None:
            check_scale(figure, line.unit, name)
    rules.check_documents(Document(one.number, one.day, one.quantity) for one in data.documents)
    today = local_today(clock.now(), head.time_zone)
    as_of = data.as_of or today
    rules.check_day(as_of, head.valid_from, today, "as_of")
    for document in data.documents:  # a count may go on from an earlier contract, and with it its documents
        rules.check_not_ahead(document.day, today, "documents")
    made = CumulativeReport(
        tenant_id=actor.tenant_id,
        party_id=head.party_id,
        contract_id=contract_id,
        contract_line_id=line_id,
        scope=actor.scope.value,
        as_of=as_of,
        documents=[[one.number, one.day.isoformat(), str(one.quantity)] for one in data.documents],
        member_name=actor.name,
        reported_at=clock.now(),
        **data.model_dump(include={"requested", "received", "last_document", "note"}),
    )
    session.add(made)
    subject = Subject("contract", contract_id, head.party_id, 1, contract_id)
    record(session, actor, subject, "cumulative_reported", part=line.item_code, received=data.received)
    return made


async def correct(
    session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID, data: Correct
) -> CumulativeEntry:
    """Propose a correction of one figure."""
    head, line = await _line(session, actor, contract_id, line_id)
    if not data.quantity:
        raise rules.NothingToCorrect(field="quantity")
    check_scale(data.quantity, line.unit)
    today = local_today(clock.now(), head.time_zone)
    day = data.effective_on or today
    rules.check_day(day, head.valid_from, today, "effective_on")
    said = data.model_dump(include={"figure", "quantity", "reason", "document", "note"})
    return await _propose(session, actor, head, line, EntryKind.CORRECTION, {**said, "effective_on": day})


async def reset(session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID, data: Reset) -> CumulativeEntry:
    """Propose that the count begins anew, or with what figure it begins."""
    head, line = await _line(session, actor, contract_id, line_id)
    if data.kind is EntryKind.CORRECTION:
        raise rules.SyncNeeded(field="kind")
    rules.check_reset(data.kind, data.sync_date, data.execution_date)
    check_scale(data.start, line.unit, "start")
    said: dict[str, Any] = {"quantity": data.start, "sync_date": data.sync_date, "effective_on": data.execution_date}
    return await _propose(session, actor, head, line, data.kind, said | {"reason": data.reason, "note": data.note})


async def _propose(
    session: AsyncSession, actor: Actor, head: reads.Head, line: Line, kind: EntryKind, said: dict[str, Any]
) -> CumulativeEntry:
    if line.waiting is not None:
        raise rules.ProposalWaits(number=line.waiting.number)
    entry = CumulativeEntry(
        tenant_id=actor.tenant_id,
        party_id=head.party_id,
        contract_id=head.id,
        contract_line_id=line.id,
        number=max((one.number for one in line.entries), default=0) + 1,
        kind=kind,
        offered_scope=actor.scope.value,
        offered_name=actor.name,
        offered_at=clock.now(),
        **said,
    )
    session.add(entry)
    await session.flush()
    subject = Subject("contract", head.id, head.party_id, 1, head.id)
    about = {"part": line.item_code, "entry": entry.number, "quantity": entry.quantity, "note": entry.note}
    record(session, actor, subject, f"cumulative_{kind.value}_proposed", **about)
    emit(session, actor, head.party_id, CumulativeProposed(head.id, entry.id))
    logger.info("cumulative entry proposed", extra={"entry_id": str(entry.id), "kind": kind.value})
    return entry


async def answer(
    session: AsyncSession, actor: Actor, contract_id: UUID, entry_id: UUID, action: str
) -> CumulativeEntry:
    """Agree to a proposal, decline it, or take the own one back. action: of ENTRY_STATES."""
    need(actor)
    contract = await get_contract(session, actor, contract_id, lock=True)
    query = select(CumulativeEntry).where(
        col(CumulativeEntry.tenant_id) == actor.tenant_id,
        col(CumulativeEntry.contract_id) == contract_id,
        col(CumulativeEntry.id) == entry_id,
    )
    entry = (await session.exec(query.with_for_update())).one_or_none()
    if entry is None:
        raise NotFound
    own = entry.offered_scope == actor.scope.value
    if own != (action == "withdraw"):
        raise rules.OwnProposal if own else rules.ForeignProposal
    entry.status = ENTRY_STATES.target(EntryStatus(entry.status), action, by=actor.side_on(contract.direction))
    entry.answered_name, entry.answered_at = actor.name, clock.now()
    session.add(entry)
    subject = Subject("contract", contract_id, entry.party_id, 1, contract_id)
    record(session, actor, subject, f"cumulative_{entry.status.value}", entry=entry.number, kind=entry.kind.value)
    emit(session, actor, entry.party_id, CumulativeAnswered(contract_id, entry.id))
    return entry
