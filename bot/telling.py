"""/settings: how the person is told, changed by buttons; everything else is on the page."""

from typing import Any

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.answers import Answers
from bot.pressing import Press, on
from bot.talk import Talk
from portal.core.actor import Actor
from portal.core.i18n import _
from portal.notices import rules
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card, Rows
from portal.notices.model import KIND_NAMES, ON_OR_OFF, Choice, Kind, Preference, choice_name
from portal.notices.service_preferences import change_preferences, get_preference, wishes_of
from portal.notices.wording import address, joined, opening

router = Router(name="telling")
PAGE = "/profile/notifications"
HOURS = ("07:00", "07:30", "08:00", "08:30", "09:00", "10:00")
QUIET = (("20:00", "07:30"), ("18:00", "08:00"), ("22:00", "07:00"), ("00:00", "00:00"))


@router.message(Command("settings"))
async def settings(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """What holds now, with a button for each part of it."""
    return await choices(session, actor, talk)


async def choices(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    """The card of it."""
    return [talk.card(await _card(session, actor, talk), business=False)]


async def _card(session: AsyncSession, actor: Actor, talk: Talk) -> Card:
    assert actor.member_id is not None
    assert talk.known is not None
    found = await get_preference(session, actor, actor.member_id)
    maker = _Maker(session, actor)
    buttons = (
        (await maker.button(_("Daily summary"), ask="digest"), await maker.button(_("Quiet hours"), ask="quiet")),
        (await maker.button(_("What I am told"), ask="kinds"), opening(PAGE, _("All settings"))),
    )
    company = joined(talk.known.company_name, talk.known.tenant_name)
    return Card(_("Settings"), company, _facts(found), "", "", buttons, address(PAGE))


def _facts(found: Preference) -> tuple[str, ...]:
    at = _("Daily summary at {time}").format(time=rules.clock_time(found.digest_at))
    off = rules.choice(wishes_of(found), Kind.DIGEST) is Choice.OFF
    return (_("No daily summary") if off else at, _quiet(found), _("Prices stay in the portal."))


def _quiet(found: Preference) -> str:
    if found.quiet_from == found.quiet_to:
        return _("No quiet hours")
    times = f"{rules.clock_time(found.quiet_from)}–{rules.clock_time(found.quiet_to)}"
    return _("Quiet {times}").format(times=times)


class _Maker:
    """Makes the buttons of this conversation, which only their own person presses."""

    def __init__(self, session: AsyncSession, actor: Actor) -> None:
        self._session, self._actor = session, actor

    async def button(self, label: str, **data: Any) -> Button:
        assert self._actor.member_id is not None
        action = await make_action(
            self._session, self._actor, Verb.SETTING, "preference", self._actor.member_id, None, data
        )
        return Button(label, action.id)


@on(Verb.SETTING)
async def setting(press: Press) -> Answers:
    """A choice is made, or the next question asked; the message shows what holds then."""
    data = press.action.data
    if "set" in data:
        await change_preferences(press.session, press.actor, data["set"])
        card = await _card(press.session, press.actor, press.talk)
        return [press.talk.card(card, edit=True, business=False), press.talk.note(_("Saved. It counts from now on."))]
    if "ask" not in data:
        card = await _card(press.session, press.actor, press.talk)
        return [press.talk.card(card, edit=True, business=False), press.talk.note()]
    title, rows = await _question(_Maker(press.session, press.actor), press, data)
    return [press.talk.card(Card(title, "", (), "", "", rows, ""), edit=True, business=False), press.talk.note()]


async def _question(maker: _Maker, press: Press, data: dict[str, Any]) -> tuple[str, Rows]:
    """What is asked, and the answers in rows, with the way back."""
    back = ((await maker.button(_("Back")),),)
    match data["ask"]:
        case "digest":
            off = await maker.button(_("No daily summary"), set={"kinds": {Kind.DIGEST: Choice.OFF}})
            times = [await maker.button(time, set=_digest_at(time)) for time in HOURS]
            return _("When shall the daily summary come?"), (*_in_rows(times, 3), (off,), *back)
        case "quiet":
            spans = [await maker.button(_span(*span), set=_quiet_hours(*span)) for span in QUIET]
            return _("When shall nothing disturb you?"), (*_in_rows(spans, 2), *back)
        case "kind":
            kind = Kind(data["kind"])
            offered = ON_OR_OFF if kind is Kind.DIGEST else list(Choice)
            names = [await maker.button(_(choice_name(kind, each)), set={"kinds": {kind: each}}) for each in offered]
            return _("{kind}: how are you told?").format(kind=_(KIND_NAMES[kind])), (*_in_rows(names, 1), *back)
        case _:
            found = await get_preference(press.session, press.actor, press.action.member_id)
            chosen = wishes_of(found)
            kinds = [
                await maker.button(
                    joined(_(name), _(choice_name(kind, rules.choice(chosen, kind)))), ask="kind", kind=kind.value
                )
                for kind, name in KIND_NAMES.items()
                if kind is not Kind.AGREED
            ]
            return _("What are you told, and how?"), (*_in_rows(kinds, 1), *back)


def _digest_at(time: str) -> dict[str, Any]:
    return {"digest_at": time, "kinds": {Kind.DIGEST: Choice.AT_ONCE}}


def _quiet_hours(begins: str, ends: str) -> dict[str, str]:
    return {"quiet_from": begins, "quiet_to": ends}


def _span(begins: str, ends: str) -> str:
    return _("No quiet hours") if begins == ends else f"{begins}–{ends}"


def _in_rows(buttons: list[Button], width: int) -> Rows:
    return tuple(tuple(buttons[no : no + width]) for no in range(0, len(buttons), width))
