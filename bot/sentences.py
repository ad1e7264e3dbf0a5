"""A plain sentence about a delivery: read, then a card to check, or a question with buttons. Never a guess."""

from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

from aiogram.fsm.context import FSMContext
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import joining, wishes
from bot.answers import Answer, Answers
from bot.pressing import Press
from bot.reading import answering, days
from bot.reading.model import Choice, Delivery, Kind, NotRead, Open, Question, Reading, Settled, Why, World
from bot.reading.reading import read
from bot.reading.sentence import plain, take_apart
from bot.steps import Steps, begin
from bot.talk import Talk
from portal.changes.model import ChangeReason
from portal.changes.reads_open import OpenDelivery, open_deliveries
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import N_, _, day, number, sentences
from portal.core.quantities import show_quantity
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card, Rows
from portal.notices.wording import day as weekday_and_day
from portal.notices.wording import joined, opening

LONGEST = 300  # characters of a sentence; more is a letter
EXAMPLE = N_("For example: move A100 from Aug 15 to Aug 20, 800 pcs")
ASKED: dict[Open, str] = {
    Open.PART: N_("Which part is meant?"),
    Open.CONTRACT: N_("Several contracts have this part. Which one is meant?"),
    Open.WHICH: N_("Several deliveries fit. Which one is meant?"),
    Open.NEAREST: N_("There is no delivery on that day. Is one of these meant?"),
    Open.DAY: N_("Which day is meant?"),
    Open.PAST: N_("That day has passed. Which day that lies ahead?"),
    Open.QUANTITY: N_("Which quantity is meant? Answer with one whole number."),
    Open.UNIT: N_("The part is not counted in that unit. Which quantity in {unit}?"),
    Open.SPLIT: N_("Which quantity on which day? For example: 300 on Aug 15 and 300 on Aug 22"),
    Open.SUM: N_("The parts do not add up to {quantity}. Answer with all of them, each with its day."),
    Open.UNTIL: N_("Until which day?"),
    Open.JOIN: N_(
        "Which deliveries become one, and on which day? For example: join A100 of Aug 15 and Aug 22 on Aug 22"
    ),
    Open.OTHER: N_("With which delivery is it joined?"),
    Open.MORE: N_("Is it one delivery more, or more of the delivery that there is?"),
}
NO_DAY = N_("No calendar has such a day. Which day is meant?")
REFUSED: dict[Why, str] = {
    Why.SEVERAL: N_("I read one change at a time. Write one sentence for each, or use the form."),
    Why.CONTRADICTION: N_(
        "Two things in this sentence exclude each other, so nothing is changed. Write what is wanted."
    ),
    Why.NEGATED: N_("I read this as a wish that nothing is changed, so nothing is."),
    Why.CONDITION: N_("I cannot watch for a condition. Write the change when it is certain."),
    Why.UNCLEAR: N_("I am not sure what this sentence wants, so nothing is changed."),
    Why.PRICE: N_("Prices stay in the portal. Ask for another price on the page of the delivery."),
    Why.SAME: N_("The delivery stands like this already, so there is nothing to change."),
}


async def answer(session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext, text: str) -> Answers | None:
    """What a sentence leads to; None when it is not about changing something."""
    today = local_today(clock.now(), actor.time_zone)
    if not actor.may(Permission.REQUEST_CHANGES) or len(text) > LONGEST:
        return None
    if take_apart(text, World((), today)) is Why.NOTHING:  # spares most messages the deliveries
        return None
    if talk.numbers_only:
        return [on_the_page(talk)]
    return await _led(session, actor, talk, state, text, Settled())


def on_the_page(talk: Talk) -> Answer:
    """Where figures stay in the portal, a change is not shown, so it is not sent from here."""
    return talk.say(
        _("Ask for changes on the page of the delivery: this chat shows no figures."), ((opening("/schedules"),),)
    )


async def go_on(press: Press) -> Answers:
    """A question about a sentence was answered by a button."""
    data, known = press.action.data, settled_of(press.action.data["settled"])
    found = await _led(press.session, press.actor, press.talk, press.state, data["text"], known, edit=True)
    return [*(found or []), press.talk.note()]


async def follow(
    session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext, text: str, sentence: str, known: Settled
) -> Answers | None:
    """The message after a question about a sentence: its answer, or a new whole sentence. None: it is neither."""
    rows, world = await _world(session, actor, f"{sentence} {text}")
    if answering.is_whole(text, world):
        await state.clear()
        return await answer(session, actor, talk, state, text)
    asked = read(sentence, world, known)
    if not isinstance(asked, Question):  # what was asked is settled by what happened meanwhile
        return await _led(session, actor, talk, state, sentence, known)
    given = answering.answer(text, asked, world, known, sentence)
    if isinstance(given, Settled):
        return await _led(session, actor, talk, state, sentence, given)
    return [await _question(session, actor, talk, given, rows, sentence, known)] if given else None


