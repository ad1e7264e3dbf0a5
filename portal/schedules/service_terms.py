"""What generating, calling off and publishing share: the locked contract, its lines as they are read, new lines."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Cadence, ContractStatus, DayUnit
from portal.core import db
from portal.core.actor import Actor, Direction
from portal.core.arrays import columns, unseen
from portal.core.calendars import WorkingCalendar
from portal.core.db import Driver
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.journal import Subject
from portal.schedules import rules
from portal.schedules.service import visible


class NotInForce(Conflict):
    code = "contract-not-active"
    text = N_("Deliveries are called off from a contract in force only; this one is “{status}”.")


class ContractHead(Struct, frozen=True):
    """The locked contract that lines are generated or published for."""

    id: UUID
    party_id: UUID
    version: int
    status: str
    valid_from: date
    valid_to: date | None  # the last day; of a terminated contract the day it ends on
    time_zone: str
    response_hours: int
    release_no: int
    last_line_no: int
    date_rule: str  # where a delivery day goes that is not worked
    direction: Direction


class Terms(Struct, frozen=True):
    """One contract line as generation and publishing read it."""

    id: UUID
    item_code: str
    unit: str
    foq: Decimal | None
    cadence: Cadence | None
    pack_size: Decimal
    minimum_order: Decimal
    under_percent: Decimal
    over_percent: Decimal
    firm_days: int
    tradeoff_days: int
    day_unit: DayUnit
    delivery_weekdays: list[int]
    ship_to_code: str
    generated_until: date | None
    carried_remainder: Decimal
    ended_from: date | None  # an amendment took the line out


async def lock_contract(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None) -> ContractHead:
    """Lock a contract that is in force. NotFound, Stale, or NotInForce."""
    head = await lock_head(session, actor, contract_id)
    if version is not None:
        rules.check_version(version, head.version)
    if head.status != ContractStatus.ACTIVE:
        raise NotInForce(status=ContractStatus(head.status))
    return head


_HEAD = """
select id, party_id, version, status, valid_from, least(valid_to, ends_on), time_zone, response_hours, release_no,
    last_line_no, coalesce(date_rule, 'later'), direction
from contract where tenant_id = $1 and id = $2 and ($3::uuid[] is null or id = any($3))"""


async def lock_head(session: AsyncSession, actor: Actor, contract_id: UUID) -> ContractHead:
    """Lock a contract, whatever its state. NotFound."""
    return await read_head(await db.driver(session), actor, contract_id, " for update")


async def read_head(connection: Driver, actor: Actor, contract_id: UUID, how: str = "") -> ContractHead:
    """The contract as generation and publishing read it; how: what the query ends with. NotFound."""
    row = await connection.fetchrow(_HEAD + how, actor.tenant_id, contract_id, visible(actor))
    if row is None:
        raise NotFound
    values: Any = [*row.values()]
    values[-1] = Direction(values[-1])
    return ContractHead(*values)


# Members by value: a horizon has a hundred thousand lines, and asking the class takes longer than all else of a row.
_CADENCES = {each.value: each for each in Cadence}
_DAY_UNITS = {each.value: each for each in DayUnit}


async def read_terms(connection: Driver, actor: Actor, contract_id: UUID) -> dict[UUID, Terms]:
    """The contract's lines in the order of their numbers."""
    rows = await connection.fetch(
        "select id, item_code, unit, foq, cadence, pack_size, minimum_order, under_percent, over_percent, firm_days,"
        " tradeoff_days, day_unit, delivery_weekdays, ship_to_code, generated_until, carried_remainder,"
        " ended_from from contract_line where tenant_id = $1 and contract_id = $2 order by line_no",
        *(actor.tenant_id, contract_id),
    )
    found: dict[UUID, Terms] = {}
    for row in rows:
        line, item, unit, foq, cadence, *figures, day_unit, weekdays, site, until, carried, ended = row.values()
        fixed: list[Any] = [line, item, unit, foq, _CADENCES.get(cadence), *figures, _DAY_UNITS[day_unit]]
        values: list[Any] = [*fixed, weekdays, site, until, carried, ended]
        found[line] = Terms(*values)
    return found


async def calendars(connection: Driver, actor: Actor, codes: set[str]) -> Mapping[str, WorkingCalendar]:
    """The working calendar of each ship-to site; a site that is not kept here works Monday to Friday."""
    rows = await connection.fetch(
        "select s.code, s.weekdays, coalesce(array_agg(d.day) filter (where not d.working), '{}') as holidays,"
        " coalesce(array_agg(d.day) filter (where d.working), '{}') as extra"
        " from site s left join site_day d on d.tenant_id = s.tenant_id and d.site_id = s.id"
        " where s.tenant_id = $1 and s.code = any($2) group by s.code, s.weekdays, s.id",
        *(actor.tenant_id, list(codes)),
    )
    known = {
        row["code"]: WorkingCalendar(frozenset(row["weekdays"]), frozenset(row["holidays"]), frozenset(row["extra"]))
        for row in rows
    }
    return {code: known.get(code, WorkingCalendar()) for code in codes}


_INSERT_LINES = f"""
insert into schedule_line (tenant_id, id, party_id, contract_id, contract_line_id, line_no, order_no, order_date,
    due_date, requested_date, period_start, unit, ordered_quantity, under_percent, over_percent, status, reject_reason,
    supply_state, supply_note, confirmed_quantity, shipped_quantity, received_quantity, rejected_quantity, ship_to_code,
    version)
select $1, r.id, $2, $3, c.id, r.line_no, $4, $5, r.due_date, r.due_date, r.period_start, c.unit,
    r.quantity, c.under_percent, c.over_percent, 'draft', '', 'unknown', '', 0, 0, 0, 0, c.ship_to_code, 1
from unnest({unseen(6, "uuid uuid int date date numeric")})
    as r(id, contract_line_id, line_no, due_date, period_start, quantity)
join contract_line c on c.tenant_id = $1 and c.id = r.contract_line_id
"""  # noqa: S608 - own text
_STORE_LINE_NO = "update contract set last_line_no = $3 where tenant_id = $1 and id = $2"


def new_line(
    line: Terms, number: int, due: date, period: date | None, quantity: Decimal, made: UUID | None = None
) -> tuple[Any, ...]:
    """One row of `store_lines`. made: its id, where many are drawn at once."""
    return made or uuid7(), line.id, number, due, period, quantity


async def store_lines(
    connection: Driver, actor: Actor, head: ContractHead, order_no: str, today: date, new: list[tuple[Any, ...]]
) -> None:
    fixed = (actor.tenant_id, head.party_id, head.id, order_no, today)
    await connection.execute(_INSERT_LINES, *fixed, *columns(new))
    await connection.execute(_STORE_LINE_NO, actor.tenant_id, head.id, head.last_line_no + len(new))


def contract_of(head: ContractHead, raised: int = 0) -> Subject:
    """The contract as the journal names it; raised: by how much its version grows with the deed."""
    return Subject("contract", head.id, head.party_id, head.version + raised, head.id)
