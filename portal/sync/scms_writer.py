"""Writing an SCMS file: all of it in the caller's transaction, or nothing.

Rows travel by COPY into temporary tables and from there with one statement a table. What is here already is left as it
is, so the same file again writes nothing, whatever the order of its rows.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar, deadline, local_today
from portal.core.db import Driver
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.core.journal import Subject, record
from portal.sync import scms_statements as sql
from portal.sync.findings import Refusal
from portal.sync.scms_compare import Comparison, compare
from portal.sync.scms_file import SOURCE, ScmsFile, Stage
from portal.sync.scms_parents import Parents, When, write_parents, written
from portal.sync.staging import new_ids, new_tokens, stage

logger = logging.getLogger(__name__)
RESPONSE_HOURS = 16
Tell = Callable[[int], Awaitable[None]]  # is told how many of the file's rows are done


class RowsRefused(Invalid):
    code = "rows-refused"
    text = N_("{count} rows of the file cannot be imported, so nothing was written. Mend them and send it again.")

    def __init__(self, refused: list[Refusal]) -> None:
        self.refused = refused
        super().__init__(field="file", count=len({refusal.row for refusal in refused}))


class Written(Struct, frozen=True):
    """What an import did."""

    changed: int  # rows of the database
    fresh: int  # schedule lines that were new
    known: int  # schedule lines that were here


async def write(
    session: AsyncSession, actor: Actor, file: ScmsFile, run_id: UUID | None = None, tell: Tell | None = None
) -> Written:
    """Bring a file in for the factory. Raises RowsRefused before the first change."""
    actor.require(Permission.RUN_IMPORTS)
    if file.refused:
        raise RowsRefused(file.refused)
    connection = await db.driver(session)
    await connection.execute(sql.PREPARE)
    await connection.execute(sql.LOCK, str(actor.tenant_id))
    comparison = await compare(connection, actor, file)
    if comparison.refused:
        raise RowsRefused(comparison.refused)
    if not comparison.fresh:
        return Written(0, 0, comparison.known)
    when = await _when(connection, actor, file.release_date)
    made = await write_parents(connection, actor, file, when)
    touched = await _stage_all(connection, actor, file, comparison, made, when)
    changed = made.changed + await _insert_all(connection, actor, file, when, tell)
    _tell_history(session, actor, file, made, touched)
    data = {"file": file.name, "digest": file.digest, "lines": len(comparison.fresh), "rows": changed}
    subject = Subject("import_run", run_id or actor.tenant_id, actor.party_id, shared=False)
    record(session, actor, subject, "applied", **data)
    logger.info("scms file imported", extra={"lines": len(comparison.fresh), "rows": changed})
    return Written(changed, len(comparison.fresh), comparison.known)


async def _when(connection: Driver, actor: Actor, release_date: date | None) -> When:
    zone: str = await connection.fetchval("select time_zone from tenant where tenant_id = $1", actor.tenant_id)
    now = clock.now()
    return When(now, zone, release_date or local_today(now, zone))


async def _stage_all(
    connection: Driver, actor: Actor, file: ScmsFile, comparison: Comparison, made: Parents, when: When
) -> dict[int, int]:
    """Fill the temporary tables with what is new. Returns the new lines' count by contract."""
    touched, line_nos = _line_numbers(file, comparison.fresh, made)
    shipment_nos = await _stage_shipments(connection, file, comparison)
    await _stage_lines(connection, file, comparison.fresh, line_nos, shipment_nos)
    await _stage_prices(connection, file)
    contracts = list(touched)
    await stage(
        connection,
        "scms_release",
        id=("uuid", new_ids(len(contracts))),
        contract_id=("uuid", [made.contracts[at].hex for at in contracts]),
        number=("integer", [made.release_no[at] + 1 for at in contracts]),
        last_line_no=("integer", [made.last_line_no[at] + touched[at] for at in contracts]),
        valid_from=("date", [file.contracts[at].valid_from for at in contracts]),
        valid_to=("date", [file.contracts[at].valid_to for at in contracts]),
        known=("boolean", [at not in made.new_contracts for at in contracts]),
    )
    return touched


def _line_numbers(file: ScmsFile, fresh: list[int], made: Parents) -> tuple[dict[int, int], list[int]]:
    """How many new lines each contract gets, and the number within the contract of each new line."""
    contract_of = [line.contract for line in file.contract_lines]
    counts: dict[int, int] = {}
    numbers = []
    for at in fresh:
        contract = contract_of[file.lines.contract_line[at]]
        counts[contract] = count = counts.get(contract, 0) + 1
        numbers.append(made.last_line_no[contract] + count)
    return counts, numbers


