"""One delivery in a chat: confirm, say that it will be late, report a problem."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import wishes
from bot.answers import Answers
from bot.phrases import read_day
from bot.pressing import Press, on
from bot.reading import days
from bot.steps import Steps, begin, collected
from bot.talk import Talk
from portal.changes.inputs import NewChange, NewPart
from portal.changes.model import ChangeReason
from portal.changes.rules import AlreadyShipped
from portal.contracts.parts import part_of
from portal.core import clock, db, i18n
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar, local_today
from portal.core.i18n import N_, _
from portal.core.quantities import UNITS, show_quantity
from portal.notices import service_duties
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card, Rows
from portal.notices.compose import card_for
from portal.schedules import reads, rules_reports, service, service_answers, service_deviations, service_reports
from portal.schedules.model_reports import ReportKind, ReportReason
from portal.schedules.rules_reports import REASONS, URGENCIES
from portal.schedules.service import ConfirmLine, ConfirmLines
from portal.schedules.service_deviations import DeclineAnswer
from portal.schedules.service_reports import ReportLine

router = Router(name="lines")
LINE = "schedule_line"


# --- confirm ----------------------------------------------------------------------------------------------------------


@on(Verb.CONFIRM)
async def confirm(press: Press) -> Answers:
    """The whole delivery on its day."""
    _kind, line_id = press.object
    head = await service.confirm_line(press.session, press.actor, line_id, press.action.object_version, ConfirmLine())
    quantity = show_quantity(head.confirmed_quantity, head.unit)
    said = _("Confirmed: {quantity}").format(quantity=quantity)
    await press.done(said, head.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.ACCEPT)
async def accept(press: Press) -> Answers:
    """The buyer agrees to what the seller can do."""
    _kind, line_id = press.object
    version = press.action.object_version
    head = await service_deviations.accept_answer(press.session, press.actor, line_id, version)
    said = _("Accepted: {quantity}").format(quantity=show_quantity(head.confirmed_quantity, head.unit))
    await press.done(said, head.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.DECLINE)
async def decline(press: Press) -> Answers:
    """The buyer insists; why is said on the page, where there is room."""
    _kind, line_id = press.object
    version = press.action.object_version
    head = await service_deviations.decline_answer(press.session, press.actor, line_id, version, DeclineAnswer())
    said = _("Declined. The seller is asked again.")
    await press.done(said, head.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.CONFIRM_ALL)
async def confirm_all(press: Press) -> Answers:
    """All deliveries that the message named, as they were then; one that moved on stops them all."""
    lines = [{"id": line_id, "version": version} for line_id, version in press.action.data["lines"]]
    heads = await service.confirm_lines(press.session, press.actor, ConfirmLines.model_validate({"lines": lines}))
    said = i18n.ngettext("{n} delivery confirmed", "{n} deliveries confirmed", len(heads))
    said = said.format(n=i18n.number(len(heads)))
    await press.done(said)
    return [press.current(), press.talk.note(said)]


@on(Verb.ACKNOWLEDGE)
async def acknowledge(press: Press) -> Answers:
    """A release as a whole; its deliveries are answered one by one."""
    _kind, release_id = press.object
    release = await service_answers.acknowledge(press.session, press.actor, release_id)
    said = _("Release {no} is acknowledged").format(no=release.number)
    await press.done(said, release.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.TAKE_OVER)
async def take_over(press: Press) -> Answers:
    """The answer is the presser's from now on; the colleagues who were asked are told."""
    duty = await service_duties.take_over_by_id(press.session, press.actor, press.object[1])
    said = _("The answer is yours now. Your colleagues are told, and nobody is asked any further.")
    await press.done(said, duty.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.SHOW)
async def show(press: Press) -> Answers:
    """The object as it is now: in place where the button leads back, else below."""
    if press.action.data.get("back"):
        await press.state.clear()
        return [press.current(), press.talk.note()]
    kind, object_id = press.object
    card = await card_for(press.session, press.actor, kind, object_id)
    return [press.talk.card(card, of=press.object), press.talk.note()]


