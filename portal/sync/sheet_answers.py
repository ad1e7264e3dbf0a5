"""What waits for confirmation as a workbook: out, and back through the commands that the page uses."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.parts import part_of
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.errors import PortalError
from portal.core.journal import part
from portal.schedules import reads
from portal.schedules.model import ConfirmationStatus, LineStatus
from portal.schedules.reads import LineRow, PromiseRow
from portal.schedules.rules import RejectReason
from portal.schedules.service import ConfirmLine, LineHead, RejectLine, Split, confirm_line, reject_line
from portal.sync import sheet_bases
from portal.sync.cells import canonical_number
from portal.sync.rules_answer_sheets import Answered, grouped, read_answer
from portal.sync.rules_sheets import GONE, GONE_MEND, Change, Refused, RowSaid, Values
from portal.sync.sheet_answer_words import ANSWERED, parts_text, refusal_text
from portal.sync.sheet_bases import AnswersBase, FoundAnswers
from portal.sync.sheet_book import Book, OutRow, write_book
from portal.sync.sheet_columns import FIELDS, Sheet
from portal.sync.sheet_runs import refused_row

MOST = 2000  # deliveries in one workbook
FIELD = "confirmed"  # the column under which an answer is shown
NAMES = {"quantity": FIELD, "splits": FIELD}
Chosen = Mapping[tuple[str, str], str]


def require(actor: Actor, on_behalf: bool) -> None:
    """Who may answer; the factory's planners may enter what its suppliers said elsewhere."""
    actor.require(Permission.PUBLISH_SCHEDULES if on_behalf else Permission.CONFIRM_LINES)


def require_either(actor: Actor) -> None:
    """Who sends workbooks at all: those who answer, or enter answers of suppliers."""
    actor.require(Permission.PUBLISH_SCHEDULES if actor.is_factory else Permission.CONFIRM_LINES)


async def export(session: AsyncSession, actor: Actor, contract_id: UUID | None, on_behalf: bool) -> bytes:
    """The deliveries that wait for an answer, by due date; at most 2,000 of them, the most urgent."""
    require(actor, on_behalf)
    connection = await db.driver(session)
    found = await reads.to_confirm(connection, actor, MOST, contract_id, on_behalf=on_behalf)
    found.sort(key=lambda row: (row.due_date, row.id))
    rows = {str(row.id): _values(row, actor) for row in found}
    versions = {str(row.id): row.version for row in found}
    base = AnswersBase(party_id=actor.party_id, on_behalf=on_behalf, versions=versions, rows=rows)
    digest = await sheet_bases.keep(actor, base)
    out = [OutRow(key, str(versions[key]), values) for key, values in rows.items()]
    return await asyncio.to_thread(write_book, {Sheet.ANSWERS: out}, digest)


def _values(row: LineRow, actor: Actor) -> Values:
    told = {
        "number": row.contract_number,
        "party_name": row.party_name,
        "item_code": part_of(row, actor),
        "description": row.description.strip(),
        "order_no": row.order_no,
        "due_date": row.due_date.isoformat(),
        "quantity": canonical_number(str(row.ordered_quantity)),
        "unit": row.unit,
    }
    return {field.name: told.get(field.name, "") for field in FIELDS[Sheet.ANSWERS]}


async def carried_out(
    session: AsyncSession, actor: Actor, book: Book, base: AnswersBase, chosen: Chosen
) -> FoundAnswers:
    """Give every answer of the workbook; each that is refused leaves its delivery as it was."""
    require(actor, base.on_behalf)
    groups, refused = grouped(book.rows)
    done = _Done(session, actor, base, chosen, refused)
    connection = await db.driver(session)
    ids = [UUID(key) for key in groups if key in base.rows]
    now = await reads.rows_of(connection, actor, ids)
    for key in sorted(groups):  # always locked in the same order
        await done.answer(key, groups[key], now)
    shown = {each.row for each in (*done.changes, *done.conflicts)} | {each.row for each in done.refused}
    return FoundAnswers(
        changes=sorted(done.changes, key=lambda each: each.row),
        conflicts=sorted(done.conflicts, key=lambda each: each.row),
        refused=sorted(done.refused, key=lambda each: each.row),
        unknown=book.unknown,
        where={f"{said.sheet}:{said.row}": _where(said) for said in book.rows if said.row in shown},
        **done.counts,
    )


