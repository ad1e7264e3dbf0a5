"""The chat itself: whose it is, for which company it speaks, in which language, and how it ends."""

from typing import Any
from uuid import UUID

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import groups
from bot.answers import Answers
from bot.pressing import UNLINKED, Press, nobody, on
from bot.talk import Talk
from portal.accounts import chats, identity, service_chats
from portal.accounts.model_chats import ChatBot
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.i18n import N_, Language, _
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card
from portal.notices.wording import joined, opening

entrance = Router(name="entrance")
router = Router(name="account")
COMMANDS: dict[str, str] = {
    "today": N_("What waits for you now"),
    "schedule": N_("The next deliveries"),
    "change": N_("Ask for a change of a delivery"),
    "changes": N_("What the newest releases changed"),
    "forecast": N_("Forecasts to commit to"),
    "company": N_("Speak for another company"),
    "settings": N_("When and how you are told"),
    "language": N_("中文 or English"),
    "help": N_("What this chat can do"),
    "stop": N_("End the link of this chat"),
}
IN_GROUPS = {"bind": N_("Bring a contract or a plant into this group, for administrators")}
APPROVE = N_("Almost done. Approve this chat in the portal (My account > Chat).")
OWN_WINDOW = N_("This window belongs to the portal; it ends when you sign out.")
NAMES = {Language.EN: "English", Language.ZH: "中文"}


@entrance.message(CommandStart(deep_link=True), flags={"transaction": False})
async def start_with_link(message: Message, command: CommandObject, talk: Talk) -> Answers:
    """A link from the portal was opened here: its person is asked there. Nothing is bound by this."""
    if talk.is_group:
        return [talk.say(_("Open the link in a private chat with the bot."))]
    await chats.open_link(talk.writer, command.args or "")
    return [talk.say(_(APPROVE))]


@entrance.message(F.migrate_to_chat_id | F.migrate_from_chat_id, flags={"transaction": False})
async def upgraded(message: Message, talk: Talk) -> Answers:
    """A group became one that can have topics. Both of its numbers are told, in the old and in the new one."""
    here = message.chat.id
    old, new = message.migrate_from_chat_id or here, message.migrate_to_chat_id or here
    await service_chats.renumbered(talk.bot, old, new)
    return []


@entrance.message(CommandStart())
async def start(message: Message, talk: Talk) -> Answers:
    """For whom this chat speaks, or how to link it."""
    return [talk.say(greeting(talk))] if talk.actor else [talk.say(nobody(talk))]


def greeting(talk: Talk) -> str:
    assert talk.known is not None
    said = _("This chat speaks for {company}.").format(company=joined(talk.known.company_name, talk.known.tenant_name))
    return said + ("" if i18n.language.get() is Language.ZH else " ") + _("Send /today to see what waits, or /help.")


@router.message(Command("help"))
async def help_(message: Message, talk: Talk) -> Answers:
    """The commands, each with what it does."""
    return helping(talk)


def helping(talk: Talk) -> Answers:
    """The commands, and what plain words can do."""
    known = COMMANDS | (IN_GROUPS if talk.is_group else {})
    facts = tuple(f"/{name}{_(': ')}{_(text)}" for name, text in known.items())
    ask = _("Or ask: where is A100? A photo of a label belongs to the step that is open.")
    change = _("Or write what is to change: move A100 from Aug 15 to Aug 20, 800 pcs")
    other = _("Or in other words: what changed since the last release, confirm all, commit to the forecast")
    promise = _("Or: commit to 90%. Or: carry the 400 short in November over to December")
    facts = (*facts, ask, change, promise, other)
    return [talk.card(Card(_("What this chat can do"), "", facts, "", "", (), ""), business=False)]


# --- language ---------------------------------------------------------------------------------------------------------


