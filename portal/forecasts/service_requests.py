"""Asking for a commit after a release, and noting that nobody answered in time."""

import logging
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db
from portal.core.actor import Actor, Direction
from portal.core.calendars import deadline, local_today
from portal.core.errors import NotFound
from portal.core.journal import Subject, emit, record
from portal.core.states import Side
from portal.forecasts import reads, rules
from portal.forecasts.events import CommitAsked, CommitLapsed
from portal.forecasts.model import CommitRequest, RequestStatus
from portal.forecasts.rules import REQUEST_STATES
from portal.forecasts.service import open_requests, unanswered
from portal.schedules.reads_calendars import answering_calendar
from portal.schedules.service import visible

logger = logging.getLogger(__name__)
BATCH = 200  # requests that lapse in one transaction


async def get_request(session: AsyncSession, actor: Actor, request_id: UUID) -> CommitRequest:
    """One request. Absent, foreign and hidden: NotFound."""
    query = select(CommitRequest).where(
        col(CommitRequest.tenant_id) == actor.tenant_id, col(CommitRequest.id) == request_id
    )
    request = (await session.exec(query)).one_or_none()
    if request is None or (actor.contract_ids is not None and request.contract_id not in actor.contract_ids):
        raise NotFound
    return request


_WAITING = """
select q.id, c.direction from commit_request q join contract c on c.tenant_id = $1 and c.id = q.contract_id
where q.tenant_id = $1 and q.status in ('open', 'lapsed') and c.status = 'active'
    and ($2::uuid[] is null or q.contract_id = any($2)) and c.direction = $3
order by q.due_at, q.id limit $4"""


async def waiting(session: AsyncSession, actor: Actor, limit: int) -> list[UUID]:
    """The requests that wait for this company's commit as seller, the earliest deadline first."""
    sells = Direction.SALE if actor.is_factory else Direction.PURCHASE
    connection = await db.driver(session)
    rows = await connection.fetch(_WAITING, actor.tenant_id, visible(actor), sells.value, limit)
    return [row["id"] for row in rows]


async def asked_about(session: AsyncSession, actor: Actor, contract_id: UUID) -> UUID | None:
    """The request of a contract that waits for its commit."""
    query = select(CommitRequest.id).where(
        col(CommitRequest.tenant_id) == actor.tenant_id,
        col(CommitRequest.contract_id) == contract_id,
        col(CommitRequest.status).in_([RequestStatus.OPEN, RequestStatus.LAPSED]),
    )
    return (await session.exec(query.order_by(col(CommitRequest.id).desc()).limit(1))).one_or_none()


async def weeks_of(session: AsyncSession, actor: Actor, request: CommitRequest) -> int:
    """How many weeks the seller is asked to commit to."""
    head = await reads.head(await db.driver(session), actor, request.contract_id)
    return head.terms_weeks or rules.ASKED


async def ask(session: AsyncSession, actor: Actor, contract_id: UUID, release_id: UUID) -> CommitRequest | None:
    """Ask the seller for a commit to a release just published, if the contract says so and something is new in it.

    Safe to run twice. A release that a later one has replaced asks nothing.
    """
    connection = await db.driver(session)
    await connection.execute(
        "select 1 from contract where tenant_id = $1 and id = $2 for update", actor.tenant_id, contract_id
    )
    found = await reads.head(connection, actor, contract_id)
    if found.terms_weeks is None or found.release_id != release_id or found.published_at is None:
        return None
    query = select(CommitRequest).where(
        col(CommitRequest.tenant_id) == actor.tenant_id, col(CommitRequest.release_id) == release_id
    )
    if (await session.exec(query)).one_or_none() is not None:
        return None
    for earlier in await open_requests(session, actor, contract_id):
        earlier.status = REQUEST_STATES.target(earlier.status, "supersede", by=Side.BUYER)
        session.add(earlier)
    first = rules.monday(local_today(found.published_at, found.time_zone))
    cells = await reads.cells(connection, actor, found, first, found.terms_weeks)
    if not unanswered(await reads.parts(connection, actor, contract_id), cells, found.terms_weeks):
        return None
    seller = await answering_calendar(connection, actor, found.party_id, found.direction == Direction.SALE)
    request = CommitRequest(
        tenant_id=actor.tenant_id,
        party_id=found.party_id,
        contract_id=contract_id,
        release_id=release_id,
        release_no=found.release_no,
        due_at=deadline(found.published_at, found.terms_hours, found.time_zone, seller),
    )
    session.add(request)
    await session.flush()
    subject = Subject("contract", contract_id, found.party_id, 1, contract_id)
    record(session, actor, subject, "commit_asked", release=found.release_no, due=request.due_at)
    emit(session, actor, found.party_id, CommitAsked(contract_id, request.id))
    return request


async def lapse(session: AsyncSession, actor: Actor, now: datetime) -> int:
    """Note the requests whose time has passed, and tell both sides. Returns how many."""
    query = (
        select(CommitRequest)
        .where(
            col(CommitRequest.tenant_id) == actor.tenant_id,
            col(CommitRequest.status) == RequestStatus.OPEN,
            col(CommitRequest.due_at) < now,
        )
        .order_by(col(CommitRequest.id))
        .limit(BATCH)
    )
    late = list((await session.exec(query.with_for_update(skip_locked=True))).all())
    for request in late:
        request.status = REQUEST_STATES.target(request.status, "lapse", by=Side.BUYER)
        session.add(request)
        subject = Subject("contract", request.contract_id, request.party_id, 1, request.contract_id)
        record(session, actor, subject, "commit_lapsed", release=request.release_no)
        emit(session, actor, request.party_id, CommitLapsed(request.contract_id, request.id))
    if late:
        logger.info("commits are late", extra={"requests": len(late)})
    return len(late)
