"""Prices of contract lines as driver rows. For calculations: whoever shows them asks for the permission first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.contracts.model import PriceTier
from portal.core.actor import Actor
from portal.core.db import Driver


class PriceStep(Struct, frozen=True):
    """A price as `price_on` reads it."""

    valid_from: date
    order_no: str
    price: Decimal
    price_unit: Decimal
    tier: PriceTier
    from_quantity: Decimal


_PRICES = """
select contract_line_id, valid_from, order_no, price, price_unit, tier, from_quantity from contract_price
where tenant_id = $1 and contract_line_id = any($2)"""


async def price_steps(connection: Driver, actor: Actor, line_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[PriceStep]]:
    """The prices of these lines that the reader's company may see, by line."""
    found: dict[UUID, list[PriceStep]] = defaultdict(list)
    for line_id, *step, tier, reached in await connection.fetch(_PRICES, actor.tenant_id, list(line_ids)):
        found[line_id].append(PriceStep(*step, PriceTier(tier), reached))
    return found
