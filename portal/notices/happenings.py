"""What business events mean for people: whom they concern, about which object, and which sent cards they outdate."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from portal.approvals import events as approvals
from portal.core.actor import Direction, Scope
from portal.core.db import Driver
from portal.core.journal import Event
from portal.core.states import Side
from portal.forecasts import events as forecasts
from portal.notices import events as notices
from portal.notices import happenings_changes, happenings_contracts
from portal.notices.happenings_approvals import approval_case
from portal.notices.happenings_contracts import of_contract
from portal.notices.model import Kind, Urgency
from portal.notices.news import Happening, News, Reader, Touched
from portal.schedules import events as schedules
from portal.schedules.model import SupplyState
from portal.schedules.model_reports import Urgency as ReportUrgency
from portal.shipments import events as shipments


def scope_of(side: Side, direction: str) -> Scope:
    """Which company is on this side of a contract."""
    factory = (direction == Direction.SALE) == (side is Side.SELLER)
    return Scope.FACTORY if factory else Scope.PARTNER


# --- deliveries -------------------------------------------------------------------------------------------------------

_LINE = """
select l.party_id, l.contract_id, c.direction, l.status, l.supply_state, l.respond_by, l.release_line_id, l.deemed,
    (select r.id from release r
        where r.tenant_id = $1 and r.contract_id = c.id and r.number = c.release_no) as release_id
from schedule_line l join contract c on c.tenant_id = $1 and c.id = l.contract_id
where l.tenant_id = $1 and l.id = $2"""


async def _line(connection: Driver, tenant_id: UUID, line_id: UUID) -> asyncpg.Record | None:
    row: asyncpg.Record | None = await connection.fetchrow(_LINE, tenant_id, line_id)
    return row


def _of_line(row: asyncpg.Record, line_id: UUID, kind: Kind | None, side: Side, **more: Any) -> Happening:
    touched: list[Touched] = [("schedule_line", line_id)]
    if row["release_id"]:
        touched.append(("release", row["release_id"]))
    news: tuple[News, ...] = ()
    if kind is not None:
        scope = scope_of(side, row["direction"])
        news = (News(kind, scope, "schedule_line", line_id, row["contract_id"], **more),)
    return Happening(row["party_id"], news, tuple(touched))


async def line_confirmed(connection: Driver, tenant_id: UUID, event: schedules.LineConfirmed) -> Happening | None:
    row = await _line(connection, tenant_id, event.line_id)
    return _of_line(row, event.line_id, Kind.CONFIRMED, Side.BUYER) if row else None


async def line_rejected(connection: Driver, tenant_id: UUID, event: schedules.LineRejected) -> Happening | None:
    row = await _line(connection, tenant_id, event.line_id)
    return _of_line(row, event.line_id, Kind.REJECTED, Side.BUYER) if row else None


async def deviation_offered(connection: Driver, tenant_id: UUID, event: schedules.DeviationOffered) -> Happening | None:
    """The buyer has to decide: told at once, as a delivery at risk is."""
    row = await _line(connection, tenant_id, event.line_id)
    return _of_line(row, event.line_id, Kind.AT_RISK, Side.BUYER) if row else None


async def deviation_accepted(
    connection: Driver, tenant_id: UUID, event: schedules.DeviationAccepted
) -> Happening | None:
    row = await _line(connection, tenant_id, event.line_id)
    return _of_line(row, event.line_id, Kind.CONFIRMED, Side.SELLER) if row else None


async def answer_lapsed(connection: Driver, tenant_id: UUID, event: schedules.AnswerLapsed) -> Happening | None:
    """Never silently: the buyer learns that nobody answered, the seller what now counts as said."""
    row = await _line(connection, tenant_id, event.line_id)
    if row is None:
        return None
    buyer = _of_line(row, event.line_id, Kind.AT_RISK, Side.BUYER)
    seller = _of_line(row, event.line_id, Kind.CONFIRMED, Side.SELLER).news if row["deemed"] else ()
    return Happening(buyer.party_id, (*buyer.news, *seller), buyer.touched)


async def line_cancelled(connection: Driver, tenant_id: UUID, event: schedules.LineCancelled) -> Happening | None:
    """A draft that nobody was told of is taken back without a word."""
    row = await _line(connection, tenant_id, event.line_id)
    if row is None:
        return None
    return _of_line(row, event.line_id, Kind.CANCELLED if row["release_line_id"] else None, Side.SELLER)


async def asked_again(connection: Driver, tenant_id: UUID, event: schedules.LineAskedAgain) -> Happening | None:
    row = await _line(connection, tenant_id, event.line_id)
    if row is None:
        return None
    due = {"urgency": Urgency.DEADLINE, "due_at": row["respond_by"]} if row["respond_by"] else {}
    return _of_line(row, event.line_id, Kind.TO_CONFIRM, Side.SELLER, **due)


async def supply_noted(connection: Driver, tenant_id: UUID, event: schedules.SupplyNoted) -> Happening | None:
    row = await _line(connection, tenant_id, event.line_id)
    if row is None:
        return None
    risk = row["supply_state"] == SupplyState.AT_RISK
    return _of_line(row, event.line_id, Kind.AT_RISK if risk else None, Side.BUYER)


async def line_reported(connection: Driver, tenant_id: UUID, event: schedules.LineReported) -> Happening | None:
    """The seller warns; what may stop the buyer's line is told as such."""
    row = await _line(connection, tenant_id, event.line_id)
    urgency = await connection.fetchval(
        "select urgency from line_report where tenant_id = $1 and id = $2", tenant_id, event.report_id
    )
    if row is None or urgency is None:
        return None
    stops = urgency == ReportUrgency.LINE_STOP
    return _of_line(
        row, event.line_id, Kind.AT_RISK, Side.BUYER, urgency=Urgency.LINE_STOP if stops else Urgency.NORMAL
    )


