"""Commands on warnings: the seller says early that a delivery will be late or has a problem, and takes it back."""

import logging
from collections.abc import Sequence
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db, files
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.days import Day
from portal.core.errors import NotFound
from portal.core.files import Stored
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.numbering import next_number
from portal.core.states import Side
from portal.schedules import rules_reports, service
from portal.schedules.events import LineReported, ReportClosed
from portal.schedules.model import SupplyState
from portal.schedules.model_reports import LineReport, ReportKind, ReportPhoto, ReportReason, ReportStatus, Urgency
from portal.schedules.rules_reports import REPORT_STATES

logger = logging.getLogger(__name__)


class ReportLine(Input):
    """The seller's warning. `late` needs the day now expected; `problem` needs a reason, words or a photo."""

    kind: ReportKind
    reason: ReportReason
    expected_on: Day | None = Field(default=None, examples=["2026-12-01"])
    urgency: Urgency = Urgency.CAN_WAIT
    note: str = Field(default="", max_length=500)


# --- reading one ------------------------------------------------------------------------------------------------------


async def get_report(session: AsyncSession, actor: Actor, report_id: UUID, *, lock: bool = False) -> LineReport:
    """One warning. Absent, foreign and hidden: NotFound."""
    query = select(LineReport).where(col(LineReport.tenant_id) == actor.tenant_id, col(LineReport.id) == report_id)
    if actor.contract_ids is not None:
        query = query.where(col(LineReport.contract_id).in_(actor.contract_ids))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    report = (await session.exec(query)).one_or_none()
    if report is None:
        raise NotFound
    return report


async def photo_content(session: AsyncSession, actor: Actor, report_id: UUID, photo_id: UUID) -> bytes:
    """The bytes of one picture. Absent, foreign and hidden: NotFound."""
    photo = await session.get(ReportPhoto, (actor.tenant_id, photo_id))
    if photo is None or photo.report_id != report_id:
        raise NotFound
    await get_report(session, actor, report_id)
    return await files.fetch(actor.tenant_id, photo.digest)


# --- commands ---------------------------------------------------------------------------------------------------------


async def report_line(
    session: AsyncSession,
    actor: Actor,
    line_id: UUID,
    version: int | None,
    data: ReportLine,
    photos: Sequence[Stored] = (),
) -> LineReport:
    """The seller warns that a delivery will be late or has a problem. The agreed date stays as it is."""
    actor.require(Permission.CONFIRM_LINES)
    (head,) = await service.lock_lines(session, actor, {line_id: version})
    rules_reports.check_speaker(head.side(actor), head.status)
    now = clock.now()
    rules_reports.check_report(
        *(data.kind, data.reason, data.expected_on, data.note, len(photos), head.due_date, head.today(now))
    )
    report = LineReport(
        tenant_id=actor.tenant_id,
        party_id=head.party_id,
        number=f"W-{await next_number(session, actor, head.party_id, 'line_report')}",
        line_id=head.id,
        contract_id=head.contract_id,
        member_id=actor.member_id,
        reported_at=now,
        **data.model_dump(),
    )
    session.add(report)
    await session.flush()
    await _attach(session, actor, report, photos)
    after = await service.change(session, actor, head, supply_state=SupplyState.AT_RISK.value, supply_note="")
    said = {"kind": data.kind.value, "reason": data.reason.value, "expected": data.expected_on, "note": data.note}
    record(session, actor, service.subject(after), "reported", number=report.number, report_id=report.id, **said)
    emit(session, actor, head.party_id, LineReported(head.id, report.id))
    logger.info("schedule line reported", extra={"line_id": str(head.id), "report_id": str(report.id)})
    return report


async def _attach(session: AsyncSession, actor: Actor, report: LineReport, photos: Sequence[Stored]) -> None:
    """Keep the bytes and hang them on the report; the same picture twice is one."""
    for photo in {photo.digest: photo for photo in photos}.values():
        await files.keep(actor.tenant_id, photo)
        base = {"tenant_id": report.tenant_id, "party_id": report.party_id, "report_id": report.id}
        session.add(ReportPhoto(**base, digest=photo.digest, content_type=photo.content_type, size=photo.size))


async def add_photos(session: AsyncSession, actor: Actor, report_id: UUID, photos: Sequence[Stored]) -> LineReport:
    """The seller's company adds pictures to a warning that is open. The same one twice is one."""
    actor.require(Permission.CONFIRM_LINES)
    found = await get_report(session, actor, report_id)
    (head,) = await service.lock_lines(session, actor, {found.line_id: None})
    report = await get_report(session, actor, report_id, lock=True)
    REPORT_STATES.target(ReportStatus(report.status), "close_report", by=head.side(actor))  # who may end it may add
    query = select(col(ReportPhoto.digest)).where(
        col(ReportPhoto.tenant_id) == actor.tenant_id, col(ReportPhoto.report_id) == report.id
    )
    known = set((await session.exec(query)).all())
    new = [photo for photo in photos if photo.digest not in known]
    rules_reports.check_photos(len(known | {photo.digest for photo in new}))
    if new:
        await _attach(session, actor, report, new)
        record(session, actor, service.subject(head), "photos_added", number=report.number, report_id=report.id)
    return report


_OTHERS_OPEN = "select count(*) from line_report where tenant_id = $1 and line_id = $2 and status = 'open' and id <> $3"


async def close_report(session: AsyncSession, actor: Actor, report_id: UUID) -> LineReport:
    """The seller's company takes a warning back; the last one of a line makes its supply unknown again."""
    actor.require(Permission.CONFIRM_LINES)
    found = await get_report(session, actor, report_id)
    (head,) = await service.lock_lines(session, actor, {found.line_id: None})
    report = await get_report(session, actor, report_id, lock=True)
    report.status = REPORT_STATES.target(ReportStatus(report.status), "close_report", by=head.side(actor))
    report.closed_at = clock.now()
    session.add(report)
    connection = await db.driver(session)
    more = await connection.fetchval(_OTHERS_OPEN, actor.tenant_id, head.id, report.id)
    state = SupplyState.AT_RISK if more else SupplyState.UNKNOWN
    after = await service.change(session, actor, head, supply_state=state.value, supply_note="")
    record(session, actor, service.subject(after), "report_closed", number=report.number, report_id=report.id)
    emit(session, actor, head.party_id, ReportClosed(head.id, report.id))
    return report


_SETTLE = """
with settled as (
    update line_report set status = 'closed', closed_at = now()
    where tenant_id = $1 and line_id = any($2) and status = 'open' returning id, party_id, contract_id, line_id, number
), calm as (
    update schedule_line l set supply_state = 'unknown', supply_note = ''
    where l.tenant_id = $1 and l.id in (select line_id from settled)
)
select * from settled order by id"""


async def settle_reports(session: AsyncSession, actor: Actor, lines: Sequence[UUID]) -> None:
    """What was warned of is over: these lines were received whole. Called in the transaction of the receipt."""
    if not lines:
        return
    connection = await db.driver(session)
    for row in await connection.fetch(_SETTLE, actor.tenant_id, list(lines)):
        subject = Subject("line_report", row["id"], row["party_id"], 1, row["contract_id"])
        record(session, actor, subject, "settled", number=row["number"])
        emit(session, actor, row["party_id"], ReportClosed(row["line_id"], row["id"]))


def side_may_report(direction: Direction, actor: Actor) -> bool:
    """Whether this reader's company delivers on such a contract and the reader may speak for it."""
    return actor.side_on(direction) is Side.SELLER and actor.may(Permission.CONFIRM_LINES)
