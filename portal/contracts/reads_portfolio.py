"""The factory's portfolio: every line of the contracts in force, with its use and its worth in one currency."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct, structs

from portal.contracts.model import ContractKind
from portal.contracts.reads_buckets import BY_LINE, UseFilter, chosen
from portal.contracts.reads_prices import PriceStep, price_steps
from portal.contracts.rules_portfolio import By, Group, LineUse, Risk, added, groups
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on
from portal.contracts.rules_rates import NoRate, convert
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.core.errors import Forbidden


class Portfolio(Struct, frozen=True):
    """The rows and their total; values in the workspace's currency at the rates of the day."""

    currency: str
    day: date
    total: Group
    items: list[Group]


class Rate(Struct, frozen=True):
    """What one unit of `base` is worth in `quote` from a day on."""

    base: str
    quote: str
    day: date
    rate: Decimal


_LINES = f"""{BY_LINE}
select c.id, c.party_id, c.party_name, c.kind, c.currency, c.direction, c.valid_to, c.valid_to - c.today,
    l.contract_line_id, l.aim, l.called, l.shipped, l.received,
    case when l.below then 'below' when l.above then 'above' when l.runs then 'inside' else 'none' end
from chosen c join by_line l on l.contract_id = c.id"""  # noqa: S608 - own text


async def portfolio(connection: Driver, actor: Actor, by: By, now: datetime, wanted: UseFilter) -> Portfolio:
    """Consumption across the contracts in force. The factory's alone, for roles that see prices."""
    if not actor.is_factory:
        raise Forbidden
    actor.require(Permission.SEE_PRICES)
    today = local_today(now, actor.time_zone)
    currency: str = await connection.fetchval("select currency from tenant where tenant_id = $1", actor.tenant_id)
    where = chosen(actor, wanted, now)
    lines = [_line(row) for row in await connection.fetch(_LINES.format(where=where.sql), *where.args)]
    prices = await price_steps(connection, actor, [line.line_id for line in lines])
    query = "select base, quote, day, rate from exchange_rate where tenant_id = $1"
    rates = [Rate(*row) for row in await connection.fetch(query, actor.tenant_id)]
    valued = [
        structs.replace(line, worth=worth(line, prices.get(line.line_id, ()), rates, currency, today)) for line in lines
    ]
    return Portfolio(currency, today, added("", valued), groups(valued, by))


def worth(
    line: LineUse, prices: Sequence[PriceStep], rates: Sequence[Rate], currency: str, today: date
) -> Decimal | None:
    """One unit at the list price of the day and the rate of the day; none where either is missing."""
    try:
        price = price_on(prices, today, before=line.received).per_unit
        return convert(price, line.currency, currency, today, rates).amount
    except (NoPrice, AmbiguousPrice, NoRate):
        return None


def _line(row: Any) -> LineUse:
    values: dict[str, Any] = dict(zip(LineUse.__struct_fields__, row.values(), strict=False))
    kind, way, risk = ContractKind(values["kind"]), Direction(values["direction"]), Risk(values["risk"])
    return LineUse(**values | {"kind": kind, "direction": way, "risk": risk})
