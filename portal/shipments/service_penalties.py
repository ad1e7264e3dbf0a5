"""The penalties of a contract, computed from its receipts whenever somebody looks; nothing of them is stored."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Contract, ContractPrice, ContractRevision
from portal.contracts.rules_penalties import Clause, days_late, price_day
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on, sentence
from portal.contracts.rules_versions import in_force
from portal.contracts.service import get_contract, get_prices
from portal.contracts.service_commitments import all_terms, terms_on
from portal.contracts.service_versions import agreed, get_revisions
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import driver
from portal.core.i18n import _
from portal.core.quantities import UNITS, round_money
from portal.shipments.reads_penalties import LateRow, late


class Penalty(Struct, frozen=True):
    """What one late delivery, or a part of it, costs its seller. Without a price there is no amount."""

    line_id: UUID
    line_no: int
    item_code: str
    partner_part_no: str
    order_no: str
    due_date: date
    receipt_id: UUID | None  # none: still to come, counted up to today
    receipt_no: str
    received_on: date | None
    days: int
    quantity: Decimal
    unit: str
    price: Decimal | None  # per unit
    price_why: str
    percent: Decimal  # per day, in force on the agreed day
    share: Decimal  # 0.05 for 5 %
    capped: bool
    amount: Decimal | None


class Penalties(Struct, frozen=True):
    """All penalties of a contract in its currency. `settled` has arrived; `running` still grows."""

    currency: str
    settled: Decimal
    running: Decimal
    unpriced: int  # late deliveries without a price, in neither sum
    items: list[Penalty]


async def penalties(session: AsyncSession, actor: Actor, contract_id: UUID) -> Penalties:
    """What late deliveries cost, as both companies compute it. For roles that see prices."""
    actor.require(Permission.SEE_PRICES)
    contract = await get_contract(session, actor, contract_id)
    today = local_today(clock.now(), contract.time_zone)
    versions = agreed(await get_revisions(session, contract))
    terms = await all_terms(session, contract)
    prices = await get_prices(session, actor, contract_id)
    items = []
    for row in await late(await driver(session), actor, contract_id, today):
        clause = clause_on(contract, versions, row.due_date)
        if clause.percent:
            arrived = row.received_on or today
            basis = row.basis or terms_on(terms, contract, row.due_date).price_basis
            day = price_day(basis, row.due_date, arrived, row.order_date, row.period_start)
            items.append(penalty(row, clause, arrived, day, prices.get(row.contract_line_id, ()), contract.currency))
    return Penalties(
        contract.currency,
        sum((one.amount or Decimal(0) for one in items if one.receipt_id is not None), Decimal(0)),
        sum((one.amount or Decimal(0) for one in items if one.receipt_id is None), Decimal(0)),
        sum(one.amount is None for one in items),
        items,
    )


def clause_on(contract: Contract, versions: Sequence[ContractRevision], day: date) -> Clause:
    """What the version says that was in force on a day; of a contract without versions, what the contract says."""
    version = in_force(versions, day)
    if version is None:
        return Clause(contract.penalty_percent, contract.penalty_cap_percent)
    percent, cap = (version.content.get(name) for name in ("penalty_percent", "penalty_cap_percent"))
    return Clause(None if percent is None else Decimal(percent), None if cap is None else Decimal(cap))


def penalty(
    row: LateRow, clause: Clause, arrived: date, day: date, prices: Sequence[ContractPrice], currency: str
) -> Penalty:
    """One row with its price, why it applies, and its amount."""
    days = days_late(row.due_date, arrived)
    share = clause.share(days)
    try:
        found = price_on(prices, day, row.order_no, row.own_price, delivery=row.quantity, before=row.before)
        price, why = found.per_unit, sentence(found, _(UNITS[row.unit][1]), row.order_no)
    except (NoPrice, AmbiguousPrice) as refusal:
        price, why = None, str(refusal)
    return Penalty(
        line_id=row.line_id, line_no=row.line_no, item_code=row.item_code, partner_part_no=row.partner_part_no,
        order_no=row.order_no, due_date=row.due_date, receipt_id=row.receipt_id, receipt_no=row.receipt_no,
        received_on=row.received_on, days=days, quantity=row.quantity, unit=row.unit, price=price, price_why=why,
        percent=clause.percent or Decimal(0), share=share, capped=clause.capped(days),
        amount=None if price is None else round_money(row.quantity * price * share, currency),
    )  # fmt: skip
