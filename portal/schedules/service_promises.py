"""Writing the seller's answers to locked lines: what holds at once, and what waits for the buyer's decision."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import DateRule
from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import consume, entry_values, give_back, insert_entries
from portal.core import arrays, db
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar
from portal.core.ids import uuid7
from portal.core.journal import emit, record
from portal.core.states import Side
from portal.schedules import rules, rules_answers
from portal.schedules.events import DeviationOffered, LineConfirmed
from portal.schedules.model import ConfirmationStatus, LineStatus
from portal.schedules.reads_calendars import both_calendars
from portal.schedules.rules import CONFIRM_ACTION, LINE_STATES
from portal.schedules.rules_answers import Asked, Deviation, Said
from portal.schedules.service_calls import confirmed_entries
from portal.schedules.service_lines import LineHead, change, subject

logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """So much on this day; the day on which it leaves, where one is known."""

    quantity: Decimal
    delivery_date: date
    despatch_date: date | None = None


class Given(Struct, frozen=True):
    """One answer to one locked line, by the side that speaks."""

    head: LineHead
    parts: list[Part]
    side: Side
    final: bool = False
    price: Decimal | None = None
    reason: str = ""
    note: str = ""
    on_behalf: bool = False
    deemed: bool = False

    @property
    def quantity(self) -> Decimal:
        if len(self.parts) == 1:  # nearly always, and asked for by the thousand
            return self.parts[0].quantity
        return sum((part.quantity for part in self.parts), Decimal(0))


async def part_dates(
    session: AsyncSession, actor: Actor, head: LineHead, splits: Sequence[tuple[Decimal, date | None, date | None]]
) -> list[Part]:
    """The parts with both their days. Calendars are read only where a day has to be computed."""
    missing = any(delivery is None for _q, delivery, _d in splits)
    missing = missing or (head.transit_days is not None and any(despatch is None for *_q, despatch in splits))
    both = (WorkingCalendar(), WorkingCalendar())
    receiving, sending = await both_calendars(await db.driver(session), actor, head) if missing else both
    rule = head.date_rule or DateRule.LATER
    return [
        Part(q, *rules_answers.both_dates(delivery, despatch, head.transit_days, receiving, sending, rule))
        for q, delivery, despatch in splits
    ]


class _Checked(NamedTuple):
    """What an answer means for its line."""

    given: Given
    found: list[Deviation]
    waits: bool
    said: Said
    status: LineStatus  # of the line, once the answer holds


async def give_answers(session: AsyncSession, actor: Actor, answers: Sequence[Given], now: datetime) -> list[LineHead]:
    """Check and write answers. Those as asked go together in one statement; each that deviates is written by itself."""
    checked = [await _check(session, actor, given, given.head.today(now)) for given in answers]
    plain = [each.given for each in checked if not each.found]
    written: dict[UUID, LineHead] = {}
    if plain:
        statuses = {each.given.head.id: each.status for each in checked}
        written = {head.id: head for head in await _confirm(session, actor, plain, statuses)}
    for each in (each for each in checked if each.found):
        deed = _offer if each.waits else _hold
        written[each.given.head.id] = await deed(session, actor, each)
    logger.info("schedule lines answered", extra={"lines": len(written), "first": str(answers[0].head.id)})
    return [written[given.head.id] for given in answers]


async def _check(session: AsyncSession, actor: Actor, given: Given, today: date) -> _Checked:
    head = given.head
    rules.check_promises([part[:2] for part in given.parts], head.unit, today)
    valid = await valid_parts(session, actor, head) if head.confirmed_quantity or given.price is not None else []
    days = [part.delivery_date for part in (*valid, *given.parts)]
    said = Said(head.confirmed_quantity + given.quantity, days, given.final, given.price)
    asked = Asked(
        head.ordered_quantity, head.under_percent, head.over_percent, head.unit, head.due_date,
        await _price(session, actor, head) if given.price is not None else None,
    )  # fmt: skip
    found = [] if given.deemed else rules_answers.deviations(asked, said, head.policy, today)
    waits = rules_answers.check_allowed(found, asked, said, head.policy)
    ordered = said.total if Deviation.QUANTITY in found else head.ordered_quantity
    status = rules.confirm_status(ordered, said.total, head.under_percent, head.over_percent, head.unit)
    LINE_STATES.target(head.status, CONFIRM_ACTION[status], by=given.side)
    return _Checked(given, found, waits, said, status)


_PRICES = """
select price / price_unit from contract_price where tenant_id = $1 and contract_line_id = $2 and valid_from <= $3
    and order_no in ('', $4) and from_quantity = 0
