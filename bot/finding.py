"""What waits, what comes next, and whatever else is written in plain words: the last to hear a message."""

from collections.abc import Awaitable, Callable

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import account, forecasts, promises, sentences, telling
from bot.answers import Answers
from bot.looking import MOST, listing, look, nothing
from bot.pressing import Press, on
from bot.reading import asking
from bot.reading.asking import Asked, Wish
from bot.reading.sentence import is_about_price, plain
from bot.talk import Talk
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import N_, _
from portal.notices.actions import Verb
from portal.notices.cards import Card
from portal.notices.compose import card_for
from portal.notices.compose_contracts import MOST as MOST_CONFIRMED
from portal.notices.compose_contracts import confirm_all, confirm_by, named
from portal.notices.compose_days import at_risk, day_id
from portal.notices.wording import address, opening
from portal.schedules import reads
from portal.schedules.reads import LineFilter, View

router = Router(name="finding")
UNKNOWN = N_("I do not know this command. /help lists what I can do.")
ONLY_TEXT = N_("I read text and photos only. Write what you need, or send /help.")
WELCOME = N_("You are welcome.")
EDITED = N_("I read a message only once, as it was first sent. Send it again as a new message.")
HOMELESS = N_(
    "I do not know what this photo belongs to. Press Count or Problem on a message first, or send it with the number"
    " of its delivery note written below."
)
OTHER_KINDS = F.voice | F.audio | F.video | F.video_note | F.sticker | F.animation | F.location | F.contact | F.poll


@router.message(Command("today"))
async def today(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """What waits for me now."""
    return await _day(session, actor, talk)


async def _day(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    assert actor.member_id is not None
    object_id = day_id(actor.member_id, "digest", local_today(clock.now(), actor.time_zone))
    card = await card_for(session, actor, "digest", object_id)
    return [talk.card(card, of=("digest", object_id))]


@router.message(Command("schedule"))
async def schedule(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """The next open deliveries."""
    return await _next(session, actor, talk)


async def _next(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
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


# --- plain words ------------------------------------------------------------------------------------------------------


@router.message(F.text, ~F.text.startswith("/"))
async def where(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """A command in other words; a change in plain words; else where is my order."""
    return await heard(session, actor, talk, state, message.text or "")


@router.message(F.photo | F.document)
async def homeless(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """A photo without a step that waits for one: what is written below it is read, as of a label the note's number."""
    if text := (message.caption or "").strip():
        return await heard(session, actor, talk, state, text)
    return [] if talk.is_group else [talk.say(_(HOMELESS))]


async def heard(session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext, text: str) -> Answers:
    """The answer to a message that no open step waits for."""
    if asking.thanks(text):
        return [talk.say(_(WELCOME))]
    if asking.greets(text):
        return [talk.say(account.greeting(talk))]
    if (wish := asking.asked(text)) is not None:
        return await wanted(session, actor, talk, wish)
    if (led := await promises.answer(session, actor, talk, text)) is not None:
        return led
    wished = await sentences.answer(session, actor, talk, state, text)
    if wished is not None:
        return wished
    if is_about_price(plain(text)):
        return [talk.say(_("Prices stay in the portal."), ((opening("/contracts"),),))]
    return await look(session, actor, talk, text) or [talk.say(nothing(text))]


async def wanted(session: AsyncSession, actor: Actor, talk: Talk, wish: Asked) -> Answers:
    """A command in other words."""
    return await _WANTED[wish.wish](session, actor, talk, wish.contract)


async def _confirm_all(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    """What would be confirmed, with the button that does it: words alone confirm nothing."""
    assert actor.member_id is not None
    connection = await db.driver(session)
    may = actor.may(Permission.CONFIRM_LINES)
    rows = await reads.to_confirm(connection, actor, MOST_CONFIRMED) if may else []
    if not rows:
        return [talk.say(_("No delivery waits for your answer."))]
    about = "digest", day_id(actor.member_id, "digest", local_today(clock.now(), actor.time_zone))
    button = await confirm_all(session, actor, *about, rows)
    page = opening("/answers", _("Confirm all except some"))
    card = Card(
        *(_("Confirm all of these?"), "", tuple(named(rows, actor)), confirm_by(rows, actor), ""),
        buttons=((button,), (page,)),
        link=address("/answers"),
    )
    return [talk.card(card)]


async def _help(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    return account.helping(talk)


_WANTED: dict[Wish, Callable[[AsyncSession, Actor, Talk, str], Awaitable[Answers]]] = {
    Wish.TODAY: _day,
    Wish.SCHEDULE: _next,
    Wish.CHANGES: forecasts.changed,
    Wish.FORECAST: forecasts.asked,
    Wish.CONFIRM_ALL: _confirm_all,
    Wish.HELP: _help,
    Wish.SETTINGS: telling.choices,
    Wish.COMPANY: account.companies,
    Wish.LANGUAGE: account.languages,
}


# --- what nobody else answered ----------------------------------------------------------------------------------------


@router.message(F.text.startswith("/"), flags={"transaction": False})
async def unknown(message: Message, talk: Talk) -> Answers:
    """A command that there is not; in a group it may be another bot's."""
    return [] if talk.is_group else [talk.say(_(UNKNOWN))]


@router.edited_message(F.text, flags={"transaction": False})
async def edited(message: Message, talk: Talk) -> Answers:
    """A message is read as it was first sent, and whoever edits it must not believe otherwise."""
    return [] if talk.is_group or talk.actor is None else [talk.say(_(EDITED))]


@router.message(OTHER_KINDS, flags={"transaction": False})
async def unread(message: Message, talk: Talk) -> Answers:
    """Voices, stickers and the like."""
    return [] if talk.is_group else [talk.say(_(ONLY_TEXT))]