# --- will be late -----------------------------------------------------------------------------------------------------


@on(Verb.LATE)
async def late(press: Press) -> Answers:
    """First the day, then the reason, then the change with a button that asks the buyer for it."""
    chosen = press.action.data
    if "expected_on" not in chosen:
        return [press.ask(await _ask_day(press)), press.talk.note()]
    if "reason" not in chosen:
        buttons = await _reasons(press, Verb.LATE, {"expected_on": chosen["expected_on"]})
        return [press.ask(await _question(press, _("Reason?"), buttons)), press.talk.note()]
    return [press.ask(await _summary(press, chosen)), press.talk.note()]


async def _ask_day(press: Press) -> Card:
    row = await reads.get_row(await db.driver(press.session), press.actor, press.object[1])
    assert row is not None  # the card of it was just pressed, and a hidden one refuses below
    if row.shipped_quantity >= row.ordered_quantity:
        item, unit = part_of(row, press.actor), UNITS[row.unit][1]
        raise AlreadyShipped(item=item, day=row.due_date, shipped=row.shipped_quantity, unit=unit)
    today = local_today(clock.now(), press.actor.time_zone)
    later = rules_reports.later_days(row.due_date, today, WorkingCalendar())
    first = [await press.button(i18n.day(day), Verb.LATE, {"expected_on": day.isoformat()}) for day in later]
    other = await press.button(_("Other day"), Verb.OTHER_DAY)
    return await _question(press, _("New date?"), ((*first,), (other, await _back(press))))


@on(Verb.OTHER_DAY)
async def other_day(press: Press) -> Answers:
    """The next message is the day."""
    kind, line_id = press.object
    await begin(press.state, Steps.typing_day, kind, line_id, version=press.action.object_version)
    return [press.talk.say(_("Which day? Write it as 2026-11-30 or 30 Nov.")), press.talk.note()]