order by order_no = '', valid_from desc limit 1"""


async def _price(session: AsyncSession, actor: Actor, head: LineHead) -> Decimal | None:
    """The price per unit that holds for the line, as the contract says it for its due date."""
    if head.price is not None:
        return head.price
    connection = await db.driver(session)
    found: Decimal | None = await connection.fetchval(
        _PRICES, actor.tenant_id, head.contract_line_id, head.due_date, head.order_no
    )
    return found


_VALID = """
select quantity, delivery_date, despatch_date from confirmation
where tenant_id = $1 and line_id = $2 and status = 'valid' order by delivery_date, id"""


async def valid_parts(session: AsyncSession, actor: Actor, head: LineHead) -> list[Part]:
    """What is promised for a line and holds."""
    connection = await db.driver(session)
    return [Part(*row) for row in await connection.fetch(_VALID, actor.tenant_id, head.id)]


# --- writing ---------------------------------------------------------------------------------------------------------

_INSERT = """
    insert into confirmation (tenant_id, id, party_id, line_id, release_line_id, command_id, delivery_date, quantity,
        despatch_date, line_version, status, member_id, channel, deviations, reason, note, price, on_behalf, deemed)
    select $1, r.id, r.party_id, r.line_id, r.release_line_id, r.command_id, r.delivery_date, r.quantity,
        r.despatch_date, r.line_version, $2, $3, $4, $5, $6, $7, $8, $9, $10
    from unnest($11::text::uuid[], $12::text::uuid[], $13::text::uuid[], $14::text::uuid[], $15::text::uuid[],
        $16::text::date[], $17::text::numeric[], $18::text::date[], $19::text::int[])
        as r(id, party_id, line_id, release_line_id, command_id, delivery_date, quantity, despatch_date, line_version)
"""
# Promises and lines in one statement: this is the hottest command, and each round trip costs it a tenth.
_CONFIRM = f"""
with promised as ({_INSERT})
update schedule_line l set status = r.status, confirmed_quantity = r.confirmed, version = r.version, respond_by = null,
    deviation_id = null, deemed = $10, promised_date = coalesce(l.promised_date, r.promised)
from unnest({arrays.unseen(20, "uuid text numeric int date")}) as r(id, status, confirmed, version, promised)
where l.tenant_id = $1 and l.id = r.id"""  # noqa: S608 - own text
# The same with the ledger's entries, for lines that were called off from a period.
_CONFIRM_BOOKED = _CONFIRM.replace("with ", f"with booked as ({insert_entries(25)}), ", 1)


def _values(actor: Actor, status: ConfirmationStatus, given: Given, found: Sequence[Deviation] = ()) -> list[Any]:
    """The parameters of _INSERT before its columns."""
    how = (given.reason, given.note, given.price, given.on_behalf, given.deemed)
    return [actor.tenant_id, status.value, actor.member_id, actor.channel.value, ",".join(found), *how]


def _rows(given: Given, command: UUID) -> list[tuple[Any, ...]]:
    head = given.head
    return [
        (uuid7(), head.party_id, head.id, head.release_line_id, command, part.delivery_date, part.quantity,
         part.despatch_date, head.version)
        for part in given.parts
    ]  # fmt: skip


async def _confirm(
    session: AsyncSession, actor: Actor, answers: Sequence[Given], statuses: dict[UUID, LineStatus]
) -> list[LineHead]:
    """Write answers that are as asked; all were said in the same way."""
    promises: list[tuple[Any, ...]] = []
    changed: list[LineHead] = []
    for given in answers:
        head, command = given.head, uuid7()
        if head.deviation_id is not None:
            await retire(session, actor, head)
        promises += _rows(given, command)
        first = head.promised_date or max(part.delivery_date for part in given.parts)
        total = head.confirmed_quantity + given.quantity
        after = replace(
            head, status=statuses[head.id], confirmed_quantity=total, version=head.version + 1, promised_date=first,
            deviation_id=None, deemed=given.deemed,
        )  # fmt: skip
        changed.append(after)
        record(session, actor, subject(after), "confirmed", **told(given), command=command)
        emit(session, actor, head.party_id, LineConfirmed(head.id, command))
    connection = await db.driver(session)
    lines = [(h.id, h.status, h.confirmed_quantity, h.version, h.promised_date) for h in changed]
    columns = [*arrays.columns(promises), *arrays.columns(lines)]
    values = _values(actor, ConfirmationStatus.VALID, answers[0])
    if entries := confirmed_entries([(given.head, given.quantity) for given in answers]):
        await connection.execute(_CONFIRM_BOOKED, *values, *columns, *entry_values(actor, entries))
    else:
        await connection.execute(_CONFIRM, *values, *columns)
    return changed


def told(given: Given) -> dict[str, Any]:
    """The answer as the line's history tells it."""
    parts = [{"quantity": str(part.quantity), "date": str(part.delivery_date)} for part in given.parts]
    marks = {"on_behalf": given.on_behalf, "deemed": given.deemed, "reason": given.reason, "note": given.note}
    return {"splits": parts, "unit": given.head.unit} | {name: value for name, value in marks.items() if value}


