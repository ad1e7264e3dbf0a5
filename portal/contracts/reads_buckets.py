"""The ledger as both sides read it: periods with their counters, each the sum of its entries, never a cached figure."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.contracts.model import Contract, ContractKind
from portal.contracts.model_buckets import BucketCadence, CommitmentBucket, as_values
from portal.contracts.rules_buckets import COUNTS, Counters, Outlook, outlook
from portal.core.actor import Actor, Direction
from portal.core.conditions import Conditions, beginning, containing
from portal.core.db import Driver

_SUMS = ", ".join(
    f"coalesce(sum(quantity) filter (where kind in ({as_values(kinds)})), 0) as {name}"
    for name, kinds in COUNTS.items()
)
_COUNTERS = ", ".join(f"coalesce(e.{name}, 0)" for name in COUNTS)


class PeriodRow(Struct, frozen=True):
    """One period of one contract line: what is agreed, and what its entries add up to."""

    id: UUID
    contract_line_id: UUID
    cadence: BucketCadence
    period_start: date
    period_end: date  # the first day after it
    floor: Decimal
    target: Decimal
    ceiling: Decimal
    unit: str
    closed_at: datetime | None
    sums: Counters

    @property
    def outlook(self) -> Outlook:
        """Where it stands, and where it ends if nothing changes."""
        return outlook(self.floor, self.target, self.ceiling, self.sums)


class LineRow(Struct, frozen=True):
    """A contract line with its number of periods; none: a pure call-off."""

    id: UUID
    line_no: int
    item_code: str
    description: str
    partner_part_no: str
    unit: str
    periods: int


_COLUMNS = (
    "b.id, b.contract_line_id, b.cadence, b.period_start, b.period_end, b.floor, b.target, b.ceiling, b.unit,"
    f" b.closed_at, {_COUNTERS}"
)
# One period's entries are few and lie together, so they are added up where they are needed.
_EACH = f"left join lateral (select {_SUMS} from bucket_entry where tenant_id = $1 and bucket_id = b.id) e on true"  # noqa: S608


_FIXED = PeriodRow.__struct_fields__[:-1]


def _where(actor: Actor) -> Conditions:
    """What this reader may see of the periods; the policies say the same."""
    where = Conditions(actor, contract="contract_id")
    if not actor.is_factory:
        where.sql += f" and {CommitmentBucket.partner_sees}"
    return where


def _period(row: Any) -> PeriodRow:
    values: list[Any] = list(row.values())
    fixed = dict(zip(_FIXED, values, strict=False))
    sums = Counters(*values[len(_FIXED) : len(_FIXED) + len(COUNTS)])
    return PeriodRow(**fixed | {"cadence": BucketCadence(row["cadence"])}, sums=sums)


async def ledger(connection: Driver, actor: Actor, contract_id: UUID, line_id: UUID | None = None) -> list[PeriodRow]:
    """The periods of a contract, or of one line of it, in order of line and date."""
    where = _where(actor)
    where.equal(contract_id=contract_id, contract_line_id=line_id)
    query = (
        f"select {_COLUMNS} from (select * from commitment_bucket where {where.sql}) b {_EACH}"  # noqa: S608 - own text
        " order by b.contract_line_id, b.period_start"
    )
    return [_period(row) for row in await connection.fetch(query, *where.args)]


async def current(connection: Driver, actor: Actor, contract_id: UUID, today: date) -> dict[UUID, PeriodRow]:
    """By line the period that holds today, of a contract that has not begun the first one."""
    where = _where(actor)
    where.equal(contract_id=contract_id)
    where.also("period_end >", today)
    query = (
        f"select {_COLUMNS} from (select distinct on (contract_line_id) * from commitment_bucket where {where.sql}"  # noqa: S608
        f" order by contract_line_id, period_start) b {_EACH}"
    )
    return {row["contract_line_id"]: _period(row) for row in await connection.fetch(query, *where.args)}


async def running(
    connection: Driver, actor: Actor, contract_ids: Sequence[UUID], today: date
) -> list[tuple[UUID, PeriodRow]]:
    """The periods of many contracts that hold today, each with its contract."""
    where = _where(actor)
    where.sql += f" and contract_id = any({where.arg(list(contract_ids))}) and closed_at is null"
    where.also("period_start <=", today)
    where.also("period_end >", today)
    query = f"select {_COLUMNS}, b.contract_id from (select * from commitment_bucket where {where.sql}) b {_EACH}"  # noqa: S608
    return [(row["contract_id"], _period(row)) for row in await connection.fetch(query, *where.args)]


async def get_period(connection: Driver, actor: Actor, contract_id: UUID, bucket_id: UUID) -> PeriodRow | None:
    """One period, or None when it is absent or not yours."""
    where = _where(actor)
    where.equal(contract_id=contract_id, id=bucket_id)
    query = f"select {_COLUMNS} from (select * from commitment_bucket where {where.sql}) b {_EACH}"  # noqa: S608
    row = await connection.fetchrow(query, *where.args)
    return None if row is None else _period(row)


async def lines(connection: Driver, actor: Actor, contract_id: UUID) -> list[LineRow]:
    """The lines of a contract, by number, with how many periods each has."""
    where = Conditions(actor, contract="contract_id")
    where.equal(contract_id=contract_id)
    query = (
        "select k.id, k.line_no, k.item_code, k.description, k.partner_part_no, k.unit,"  # noqa: S608 - own text
        " (select count(*)::int from commitment_bucket b where b.tenant_id = $1 and b.contract_line_id = k.id)"
        f" from (select * from contract_line where {where.sql}) k order by k.line_no"
    )
    return [LineRow(*row) for row in await connection.fetch(query, *where.args)]


FAR = 100_000  # days, or contracts: further nobody asks


# --- all contracts ----------------------------------------------------------------------------------------------------


class Order(StrEnum):
    """By what the contracts are sorted."""

    RISK = "risk"  # most lines outside their limits first, then the least used
    USE = "use"  # the least used first
    END = "end"  # the next to end first


class UseFilter(Struct, frozen=True):
    """What the reader asked to see; empty parts restrict nothing."""

    order: Order = Order.RISK
    search: str = ""
    direction: Direction | None = None
    risky: bool = False  # only with a line outside its limits
    within: int | None = None  # only those that end within so many days
    party_id: UUID | None = None
    kind: ContractKind | None = None
    currency: str | None = None


class UseRow(Struct, frozen=True):
    """One contract in force and how far its periods are used. Shares are means over its lines: units never mix."""

    id: UUID
    number: str
    title: str
    party_name: str
    direction: Direction
    valid_to: date | None
    days_left: int | None
    lines: int  # with a period today
    below: int  # of these, ending below the floor if nothing changes
    above: int  # ending above the ceiling
    use: Decimal | None  # called off of the target in the period that runs, 0..1
    use_to_date: Decimal | None  # the same over all periods begun so far
    received_to_date: Decimal | None


# By line what its periods begun so far add up to. What was carried on counts where it went.
BY_LINE = f"""
with sums as (select bucket_id, {_SUMS} from bucket_entry where tenant_id = $1 group by 1),
chosen as (select *, ($2::timestamptz at time zone time_zone)::date as today from contract where {{where}}),
begun as (
    select b.contract_id, b.contract_line_id, b.period_end > c.today as runs, coalesce(e.called, 0) as called,
        coalesce(e.shipped, 0) as shipped, coalesce(e.received, 0) as received,
        b.floor + coalesce(e.carried_in, 0) as low,
        b.target + coalesce(e.carried_in, 0) + coalesce(e.carried_out, 0) as aim,
        b.ceiling + coalesce(e.carried_in, 0) + coalesce(e.over_called, 0) as high
    from commitment_bucket b join chosen c on c.id = b.contract_id and b.period_start <= c.today
    left join sums e on e.bucket_id = b.id
    where b.tenant_id = $1),
