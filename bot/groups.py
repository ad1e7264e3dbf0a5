"""Groups: which contracts and plants they speak of, each in a topic of its own where the group has topics."""

from dataclasses import dataclass, replace
from uuid import UUID

from aiogram import Bot, Router
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.answers import Answers
from bot.pressing import nobody
from bot.talk import Talk
from portal.accounts import service_chats
from portal.accounts.chats import ChatName, place_of
from portal.contracts.reads import ContractFilter, delivered_to, list_contracts
from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _

router = Router(name="groups")
LONGEST = 60  # characters of a number that is said again
WHICH = N_("Send it with the number of a contract or the code of a plant: /bind FC-2026-014 or /bind WUX-1")
GROUP_SPEAKS = N_("This group is about {contract}. A button acts for whoever presses it.")
TOPIC_SPEAKS = N_("This topic is about {contract}. A button acts for whoever presses it.")
PLANT_IN_GROUP = N_("This group is about all contracts that deliver to {plant}. A button acts for whoever presses it.")
PLANT_IN_TOPIC = N_("This topic is about all contracts that deliver to {plant}. A button acts for whoever presses it.")
OURS_ONLY = N_("Several partners may deliver there: only people of your own company should read here.")
OWN_TOPIC = N_("{contract} has a topic of its own now.")
OWN_PLANT = N_("{plant} has a topic of its own now.")
NO_TOPIC = N_("I may not make topics here. Let me manage topics and send the command again, and it gets its own.")
NOT_FOUND = N_(
    "There is no contract or plant “{written}” that you may see. Write its number or code: /bind FC-2026-014 or "
    "/bind WUX-1"
)
NOTHING_HERE = N_("Nothing is bound here.")
NO_MORE = N_("Nothing more is sent here. /bind begins again.")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is brought into a group: a contract, or a plant with every contract that delivers there."""

    name: str  # of its topic
    contract_id: UUID | None = None

    @property
    def plant(self) -> str:
        return "" if self.contract_id else self.name


@router.message(Command("bind"), flags={"transaction": False})
async def bind(message: Message, command: CommandObject, talk: Talk, bot: Bot) -> Answers:
    """An administrator brings a contract or a plant into a group chat: /bind FC-2026-014. The network is asked for a
    topic outside of any transaction; the same command once more finds the topic that it made."""
    if talk.is_group and (talk.known is None or talk.known.actor is None):
        return [talk.say(nobody(talk))]
    actor, written = administrator(talk), (command.args or "").strip()
    subject = await _subject(actor, written) if written else None
    if subject is None:
        said = _(NOT_FOUND).format(written=written[:LONGEST]) if written else _(WHICH)
        return [talk.say(said)]
    place = await _place(message, talk, bot, actor, subject)
    assert talk.known is not None
    assert talk.known.user_id is not None
    assert talk.known.membership_id is not None
    who = talk.known.user_id, talk.known.membership_id
    async with db.unit_of_work(actor) as session:
        await service_chats.bind_group(session, actor, *who, place, subject.contract_id, subject.plant)
    return _told(message, talk, place, subject)


def administrator(talk: Talk) -> Actor:
    """Who decides of what the group speaks, with their own rights. Raises NotAGroup, Forbidden."""
    if not talk.is_group:
        raise service_chats.NotAGroup
    assert talk.known is not None
    assert talk.known.actor is not None
    talk.known.actor.require(Permission.MANAGE_PEOPLE)
    return talk.known.actor


async def _subject(actor: Actor, written: str) -> Subject | None:
    """The contract of this number, else the plant of this code, of those that the administrator sees."""
    async with db.read(actor) as connection:
        found = await list_contracts(connection, actor, ContractFilter(search=written), None, 20)
        plants = await delivered_to(connection, actor)
    same = [Subject(row.number, row.id) for row in found if row.number.lower() == written.lower()]
    return next(iter([*same, *(Subject(code) for code in plants if code.lower() == written.lower())]), None)


async def _place(message: Message, talk: Talk, bot: Bot, actor: Actor, subject: Subject) -> ChatName:
    """The topic in which the command was sent, else its own; else the group as it is."""
    if talk.chat.topic is not None or not message.chat.is_forum:
        return talk.chat
    async with db.unit_of_work(actor) as session:
        rows = await service_chats.group_rows(session, actor, talk.chat)
    same = [row for row in rows if (row.contract_id, row.ship_to_code) == (subject.contract_id, subject.plant)]
    known = [place_of(row.address)[1] for row in same]
    if any(known):
        return replace(talk.chat, topic=known[0])
    try:
        made = await bot.create_forum_topic(talk.chat.chat_id, subject.name)
    except (TelegramBadRequest, TelegramForbiddenError):  # not an administrator, or without this right
        return talk.chat
    return replace(talk.chat, topic=made.message_thread_id)


def _told(message: Message, talk: Talk, place: ChatName, subject: Subject) -> Answers:
    """In the topic what it speaks of, and where the command was sent what came of it."""
    there = replace(talk, chat=place)
    told: Answers = [there.say(_speaks(place, subject))]
    if subject.plant and talk.known is not None and talk.known.actor is not None and talk.known.actor.is_factory:
        told.append(there.say(_(OURS_ONLY)))
    if place.topic is None:
        return [*told, talk.say(_(NO_TOPIC))] if message.chat.is_forum else told
    if place == talk.chat:
        return told
    own = _(OWN_PLANT).format(plant=subject.plant) if subject.plant else _(OWN_TOPIC).format(contract=subject.name)
    return [*told, talk.say(own)]


def _speaks(place: ChatName, subject: Subject) -> str:
    if subject.plant:
        return _(PLANT_IN_GROUP if place.topic is None else PLANT_IN_TOPIC).format(plant=subject.plant)
    return _(GROUP_SPEAKS if place.topic is None else TOPIC_SPEAKS).format(contract=subject.name)


async def stop(talk: Talk) -> Answers:
    """Nothing is told in this topic any more; what its people may elsewhere stays."""
    actor = administrator(talk)
    async with db.unit_of_work(actor) as session:
        ended = await service_chats.unbind_here(session, actor, talk.chat)
    return [talk.say(_(NO_MORE if ended else NOTHING_HERE))]
