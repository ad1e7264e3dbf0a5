"""Periods for contracts that are at work already: their deliveries, delivery notes and receipts open the ledger.

Also what a line's history suggests as a monthly target. The schedules and the goods are known here, so faces call this
module and not `contracts.service_commitments` where a contract may have deliveries.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service_commitments as commitments
from portal.contracts.inputs_buckets import SetPeriods, SetTargets
from portal.contracts.model import Contract, ContractLine
from portal.contracts.model_buckets import Assignment, EntryKind
from portal.contracts.rules_periods import Suggestion, monthly_periods, suggest
from portal.contracts.service import get_lines
from portal.contracts.service_buckets import Entry, post
from portal.contracts.service_periods import write_periods
from portal.core import clock
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.conditions import Conditions
from portal.core.db import Driver, driver
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_
from portal.schedules.model import LineStatus
from portal.schedules.rules import consumed_quantity

logger = logging.getLogger(__name__)
ZERO = Decimal(0)
K = EntryKind
BEFORE = N_("Called off before the periods were agreed")


class NothingToCome(Conflict):
    code = "nothing-to-come"
    text = N_("The contract ended on {last}, so no month is left. Choose an earlier first month to look back on it.")


class SuggestedLine(Struct, frozen=True):
    """What one contract line's history says. Without a target it stays a pure call-off."""

    contract_id: UUID
    number: str
    party_name: str
    line_id: UUID
    item_code: str
    description: str
    unit: str
    foq: Decimal | None  # a fixed quantity needs no suggestion
    periods: int
    said: Suggestion


# --- suggestions ------------------------------------------------------------------------------------------------------

_HISTORY = """
select c.id, c.number, c.party_name, k.id, k.item_code, k.description, k.unit, k.foq,
    (select count(*)::int from commitment_bucket b where b.tenant_id = $1 and b.contract_line_id = k.id),
    array_remove(array_agg(l.due_date order by l.id), null),
    array_remove(array_agg(l.ordered_quantity order by l.id), null)
from (select * from contract where {where}) c
join contract_line k on k.tenant_id = $1 and k.contract_id = c.id
left join schedule_line l on l.tenant_id = $1 and l.contract_line_id = k.id and l.status not in ('draft', 'cancelled')
group by c.id, c.number, c.party_name, k.id, k.line_no, k.item_code, k.description, k.unit, k.foq
order by c.number, c.id, k.line_no"""


async def suggestions(connection: Driver, actor: Actor, contract_id: UUID | None = None) -> list[SuggestedLine]:
    """What the history of the lines says, of one contract or of all that the actor may see. For the factory."""
    where = Conditions(actor, contract="id")
    where.equal(id=contract_id)
    rows = await connection.fetch(_HISTORY.format(where=where.sql), *where.args)
    return [
        SuggestedLine(
            **dict(zip(SuggestedLine.__struct_fields__[:-1], row.values(), strict=False)),
            said=suggest(zip(row[9], row[10], strict=True), row["unit"]),
        )
        for row in rows
    ]


# --- commands ---------------------------------------------------------------------------------------------------------


async def set_periods(
    session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID, data: SetPeriods, version: int | None = None
) -> Contract:
    """Write one line's periods anew; what was called off and delivered before opens their ledger."""
    contract = await commitments.set_periods(session, actor, contract_id, line_id, data, version)
    await open_ledger(session, actor, contract)
    return contract


async def set_targets(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: SetTargets, version: int | None = None
) -> Contract:
    """Agree on a monthly target for several lines at once. Raises NothingToCome for a contract that has ended."""
    contract = await commitments.writable(session, actor, contract_id, version)
    known = {line.id: line for line in await get_lines(session, actor, contract_id)}
    since = data.since or local_today(clock.now(), contract.time_zone)
    for chosen in data.lines:
        line: ContractLine | None = known.get(chosen.line_id)
        if line is None:
            raise NotFound
        agreed = monthly_periods(chosen.target, line, since, (contract.valid_from, contract.valid_to), data.months)
        if not agreed:
            raise NothingToCome(field="since", last=contract.valid_to)
        await write_periods(session, actor, contract, line, agreed)
    commitments.changed(session, actor, contract, "targets_set", lines=len(data.lines), since=since)
    await open_ledger(session, actor, contract)
    return contract


# --- opening ----------------------------------------------------------------------------------------------------------

_ADOPT = """
update schedule_line l set bucket_id = b.id from commitment_bucket b
where l.tenant_id = $1 and l.contract_id = $2 and l.bucket_id is null and l.status <> 'draft' and b.tenant_id = $1
    and b.contract_line_id = l.contract_line_id and l.due_date >= b.period_start and l.due_date < b.period_end
returning l.id, l.bucket_id, l.status, l.ordered_quantity, l.received_quantity, l.confirmed_quantity"""
_SHIPPED = """
select s.schedule_line_id as line, s.shipment_id as document, d.shipped_on as day, s.quantity
from shipment_line s join shipment d on d.tenant_id = s.tenant_id and d.id = s.shipment_id
where s.tenant_id = $1 and s.schedule_line_id = any($2) and d.status not in ('draft', 'withdrawn')
order by d.shipped_on"""
_RECEIVED = """
select c.schedule_line_id as line, c.receipt_id as document, r.received_on as day, c.accepted, c.rejected
from receipt_line c join receipt r on r.tenant_id = c.tenant_id and r.id = c.receipt_id
where c.tenant_id = $1 and c.schedule_line_id = any($2) and not exists (
    select from receipt later where later.tenant_id = r.tenant_id and later.corrects_id = r.id)
order by r.received_on"""


