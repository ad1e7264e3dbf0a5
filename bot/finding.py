"""What waits, what comes next, and where something is."""

import re
from dataclasses import replace
from uuid import UUID

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import sentences
from bot.answers import Answer, Answers
from bot.phrases import sought
from bot.pressing import Press, on
from bot.talk import Talk
from portal.changes import reads as changes
from portal.changes.reads import ChangeFilter
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card
from portal.notices.compose import card_for
from portal.notices.compose_days import at_risk, day_id
from portal.notices.wording import address, day, joined, listed, opening
from portal.schedules import reads
from portal.schedules.reads import LineFilter, LineRow, View, part_of
from portal.shipments import reads as shipments

router = Router(name="finding")
REQUEST = re.compile(r"c-\d{1,9}", re.IGNORECASE)
MOST = 6  # things offered as buttons
EXAMPLE = N_("I did not understand. Ask for example: where is A100? Or send /today, /schedule or /help.")
NOTHING = N_("Nothing open is found for “{words}”. Send a part, a contract, an order or a delivery note number.")


@router.message(Command("today"))
async def today(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """What waits for me now."""
    assert actor.member_id is not None
    object_id = day_id(actor.member_id, "digest", local_today(clock.now(), actor.time_zone))
    card = await card_for(session, actor, "digest", object_id)
    return [talk.card(card, of=("digest", object_id))]


@router.message(Command("schedule"))
async def schedule(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """The next open deliveries."""
    since = local_today(clock.now(), actor.time_zone)
    rows = await reads.list_lines(await db.driver(session), actor, LineFilter(View.OPEN, since=since), None, MOST)
    if not rows:
        return [talk.say(_("No open delivery is ahead."))]
    return [await listing(session, actor, talk, _("Next deliveries"), rows)]


@on(Verb.SHOW_RISKS)
async def risks(press: Press) -> Answers:
    """The deliveries at risk."""
    connection = await db.driver(press.session)
    rows = await at_risk(connection, press.actor, local_today(clock.now(), press.actor.time_zone))
    if not rows:
        return [press.talk.note(_("Nothing is at risk now."))]
    return [await listing(press.session, press.actor, press.talk, _("At risk"), rows), press.talk.note()]


@router.message(F.text, ~F.text.startswith("/"))
async def where(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """A change in plain words; else where is my order: by delivery note, order, contract or part."""
    wished = await sentences.answer(session, actor, talk, message.text or "")
    if wished is not None:
        return wished
    words = sought(message.text or "")
    if not words:
        return [talk.say(_(EXAMPLE))]
    connection = await db.driver(session)
    if wanted := [word.upper() for word in words if REQUEST.fullmatch(word)]:
        return [await _request(session, actor, talk, wanted[0])]
    notes = [found for word in words for found in await shipments.find_shipments(connection, actor, typed=word)]
    if len(notes) == 1:
        return [talk.card(await card_for(session, actor, "shipment", notes[0]), of=("shipment", notes[0]))]
    rows = await _open_lines(connection, actor, words)
    if len(rows) == 1 and not notes:
        card = await card_for(session, actor, "schedule_line", rows[0].id)
        return [talk.card(card, of=("schedule_line", rows[0].id))]
    if notes:
        return [await _which_note(session, actor, talk, notes[:MOST])]
    if rows:
        return [await listing(session, actor, talk, _("Deliveries found"), rows)]
    digits = any(sign.isdigit() for word in words for sign in word)
    return [talk.say(_(NOTHING).format(words=" ".join(words)[:60]) if digits else _(EXAMPLE))]


async def _request(session: AsyncSession, actor: Actor, talk: Talk, wanted: str) -> Answer:
    """A change request by its number; the factory has one of each number a partner."""
    rows = await changes.list_changes(await db.driver(session), actor, ChangeFilter(search=wanted), None, 200)
    rows = [row for row in rows if row.number == wanted]
    if not rows:
        return talk.say(_(NOTHING).format(words=wanted))
    if len(rows) == 1:
        return talk.card(
            await card_for(session, actor, "change_request", rows[0].id), of=("change_request", rows[0].id)
        )
    buttons = []
    for row in rows[:MOST]:
        action = await make_action(session, actor, Verb.SHOW, "change_request", row.id)
        buttons.append((Button(joined(wanted, row.contract_number, row.party_name), action.id),))
    return talk.card(Card(_("Change requests found"), "", (), "", "", tuple(buttons), ""))


async def _open_lines(connection: Driver, actor: Actor, words: list[str]) -> list[LineRow]:
    """Open deliveries that fit the first word; the other words narrow them."""
    rows = await reads.list_lines(connection, actor, LineFilter(View.OPEN, search=words[0]), None, 200)
    for word in words[1:]:
        among = {
            row.id for row in await reads.list_lines(connection, actor, LineFilter(View.OPEN, search=word), None, 200)
        }
        rows = [row for row in rows if row.id in among] or rows
    return rows


async def _which_note(session: AsyncSession, actor: Actor, talk: Talk, notes: list[UUID]) -> Answer:
    """Numbers repeat across partners: the factory chooses by company."""
    connection = await db.driver(session)
    rows = [await shipments.get_shipment(connection, actor, found) for found in notes]
    buttons = []
    for row in rows:
        action = await make_action(session, actor, Verb.SHOW, "shipment", row.id)
        buttons.append((Button(joined(row.number, row.party_name if actor.is_factory else ""), action.id),))
    numbers = listed([row.number for row in rows]) if talk.numbers_only else ""  # the buttons stay away then
    return talk.card(Card(_("Delivery notes found"), numbers, (), "", "", tuple(buttons), address("/shipments")))


async def listing(session: AsyncSession, actor: Actor, talk: Talk, title: str, rows: list[LineRow]) -> Answer:
    """Deliveries as lines of text, each with a button that shows it."""
    buttons = []
    for row in rows[:MOST]:
        action = await make_action(session, actor, Verb.SHOW, "schedule_line", row.id)
        label = joined(part_of(row, actor), day(row.due_date))
        buttons.append(Button(label, action.id))
    facts = tuple(
        joined(
            f"{part_of(row, actor)} {show_quantity(row.ordered_quantity, row.unit)}",
            day(row.due_date),
            row.contract_number,
        )
        for row in rows[:MOST]
    )
    pairs = [tuple(buttons[no : no + 2]) for no in range(0, len(buttons), 2)]
    page = opening("/schedules", _("All in the list")) if len(rows) > MOST else None
    card = Card(title, "", facts, "", "", tuple(pairs), address("/schedules") if talk.numbers_only else "")
    return talk.card(replace(card, buttons=(*pairs, (page,))) if page else card)