async def _led(
    session: AsyncSession,
    actor: Actor,
    talk: Talk,
    state: FSMContext,
    text: str,
    known: Settled,
    *,
    edit: bool = False,
) -> Answers | None:
    rows, world = await _world(session, actor, text)
    result = read(text, world, known)
    if isinstance(result, Question):
        assert actor.member_id is not None
        more = {"text": text, "settled": stored(known), "at": clock.now().isoformat()}
        await begin(state, Steps.asked, "member", actor.member_id, **more)
        return [await _question(session, actor, talk, result, rows, text, known, edit=edit)]
    await state.clear()
    if isinstance(result, Reading) and result.kind is Kind.JOIN:
        members = joining.rows_of(result, rows)
        card = await joining.proposal(session, actor, members, result.day, wishes.READ_AS)
        return [talk.card(card, edit=edit)]
    if isinstance(result, Reading):
        wish = wishes.wish_of(result, rows, actor, ChangeReason.OTHER)
        if wish is None:
            return [talk.say(_("No delivery lies in that time."))]
        card = await wishes.proposal(session, actor, wish, wishes.READ_AS)
        return [talk.card(card, edit=edit)]
    return None if result.why is Why.NOTHING else [await refused(session, actor, talk, result)]


async def _world(session: AsyncSession, actor: Actor, words: str) -> tuple[dict[str, OpenDelivery], World]:
    """What the words can be about."""
    found = await open_deliveries(await db.driver(session), actor, words=words)
    rows = {str(row.id): row for row in found}
    return rows, World(tuple(_delivery(row, actor) for row in found), wishes.today_at(found, actor))


def _delivery(row: OpenDelivery, actor: Actor) -> Delivery:
    """As the grammar knows it."""
    part = row.part(actor)
    other = row.partner_part_no if part == row.item_code else row.item_code
    pack = row.pack_size if row.pack_size > 1 else None
    return Delivery(
        str(row.id), row.contract_number, part, row.due_date, row.quantity, row.unit, other, row.description, pack
    )


# --- questions --------------------------------------------------------------------------------------------------------


async def _question(
    session: AsyncSession,
    actor: Actor,
    talk: Talk,
    question: Question,
    rows: dict[str, OpenDelivery],
    text: str,
    known: Settled,
    *,
    edit: bool = False,
) -> Answer:
    """The question with its choices as buttons, and the form for whoever would rather choose. It may be answered in
    words as well."""
    offered = [
        (_label(choice, rows, actor), answering.chosen(question.open, choice, known)) for choice in question.choices
    ]
    if question.open is Open.MORE:
        offered = [(_("More of it"), replace(known, new=False)), (_("A delivery more"), replace(known, new=True))]
    buttons = [await _choice(session, actor, label, text, more) for label, more in offered]
    width = 1 if question.open in {Open.WHICH, Open.NEAREST, Open.OTHER} else 3
    grouped: Rows = tuple(tuple(buttons[no : no + width]) for no in range(0, len(buttons), width))
    row = rows[question.about.key] if question.about else None
    no_day = question.open is Open.DAY and not buttons and days.impossible(plain(text), clock.now().date())
    first = NO_DAY if no_day else ASKED[question.open]
    said = [_(each) for each in (first, ASKED[question.also] if question.also is not None else "") if each]
    title = sentences(*said).format(
        unit=wishes.unit_name(row.unit) if row else "", quantity=show_quantity(row.quantity, row.unit) if row else ""
    )
    facts = (f"“{text}”",) if buttons else (f"“{text}”", _(EXAMPLE) if question.open is Open.PART else "")
    card = Card(
        title, "", tuple(filter(None, facts)), "", "", (*grouped, (await form_button(session, actor, talk),)), ""
    )
    return talk.card(card, edit=edit)


def _label(choice: Choice, rows: dict[str, OpenDelivery], actor: Actor) -> str:
    match choice:
        case Delivery():
            row = rows[choice.key]
            company = row.party_name if actor.is_factory else ""
            return joined(f"{choice.part} {show_quantity(choice.quantity, choice.unit)}", day(choice.due),
                          choice.contract, company)  # fmt: skip
        case date():
            return weekday_and_day(choice)
        case Decimal():
            return number(choice)
    return choice


def stored(known: Settled) -> dict[str, Any]:
    """What is settled, as buttons and steps carry it."""
    said = {name: value for name, value in asdict(known).items() if value is not None}
    said["splits"] = [[day.isoformat(), str(value)] for day, value in known.splits]
    return said | {name: str(said[name]) for name in ("day", "quantity") if name in said}


def settled_of(said: dict[str, Any]) -> Settled:
    """As they carried it."""
    known = dict(said)
    if "day" in known:
        known["day"] = date.fromisoformat(known["day"])
    if "quantity" in known:
        known["quantity"] = Decimal(known["quantity"])
    splits = tuple((date.fromisoformat(day), Decimal(value)) for day, value in known.pop("splits", []))
    return Settled(**known, splits=splits)


async def _choice(session: AsyncSession, actor: Actor, label: str, text: str, known: Settled) -> Button:
    assert actor.member_id is not None
    data = {"step": "sentence", "text": text, "settled": stored(known)}
    action = await make_action(session, actor, Verb.WISH, "member", actor.member_id, None, data)
    return Button(label, action.id)


# --- what is not read -------------------------------------------------------------------------------------------------


async def refused(session: AsyncSession, actor: Actor, talk: Talk, result: NotRead) -> Answer:
    """Why nothing is proposed, one example, and the way by buttons."""
    buttons = ((await form_button(session, actor, talk),),)
    return talk.card(Card(_(REFUSED[result.why]), "", (_(EXAMPLE),), "", "", buttons, ""))


async def form_button(session: AsyncSession, actor: Actor, talk: Talk) -> Button:
    """The way to a change by buttons alone."""
    assert actor.member_id is not None
    action = await make_action(session, actor, Verb.WISH, "member", actor.member_id, None, {"step": "begin"})
    return Button(_("Use form"), action.id)
