"""The price of one delivery on the day that is agreed for it, and why it applies."""

from decimal import Decimal
from typing import NamedTuple

from portal.contracts.reads_prices import price_steps
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on, sentence
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _
from portal.core.quantities import UNITS
from portal.schedules.reads import LineRow


class DeliveryPrice(NamedTuple):
    """Per unit, in the contract's currency; without a price only the reason."""

    price: Decimal | None
    currency: str
    why: str


# What the line had delivered before this delivery decides the step of a scale that counts all deliveries.
_OWN = """
select l.price, c.currency, coalesce((select sum(x.received_quantity) from schedule_line x
    where x.tenant_id = $1 and x.contract_line_id = l.contract_line_id and (x.due_date, x.id) < (l.due_date, l.id)), 0)
from schedule_line l join contract c on c.tenant_id = $1 and c.id = l.contract_id
where l.tenant_id = $1 and l.id = $2"""


async def price_of(connection: Driver, actor: Actor, row: LineRow) -> DeliveryPrice | None:
    """For readers whose role shows prices; None for the others."""
    if not actor.may(Permission.SEE_PRICES):
        return None
    own, currency, before = await connection.fetchrow(_OWN, actor.tenant_id, row.id)
    prices = (await price_steps(connection, actor, [row.contract_line_id])).get(row.contract_line_id, ())
    try:
        found = price_on(prices, row.due_date, row.order_no, own, delivery=row.ordered_quantity, before=before)
    except (NoPrice, AmbiguousPrice) as refusal:
        return DeliveryPrice(None, currency, str(refusal))
    return DeliveryPrice(found.per_unit, currency, sentence(found, _(UNITS[row.unit][1]), row.order_no))