async def _stage_shipments(connection: Driver, file: ScmsFile, comparison: Comparison) -> list[int]:
    """Stage the delivery notes of the new lines. Returns the number of each new line on its note, in their order."""
    lines, numbers = file.lines, []
    counts: dict[int, int] = {}
    due: dict[int, date] = {}
    for at in comparison.fresh:
        place = lines.shipment[at]
        if place is None:
            numbers.append(0)
            continue
        before = comparison.shipments.get(file.shipments[place].number)
        counts[place] = count = counts.get(place, before.last_line_no if before else 0) + 1
        due[place] = min(lines.due[at], due.get(place, date.max))
        numbers.append(count)
    shipments = [file.shipments[place] for place in counts]
    before_all = [comparison.shipments.get(shipment.number) for shipment in shipments]
    fresh_ids, receipt_ids = new_ids(len(shipments)), new_ids(len(shipments))
    await stage(
        connection,
        "scms_shipment",
        n=("integer", list(counts)),
        id=("uuid", [b.id.hex if b else new for b, new in zip(before_all, fresh_ids, strict=True)]),
        receipt_id=(
            "uuid",
            [b.receipt_id.hex if b and b.receipt_id else new for b, new in zip(before_all, receipt_ids, strict=True)],
        ),
        new=("boolean", [before is None for before in before_all]),
        contract=("integer", [shipment.contract for shipment in shipments]),
        number=("text", [shipment.number for shipment in shipments]),
        order_no=("text", [shipment.order_no for shipment in shipments]),
        shipped_on=("date", [shipment.shipped_on for shipment in shipments]),
        received_on=("date", [shipment.received_on for shipment in shipments]),
        due=("date", list(due.values())),
        carrier=("text", [shipment.mode for shipment in shipments]),
        note=("text", [shipment.incoterm for shipment in shipments]),
        token=("text", new_tokens(len(shipments))),
    )
    return numbers


async def _stage_lines(
    connection: Driver, file: ScmsFile, fresh: list[int], line_nos: list[int], shipment_nos: list[int]
) -> None:
    lines, count = file.lines, len(fresh)
    await stage(
        connection,
        "scms_line",
        id=("uuid", new_ids(count)),
        release_line_id=("uuid", new_ids(count)),
        shipment_line_id=("uuid", new_ids(count)),
        receipt_line_id=("uuid", new_ids(count)),
        contract_line=("integer", [lines.contract_line[at] for at in fresh]),
        shipment=("integer", [lines.shipment[at] for at in fresh]),
        line_no=("integer", line_nos),
        shipment_line_no=("integer", shipment_nos),
        order_no=("text", [lines.order_no[at] for at in fresh]),
        order_date=("date", [lines.order_date[at] for at in fresh]),
        due=("date", [lines.due[at] for at in fresh]),
        quantity=("numeric", [lines.quantity[at] for at in fresh]),
        price=("numeric", [lines.price[at] for at in fresh]),
        value=("numeric", [lines.value[at] for at in fresh]),
        received_on=("date", [lines.received_on[at] for at in fresh]),
        proposed=("boolean", [lines.stage[at] is Stage.PROPOSED for at in fresh]),
        external_id=("text", [lines.external_id[at] for at in fresh]),
        hash=("text", [lines.payload_hash[at] for at in fresh]),
    )


async def _stage_prices(connection: Driver, file: ScmsFile) -> None:
    await stage(
        connection,
        "scms_price",
        id=("uuid", new_ids(len(file.prices))),
        contract_line=("integer", [price.contract_line for price in file.prices]),
        order_no=("text", [price.order_no for price in file.prices]),
        order_date=("date", [price.order_date for price in file.prices]),
        price=("numeric", [price.price for price in file.prices]),
    )


async def _insert_all(connection: Driver, actor: Actor, file: ScmsFile, when: When, tell: Tell | None) -> int:
    """From the temporary tables to the real ones, parents first. Returns the rows written."""
    answer_by = deadline(when.now, RESPONSE_HOURS, when.zone, WorkingCalendar())
    steps: list[tuple[str, tuple[object, ...]]] = [
        (sql.PRICES, ()),
        (sql.RELEASES, (when.released_on, when.now, actor.name)),
        (sql.CONTRACTS, (when.released_on,)),
        (sql.SCHEDULE_LINES, (when.released_on, answer_by, SOURCE)),
        (sql.RELEASE_LINES, (when.released_on,)),
        (sql.CARRIED_LINES, ()),
        (sql.SHIPMENTS, (SOURCE,)),
        (sql.SHIPMENT_LINES, ()),
        (sql.RECEIPTS, (when.zone, SOURCE)),
        (sql.RECEIPT_LINES, ()),
    ]
    changed = 0
    for no, (statement, values) in enumerate(steps, start=1):
        await connection.execute(sql.LEARN)
        changed += written(await connection.execute(statement, actor.tenant_id, *values))
        if tell is not None:
            await tell(file.rows * no // len(steps))
    return changed


def _tell_history(session: AsyncSession, actor: Actor, file: ScmsFile, made: Parents, touched: dict[int, int]) -> None:
    """One step of each contract's history: how many deliveries came, by which release. No project code."""
    for at, count in touched.items():
        contract_id, party_id = made.contracts[at], made.parties[file.partner(at).name]
        subject = Subject("contract", contract_id, party_id, made.versions[at] + 1, contract_id)
        record(session, actor, subject, "imported", lines=count, number=made.release_no[at] + 1)