@router.message(Command("language"))
async def language(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """Both languages, each under its own name."""
    return await languages(session, actor, talk)


async def languages(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    """The question, with a button for each."""
    buttons = [await _choice(session, actor, talk, Verb.LANGUAGE, NAMES[lang], {"to": lang.value}) for lang in Language]
    return [talk.say(_("Which language?"), (tuple(buttons),))]


@on(Verb.LANGUAGE)
async def speak(press: Press) -> Answers:
    """From now on this chat speaks it."""
    chosen = Language(press.action.data["to"])
    assert press.talk.known is not None
    await chats.speak(press.talk.known.account_id, chosen)
    with i18n.speaking(chosen):
        return [press.talk.note(), press.talk.say(_("This chat speaks English now."))]


# --- company ----------------------------------------------------------------------------------------------------------


@router.message(Command("company"))
async def company(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """The companies that this chat may speak for."""
    return await companies(session, actor, talk)


async def companies(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    """A button for each of them, where there is a choice."""
    found = await _companies(talk)
    assert talk.known is not None
    if len(found) < 2:
        return [talk.say(greeting(talk))]
    if talk.bot is ChatBot.PORTAL:
        return [talk.say(greeting(talk), ((opening("/companies", _("Switch company")),),))]
    buttons = [
        (
            await _choice(
                session,
                actor,
                talk,
                Verb.SWITCH,
                joined(each.live.company_name, each.live.tenant_name),
                {},
                each.membership_id,
            ),
        )
        for each in found
    ]
    now = _("This chat speaks for {company}.").format(company=joined(talk.known.company_name, talk.known.tenant_name))
    return [talk.say(f"{now}\n{_('For which company?')}", tuple(buttons))]


async def _companies(talk: Talk) -> list[identity.Company]:
    assert talk.known is not None
    assert talk.known.user_id is not None
    return await identity.companies_of(talk.known.user_id)


@on(Verb.SWITCH)
async def switch(press: Press) -> Answers:
    """Speak for the other company from the next message on; its own row must allow this chat."""
    talk, (_kind, membership_id) = press.talk, press.object
    assert talk.known is not None
    assert talk.known.user_id is not None
    names = {each.membership_id: each.live.company_name for each in await _companies(talk)}
    if membership_id not in names:
        raise NotFound
    await chats.switch(talk.known.account_id, talk.known.user_id, membership_id)
    said = _("This chat speaks for {company}.").format(company=names[membership_id])
    # In place of the choice: its other buttons belong to the company that was left.
    return [talk.note(), talk.card(Card(said, "", (), "", "", (), ""), edit=True, business=False)]


async def _choice(
    session: AsyncSession,
    actor: Actor,
    talk: Talk,
    verb: Verb,
    label: str,
    data: dict[str, Any],
    about: UUID | None = None,
) -> Button:
    assert talk.known is not None
    action = await make_action(session, actor, verb, "chat", about or talk.known.account_id, None, data)
    return Button(label, action.id)


# --- ending -----------------------------------------------------------------------------------------------------------


@entrance.message(Command("stop"), flags={"transaction": False})
async def stop(message: Message, talk: Talk, state: FSMContext) -> Answers:
    """The link ends at once, in every company; in a group what is told there."""
    if talk.known is None or talk.known.user_id is None:
        return [] if talk.is_group else [talk.say(_(UNLINKED))]
    if talk.is_group and talk.known.actor is not None:
        return await groups.stop(talk)
    if talk.bot is ChatBot.PORTAL:
        return [talk.say(_(OWN_WINDOW))]
    await state.clear()
    await service_chats.unbind_everywhere(talk.known.user_id, talk.writer)
    return [talk.say(_("The link of this chat has ended. You get no more messages here."))]


# --- those without a link -------------------------------------------------------------------------------------------

strangers = Router(name="strangers")


async def is_stranger(message: Message, talk: Talk) -> bool:
    return talk.actor is None


@strangers.message(is_stranger, Command(*COMMANDS), flags={"transaction": False})
async def commanded(message: Message, talk: Talk) -> Answers:
    """A command is meant for the bot, also in a group, so it says what is missing."""
    return [talk.say(nobody(talk))]


@strangers.message(is_stranger, flags={"transaction": False})
async def stranger(message: Message, talk: Talk) -> Answers:
    """Whoever is not linked learns only how to be; in a group they may speak with others."""
    return [] if talk.is_group else [talk.say(_(UNLINKED))]


def commands(language: Language) -> list[tuple[str, str]]:
    """The menu of the chat in one language."""
    with i18n.speaking(language):
        return [(name, _(text)) for name, text in COMMANDS.items()]