def _where(said: RowSaid) -> str:
    names = ("number", "item_code", "order_no", "due_date")
    return " · ".join(text for name in names if (text := said.cells.get(name, "").strip()[:60]))


class _Done:
    """What was done with the deliveries so far."""

    def __init__(
        self, session: AsyncSession, actor: Actor, base: AnswersBase, chosen: Chosen, refused: list[Refused]
    ) -> None:
        self.session, self.actor, self.base, self.chosen = session, actor, base, chosen
        self.changes: list[Change] = []
        self.conflicts: list[Change] = []
        self.refused = refused
        self.counts = {"confirmed": 0, "rejected": 0, "waiting": 0}

    async def answer(self, key: str, rows: list[RowSaid], now: Mapping[UUID, LineRow]) -> None:
        """One delivery: read, compare with what it is now, and give the answer."""
        base = self.base.rows.get(key)
        today = local_today(clock.now(), self.actor.time_zone)
        answer = read_answer(key, rows, base, self.base.versions.get(key), today)
        if not isinstance(answer, Answered):
            self.refused += answer
            return
        row = now.get(UUID(key))
        if row is None or base is None:
            self.refused += [Refused(said.sheet, said.row, "", GONE, {}, GONE_MEND) for said in rows]
            return
        was = _asked(Decimal(base["quantity"]), date.fromisoformat(base["due_date"]))
        said = await self._said(row)
        stands = _stands(row, said)
        again = [(each.quantity, each.delivery_date, each.despatch_date, each.price) for each in said]
        if (answer.refuse and row.status == LineStatus.REJECTED) or (said and answer.repeats(again)):
            return  # it says just that already
        change = Change(Sheet.ANSWERS, rows[0].row, key, FIELD, was, stands, answer.text, row.unit)
        if stands != was and self.chosen.get((key, FIELD)) != stands:
            self.conflicts.append(change)
            return
        await self._give(answer, row, change)

    async def _said(self, row: LineRow) -> list[PromiseRow]:
        """What was answered meanwhile: what waits for the buyer, else what holds."""
        if row.status == LineStatus.REJECTED or not _answered(row):
            return []
        connection = await db.driver(self.session)
        found = await reads.promises(connection, self.actor, row.id)
        return [each for each in found if each.status == ConfirmationStatus.NEEDS_APPROVAL] or found

    async def _give(self, answer: Answered, row: LineRow, change: Change) -> None:
        try:
            async with part(self.session):
                head = await self._command(answer, row)
        except (PortalError, ValidationError) as error:
            self.refused += [refused_row(Sheet.ANSWERS, at, error, NAMES) for at in answer.rows]
            return
        self.changes.append(change)
        ends = "rejected" if answer.refuse else "waiting" if head.deviation_id is not None else "confirmed"
        self.counts[ends] += 1

    async def _command(self, answer: Answered, row: LineRow) -> LineHead:
        behalf = self.base.on_behalf
        reason = RejectReason(answer.reason) if answer.reason else None
        if answer.refuse:
            assert reason is not None  # read_answer asks for one
            said = RejectLine(reason=reason, note=answer.note, on_behalf=behalf)
            return await reject_line(self.session, self.actor, row.id, row.version, said)
        splits = [Split(quantity=q, delivery_date=there, despatch_date=leaves) for q, there, leaves in answer.parts]
        how: dict[str, Any] = {"reason": reason, "note": answer.note, "on_behalf": behalf}
        told = ConfirmLine(splits=splits, final=answer.final, price=answer.price, **how)
        return await confirm_line(self.session, self.actor, row.id, row.version, told)


def _answered(row: LineRow) -> bool:
    return row.status != LineStatus.PROPOSED or row.deviation_id is not None


def _asked(quantity: Decimal, due: date) -> str:
    return parts_text([(quantity, due, None)])


def _stands(row: LineRow, said: Sequence[PromiseRow]) -> str:
    """What is asked, or what was answered meanwhile."""
    if row.status == LineStatus.REJECTED:
        return refusal_text("")
    if not _answered(row):
        return _asked(row.ordered_quantity, row.due_date)
    return ANSWERED + parts_text((each.quantity, each.delivery_date, None) for each in said)
