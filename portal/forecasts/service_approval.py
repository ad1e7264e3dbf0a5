"""The factory's own word before it promises quantities as a seller: asked by rule, committed when it is given.

Nothing is committed while people are asked; the case keeps what was said. The buyer sees nothing of it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Party
from portal.approvals.model import ApprovalPoint, CaseStatus
from portal.approvals.service import ask
from portal.catalog.service import items_by_code
from portal.contracts.model import Contract
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on
from portal.contracts.service import prices_of
from portal.contracts.service_rates import in_own_currency
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.forecasts import reads
from portal.forecasts.reads import Head
from portal.forecasts.rules import CommitRefused

ZERO = Decimal(0)
Promised = Mapping[tuple[UUID, int], tuple[Decimal, Decimal]]  # (forecast, quantity) by contract line and week


async def cleared(
    session: AsyncSession, actor: Actor, found: Head, first: date, promised: Promised, said: Mapping[str, Any]
) -> bool:
    """Whether the factory may commit now. False: its approvers were asked, and it is committed when they agree.

    promised: what is new of it, from the week of `first` on. said: how the commit is made then. Raises CommitRefused.
    """
    facts = await _facts(session, actor, found, first, promised)
    subject = reads.subject(found)
    case = await ask(session, actor, ApprovalPoint.COMMIT, subject, facts, label=found.number, data=said)
    if case.status is CaseStatus.REFUSED:
        raise CommitRefused(reason=case.rule["then"].get("reason") or case.rule["name"])
    return case.status is CaseStatus.APPROVED


async def _facts(session: AsyncSession, actor: Actor, found: Head, first: date, promised: Promised) -> dict[str, Any]:
    """What the rules look at; what is not known is left out."""
    parts = {part.id: part for part in await reads.parts(await db.driver(session), actor, found.id)}
    touched = {line for line, _week in promised}
    codes = sorted({parts[line].item_code for line in touched})
    known = await items_by_code(session, actor, codes)
    code = (await session.exec(select(Party.code).where(
        Party.tenant_id == actor.tenant_id, Party.party_id == found.party_id))).one_or_none()  # fmt: skip
    forecast, quantity = (sum((pair[n] for pair in promised.values()), ZERO) for n in (0, 1))
    units = {parts[line].unit for line in touched}
    one_unit = len(units) == 1
    start = first + timedelta(weeks=min((week for _line, week in promised), default=0))
    return {
        "party": code,
        "item": codes,
        "item_category": sorted({item.category for item in known.values() if item.category}),
        "quantity": quantity if one_unit else None,
        "unit": units.pop() if one_unit else None,
        "forecast_percent": round(quantity * 100 / forecast, 2) if one_unit and forecast else None,
        "notice_days": max((start - local_today(clock.now(), found.time_zone)).days, 0),
        "value": await _value(session, actor, found, first, promised),
        "requester_role": actor.role,
    }


async def _value(session: AsyncSession, actor: Actor, found: Head, first: date, promised: Promised) -> Decimal | None:
    """In the workspace's currency; not known without a rate of today, or without a price for every week."""
    currency = select(Contract.currency).where(Contract.tenant_id == actor.tenant_id, Contract.id == found.id)
    prices = await prices_of(session, actor, found.id)
    total = ZERO
    for (line, week), (_forecast, quantity) in promised.items():
        price = _price(prices.get(line, ()), first + timedelta(weeks=week), quantity)
        if quantity and price is None:
            return None
        total += quantity * (price or ZERO)
    today = local_today(clock.now(), found.time_zone)
    (value,) = await in_own_currency(session, actor, (await session.exec(currency)).one(), today, [total])
    return value


def _price(prices: Sequence[Any], day: date, quantity: Decimal) -> Decimal | None:
    try:
        return price_on(prices, day, delivery=quantity).per_unit
    except (NoPrice, AmbiguousPrice):
        return None
