"""Dated exchange rates of a workspace, and the value of contracts in its own currency."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Tenant
from portal.contracts.inputs import SetRate
from portal.contracts.model import ContractLine, ContractPrice, ExchangeRate
from portal.contracts.rules import check_currency
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on
from portal.contracts.rules_rates import NoRate, SameCurrency, convert
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.core.journal import Subject, record
from portal.core.tables import ZERO

logger = logging.getLogger(__name__)


async def list_rates(session: AsyncSession, actor: Actor) -> Sequence[ExchangeRate]:
    """All rates, the newest first; the factory's alone."""
    if not actor.is_factory or not actor.may(Permission.SEE_PRICES):
        raise Forbidden
    query = select(ExchangeRate).where(ExchangeRate.tenant_id == actor.tenant_id)
    return (await session.exec(query.order_by(col(ExchangeRate.day).desc(), col(ExchangeRate.base)))).all()


async def set_rate(session: AsyncSession, actor: Actor, data: SetRate) -> ExchangeRate:
    """Enter a rate from a day on; one already there for the pair and day is corrected."""
    actor.require(Permission.EDIT_CONTRACTS)
    check_currency(data.base, "base")
    check_currency(data.quote, "quote")
    if data.base == data.quote:
        raise SameCurrency(field="quote")
    query = select(ExchangeRate).where(
        ExchangeRate.tenant_id == actor.tenant_id,
        ExchangeRate.base == data.base,
        ExchangeRate.quote == data.quote,
        ExchangeRate.day == data.day,
    )
    found = (await session.exec(query.with_for_update())).one_or_none()
    if found is None:
        found = ExchangeRate(**data.model_dump(), tenant_id=actor.tenant_id)
        session.add(found)
        await session.flush()
    found.rate = data.rate
    _recorded(session, actor, found, "set")
    return found


async def remove_rate(session: AsyncSession, actor: Actor, rate_id: UUID) -> None:
    """Take a rate away that was entered by mistake."""
    actor.require(Permission.EDIT_CONTRACTS)
    found = await session.get(ExchangeRate, (actor.tenant_id, rate_id))
    if found is None:
        raise NotFound
    await session.delete(found)
    _recorded(session, actor, found, "removed")


async def own_currency(session: AsyncSession, actor: Actor) -> str:
    """The currency that the workspace's overviews are in."""
    query = select(Tenant.currency).where(Tenant.tenant_id == actor.tenant_id)
    return (await session.exec(query)).one()


def agreed_value(
    lines: Iterable[ContractLine], prices: Mapping[UUID, Sequence[ContractPrice]], day: date
) -> Decimal | None:
    """Target quantities times the prices of a day, in the contract's currency; none unless every target has one."""
    total = None
    for line in lines:
        if line.target_quantity is None or line.ended_from is not None:
            continue
        try:
            found = price_on(prices.get(line.id, ()), max(day, min(_days(prices.get(line.id, ())), default=day)))
        except (NoPrice, AmbiguousPrice):
            return None
        total = (total or Decimal(0)) + line.target_quantity * found.per_unit
    return total


def _days(prices: Sequence[ContractPrice]) -> list[date]:
    return [price.valid_from for price in prices]


def _recorded(session: AsyncSession, actor: Actor, rate: ExchangeRate, verb: str) -> None:
    what = Subject("exchange_rate", rate.id, actor.party_id, shared=False)
    record(session, actor, what, verb, base=rate.base, quote=rate.quote, day=rate.day)
    logger.info("exchange rate changed", extra={"rate_id": str(rate.id), "verb": verb})


async def in_own_currency(
    session: AsyncSession, actor: Actor, currency: str, day: date, amounts: Sequence[Decimal | None]
) -> list[Decimal | None]:
    """Amounts of a currency in the workspace's, at the rate of a day; not known without a rate."""
    own = await own_currency(session, actor)
    rates: Sequence[ExchangeRate] = ()
    if currency != own:
        rates = (await session.exec(select(ExchangeRate).where(ExchangeRate.tenant_id == actor.tenant_id))).all()
    try:
        factor = convert(Decimal(1), currency, own, day, rates).amount
    except NoRate:
        return [None for _ in amounts]
    return [None if amount is None else round(amount * factor + ZERO, 6) for amount in amounts]
