"""Groups: which contracts they speak of, each in a topic of its own where the group has topics."""

from dataclasses import replace

from aiogram import Bot, Router
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.answers import Answers
from bot.talk import Talk
from portal.accounts import service_chats
from portal.accounts.chats import ChatName, place_of
from portal.contracts.reads import ContractFilter, ContractRow, list_contracts
from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _

router = Router(name="groups")
WHICH = N_("Write the number of the contract behind it: /bind FC-2026-014")
GROUP_SPEAKS = N_("This group speaks of {contract}. Buttons ask whoever presses them.")
TOPIC_SPEAKS = N_("This topic speaks of {contract}. Buttons ask whoever presses them.")
OWN_TOPIC = N_("{contract} has a topic of its own now.")
NO_TOPIC = N_("I may not make topics here. Let me manage topics and send the command again, and it gets its own.")
NOTHING_HERE = N_("Nothing is bound here.")
NO_MORE = N_("Nothing is told here any more. /bind begins again.")


@router.message(Command("bind"), flags={"transaction": False})
async def bind(message: Message, command: CommandObject, talk: Talk, bot: Bot) -> Answers:
    """An administrator brings a contract into a group chat: /bind FC-2026-014. The network is asked for a topic outside
    of any transaction; the same command once more finds the topic that it made."""
    actor = administrator(talk)
    contract = await _contract(actor, (command.args or "").strip())
    if contract is None:
        return [talk.say(_(WHICH))]
    place = await _place(message, talk, bot, actor, contract)
    assert talk.known is not None
    assert talk.known.user_id is not None
    assert talk.known.membership_id is not None
    who = talk.known.user_id, talk.known.membership_id
    async with db.unit_of_work(actor) as session:
        await service_chats.bind_group(session, actor, *who, place, contract.id)
    return _told(message, talk, place, contract.number)


def administrator(talk: Talk) -> Actor:
    """Who decides of what the group speaks, with their own rights. Raises NotAGroup, Forbidden."""
    if not talk.is_group:
        raise service_chats.NotAGroup
    assert talk.known is not None
    assert talk.known.actor is not None
    talk.known.actor.require(Permission.MANAGE_PEOPLE)
    return talk.known.actor


async def _contract(actor: Actor, number: str) -> ContractRow | None:
    async with db.read(actor) as connection:
        found = await list_contracts(connection, actor, ContractFilter(search=number), None, 20)
    return next((row for row in found if row.number.lower() == number.lower()), None)


async def _place(message: Message, talk: Talk, bot: Bot, actor: Actor, contract: ContractRow) -> ChatName:
    """The topic in which the command was sent, else the contract's own; else the group as it is."""
    if talk.chat.topic is not None or not message.chat.is_forum:
        return talk.chat
    async with db.unit_of_work(actor) as session:
        rows = await service_chats.group_rows(session, actor, talk.chat)
    known = [place_of(row.address)[1] for row in rows if row.contract_id == contract.id]
    if any(known):
        return replace(talk.chat, topic=known[0])
    try:
        made = await bot.create_forum_topic(talk.chat.chat_id, contract.number)
    except (TelegramBadRequest, TelegramForbiddenError):  # not an administrator, or without this right
        return talk.chat
    return replace(talk.chat, topic=made.message_thread_id)


def _told(message: Message, talk: Talk, place: ChatName, contract: str) -> Answers:
    """In the topic what it speaks of, and where the command was sent what came of it."""
    there = replace(talk, chat=place)
    if place.topic is None:
        said = _(GROUP_SPEAKS).format(contract=contract)
        return [talk.say(said), talk.say(_(NO_TOPIC))] if message.chat.is_forum else [talk.say(said)]
    told: Answers = [there.say(_(TOPIC_SPEAKS).format(contract=contract))]
    return told if place == talk.chat else [*told, talk.say(_(OWN_TOPIC).format(contract=contract))]


async def stop(talk: Talk) -> Answers:
    """Nothing is told in this topic any more; what its people may elsewhere stays."""
    actor = administrator(talk)
    async with db.unit_of_work(actor) as session:
        ended = await service_chats.unbind_here(session, actor, talk.chat)
    return [talk.say(_(NO_MORE if ended else NOTHING_HERE))]
