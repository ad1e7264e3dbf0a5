"""What the stand-in knows: people, chats, messages and bots. It lives in memory and ends with the process."""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from portal.dev.telegram.clock import Clock
from portal.dev.telegram.faults import Faults
from portal.dev.telegram.limits import Limits
from portal.dev.telegram.updates import Updates

KEPT_CALLS = 50_000
DEMO_TOKEN = "4242424242:stand-in-for-trying-the-portal-0000"  # noqa: S105 - it opens nothing but this stand-in
DEMO_NAME = "calloff_demo_bot"


@dataclass
class User:
    """A person with the app, or a bot."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False


@dataclass
class File:
    """Bytes that Telegram holds."""

    id: str
    unique_id: str
    path: str
    content: bytes
    mime: str
    name: str | None = None
    width: int = 0
    height: int = 0


@dataclass
class Media:
    """A photo in its sizes, smallest first, or one document."""

    kind: Literal["photo", "document"]
    files: list[File]

    @property
    def best(self) -> File:
        return self.files[-1]


@dataclass
class Message:
    """A bubble as it stands now."""

    id: int
    date: int
    sender: User
    text: str | None = None  # or the caption, when there is media
    entities: list[dict[str, Any]] = field(default_factory=list)
    media: Media | None = None
    keyboard: dict[str, Any] | None = None
    reply_to: int | None = None
    thread: int | None = None
    forwarded_from: User | None = None
    album: str | None = None
    edited: int | None = None
    edits: int = 0
    silent: bool = False
    reactions: list[str] = field(default_factory=list)

    def content(self) -> tuple[Any, ...]:
        """What an edit has to change."""
        return self.text, self.entities, self.media and self.media.best.unique_id, self.keyboard


@dataclass
class Chat:
    """A private chat of one person with the bot, or a group."""

    id: int
    kind: Literal["private", "group", "supergroup"]
    title: str
    members: dict[int, str] = field(default_factory=dict)  # user id -> member, administrator, creator
    forum: bool = False
    topics: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    closed: str | None = None  # why the bot may not write here
    moved: int | None = None  # the supergroup that a basic group became
    typing_until: float = 0.0
    reply_keyboard: dict[str, Any] | None = None

    @property
    def private(self) -> bool:
        return self.kind == "private"


@dataclass
class Query:
    """A pressed button that spins until it is answered."""

    id: str
    at: float
    user: User
    chat_id: int
    message_id: int
    answer: dict[str, Any] | None = None


@dataclass
class Call:
    """One call of a bot and how it was answered."""

    method: str
    chat: int | None
    params: dict[str, Any]
    at: float
    status: int
    description: str | None = None
    result: Any = None


@dataclass
class Bot:
    """One bot with everything that only it sees."""

    token: str
    user: User
    updates: Updates
    reads_all: bool = False
    chats: dict[int, Chat] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    web_apps: dict[str, int] = field(default_factory=dict)  # id of a Mini App's query -> chat
    commands: dict[tuple[str, str], list[dict[str, str]]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    messages_made: int = 0

    def message_id(self) -> int:
        self.messages_made += 1
        return self.messages_made


class World:
    """Everything, with a number that grows at each change, for whoever watches."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.users: dict[int, User] = {}
        self.first_user = 700_000_001
        self.bots: dict[str, Bot] = {}
        self.files: dict[str, File] = {}
        self.faults = Faults()
        self.calls = deque[Call](maxlen=KEPT_CALLS)
        self.counts = Counter[tuple[str, int]]()
        self.equip: Callable[[Bot], None] | None = None  # the server's, which gives a bot its way to webhooks
        self.revision = 0
        self._stirred = asyncio.Event()

    def bot(self, token: str = DEMO_TOKEN, username: str = DEMO_NAME, name: str = "Calloff") -> Bot:
        """A new bot that a program can be."""
        user = User(int(token.partition(":")[0]), name, username=username, is_bot=True)
        bot = self.bots[token] = Bot(token, user, Updates(self.clock, self.stir))
        if self.equip is not None:
            self.equip(bot)
        return bot

    def user(self, first_name: str, last_name: str | None, username: str | None, language: str | None) -> User:
        user = User(self.first_user + len(self.users), first_name, last_name, username, language)
        self.users[user.id] = user
        self.stir()
        return user

    def private_chat(self, bot: Bot, user: User) -> Chat:
        """The chat of a person with a bot; it exists for the bot once the person has written."""
        chat = bot.chats.get(user.id)
        if chat is None:
            chat = bot.chats[user.id] = Chat(user.id, "private", user.first_name, {user.id: "member"})
        return chat

    def group(self, bot: Bot, title: str, members: dict[int, str], *, forum: bool, basic: bool = False) -> Chat:
        """basic: one without topics, which gets another number once it becomes a supergroup."""
        before = sum(not chat.private for chat in bot.chats.values())
        number = -4_000_000_001 - before if basic else -1_001_000_000_001 - before
        chat = bot.chats[number] = Chat(number, "group" if basic else "supergroup", title, members, forum=forum)
        self.stir()
        return chat

    def keep(self, call: Call) -> None:
        self.calls.append(call)
        self.counts[call.method, call.status] += 1

    def stir(self) -> None:
        """Something has changed; wake the watchers."""
        self.revision += 1
        stirred, self._stirred = self._stirred, asyncio.Event()
        stirred.set()

    async def changed_since(self, revision: int, seconds: float) -> None:
        """Wait until there is something newer, or the time is over."""
        if self.revision <= revision:
            stirred = self._stirred
            try:
                async with asyncio.timeout(seconds):
                    await stirred.wait()
            except TimeoutError:
                return


def new_id() -> str:
    return secrets.token_urlsafe(18)
