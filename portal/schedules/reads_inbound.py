"""What a customer's release is checked against: the contract's parts, what was shipped, what is in force."""

from collections import defaultdict
from decimal import Decimal
from itertools import accumulate
from uuid import UUID

from pydantic import Field

from portal.core import clock
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.days import Day
from portal.core.db import Driver
from portal.core.inputs import Input
from portal.schedules import rules
from portal.schedules.reads_board import board_head
from portal.schedules.rules_inbound import Asked, Finding, Ours, Theirs, check_release
from portal.schedules.service_terms import calendars, read_terms

ZERO = Decimal(0)


class InboundLine(Input):
    due_date: Day
    quantity: Decimal = Field(ge=0, max_digits=18, decimal_places=6)


class InboundPart(Input):
    """What the release says of one part; `item_code` is the partner's own number, or ours where they have none."""

    item_code: str = Field(max_length=60)
    cum_received: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=6)
    cum_start: Day | None = None
    last_asn: str = Field(default="", max_length=60)
    ship_to_code: str = Field(default="", max_length=40, description="the plant; empty: as the contract says")
    lines: list[InboundLine] = Field(default=[], max_length=5000)


class InboundRelease(Input):
    """A release as a customer sends it."""

    number: int = Field(ge=1, lt=2**31)
    parts: list[InboundPart] = Field(min_length=1, max_length=5000)


_PARTS = """
select id, item_code, coalesce(nullif(partner_part_no, ''), item_code) as known_as, cumulative_from, target_quantity
from contract_line where tenant_id = $1 and contract_id = $2"""
_SHIPPED = """
select l.contract_line_id, s.number, sum(d.quantity)
from schedule_line l
join shipment_line d on d.tenant_id = l.tenant_id and d.schedule_line_id = l.id
join shipment s on s.tenant_id = d.tenant_id and s.id = d.shipment_id
where l.tenant_id = $1 and l.contract_id = $2 and s.status <> 'withdrawn'
group by 1, 2, s.shipped_on, s.id order by s.shipped_on, s.id"""
_OPEN = """
select contract_line_id, due_date, ordered_quantity, received_quantity, status from schedule_line
where tenant_id = $1 and contract_id = $2 and status not in ('draft', 'cancelled')"""


_TOLERANCE = "select zone_percent from release_terms where tenant_id = $1 and contract_id = $2"


async def zone_tolerance(connection: Driver, actor: Actor, contract_id: UUID) -> Decimal:
    """By how many per cent a customer's release may change what its firm zone asks for, as both sides agreed."""
    return await connection.fetchval(_TOLERANCE, actor.tenant_id, contract_id) or ZERO


async def check_inbound(connection: Driver, actor: Actor, contract_id: UUID, data: InboundRelease) -> list[Finding]:
    """Everything that is wrong with a customer's release of this contract. Nothing is changed. NotFound."""
    head = await board_head(connection, actor, contract_id)
    today = local_today(clock.now(), head.time_zone)
    terms = await read_terms(connection, actor, contract_id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    tolerance = await zone_tolerance(connection, actor, contract_id)
    shipped: dict[UUID, list[tuple[str, Decimal]]] = defaultdict(list)
    for row in await connection.fetch(_SHIPPED, actor.tenant_id, contract_id):
        shipped[row[0]].append((row[1], row[2]))
    asked: dict[UUID, list[Asked]] = defaultdict(list)
    called: dict[UUID, Decimal] = defaultdict(Decimal)
    for row in await connection.fetch(_OPEN, actor.tenant_id, contract_id):
        called[row[0]] += row["received_quantity"]
        if row["status"] != "closed":
            asked[row[0]].append(Asked(row[1], row[2] - row["received_quantity"]))
    ours: dict[str, Ours] = {}
    places: dict[str, frozenset[str]] = defaultdict(frozenset)
    for line in terms.values():
        places[line.item_code] |= {line.ship_to_code}
    for row in await connection.fetch(_PARTS, actor.tenant_id, contract_id):
        line = terms[row["id"]]
        ends = rules.fences(today, line.firm_days, line.tradeoff_days, line.day_unit, at[line.ship_to_code])
        totals = accumulate(quantity for _, quantity in shipped[line.id])
        up_to = {number: total for (number, _), total in zip(shipped[line.id], totals, strict=True)}
        known = Ours(
            row["cumulative_from"], up_to, ends.firm_until, asked[line.id], row["target_quantity"], called[line.id],
            tolerance, places[line.item_code],
        )  # fmt: skip
        ours |= {row["item_code"]: known, row["known_as"]: known}
    return check_release(data.number, head.release_no, [_theirs(part) for part in data.parts], ours)


def _theirs(part: InboundPart) -> Theirs:
    lines = [Asked(line.due_date, line.quantity) for line in part.lines]
    return Theirs(part.item_code, lines, part.cum_received, part.cum_start, part.last_asn, part.ship_to_code)