async def report_closed(connection: Driver, tenant_id: UUID, event: schedules.ReportClosed) -> Happening | None:
    row = await _line(connection, tenant_id, event.line_id)
    return _of_line(row, event.line_id, None, Side.BUYER) if row else None


_RELEASE = """
select c.party_id, c.direction, min(l.respond_by) as respond_by, count(l.id) as asked,
    (select s.answer_by from release_standing s where s.tenant_id = $1 and s.release_id = $3) as answer_by,
    array(select r.id from release r where r.tenant_id = $1 and r.contract_id = c.id and r.number = c.release_no - 1)
        as former
from contract c
left join schedule_line l on l.tenant_id = $1 and l.contract_id = c.id and l.status = 'proposed'
    and l.deviation_id is null
where c.tenant_id = $1 and c.id = $2 group by c.tenant_id, c.id"""


async def release_published(connection: Driver, tenant_id: UUID, event: schedules.ReleasePublished) -> Happening | None:
    row = await connection.fetchrow(_RELEASE, tenant_id, event.contract_id, event.release_id)
    if row is None:
        return None
    about = ("release", event.release_id, event.contract_id)
    buyer = scope_of(Side.BUYER, row["direction"])
    to_answer = {"urgency": Urgency.DEADLINE, "due_at": row["answer_by"]} if row["answer_by"] else {}
    news = [News(Kind.RELEASED, buyer, *about, **(to_answer if buyer is Scope.PARTNER else {}))]
    if buyer is Scope.FACTORY and row["answer_by"] and not row["asked"]:
        news.append(News(Kind.RELEASED, Scope.PARTNER, *about, **to_answer))
    if row["asked"]:
        urgency = Urgency.DEADLINE if row["respond_by"] else Urgency.NORMAL
        seller = scope_of(Side.SELLER, row["direction"])
        news.append(News(Kind.TO_CONFIRM, seller, *about, urgency=urgency, due_at=row["respond_by"]))
    return Happening(row["party_id"], tuple(news), tuple(("release", former) for former in row["former"]))


