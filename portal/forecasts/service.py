"""Commands on forecasts: what a seller is asked to commit to, and the commit itself."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.service import open_cases
from portal.contracts.model import ContractStatus
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.calendars import local_today
from portal.core.days import Day
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.quantities import check_scale
from portal.core.states import Side, WrongSide
from portal.core.versions import check_version
from portal.forecasts import reads, rules
from portal.forecasts.events import ForecastCommitted
from portal.forecasts.model import CommitRequest, CommitTerms, CommitWay, RequestStatus
from portal.forecasts.reads import Cells, Head, Part
from portal.forecasts.rules import (
    REQUEST_STATES,
    GivenTwice,
    NoForecast,
    NotAPeriod,
    OneWay,
    Period,
    ReleaseMoved,
    Span,
)
from portal.forecasts.service_approval import cleared
from portal.schedules.service import visible
from portal.schedules.service_release import NotInForce
from portal.shipments.service import at

logger = logging.getLogger(__name__)
ZERO = Decimal(0)


class SetCommitTerms(Input):
    """What the seller is asked for after each release: so many weeks, within so many working hours."""

    weeks: int = Field(default=13, ge=1, le=52, description="from the week of the release on", examples=[13])
    response_hours: int = Field(default=16, ge=1, le=400, description="working hours after the release", examples=[16])
    under_percent: Decimal = Field(
        default=ZERO,
        ge=0,
        le=100,
        max_digits=5,
        decimal_places=2,
        description="still in order below it",
    )


class CommittedPeriod(Input):
    """So much of one part in one period: a week from a Monday, or a month from its 1st."""

    contract_line_id: UUID
    start: Day = Field(examples=["2026-12-07"])
    quantity: Decimal = Field(ge=0, max_digits=18, decimal_places=6, examples=["720"])


class Commit(Input):
    """Either `percent` of everything in the next `weeks`, or `periods`. What is not named stays as committed before."""

    release: int = Field(ge=0, lt=2**31, description="the number of the release whose figures were seen", examples=[27])
    span: Span = Span.WEEK
    percent: Decimal | None = Field(default=None, ge=0, le=200, max_digits=5, decimal_places=2)
    weeks: int = Field(default=26, ge=1, le=52)
    periods: list[CommittedPeriod] = Field(default=[], max_length=10_000)
    note: str = Field(default="", max_length=300)


# What is asked for ----------------------------------------------------------------------------------------------------


async def set_terms(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: SetCommitTerms, version: int | None
) -> CommitTerms:
    """The factory says what the seller of a contract in force is asked for. version: 0 where nothing is set yet."""
    actor.require(Permission.EDIT_CONTRACTS)
    found = await _locked(session, actor, contract_id)
    terms = await _terms(session, actor, contract_id)
    if version is not None:
        check_version(version, terms.version if terms else 0)
    if terms is None:
        terms = CommitTerms(tenant_id=actor.tenant_id, party_id=found.party_id, contract_id=contract_id, version=0)
    for name, value in data.model_dump().items():
        setattr(terms, name, value)
    terms.version += 1
    session.add(terms)
    subject = Subject("contract", contract_id, found.party_id, terms.version, contract_id)
    record(session, actor, subject, "commit_terms_set", **data.model_dump())
    return terms


async def end_terms(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None) -> None:
    """Nothing is asked for any more; what was committed stays."""
    actor.require(Permission.EDIT_CONTRACTS)
    found = await _locked(session, actor, contract_id)
    terms = await _terms(session, actor, contract_id)
    if terms is None:
        raise NotFound
    if version is not None:
        check_version(version, terms.version)
    await session.delete(terms)
    for request in await open_requests(session, actor, contract_id):
        request.status = REQUEST_STATES.target(request.status, "supersede", by=Side.BUYER)
        session.add(request)
    subject = Subject("contract", contract_id, found.party_id, terms.version + 1, contract_id)
    record(session, actor, subject, "commit_terms_ended")


async def _terms(session: AsyncSession, actor: Actor, contract_id: UUID) -> CommitTerms | None:
    query = select(CommitTerms).where(
        col(CommitTerms.tenant_id) == actor.tenant_id, col(CommitTerms.contract_id) == contract_id
    )
    return (await session.exec(query)).one_or_none()


async def open_requests(session: AsyncSession, actor: Actor, contract_id: UUID) -> list[CommitRequest]:
    """Those of a contract that an answer is still waited for, locked."""
    query = select(CommitRequest).where(
        col(CommitRequest.tenant_id) == actor.tenant_id,
        col(CommitRequest.contract_id) == contract_id,
        col(CommitRequest.status).in_([RequestStatus.OPEN, RequestStatus.LAPSED]),
    )
    return list((await session.exec(query.with_for_update())).all())


# The commit -----------------------------------------------------------------------------------------------------------


class Standing(dict[tuple[UUID, int], tuple[Decimal, Decimal]]):
    """(forecast, quantity) by contract line and week, as the new version will hold them."""


async def commit(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    version: int | None,
    data: Commit,
    way: CommitWay | None = None,
    *,
    passed: bool = False,
) -> UUID | None:
    """The seller commits to the forecast of the release in force. Returns the id of the new version; none: the
    factory's own approvers are asked first, and nothing is committed yet.

    version: the number of the commit that the seller saw; 0 before the first. A later release: ReleaseMoved.
    passed: they agreed.
    """
    actor.require(Permission.CONFIRM_LINES)
    await open_cases(session, actor, contract_id, lock=True)  # before the contract, as those who decide
    found = await _locked(session, actor, contract_id)
    _check(found, actor, version, data)
    now, commit_id = clock.now(), uuid7()
    first = rules.monday(local_today(now, found.time_zone))
    connection = await db.driver(session)
    standing, new = await _standing(connection, actor, found, first, data)
    way = way or (CommitWay.PERIODS if data.percent is None else CommitWay.PERCENT)
    if actor.is_factory and not passed:
        said = {"commit": data.model_dump(mode="json"), "version": found.commit_no, "way": way.value}
        if not await cleared(session, actor, found, first, new, said):
            return None
    made = (commit_id, found.commit_no + 1, found.release_id, found.release_no, way.value)
    who = (data.note, actor.member_id, actor.name, now)
    await connection.execute(_INSERT, actor.tenant_id, found.party_id, contract_id, *made, *who)
    await _store(connection, actor, found.party_id, commit_id, first, standing)
    await _answer(session, actor, contract_id)
    told: dict[str, Any] = {"number": found.commit_no + 1, "release": found.release_no, "note": data.note}
    subject = reads.subject(found)
    record(session, actor, subject, "forecast_committed", **told, percent=data.percent, weeks=len(standing))
    emit(session, actor, found.party_id, ForecastCommitted(contract_id, commit_id))
    logger.info("forecast committed", extra={"contract_id": str(contract_id), "commit_id": str(commit_id)})
    return commit_id


async def proposed(session: AsyncSession, actor: Actor, contract_id: UUID, data: Commit) -> tuple[Head, date, Standing]:
    """What a commit would say beside what stands, and the week that it counts from; nothing is kept. Raises what would
    refuse the commit."""
    actor.require(Permission.CONFIRM_LINES)
    connection = await db.driver(session)
    found = await reads.head(connection, actor, contract_id)
    if found.status != ContractStatus.ACTIVE:
        raise NotInForce(status=ContractStatus(found.status))
    _check(found, actor, None, data)
    first = rules.monday(local_today(clock.now(), found.time_zone))
    _standing_then, new = await _standing(connection, actor, found, first, data)
    return found, first, new


def _check(found: Head, actor: Actor, version: int | None, data: Commit) -> None:
    """Raise what stands against a commit before its quantities are looked at."""
    if actor.side_on(found.direction) is not Side.SELLER:
        raise WrongSide(action="commit")
    if not found.release_no or found.release_id is None:
        raise NoForecast
    if data.release != found.release_no:
        raise ReleaseMoved(field="release", seen=data.release, now=found.release_no)
    if version is not None:
        check_version(version, found.commit_no)
    if (data.percent is None) == (not data.periods):
        raise OneWay(field="percent")


async def _standing(
    connection: Driver, actor: Actor, found: Head, first: date, data: Commit
) -> tuple[Standing, Standing]:
    """What the new version holds: what was committed before, and over it what is said now; and that alone."""
    known = {part.id: part for part in await reads.parts(connection, actor, found.id)}
    cells = await reads.cells(connection, actor, found, first, rules.LONGEST)
    kept = Standing(
        {
            key: (cell.answered, cell.committed)
            for key, cell in cells.items()
            if cell.answered is not None and cell.committed is not None
        }
    )
    if data.percent is not None:
        new = _by_percent(known, cells, data.percent, data.weeks)
    else:
        new = _by_period(known, cells, first, data)
    return Standing(kept | new), new


def _by_percent(parts: Mapping[UUID, Part], cells: Cells, percent: Decimal, weeks: int) -> Standing:
    """One share of every part's forecast over the next weeks; weeks without forecast and without commit stay empty."""
    made = Standing()
    for part in parts.values():
        keys = sorted(key for key in cells if key[0] == part.id and key[1] < weeks)
        forecast = [cells[key].forecast for key in keys]
        shares = rules.share_of(forecast, percent, part.unit)
        made |= {key: (asked, share) for key, asked, share in zip(keys, forecast, shares, strict=True)}
    return made


