"""Delivery performance: what was due, what came on time, what was overdue on a day, and what it was worth.

One definition for page, interface and export: a delivery counts in the month it was due; it is on time when it was
received whole, within its tolerance, not later than its due date. Overdue at the end of a day: due by then, and
received later or not yet. An order is on time when all of its deliveries in the selection are.
"""

import json
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.schedules.model import OPEN_SQL
from portal.schedules.service import visible

DEFINITION = N_(
    "On time means received whole, within the agreed tolerance, not later than the due date. A delivery counts in the "
    "month it was due. An order is on time when every delivery of it shown here is. Overdue at the end of a day means "
    "due by then, and received later or not yet. Value is the stated one, else quantity times price."
)
RATE = Decimal("0.000001")  # rates are given with six places


class BadSelection(Invalid):
    code = "bad-selection"
    text = N_("This choice cannot be read. Write days as 2026-11-24 and choose partner and direction from the lists.")


class By(StrEnum):
    """What the rows of the report stand for."""

    PARTNER = "partner"
    MONTH = "month"
    BOTH = "both"


class Selection(Struct, frozen=True):
    """Which deliveries count: due from `since` to `until`, both inclusive; overdue is told for the end of `day`."""

    until: date
    day: date
    since: date | None = None
    direction: Direction | None = None
    party_id: UUID | None = None
    by: By = By.PARTNER


class Performance(Struct, frozen=True):
    """One row of the report, or its total. Values are none for readers who see no prices."""

    party_id: UUID | None
    party_name: str
    month: date | None
    lines: int
    on_time: int
    orders: int
    orders_on_time: int
    overdue: int
    values: dict[str, Decimal] | None  # by currency

    @property
    def rate(self) -> Decimal | None:
        """On time / due, six places; none where nothing was due."""
        return (Decimal(self.on_time) / self.lines).quantize(RATE) if self.lines else None

    @property
    def key(self) -> tuple[str, str, str]:
        """What the rows are ordered by."""
        return self.party_name.lower(), self.month.isoformat() if self.month else "", str(self.party_id or "")


class Report(Struct, frozen=True):
    """All rows of a selection, and their total."""

    selection: Selection
    total: Performance
    rows: list[Performance]


_KEYS = {
    None: ("null::uuid", "null::date"),
    By.PARTNER: ("l.party_id", "null::date"),
    By.MONTH: ("null::uuid", "date_trunc('month', l.due_date)::date"),
    By.BOTH: ("l.party_id", "date_trunc('month', l.due_date)::date"),
}
# A line without a price of its own is worth what the contract said on its due date: of a scale by delivery the step
# that its order reaches, of a cumulative one the first, because a report does not replay what was delivered before.
UNIT_PRICE = """
coalesce(l.price, (
    select p.price / p.price_unit from contract_price p
    where p.tenant_id = l.tenant_id and p.party_id = l.party_id and p.contract_line_id = l.contract_line_id
        and p.valid_from <= l.due_date and p.order_no in ('', l.order_no)
        and p.from_quantity <= case p.tier when 'delivery' then l.ordered_quantity else 0 end
    order by p.order_no desc, p.valid_from desc, p.from_quantity desc limit 1), 0)"""
_VALUE = f"coalesce(l.stated_value, l.ordered_quantity * {UNIT_PRICE})"
_COUNTED = f"""
select l.party_id, l.order_no, l.due_date, c.currency,
    ($4::date is null or l.due_date >= $4) and l.due_date <= $5 as due,
    coalesce(l.status = 'closed' and l.close_reason in ('complete', 'short')
        and l.last_received_on <= l.due_date, false) as good,
    l.due_date <= $6 and ({OPEN_SQL.replace("status", "l.status")} or coalesce(l.last_received_on > $6, false))
        as overdue,
    case when $8 then {_VALUE} else 0 end as value
from schedule_line l join contract c on c.tenant_id = l.tenant_id and c.id = l.contract_id
where l.tenant_id = $1 and l.status not in ('draft', 'cancelled')
    and ($2::uuid[] is null or l.contract_id = any($2))
    and ($3::uuid is null or l.party_id = $3)
    and ($7::text is null or c.direction = $7)
    and (($4::date is null or l.due_date >= $4) and l.due_date <= $5 or l.due_date <= $6)"""  # noqa: S608 - own text


def _query(by: By | None) -> str:
    party, month = _KEYS[by]
    return f"""
    with counted as materialized ({_COUNTED}), grouped as (
        select {party} as party, {month} as month, count(*) filter (where due)::int as lines,
            count(*) filter (where due and good)::int as on_time,
            count(distinct (l.party_id, l.order_no)) filter (where due and l.order_no <> '')::int as orders,
            count(distinct (l.party_id, l.order_no)) filter (where due and l.order_no <> '' and not good)::int as late,
            count(*) filter (where overdue)::int as overdue
        from counted l group by 1, 2), worth as (
        select party, month, jsonb_object_agg(currency, value::text) as amounts from (
            select {party} as party, {month} as month, l.currency, sum(l.value) as value
            from counted l where due group by 1, 2, 3) v
        group by 1, 2)
    select g.party, coalesce(p.name, ''), g.month, g.lines, g.on_time, g.orders, g.orders - g.late, g.overdue,
        w.amounts::text
    from grouped g
    left join worth w on w.party is not distinct from g.party and w.month is not distinct from g.month
    left join party p on p.tenant_id = $1 and p.party_id = g.party
    where g.lines > 0 or g.overdue > 0"""  # noqa: S608 - own text


async def deliveries(connection: Driver, actor: Actor, selection: Selection) -> Report:
    """The report of what the actor may see. A partner's has its own deliveries only."""
    actor.require(Permission.READ)
    priced = actor.may(Permission.SEE_PRICES)
    values = (
        *(actor.tenant_id, visible(actor), selection.party_id, selection.since, selection.until, selection.day),
        *(selection.direction.value if selection.direction else None, priced),
    )
    totals = await connection.fetch(_query(None), *values)
    rows = await connection.fetch(_query(selection.by), *values)
    total = _row(totals[0], priced) if totals else nothing(priced)
    return Report(selection, total, sorted((_row(row, priced) for row in rows), key=lambda row: row.key))


def nothing(priced: bool) -> Performance:
    """The total of an empty selection."""
    return Performance(None, "", None, 0, 0, 0, 0, 0, {} if priced else None)


def _row(row: Any, priced: bool) -> Performance:
    *figures, amounts = row.values()
    found = json.loads(amounts) if amounts else {}
    values = {currency: Decimal(amount) for currency, amount in sorted(found.items())} if priced else None
    return Performance(**dict(zip(Performance.__struct_fields__, (*figures, values), strict=True)))


async def partners(connection: Driver, actor: Actor) -> list[tuple[str, str]]:
    """The factory's partners that the reader may know of, by name: id and name."""
    rows = await connection.fetch(
        "select id::text, name from party where tenant_id = $1 and not is_factory and ($2::uuid[] is null or id in"
        " (select party_id from contract where tenant_id = $1 and id = any($2))) order by lower(name), id",
        *(actor.tenant_id, visible(actor)),
    )
    return [(row["id"], row["name"]) for row in rows]