async def open_ledger(session: AsyncSession, actor: Actor, contract: Contract) -> int:
    """Book what the contract's deliveries did before they had periods. Returns how many deliveries were taken in.

    What they had called off above a ceiling is let through by an entry that says so: it is history, not a new call.
    """
    connection = await driver(session)
    adopted = await connection.fetch(_ADOPT, actor.tenant_id, contract.id)
    if not adopted:
        return 0
    terms = await commitments.get_terms(session, contract)
    book = _Book(contract, terms.assignment, {row["id"]: row["bucket_id"] for row in adopted})
    book.periods = await _periods(connection, actor, adopted)
    for row in sorted(adopted, key=lambda row: row["id"]):
        book.call(row)
    for row in await connection.fetch(_SHIPPED, actor.tenant_id, list(book.of)):
        book.goods(K.SHIPPED, "shipment", row, row["quantity"])
    for row in await connection.fetch(_RECEIVED, actor.tenant_id, list(book.of)):
        book.goods(K.RECEIVED, "receipt", row, row["accepted"])
        book.goods(K.RETURNED, "receipt", row, row["rejected"])
    await post(connection, actor, book.entries)
    await post(connection, actor, await _above(connection, actor, contract, set(book.of.values())), BEFORE)
    logger.info("ledger opened", extra={"contract_id": str(contract.id), "lines": len(adopted)})
    return len(adopted)


class _Book:
    """The entries of deliveries that were there before their periods."""

    def __init__(self, contract: Contract, rule: Assignment, of: dict[UUID, UUID]) -> None:
        self.of = of  # the period of each schedule line
        self.entries: list[Entry] = []
        self.periods: dict[UUID, list[tuple[date, date, UUID]]] = {}  # of the line that a period belongs to
        self._party, self._rule = contract.party_id, rule

    def call(self, row: asyncpg.Record) -> None:
        ordered, line = row["ordered_quantity"], row["id"]
        consumed = consumed_quantity(LineStatus(row["status"]), ordered, row["received_quantity"])
        for kind, quantity in (
            (K.CALLED, ordered),
            (K.RELEASED, consumed - ordered),
            (K.CONFIRMED, row["confirmed_quantity"]),
        ):
            self._add(self.of[line], kind, quantity, "schedule_line", line, line)

    def goods(self, kind: EntryKind, table: str, row: asyncpg.Record, quantity: Decimal) -> None:
        own = self.of[row["line"]]
        by_despatch = self._rule is Assignment.DESPATCH and kind is K.SHIPPED
        by_receipt = self._rule is Assignment.RECEIPT and kind is K.RECEIVED
        if by_despatch or by_receipt:
            spans = self.periods[own]
            own = next((bucket for start, end, bucket in spans if start <= row["day"] < end), own)
        self._add(own, kind, quantity, table, row["document"], row["line"])

    def _add(self, bucket: UUID, kind: EntryKind, quantity: Decimal, table: str, document: UUID, line: UUID) -> None:
        if quantity:
            self.entries.append(Entry(self._party, bucket, kind, quantity, table, document, line))


async def _periods(
    connection: Driver, actor: Actor, adopted: Iterable[asyncpg.Record]
) -> dict[UUID, list[tuple[date, date, UUID]]]:
    """All periods of the lines concerned, by each of them."""
    rows = await connection.fetch(
        "select b.contract_line_id, b.period_start, b.period_end, b.id from commitment_bucket b where b.tenant_id = $1"
        " and b.contract_line_id in (select contract_line_id from commitment_bucket where tenant_id = $1"
        " and id = any($2))",
        *(actor.tenant_id, list({row["bucket_id"] for row in adopted})),
    )
    by_line: dict[UUID, list[tuple[date, date, UUID]]] = defaultdict(list)
    for line, start, end, bucket in rows:
        by_line[line].append((start, end, bucket))
    return {bucket: spans for spans in by_line.values() for _start, _end, bucket in spans}


async def _above(connection: Driver, actor: Actor, contract: Contract, buckets: set[UUID]) -> Sequence[Entry]:
    """What is called off above the ceilings, as over-calls."""
    rows: list[Any] = await connection.fetch(
        "select id, consumed - ceiling - allowance - tolerance_used from commitment_bucket where tenant_id = $1"
        " and id = any($2) and consumed > ceiling + allowance + tolerance_used order by id",
        *(actor.tenant_id, list(buckets)),
    )
    return [Entry(contract.party_id, row[0], K.OVER_CALL, row[1], "contract", contract.id) for row in rows]