def _by_period(parts: Mapping[UUID, Part], cells: Cells, first: date, data: Commit) -> Standing:
    """The quantities as given; a month's is spread over its weeks as the forecast is."""
    starts = {period.start: period for period in rules.periods(first, rules.LONGEST, data.span)}
    made, given = Standing(), set[tuple[UUID, date]]()
    for no, one in enumerate(data.periods):
        with at(f"periods.{no}"):
            part = parts.get(one.contract_line_id)
            if part is None:
                raise NotFound
            period = starts.get(one.start)
            if period is None:
                raise NotAPeriod(field="start", day=one.start, first=min(starts), last=max(starts))
            if (part.id, one.start) in given:
                raise GivenTwice(field="start", day=one.start)
            check_scale(one.quantity, part.unit)
        given.add((part.id, one.start))
        made |= _spread(part, cells, period, one.quantity)
    return made


def _spread(part: Part, cells: Cells, period: Period, quantity: Decimal) -> Standing:
    forecast = [cells[part.id, n].forecast if (part.id, n) in cells else ZERO for n in period.weeks]
    shares = rules.spread(quantity, forecast, part.unit)
    return Standing(
        {(part.id, n): (asked, share) for n, asked, share in zip(period.weeks, forecast, shares, strict=True)}
    )