async def release_answered(connection: Driver, tenant_id: UUID, event: Any) -> Happening | None:
    """The partner acknowledged or rejected a release."""
    party_id = await connection.fetchval(
        "select party_id from release where tenant_id = $1 and id = $2", tenant_id, event.release_id
    )
    if party_id is None:
        return None
    kind = Kind.REJECTED if isinstance(event, schedules.ReleaseRejected) else Kind.CONFIRMED
    news = News(kind, Scope.FACTORY, "release", event.release_id, event.contract_id)
    return Happening(party_id, (news,), (("release", event.release_id),))


async def duty_taken(connection: Driver, tenant_id: UUID, event: notices.DutyTaken) -> Happening | None:
    """Those who were asked learn that a colleague answers; the cards of all of them say so."""
    query = "select party_id, direction from contract where tenant_id = $1 and id = $2"
    row = await connection.fetchrow(query, tenant_id, event.contract_id)
    if row is None:
        return None
    about = ("release", event.release_id)
    news = News(Kind.OVERDUE, scope_of(Side.SELLER, row["direction"]), *about, event.contract_id)
    return Happening(row["party_id"], (news,), (about,))


# --- goods ------------------------------------------------------------------------------------------------------------

_SHIPMENT = """
select s.party_id, s.direction,
    array(select distinct l.contract_id from shipment_line l
        where l.tenant_id = $1 and l.shipment_id = s.id) as contracts,
    array(select l.schedule_line_id from shipment_line l where l.tenant_id = $1 and l.shipment_id = s.id limit 200)
        as lines
from shipment s where s.tenant_id = $1 and s.id = $2"""
_DIFFERS = """
select exists (select from receipt_line where tenant_id = $1 and receipt_id = $2 and (short <> 0 or rejected <> 0))"""


async def _of_shipment(
    connection: Driver, tenant_id: UUID, shipment_id: UUID, kind: Kind, side: Side
) -> Happening | None:
    row = await connection.fetchrow(_SHIPMENT, tenant_id, shipment_id)
    if row is None:
        return None
    contract_ids = tuple(row["contracts"])
    contract = contract_ids[0] if len(contract_ids) == 1 else None
    news = News(kind, scope_of(side, row["direction"]), "shipment", shipment_id, contract, contract_ids)
    touched = [("shipment", shipment_id), *(("schedule_line", line) for line in row["lines"])]
    return Happening(row["party_id"], (news,), tuple(touched))


async def shipment_sent(connection: Driver, tenant_id: UUID, event: shipments.ShipmentSent) -> Happening | None:
    return await _of_shipment(connection, tenant_id, event.shipment_id, Kind.SHIPPED, Side.BUYER)


async def shipment_withdrawn(
    connection: Driver, tenant_id: UUID, event: shipments.ShipmentWithdrawn
) -> Happening | None:
    return await _of_shipment(connection, tenant_id, event.shipment_id, Kind.SHIPPED, Side.BUYER)


async def receipt_posted(
    connection: Driver, tenant_id: UUID, event: shipments.ReceiptPosted | shipments.ReceiptCorrected
) -> Happening | None:
    differs = await connection.fetchval(_DIFFERS, tenant_id, event.receipt_id)
    kind = Kind.DIFFERENCE if differs else Kind.RECEIVED
    return await _of_shipment(connection, tenant_id, event.shipment_id, kind, Side.SELLER)


# --- forecasts --------------------------------------------------------------------------------------------------------

_REQUEST = """
select c.party_id, c.direction, q.status, q.due_at
from commit_request q join contract c on c.tenant_id = $1 and c.id = q.contract_id
where q.tenant_id = $1 and q.id = $2"""


async def commit_asked(
    connection: Driver, tenant_id: UUID, event: forecasts.CommitAsked | forecasts.CommitLapsed
) -> Happening | None:
    """The seller is asked; when nobody answered in time, both are told. A request that is over tells nobody."""
    row = await connection.fetchrow(_REQUEST, tenant_id, event.request_id)
    if row is None:
        return None
    about = ("commit_request", event.request_id)
    if row["status"] not in ("open", "lapsed"):
        return Happening(row["party_id"], (), (about,))
    late = isinstance(event, forecasts.CommitLapsed)
    seller, buyer = (scope_of(side, row["direction"]) for side in (Side.SELLER, Side.BUYER))
    due = {} if late else {"urgency": Urgency.DEADLINE, "due_at": row["due_at"]}
    news = [News(Kind.COMMIT, seller, *about, event.contract_id, **due)]
    if late:
        news.append(News(Kind.AT_RISK, buyer, *about, event.contract_id))
    return Happening(row["party_id"], tuple(news), (about,))