@router.message(Steps.typing_day, F.text, ~F.text.startswith("/"))
async def day_typed(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """The day, read and checked, leads to the reasons."""
    form = await state.get_data()
    line_id = UUID(form["id"])
    row = await reads.get_row(await db.driver(session), actor, line_id)
    today = local_today(clock.now(), actor.time_zone)
    day = read_day(message.text or "", row.due_date if row else today, today, days.LATER)
    if row is None or day is None:
        return [talk.say(_("I cannot read a day in this. Write it as 2026-11-30 or 30 Nov."))]
    rules_reports.check_expected(day, row.due_date, today)
    await state.clear()
    buttons = await reason_buttons(
        session, actor, line_id, form["version"], Verb.LATE, {"expected_on": day.isoformat()}
    )
    card = replace(
        await card_for(session, actor, LINE, line_id), title=_("Reason?"), state="", deadline="", buttons=buttons
    )
    return [talk.card(card)]


async def _summary(press: Press, chosen: dict[str, Any]) -> Card:
    """The change that the seller asks for: the agreed day stays until the buyer agrees to another one."""
    line_id, version = press.object[1], press.action.object_version
    row = await reads.get_row(await db.driver(press.session), press.actor, line_id)
    assert row is not None
    part = NewPart(line_id=line_id, version=version, due_date=date.fromisoformat(chosen["expected_on"]))
    wish = NewChange(contract_id=row.contract_id, reason=ChangeReason(chosen["reason"]), parts=[part])
    card = await wishes.proposal(press.session, press.actor, wish, N_("Will be late: please check and send"))
    return replace(card, deadline=_("The agreed day stays until the other company agrees to another one."))


# --- problem ----------------------------------------------------------------------------------------------------------


@on(Verb.PROBLEM)
async def problem(press: Press) -> Answers:
    """First the reason, then words or photos, and the urgency that sends it."""
    if "reason" not in press.action.data:
        buttons = await _reasons(press, Verb.PROBLEM, {})
        return [press.ask(await _question(press, _("What is the problem?"), buttons)), press.talk.note()]
    reason = press.action.data["reason"]
    kind, line_id = press.object
    version = press.action.object_version
    await begin(press.state, Steps.describing, kind, line_id, version=version, reason=reason)
    buttons = await urgency_buttons(press.session, press.actor, line_id, version, reason)
    return [press.ask(await _question(press, _(DESCRIBE), buttons)), press.talk.note()]


DESCRIBE = N_("Send a few words or a photo. Then choose how urgent it is.")


@router.message(Steps.describing, F.text, ~F.text.startswith("/"))
async def described(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """Words about the problem; the buttons stand below them again."""
    form = await state.get_data()
    note = " ".join(filter(None, (form["note"], (message.text or "").strip())))[:500]
    await state.update_data(note=note)
    line_id = UUID(form["id"])
    card = await card_for(session, actor, LINE, line_id)
    buttons = await urgency_buttons(session, actor, line_id, form["version"], form["reason"])
    facts = (_("Reason: {reason}").format(reason=_(REASONS[ReportReason(form["reason"])])), f"“{note}”")
    return [talk.card(replace(card, title=_("How urgent is it?"), facts=facts, state="", deadline="", buttons=buttons))]


@on(Verb.REPORT)
async def report(press: Press) -> Answers:
    """Send it: the buyer is told, the agreed day stays."""
    _kind, line_id = press.object
    note, photos = await collected(press.state, line_id)
    chosen = press.action.data
    data = ReportLine.model_validate(chosen | {"note": note if chosen["kind"] == ReportKind.PROBLEM else ""})
    version = press.action.object_version
    made = await service_reports.report_line(press.session, press.actor, line_id, version, data, photos)
    await press.state.clear()
    said = _("{number} is sent. The other company is told; the agreed day stays.").format(number=made.number)
    await press.done(said, made.contract_id)
    return [press.current(), press.talk.note(said)]


# --- shared by the questions ------------------------------------------------------------------------------------------


async def _question(press: Press, title: str, buttons: Rows) -> Card:
    """The delivery's card with a question in place of its buttons."""
    kind, object_id = press.object
    card = await card_for(press.session, press.actor, kind, object_id)
    return replace(card, title=title, state="", deadline="", buttons=buttons)


async def _back(press: Press) -> Button:
    return await press.button(_("Drop"), Verb.SHOW, {"back": True})


async def _reasons(press: Press, verb: Verb, data: dict[str, Any]) -> Rows:
    _kind, line_id = press.object
    return await reason_buttons(press.session, press.actor, line_id, press.action.object_version, verb, data)


async def reason_buttons(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, verb: Verb, data: dict[str, Any]
) -> Rows:
    """One button a reason, three in a row, and the way back."""
    buttons = [
        await _button(session, actor, line_id, version, _(label), verb, data | {"reason": reason.value})
        for reason, label in REASONS.items()
    ]
    drop = await _button(session, actor, line_id, version, _("Drop"), Verb.SHOW, {"back": True})
    return (tuple(buttons[:3]), (*buttons[3:], drop))


async def urgency_buttons(session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, reason: str) -> Rows:
    """The urgencies, each of which sends the report, and the way back."""
    data = {"kind": ReportKind.PROBLEM.value, "reason": reason}
    buttons = [
        await _button(session, actor, line_id, version, _(label), Verb.REPORT, data | {"urgency": urgency.value})
        for urgency, label in URGENCIES.items()
    ]
    buttons[-1] = replace(buttons[-1], style="danger")
    drop = await _button(session, actor, line_id, version, _("Drop"), Verb.SHOW, {"back": True})
    return (tuple(buttons), (drop,))


async def _button(
    session: AsyncSession,
    actor: Actor,
    line_id: UUID,
    version: int | None,
    label: str,
    verb: Verb,
    data: dict[str, Any],
) -> Button:
    action = await make_action(session, actor, verb, LINE, line_id, version, data)
    return Button(label, action.id)