async def _offer(session: AsyncSession, actor: Actor, checked: _Checked) -> LineHead:
    """An answer that the buyer decides about: nothing that was agreed changes, and the deadline is kept."""
    given, command = checked.given, uuid7()
    await retire(session, actor, given.head)
    await _insert(session, actor, ConfirmationStatus.NEEDS_APPROVAL, given, command, checked.found)
    first = given.head.promised_date or max(checked.said.days)
    after = await change(session, actor, given.head, deviation_id=command, respond_by=None, promised_date=first)
    record(session, actor, subject(after), "deviated", **told(given), deviations=checked.found, command=command)
    emit(session, actor, given.head.party_id, DeviationOffered(given.head.id, command))
    return replace(after, deviation_id=command, promised_date=first)


async def _hold(session: AsyncSession, actor: Actor, checked: _Checked) -> LineHead:
    """An answer that deviates in what the contract leaves free: it holds at once and says what is agreed now."""
    given, command = checked.given, uuid7()
    await retire(session, actor, given.head)
    await _insert(session, actor, ConfirmationStatus.VALID, given, command, checked.found)
    after = await settle(session, actor, given.head, checked.found, checked.said, given.quantity)
    record(session, actor, subject(after), "confirmed", **told(given), deviations=checked.found, command=command)
    emit(session, actor, given.head.party_id, LineConfirmed(given.head.id, command))
    return after


async def _insert(
    session: AsyncSession, actor: Actor, status: ConfirmationStatus, given: Given, command: UUID,
    found: Sequence[Deviation],
) -> None:  # fmt: skip
    connection = await db.driver(session)
    columns = arrays.columns(_rows(given, command))
    await connection.execute(_INSERT, *_values(actor, status, given, found), *columns)


_RETIRE = """
update confirmation set status = 'replaced'
where tenant_id = $1 and line_id = $2 and status = 'needs_approval'"""


async def retire(session: AsyncSession, actor: Actor, head: LineHead) -> None:
    """An answer that still waits for a decision is no longer the one that counts."""
    if head.deviation_id is not None:
        connection = await db.driver(session)
        await connection.execute(_RETIRE, actor.tenant_id, head.id)


async def settle(
    session: AsyncSession, actor: Actor, head: LineHead, found: Sequence[Deviation], said: Said, more: Decimal
) -> LineHead:
    """A deviation holds: write what is agreed now, keep what was first asked. more: what this answer adds."""
    due, quantity, price = rules_answers.agreed(found, said)
    ordered = head.ordered_quantity if quantity is None else quantity
    status = rules.confirm_status(ordered, said.total, head.under_percent, head.over_percent, head.unit)
    values: dict[str, Any] = {"status": status, "confirmed_quantity": said.total, "respond_by": None}
    values |= {"deviation_id": None, "deemed": False, "promised_date": head.promised_date or max(said.days)}
    if due is not None:
        values["due_date"] = due
    if price is not None:
        values["price"] = price
    if quantity is not None:
        values |= {"ordered_quantity": quantity, "requested_quantity": head.requested_quantity or head.ordered_quantity}
        await _book_change(session, actor, head, quantity - head.ordered_quantity)
    after = await change(session, actor, head, **values)
    await _book_confirmed(session, actor, head, more)
    return replace(
        after, confirmed_quantity=said.total, due_date=values.get("due_date", head.due_date), ordered_quantity=ordered,
        promised_date=values["promised_date"], deviation_id=None,
    )  # fmt: skip


async def _book_change(session: AsyncSession, actor: Actor, head: LineHead, difference: Decimal) -> None:
    """Another quantity takes more, or less, from the period that the line was called off from."""
    if head.bucket_id is None or not difference:
        return
    if difference < 0:
        await give_back(session, actor, head.party_id, head.bucket_id, head.id, -difference)
        return
    connection = await db.driver(session)
    code = await connection.fetchval(
        "select item_code from contract_line where tenant_id = $1 and id = $2", actor.tenant_id, head.contract_line_id
    )
    await consume(
        session, actor, head.party_id, [Call(head.id, head.contract_line_id, code, head.due_date, difference)]
    )


async def _book_confirmed(session: AsyncSession, actor: Actor, head: LineHead, quantity: Decimal) -> None:
    if entries := confirmed_entries([(head, quantity)]):
        connection = await db.driver(session)
        await connection.execute(insert_entries(2), actor.tenant_id, *entry_values(actor, entries))
