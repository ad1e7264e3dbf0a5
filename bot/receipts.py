"""Receiving in a chat: all complete with one press, or counted line by line with a reason and photos."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import phrases
from bot.answers import Answer, Answers, Current
from bot.pressing import Press, on
from bot.steps import Steps, begin, collected
from bot.talk import Talk
from portal.contracts.parts import part_of
from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound, PortalError, Reading, together
from portal.core.i18n import N_, _, number
from portal.core.quantities import check_scale, show_quantity
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card
from portal.notices.compose import card_for
from portal.notices.wording import joined, listed
from portal.shipments import reads, service_receipts
from portal.shipments.counting import CountedLine, Receive
from portal.shipments.model import Problem, Receipt
from portal.shipments.reads import NoteLine
from portal.shipments.words import PROBLEMS

router = Router(name="receipts")
SHIPMENT = "shipment"
ASK_COUNT = N_("Send the good quantities in this order: {lines}")
WRONG_COUNT = N_("Each line needs one quantity, in this order: {lines}. For example: {example}")
Counted = dict[str, Any]  # {"lines": [[line id, good, problem or null]], "receipt": the one replaced, or null}


class LineRefused(Invalid):
    code = "line-refused"
    text = N_("{part}: {what}")


# --- all complete -----------------------------------------------------------------------------------------------------


@on(Verb.RECEIVE)
async def receive(press: Press) -> Answers:
    """Everything arrived as announced."""
    _kind, shipment_id = press.object
    version = press.action.object_version
    receipt = await service_receipts.receive(press.session, press.actor, shipment_id, version, Receive())
    return await _posted(press, receipt, shipment_id)


async def _posted(press: Press, receipt: Receipt, shipment_id: UUID) -> Answers:
    """The receipt's number and what it says; the note's own card has the button to correct it."""
    await press.session.flush()
    rows = await reads.counted_rows(await db.driver(press.session), press.actor, receipt.id)
    said = _("Receipt {number}: {sums}. The supplier is informed.").format(
        number=receipt.number, sums=" + ".join(show_quantity(row.accepted, row.unit) for row in rows)
    )
    await press.done(said, rows[0].contract_id if rows else None)
    return [Current(SHIPMENT, shipment_id, said), press.talk.note(said)]


# --- line by line -----------------------------------------------------------------------------------------------------


@on(Verb.COUNT)
async def count(press: Press) -> Answers:
    """The next message holds the quantities."""
    _kind, shipment_id = press.object
    waiting = await _waiting(press.session, press.actor, shipment_id, None)
    await begin(press.state, Steps.counting, SHIPMENT, shipment_id, version=press.action.object_version, receipt=None)
    return await _ask(press, shipment_id, waiting)


@on(Verb.CORRECT)
async def correct(press: Press) -> Answers:
    """The same for a receipt of the last quarter of an hour; it says so when that is over, at the last step."""
    _kind, receipt_id = press.object
    row = await reads.get_receipt(await db.driver(press.session), press.actor, receipt_id)
    waiting = await _waiting(press.session, press.actor, row.shipment_id, receipt_id)
    await begin(press.state, Steps.counting, SHIPMENT, row.shipment_id, version=None, receipt=str(receipt_id))
    return await _ask(press, row.shipment_id, waiting)


async def _ask(press: Press, shipment_id: UUID, waiting: list[NoteLine]) -> Answers:
    """What is to be sent now, and the way out of it."""
    drop = await make_action(press.session, press.actor, Verb.SHOW, SHIPMENT, shipment_id, None, {"back": True})
    said = _(ASK_COUNT).format(lines=_announced(waiting, press.actor))
    return [press.talk.say(said, ((Button(_("Drop"), drop.id),),)), press.talk.note()]


@router.message(Steps.counting, F.text, ~F.text.startswith("/"))
async def counted(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """As many numbers as lines; for the first difference the reason is asked."""
    form = await state.get_data()
    shipment_id = UUID(form["id"])
    receipt_id = UUID(form["receipt"]) if form["receipt"] else None
    waiting = await _waiting(session, actor, shipment_id, receipt_id)
    found = phrases.quantities(message.text or "", [part_of(line, actor) for line in waiting])
    if len(found) != len(waiting):
        example = " ".join(f"{line.quantity.normalize():f}" for line in waiting)
        words = {"lines": _announced(waiting, actor), "example": example}
        return [talk.say(_(WRONG_COUNT).format(**words), figures=True)]
    reading = Reading()
    for no, (line, good) in enumerate(zip(waiting, found, strict=True)):
        with reading.part(), _naming([part_of(each, actor) for each in waiting]):
            check_scale(good, line.unit, f"lines.{no}.good")
    reading.done()
    lines = [[str(line.id), str(good), None] for line, good in zip(waiting, found, strict=True)]
    said: Counted = {"lines": lines, "receipt": form["receipt"]}
    return [await _next(session, actor, talk, state, shipment_id, form["version"], said)]


@on(Verb.REASON)
async def reason(press: Press) -> Answers:
    """What happened to the difference of one line; the next difference follows, or the photos."""
    _kind, shipment_id = press.object
    chosen = press.action.data
    said: Counted = {"lines": chosen["lines"], "receipt": chosen["receipt"]}
    version = press.action.object_version
    answer = await _next(press.session, press.actor, press.talk, press.state, shipment_id, version, said)
    return [answer, press.talk.note()]


async def _next(
    session: AsyncSession,
    actor: Actor,
    talk: Talk,
    state: FSMContext,
    shipment_id: UUID,
    version: int | None,
    said: Counted,
) -> Answer:
    """The question about the first unexplained difference, else the summary with the button that posts."""
    receipt_id = UUID(said["receipt"]) if said["receipt"] else None
    known = {str(line.id): line for line in await _waiting(session, actor, shipment_id, receipt_id)}
    card = await card_for(session, actor, SHIPMENT, shipment_id)
    for no, (line_id, good, problem) in enumerate(said["lines"]):
        line = known.get(line_id)
        if line is None:
            raise NotFound
        if problem is None and Decimal(good) < line.quantity:
            return talk.card(await _ask_reason(session, actor, card, shipment_id, version, said, no, line), edit=True)
    await begin(state, Steps.photographing, SHIPMENT, shipment_id)
    verb = Verb.RECOUNTED if said["receipt"] else Verb.COUNTED
    done = await make_action(session, actor, verb, SHIPMENT, shipment_id, version, said)
    drop = await make_action(session, actor, Verb.SHOW, SHIPMENT, shipment_id, version, {"back": True})
    buttons = ((Button(_("Done"), done.id, style="success"), Button(_("Drop"), drop.id)),)
    facts = tuple(_counted(known[line_id], good, problem, actor) for line_id, good, problem in said["lines"])
    title = _("Add photos if you like, then press Done.")
    return talk.card(replace(card, title=title, facts=facts, state="", deadline="", buttons=buttons), edit=True)


async def _ask_reason(
    session: AsyncSession,
    actor: Actor,
    card: Card,
    shipment_id: UUID,
    version: int | None,
    said: Counted,
    no: int,
    line: NoteLine,
) -> Card:
    buttons = []
    for problem, label in PROBLEMS.items():
        lines = [list(entry) for entry in said["lines"]]
        lines[no][2] = problem.value
        data = {"lines": lines, "receipt": said["receipt"]}
        action = await make_action(session, actor, Verb.REASON, SHIPMENT, shipment_id, version, data)
        buttons.append(Button(_(label), action.id))
    good = Decimal(said["lines"][no][1])
    fact = _("{part}: {good} of {announced}, {missing} short. What happened?").format(
        part=part_of(line, actor),
        good=number(good),
        announced=show_quantity(line.quantity, line.unit),
        missing=number(line.quantity - good),
    )
    drop = await make_action(session, actor, Verb.SHOW, SHIPMENT, shipment_id, version, {"back": True})
    rows = (tuple(buttons[:2]), tuple(buttons[2:]), (Button(_("Drop"), drop.id),))
    return replace(card, title=_("Count"), facts=(fact,), state="", deadline="", buttons=rows)


@on(Verb.COUNTED)
async def post_count(press: Press) -> Answers:
    """Post what was counted, with the photos that were sent meanwhile."""
    _kind, shipment_id = press.object
    _note, photos = await collected(press.state, shipment_id)
    version = press.action.object_version
    data = _receive(press)
    with _naming(await _counted_parts(press, shipment_id, None)):
        receipt = await service_receipts.receive(press.session, press.actor, shipment_id, version, data, photos)
    await press.state.clear()
    return await _posted(press, receipt, shipment_id)


@on(Verb.RECOUNTED)
async def post_correction(press: Press) -> Answers:
    """Replace the receipt by the new count."""
    _kind, shipment_id = press.object
    _note, photos = await collected(press.state, shipment_id)
    former = UUID(press.action.data["receipt"])
    with _naming(await _counted_parts(press, shipment_id, former)):
        receipt = await service_receipts.correct_receipt(press.session, press.actor, former, _receive(press), photos)
    await press.state.clear()
    return await _posted(press, receipt, shipment_id)


def _receive(press: Press) -> Receive:
    lines = [
        CountedLine(shipment_line_id=UUID(line_id), good=Decimal(good), problem=Problem(problem) if problem else None)
        for line_id, good, problem in press.action.data["lines"]
    ]
    return Receive(lines=lines)


async def _counted_parts(press: Press, shipment_id: UUID, receipt_id: UUID | None) -> list[str]:
    """The parts of the counted lines, in the order of the count."""
    lines = await reads.note_lines(await db.driver(press.session), press.actor, shipment_id)
    known = {str(line.id): part_of(line, press.actor) for line in lines if line.receipt_id == receipt_id}
    return [known.get(line_id, "") for line_id, _good, _problem in press.action.data["lines"]]


@contextmanager
def _naming(parts: list[str]) -> Iterator[None]:
    """A chat has no field to tell a refusal at, so the refusal of a line names its part."""
    try:
        yield
    except Invalid as error:
        raise together(_named(one, parts) for one in error.each()) from error


def _named(error: PortalError, parts: list[str]) -> Invalid:
    found = re.match(r"lines\.(\d+)", error.field or "")
    part = parts[int(found[1])] if found else ""
    return LineRefused(field=error.field, part=part, what=str(error)) if part else cast(Invalid, error)


# --- words ------------------------------------------------------------------------------------------------------------


async def _waiting(session: AsyncSession, actor: Actor, shipment_id: UUID, receipt_id: UUID | None) -> list[NoteLine]:
    """The lines to count: those without a receipt, or those of the receipt that is corrected."""
    lines = await reads.note_lines(await db.driver(session), actor, shipment_id)
    found = [line for line in lines if line.receipt_id == receipt_id]
    if not found:
        raise NotFound
    return found


def _announced(lines: list[NoteLine], actor: Actor) -> str:
    return listed([f"{part_of(line, actor)} {show_quantity(line.quantity, line.unit)}" for line in lines])


def _counted(line: NoteLine, good: str, problem: str | None, actor: Actor) -> str:
    text = _("{part}: {accepted} of {announced} accepted").format(
        part=part_of(line, actor), accepted=number(Decimal(good)), announced=show_quantity(line.quantity, line.unit)
    )
    return joined(text, _(PROBLEMS[Problem(problem)]) if problem else "")