_INSERT = """
insert into supply_commit (tenant_id, party_id, contract_id, id, number, release_id, release_no, way, note, member_id,
    member_name, committed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""
_INSERT_LINES = """
insert into supply_commit_line (tenant_id, id, party_id, commit_id, contract_line_id, week, forecast, quantity)
select $1, r.id, $2, $3, r.line, r.week, r.forecast, r.quantity
from unnest($4::text::uuid[], $5::text::uuid[], $6::text::date[], $7::text::numeric[], $8::text::numeric[])
    as r(id, line, week, forecast, quantity)
"""


async def _store(
    connection: Driver, actor: Actor, party_id: UUID, commit_id: UUID, first: date, standing: Standing
) -> None:
    """Every week that is asked for or committed; one that is neither says nothing."""
    rows = [
        (uuid7(), line, first + timedelta(weeks=week), forecast, quantity)
        for (line, week), (forecast, quantity) in sorted(standing.items())
        if forecast or quantity
    ]
    if rows:
        await connection.execute(_INSERT_LINES, actor.tenant_id, party_id, commit_id, *columns(rows))


async def _answer(session: AsyncSession, actor: Actor, contract_id: UUID) -> None:
    """What was asked of the seller is answered, in time or late."""
    for request in await open_requests(session, actor, contract_id):
        request.status = REQUEST_STATES.target(request.status, "commit", by=Side.SELLER)
        request.answered_at = clock.now()
        session.add(request)


async def _locked(session: AsyncSession, actor: Actor, contract_id: UUID) -> Head:
    """Lock a contract in force, so that no release and no other commit comes between. NotFound or NotInForce."""
    connection = await db.driver(session)
    row = await connection.fetchrow(
        "select status from contract where tenant_id = $1 and id = $2 and ($3::uuid[] is null or id = any($3))"
        " for update",
        *(actor.tenant_id, contract_id, visible(actor)),
    )
    if row is None:
        raise NotFound
    if row["status"] != ContractStatus.ACTIVE:
        raise NotInForce(status=ContractStatus(row["status"]))
    return await reads.head(connection, actor, contract_id)


def unanswered(parts: Sequence[Part], cells: Cells, weeks: int) -> dict[UUID, list[int]]:
    """The weeks of each part whose forecast differs from what was last committed to."""
    found: dict[UUID, list[int]] = defaultdict(list)
    for (line, week), cell in cells.items():
        if week < weeks and cell.forecast != (cell.answered or ZERO):
            found[line].append(week)
    return {part.id: sorted(found[part.id]) for part in parts if part.id in found}
