"""Where is my order: found by delivery note, order, contract or part; of several that fit, it is asked which."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.answers import Answer, Answers
from bot.phrases import asks_where, read_day, sought
from bot.talk import Talk
from portal.changes import reads as changes
from portal.changes.reads import ChangeFilter
from portal.contracts.parts import part_of
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card, in_pairs
from portal.notices.compose import card_for
from portal.notices.wording import address, day, joined, listed, opening
from portal.schedules import reads
from portal.schedules.reads import LineFilter, LineRow, View
from portal.shipments import reads as shipments

REQUEST = re.compile(r"c-\d{1,9}", re.IGNORECASE)
MOST = 6  # things offered as buttons
SHORTEST = 3  # digits of a number that something is looked for by
PAST = timedelta(days=60)  # a delivery that is over is still found for so long
EXAMPLE = N_("I did not understand. Ask for example: where is A100? Or send /today, /schedule or /help.")
NOTHING = N_("Nothing is found for “{words}”. Send a part, a contract, an order or a delivery note number.")
WHICH = N_("Several deliveries fit. Which one is meant?")
WHICH_NOTE = N_("Several delivery notes fit. Which one is meant?")
WHICH_ORDER = N_("Which order? Choose a delivery, or send a part, a contract, an order or a delivery note number.")
OVER = N_("No open delivery fits. Is one of the last ones meant?")


async def look(session: AsyncSession, actor: Actor, talk: Talk, text: str) -> Answers | None:
    """What the words name: its card, or the question which one is meant. None when nothing fits."""
    words = sought(text)
    if not words:
        return await _any_order(session, actor, talk) if asks_where(text) else None
    if all(word.isdigit() and len(word) < SHORTEST for word in words):
        return None  # a bare 95 stands in too many numbers to mean one
    connection = await db.driver(session)
    if wanted := [word.upper() for word in words if REQUEST.fullmatch(word)]:
        return await _request(session, actor, talk, wanted[0])
    notes = [found for word in words for found in await shipments.find_shipments(connection, actor, typed=word)]
    if len(notes) == 1:
        return [talk.card(await card_for(session, actor, "shipment", notes[0]), of=("shipment", notes[0]))]
    if notes:
        return [await _which_note(session, actor, talk, notes[:MOST])]
    rows, title = await _lines(connection, actor, words, LineFilter(View.OPEN)), WHICH
    today = local_today(clock.now(), actor.time_zone)
    if not rows:
        rows, title = await _lines(connection, actor, words, LineFilter(View.ALL, since=today - PAST)), OVER
        rows = rows[-MOST:]
    rows = _of_day(rows, text, actor, today)
    if len(rows) == 1:
        card = await card_for(session, actor, "schedule_line", rows[0].id)
        return [talk.card(card, of=("schedule_line", rows[0].id))]
    return [await listing(session, actor, talk, _(title), rows)] if rows else None


def nothing(text: str) -> str:
    """What is said where nothing was found: an example, or what was looked for."""
    words = sought(text)
    digits = any(sign.isdigit() for word in words for sign in word)
    return _(NOTHING).format(words=" ".join(words)[:60]) if digits else _(EXAMPLE)


async def _any_order(session: AsyncSession, actor: Actor, talk: Talk) -> Answers | None:
    """No order was named: the next deliveries to choose from."""
    since = local_today(clock.now(), actor.time_zone)
    rows = await reads.list_lines(await db.driver(session), actor, LineFilter(View.OPEN, since=since), None, MOST)
    return [await listing(session, actor, talk, _(WHICH_ORDER), rows)] if rows else None


async def _request(session: AsyncSession, actor: Actor, talk: Talk, wanted: str) -> Answers | None:
    """A change request by its number; the factory has one of each number a partner."""
    rows = await changes.list_changes(await db.driver(session), actor, ChangeFilter(search=wanted), None, 200)
    rows = [row for row in rows if row.number == wanted]
    if len(rows) == 1:
        about = ("change_request", rows[0].id)
        return [talk.card(await card_for(session, actor, *about), of=about)]
    buttons = []
    for row in rows[:MOST]:
        action = await make_action(session, actor, Verb.SHOW, "change_request", row.id)
        buttons.append((Button(joined(wanted, row.contract_number, row.party_name), action.id),))
    return [talk.card(Card(_("Change requests found"), "", (), "", "", tuple(buttons), ""))] if rows else None


async def _lines(connection: Driver, actor: Actor, words: list[str], wanted: LineFilter) -> list[LineRow]:
    """Deliveries that fit the first word; the other words narrow them."""

    async def fitting(word: str) -> list[LineRow]:
        asked = LineFilter(wanted.view, search=word, since=wanted.since)
        return await reads.list_lines(connection, actor, asked, None, 200)

    rows = await fitting(words[0])
    for word in words[1:]:
        among = {row.id for row in await fitting(word)}
        rows = [row for row in rows if row.id in among] or rows
    return rows


def _of_day(rows: list[LineRow], text: str, actor: Actor, today: date) -> list[LineRow]:
    """Those of the day that is named beside the part, where there are any."""
    names = {name for row in rows for name in (part_of(row, actor), row.item_code, row.contract_number, row.order_no)}
    for name in sorted(filter(None, names), key=len, reverse=True):  # numbers in them are no days
        text = re.sub(re.escape(name), " ", text, flags=re.IGNORECASE)
    day_named = read_day(text, today)
    return [row for row in rows if row.due_date == day_named] or rows


async def _which_note(session: AsyncSession, actor: Actor, talk: Talk, notes: list[UUID]) -> Answer:
    """Numbers repeat across partners: the factory chooses by company."""
    connection = await db.driver(session)
    rows = [await shipments.get_shipment(connection, actor, found) for found in notes]
    buttons = []
    for row in rows:
        action = await make_action(session, actor, Verb.SHOW, "shipment", row.id)
        buttons.append((Button(joined(row.number, row.party_name if actor.is_factory else ""), action.id),))
    numbers = listed([row.number for row in rows]) if talk.numbers_only else ""  # the buttons stay away then
    return talk.card(Card(_(WHICH_NOTE), numbers, (), "", "", tuple(buttons), address("/shipments")))


async def listing(session: AsyncSession, actor: Actor, talk: Talk, title: str, rows: list[LineRow]) -> Answer:
    """Deliveries as lines of text, each with a button that shows it."""
    buttons = []
    alike = Counter((part_of(row, actor), row.due_date) for row in rows[:MOST])
    same = Counter((part_of(row, actor), row.due_date, row.ordered_quantity) for row in rows[:MOST])
    for row in rows[:MOST]:
        action = await make_action(session, actor, Verb.SHOW, "schedule_line", row.id)
        part, on = part_of(row, actor), row.due_date
        name = f"{part} {show_quantity(row.ordered_quantity, row.unit)}" if alike[part, on] > 1 else part
        contract = row.contract_number if same[part, on, row.ordered_quantity] > 1 else ""
        buttons.append(Button(joined(name, day(on), contract), action.id))
    facts = tuple(
        joined(
            f"{part_of(row, actor)} {show_quantity(row.ordered_quantity, row.unit)}",
            day(row.due_date),
            row.contract_number,
        )
        for row in rows[:MOST]
    )
    pairs = in_pairs(buttons)
    page = opening("/schedules", _("All in the list")) if len(rows) > MOST else None
    card = Card(title, "", facts, "", "", pairs, address("/schedules") if page or talk.numbers_only else "")
    return talk.card(replace(card, buttons=(*pairs, (page,))) if page else card)
