"""Opening balances: entered by the factory, confirmed by the partner, and only then in the ledger.

Documents up to the cut-over date never count beside them: figures are refused where such documents are in the ledger
already, and later ones are refused by `service_buckets.book_goods`.
"""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import OpeningConfirmed, OpeningDeclined, OpeningProposed, OpeningWithdrawn
from portal.contracts.inputs import Decline
from portal.contracts.inputs_opening import ProposeOpening
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.model_opening import OpeningBalance, OpeningStatus
from portal.contracts.rules_opening import (
    NUMBERS,
    OPENING_STATES,
    Figure,
    Place,
    Places,
    check_figures,
    opening_entries,
)
from portal.contracts.service import get_contract, get_lines, subject
from portal.contracts.service_buckets import Entry, lock, post
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.days import check_document_day
from portal.core.db import driver
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.i18n import N_
from portal.core.journal import Event, emit, record
from portal.core.states import Side
from portal.core.versions import check_version

logger = logging.getLogger(__name__)
IN_FORCE = (ContractStatus.ACTIVE, ContractStatus.SUSPENDED)


class OpeningNotInForce(Conflict):
    code = "opening-not-in-force"
    text = N_("Opening balances belong to a contract in force; this one is “{status}”.")


class OpeningWaits(Conflict):
    code = "opening-waits"
    text = N_("Opening balances up to {day} wait for the partner. Withdraw them before you enter others.")


class OpeningDone(Conflict):
    code = "opening-confirmed"
    text = N_("Both companies confirmed the opening balances up to {day}. They stand in the ledger and stay.")


class CountedAlready(Conflict):
    code = "opening-counted-already"
    text = N_("The ledger of {item} holds documents up to {day} already, so they would count twice. Leave it out.")


class UnknownPlace(Invalid):
    code = "opening-unknown-line"
    text = N_("The contract has no such line or period. Choose one of its own.")


# --- reading ----------------------------------------------------------------------------------------------------------


async def get_openings(session: AsyncSession, actor: Actor, contract_id: UUID) -> list[OpeningBalance]:
    """All sets of figures of a contract that the reader may see, the newest first. Raises NotFound."""
    contract = await get_contract(session, actor, contract_id)
    return await _openings(session, contract)


async def _openings(session: AsyncSession, contract: Contract) -> list[OpeningBalance]:
    query = select(OpeningBalance).where(
        OpeningBalance.tenant_id == contract.tenant_id, OpeningBalance.contract_id == contract.id
    )
    return list((await session.exec(query.order_by(col(OpeningBalance.number).desc()))).all())


async def opening_waits(session: AsyncSession, contract: Contract) -> bool:
    """Whether figures wait for the partner."""
    return any(one.status is OpeningStatus.PROPOSED for one in await _openings(session, contract))


def figures_of(balance: OpeningBalance) -> list[Figure]:
    """The figures as they were entered."""
    return [Figure(**_typed(one)) for one in balance.figures["lines"]]


def _typed(one: dict[str, Any]) -> dict[str, Any]:
    bucket = UUID(one["bucket_id"]) if one["bucket_id"] else None
    return {"line_id": UUID(one["line_id"]), "bucket_id": bucket, **{name: Decimal(one[name]) for name in NUMBERS}}


_PERIODS = """
select id, contract_line_id, period_start, closed_at is not null from commitment_bucket
where tenant_id = $1 and contract_id = $2 order by contract_line_id, period_start"""


async def places_of(session: AsyncSession, actor: Actor, contract: Contract) -> Places:
    """What figures can stand for: the lines, and their periods, in order of line and day."""
    connection = await driver(session)
    periods = await connection.fetch(_PERIODS, actor.tenant_id, contract.id)
    found: Places = {}
    for line in await get_lines(session, actor, contract.id):
        found[line.id, None] = Place(line.item_code, line.unit, None, partner_item=line.partner_part_no)
        for bucket_id, line_id, start, closed in periods:
            if line_id == line.id:
                found[line.id, bucket_id] = Place(line.item_code, line.unit, start, closed, line.partner_part_no)
    return found


# --- the factory ------------------------------------------------------------------------------------------------------


async def propose_opening(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: ProposeOpening
) -> OpeningBalance:
    """Put the figures before the partner. Nothing of them counts yet."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await _in_force(session, actor, contract_id)
    former = await _openings(session, contract)
    _check_first(former)
    places = await places_of(session, actor, contract)
    figures = [Figure(one.line_id, one.period_id, one.called, one.shipped, one.received) for one in data.figures]
    for at, figure in enumerate(figures):
        if figure[:2] not in places:
            raise UnknownPlace(field=f"figures.{at}.line_id")
    today = local_today(clock.now(), contract.time_zone)
    check_document_day(data.cut_over, contract.valid_from, today - timedelta(days=1), "cut_over")
    check_figures(figures, places, data.cut_over, today)
    figures = [figure for figure in figures if any(figure[2:])]
    await _check_counted(session, actor, figures, places, data.cut_over)
    balance = OpeningBalance(
        tenant_id=contract.tenant_id,
        party_id=contract.party_id,
        contract_id=contract.id,
        number=len(former) + 1,
        cut_over=data.cut_over,
        figures={"lines": [_plain(figure) for figure in figures]},
        offered_by=actor.member_id,
        offered_name=actor.name,
        offered_at=clock.now(),
    )
    session.add(balance)
    await session.flush()
    _told(session, actor, contract, balance, "opening_proposed", OpeningProposed(contract.id))
    return balance


def _plain(figure: Figure) -> dict[str, str]:
    bucket = str(figure.bucket_id) if figure.bucket_id else ""
    numbers = {name: f"{getattr(figure, name):f}" for name in NUMBERS}
    return {"line_id": str(figure.line_id), "bucket_id": bucket, **numbers}


def _check_first(former: Sequence[OpeningBalance]) -> None:
    for one in former:
        if one.status is OpeningStatus.CONFIRMED:
            raise OpeningDone(day=one.cut_over)
        if one.status is OpeningStatus.PROPOSED:
            raise OpeningWaits(day=one.cut_over)


_COUNTED = """
select e.bucket_id from bucket_entry e
left join shipment s on e.document = 'shipment' and s.tenant_id = $1 and s.id = e.document_id
left join receipt r on e.document = 'receipt' and r.tenant_id = $1 and r.id = e.document_id
left join schedule_line l on e.document = 'schedule_line' and l.tenant_id = $1 and l.id = e.document_id
where e.tenant_id = $1 and e.bucket_id = any($2) and e.kind in ('called', 'shipped', 'received', 'returned')
    and coalesce(s.shipped_on, r.received_on, least(l.due_date, (e.at at time zone $4)::date)) <= $3