async def committed(connection: Driver, tenant_id: UUID, event: forecasts.ForecastCommitted) -> Happening | None:
    """The buyer is told; the cards that asked for it show the answer."""
    query = (
        "select party_id, direction, array(select q.id from commit_request q where q.tenant_id = $1"
        " and q.contract_id = $2 and q.status = 'answered' order by q.id desc limit 5)"
        " from contract where tenant_id = $1 and id = $2"
    )
    row = await connection.fetchrow(query, tenant_id, event.contract_id)
    if row is None:
        return None
    buyer = scope_of(Side.BUYER, row[1])
    news = News(Kind.CONFIRMED, buyer, "supply_commit", event.commit_id, event.contract_id)
    return Happening(row[0], (news,), tuple(("commit_request", request) for request in row[2]))


_ENTRY = """
select e.party_id, e.offered_scope, e.status, e.contract_id from cumulative_entry e
where e.tenant_id = $1 and e.id = $2"""


async def cumulative_entry(
    connection: Driver, tenant_id: UUID, event: shipments.CumulativeProposed | shipments.CumulativeAnswered
) -> Happening | None:
    """A proposal waits for the company that did not make it; the answer is news for the one that did."""
    row = await connection.fetchrow(_ENTRY, tenant_id, event.entry_id)
    if row is None:
        return None
    party_id, scope, status, contract_id = row
    about = ("cumulative_entry", event.entry_id)
    if status == "withdrawn":
        return Happening(party_id, (), (about,))
    own = Scope(scope)
    other = Scope.PARTNER if own is Scope.FACTORY else Scope.FACTORY
    told = other if status == "proposed" else own
    return Happening(party_id, (News(Kind.CONTRACT, told, *about, contract_id),), (about,))


READERS: Mapping[type[Event], Reader] = {
    schedules.LineConfirmed: line_confirmed,
    schedules.LineRejected: line_rejected,
    schedules.DeviationOffered: deviation_offered,
    schedules.DeviationAccepted: deviation_accepted,
    schedules.DeviationDeclined: asked_again,
    schedules.AnswerLapsed: answer_lapsed,
    schedules.LineCancelled: line_cancelled,
    schedules.LineAskedAgain: asked_again,
    schedules.SupplyNoted: supply_noted,
    schedules.LineReported: line_reported,
    schedules.ReportClosed: report_closed,
    schedules.ReleasePublished: release_published,
    forecasts.CommitAsked: commit_asked,
    forecasts.CommitLapsed: commit_asked,
    forecasts.ForecastCommitted: committed,
    schedules.ReleaseHeld: of_contract(Scope.FACTORY),
    schedules.ReleaseAcknowledged: release_answered,
    schedules.ReleaseRejected: release_answered,
    notices.DutyTaken: duty_taken,
    shipments.ShipmentSent: shipment_sent,
    shipments.ShipmentWithdrawn: shipment_withdrawn,
    shipments.ReceiptPosted: receipt_posted,
    shipments.ReceiptCorrected: receipt_posted,
    shipments.CumulativeProposed: cumulative_entry,
    shipments.CumulativeAnswered: cumulative_entry,
    approvals.ApprovalAsked: approval_case,
    approvals.ApprovalDecided: approval_case,
    approvals.ApprovalEnded: approval_case,
    approvals.ApprovalOverdue: approval_case,
    **happenings_changes.READERS,
    **happenings_contracts.READERS,
}
"""Every event that people are told of. An event that is not here changes no card and tells nobody."""


async def understood(connection: Driver, tenant_id: UUID, event: Event) -> Happening | None:
    """What an event means; None when its object is gone. The connection sees the whole workspace."""
    return await READERS[type(event)](connection, tenant_id, event)