by_line as (
    select contract_id, contract_line_id, bool_or(runs) as runs, bool_or(runs and called < low) as below,
        bool_or(runs and called > high) as above,
        sum(called) filter (where runs) / nullif(sum(aim) filter (where runs), 0) as use,
        sum(aim) as aim, sum(called) as called, sum(shipped) as shipped, sum(received) as received
    from begun group by 1, 2)"""  # noqa: S608 - own text
_USE = f"""{BY_LINE},
found as (
    select c.id, c.number, c.title, c.party_name, c.direction, c.valid_to, c.valid_to - c.today as days_left,
        count(*) filter (where l.runs)::int as lines, count(*) filter (where l.below)::int as below,
        count(*) filter (where l.above)::int as above, round(avg(l.use), 4) as use,
        round(avg(l.called / nullif(l.aim, 0)), 4) as to_date, round(avg(l.received / nullif(l.aim, 0)), 4) as received
    from chosen c join by_line l on l.contract_id = c.id group by 1, 2, 3, 4, 5, 6, 7)
select * from found where not {{risky}} or below + above > 0 order by {{order}}, number, id"""  # noqa: S608 - own text
_ORDER = {
    Order.RISK: "below + above desc, use nulls last",
    Order.USE: "use nulls last",
    Order.END: "valid_to nulls last",
}
_SEARCH = """ and (number ilike {0} or title ilike {0} or partner_reference ilike {0} or party_name ilike {0}
    or exists (select from contract_line l where l.tenant_id = $1 and l.contract_id = contract.id
               and (l.item_code ilike {1} or l.partner_part_no ilike {1})))"""


async def use_of_contracts(
    connection: Driver, actor: Actor, wanted: UseFilter, now: datetime, offset: int, limit: int
) -> list[UseRow]:
    """Contracts in force with periods, one row more than `limit` when there is a next page."""
    where = chosen(actor, wanted, now)
    query = _USE.format(where=where.sql, risky=where.arg(wanted.risky), order=_ORDER[wanted.order])
    query += f" limit {limit + 1} offset {where.arg(max(0, min(offset, FAR)))}"
    return [UseRow(*row) for row in await connection.fetch(query, *where.args)]


def chosen(actor: Actor, wanted: UseFilter, now: datetime) -> Conditions:
    """The contracts in force that the reader may see and asked for; `$2` is the moment."""
    where = Conditions(actor, now, contract="id")
    where.sql += " and status = 'active'"
    if not actor.is_factory:
        where.sql += f" and {Contract.partner_sees}"
    where.equal(direction=wanted.direction, party_id=wanted.party_id, kind=wanted.kind, currency=wanted.currency)
    if words := wanted.search.strip():
        where.sql += _SEARCH.format(where.arg(containing(words)), where.arg(beginning(words)))
    if wanted.within is not None:
        days = where.arg(max(0, min(wanted.within, FAR)))
        where.sql += f" and valid_to <= ($2::timestamptz at time zone time_zone)::date + {days}::int"
    return where