limit 1"""


async def _check_counted(
    session: AsyncSession, actor: Actor, figures: Sequence[Figure], places: Places, cut_over: date
) -> None:
    """Raise CountedAlready when a period of the figures holds documents of their days."""
    connection = await driver(session)
    buckets = [figure.bucket_id for figure in figures if figure.bucket_id is not None]
    found = await connection.fetchval(_COUNTED, actor.tenant_id, buckets, cut_over, actor.time_zone)
    if found is not None:
        item = next(place.item for (_line, bucket), place in places.items() if bucket == found)
        raise CountedAlready(item=item, day=cut_over)


async def withdraw_opening(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    version: int | None = None,
    balance_id: UUID | None = None,
) -> OpeningBalance:
    """Take the figures back before they are answered. balance_id: these and no others that were entered since."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract, balance = await _waiting(session, actor, contract_id, version)
    if balance_id is not None and balance.id != balance_id:
        raise NotFound
    _answer(actor, balance, "withdraw")
    _told(session, actor, contract, balance, "opening_withdrawn", OpeningWithdrawn(contract.id))
    return balance


# --- the partner ------------------------------------------------------------------------------------------------------


async def confirm_opening(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None
) -> OpeningBalance:
    """Agree to the figures: now they are entries of the ledger, which both companies read."""
    contract, balance = await _asked(session, actor, contract_id, version)
    figures = figures_of(balance)
    places = await places_of(session, actor, contract)
    check_figures(figures, places, balance.cut_over, local_today(clock.now(), contract.time_zone))
    await _check_counted(session, actor, figures, places, balance.cut_over)
    _answer(actor, balance, "confirm")
    await session.flush()
    connection = await driver(session)
    entries = [
        Entry(contract.party_id, bucket, kind, quantity, "opening_balance", balance.id)
        for bucket, kind, quantity in opening_entries(figures)
    ]
    await lock(connection, actor, [entry.bucket_id for entry in entries])
    await post(connection, actor, entries)
    _told(session, actor, contract, balance, "opening_confirmed", OpeningConfirmed(contract.id))
    return balance


async def decline_opening(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: Decline, version: int | None = None
) -> OpeningBalance:
    """Do not agree, and say why. The ledger stays as it is."""
    contract, balance = await _asked(session, actor, contract_id, version)
    _answer(actor, balance, "decline")
    balance.reason = data.reason
    _told(session, actor, contract, balance, "opening_declined", OpeningDeclined(contract.id), reason=data.reason)
    return balance


# --- parts ------------------------------------------------------------------------------------------------------------


async def _in_force(session: AsyncSession, actor: Actor, contract_id: UUID) -> Contract:
    contract = await get_contract(session, actor, contract_id, lock=True)
    if contract.status not in IN_FORCE:
        raise OpeningNotInForce(status=contract.status)
    return contract


async def _asked(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None
) -> tuple[Contract, OpeningBalance]:
    if actor.is_factory:
        raise Forbidden
    actor.require(Permission.ACCEPT_CONTRACTS)
    return await _waiting(session, actor, contract_id, version)


async def _waiting(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None
) -> tuple[Contract, OpeningBalance]:
    """The newest set of figures under the contract's lock."""
    contract = await _in_force(session, actor, contract_id)
    found = await _openings(session, contract)
    if not found:
        raise NotFound
    if version is not None:
        check_version(version, found[0].version)
    return contract, found[0]


def _answer(actor: Actor, balance: OpeningBalance, action: str) -> None:
    """Raises WrongState where the figures are answered already."""
    balance.status = OPENING_STATES.target(balance.status, action, by=Side.SELLER)  # either may; the caller decides who
    balance.answered_by, balance.answered_name, balance.answered_at = actor.member_id, actor.name, clock.now()
    balance.version += 1


def _told(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    balance: OpeningBalance,
    verb: str,
    event: Event,
    **more: str,
) -> None:
    """A step of the contract's history; the figures stay on their page."""
    contract.version += 1
    figures = len(balance.figures["lines"])
    record(session, actor, subject(contract), verb, day=balance.cut_over, n=figures, **more)
    emit(session, actor, contract.party_id, event)
    logger.info("opening balance moved on", extra={"contract_id": str(contract.id), "verb": verb})
