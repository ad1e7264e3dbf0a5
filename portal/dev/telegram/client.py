"""The stand-in from a test's side: people who write and press, and what they see.

async with standing_in() as world:
    bot = Bot(world.token, session=AiohttpSession(api=TelegramAPIServer.from_base(world.url)))
    lena = await world.user("Lena")
    await lena.say("/today")
    card = await lena.wait_for("To confirm")
    answer = await lena.press("Confirm 3")       # what answerCallbackQuery said
    assert answer.text == "Confirmed"
    assert [call.status for call in await world.calls("sendMessage")] == [200]
"""

import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from portal.dev.telegram.server import serving
from portal.dev.telegram.world import DEMO_NAME, DEMO_TOKEN, Call
from portal.dev.telegram.world import World as ServedWorld

PATIENCE = 10.0


class Refusal(AssertionError):
    """The control side says that this cannot be done."""


@dataclass(frozen=True)
class Answer:
    """How a press was answered: a short notice, an alert, or silence."""

    text: str | None = None
    alert: bool = False
    url: str | None = None


@dataclass(frozen=True)
class Bubble:
    """A message as it stands now."""

    id: int
    text: str  # or the caption
    by_bot: bool
    edits: int
    silent: bool
    buttons: list[list[str]]  # labels of the inline keyboard
    data: list[str]  # what its buttons send
    raw: dict[str, Any] = field(repr=False)  # Telegram's JSON of it

    @property
    def labels(self) -> list[str]:
        return [label for row in self.buttons for label in row]


def _bubble(raw: dict[str, Any]) -> Bubble:
    rows = raw.get("reply_markup", {}).get("inline_keyboard", [])
    return Bubble(
        id=raw["message_id"],
        text=raw.get("text", raw.get("caption", "")),
        by_bot=raw["by_bot"],
        edits=raw["edits"],
        silent=raw["silent"],
        buttons=[[button["text"] for button in row] for row in rows],
        data=[button["callback_data"] for row in rows for button in row if "callback_data" in button],
        raw=raw,
    )


class World:
    """The control side of a running stand-in."""

    def __init__(self, url: str, session: aiohttp.ClientSession, token: str, bot: str) -> None:
        self.url = url
        self.token = token
        self.bot = bot
        self._session = session

    async def post(self, path: str, **body: Any) -> Any:
        given = {name: value for name, value in body.items() if value is not None}
        async with self._session.post(f"{self.url}/ctl/{path}", json=given, params={"bot": self.bot}) as response:
            answer = await response.json()
        if response.status != 200:
            raise Refusal(answer["error"])
        return answer

    async def get(self, path: str, **query: Any) -> Any:
        asked = {name: str(value) for name, value in query.items() if value is not None}
        async with self._session.get(f"{self.url}/ctl/{path}", params={"bot": self.bot, **asked}) as response:
            return await response.json()

    # --- people -------------------------------------------------------------------------------------------------------

    async def user(
        self, first_name: str, *, last_name: str | None = None, username: str | None = None, language: str = "en"
    ) -> "Person":
        known = await self.post(
            "users", first_name=first_name, last_name=last_name, username=username, language_code=language
        )
        return Person(self, known["id"], first_name)

    async def group(
        self, title: str, *members: "Person", forum: bool = False, basic: bool = False, admin: bool = True
    ) -> int:
        """A group with the bot in it; its number is the `chat` of what people do there."""
        numbers = [member.id for member in members]
        chat = await self.post("groups", title=title, members=numbers, forum=forum, basic=basic, admin=admin)
        return int(chat["id"])

    # --- bending ------------------------------------------------------------------------------------------------------

    async def fail(
        self, kind: str, method: str = "*", *, chat: int | None = None, count: int = 1, seconds: float = 1,
        after: bool = False,
    ) -> None:  # fmt: skip
        """The next calls go wrong: too_many, blocked, error, hang, cut; `after` their effect, or before."""
        await self.post("fail", kind=kind, method=method, chat=chat, count=count, seconds=seconds, after=after)

    async def heal(self) -> None:
        await self.post("heal")

    async def clock(self, *, to: float | None = None, advance: float = 0, speed: float | None = None) -> float:
        """Move the stand-in's time; returns its now."""
        return float((await self.post("clock", set=to, advance=advance, speed=speed))["now"])

    async def delivery(self, **bend: float) -> None:
        """copies, delay, reorder, drop, timeout; without any, as usual."""
        await self.post("delivery", **bend)

    async def replay(self, update_id: int) -> None:
        """Send an update once more, however long ago it arrived."""
        await self.post("replay", update=update_id)

    async def limits(self, *, on: bool) -> None:
        await self.post("limits", on=on)

    # --- looking ------------------------------------------------------------------------------------------------------

    async def calls(
        self, method: str | None = None, *, chat: int | None = None, status: int | None = None
    ) -> list[Call]:
        return [Call(**call) for call in await self.get("calls", method=method, chat=chat, status=status)]

    async def updates(self) -> list[dict[str, Any]]:
        """Every update that was made, as the bot got or will get it."""
        found: list[dict[str, Any]] = await self.get("updates")
        return found

    async def counts(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = await self.get("counts")
        return found

    async def state(self, **query: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self.get("state", **query)
        return found

    async def wait_until(
        self,
        fits: Callable[[dict[str, Any]], Any],
        *,
        user: int | None = None,
        seconds: float = PATIENCE,
        what: str = "",
    ) -> Any:
        """The first truthy thing that `fits` finds in the state, asked again at each change."""
        until, seen = time.monotonic() + seconds, -1
        while True:
            state = await self.state(user=user, after=seen, wait=max(until - time.monotonic(), 0))
            if found := fits(state):
                return found
            if time.monotonic() >= until:
                raise AssertionError(f"Waited {seconds} s in vain for {what or fits}. There is: {_told(state)}")
            seen = state["revision"]

    async def delivered(self, seconds: float = PATIENCE) -> None:
        """Until the bot has got every update and, when it polls, has asked for the next."""
        await self.wait_until(lambda state: state["pending"] == 0, seconds=seconds, what="the bot to get its updates")


class Person:
    """One user of the app."""

    def __init__(self, world: World, user_id: int, name: str) -> None:
        self.world = world
        self.id = user_id
        self.name = name

    async def _do(self, deed: str, **body: Any) -> Any:
        return await self.world.post(f"users/{self.id}/{deed}", **body)

    async def say(
        self, text: str, *, chat: int | None = None, reply_to: int | None = None, thread: int | None = None
    ) -> int:
        return int((await self._do("say", text=text, chat=chat, reply_to=reply_to, thread=thread))["message"])

    async def photo(self, content: bytes, caption: str = "", *, chat: int | None = None) -> int:
        encoded = base64.b64encode(content).decode()
        return int((await self._do("photo", content=encoded, caption=caption, chat=chat))["message"])

    async def document(self, content: bytes, name: str, caption: str = "", *, chat: int | None = None) -> int:
        encoded = base64.b64encode(content).decode()
        return int((await self._do("document", content=encoded, name=name, caption=caption, chat=chat))["message"])

    async def press(
        self, label: str | None = None, *, data: str | None = None, message: int | None = None, chat: int | None = None,
        seconds: float = PATIENCE,
    ) -> Answer:  # fmt: skip
        """Press a button that is there now and wait for the answer; `seconds=0` does not wait."""
        pressed = await self._do("press", label=label, data=data, message=message, chat=chat)
        if "query" not in pressed:
            return Answer(url=pressed.get("url") or pressed.get("web_app", {}).get("url"))
        return await self.answered(pressed["query"], seconds) if seconds else Answer()

    async def forge(self, data: str, *, message: int, chat: int | None = None, seconds: float = PATIENCE) -> Answer:
        """Send data that no button has, as a changed app can."""
        query = (await self._do("forge", data=data, message=message, chat=chat))["query"]
        return await self.answered(query, seconds) if seconds else Answer()

    async def answered(self, query: str, seconds: float = PATIENCE) -> Answer:
        def find(state: dict[str, Any]) -> Any:
            return next((found["answer"] for found in state["queries"] if found["id"] == query), None)

        answer = await self.world.wait_until(find, user=self.id, seconds=seconds, what="the answer to a press")
        return Answer(answer["text"], answer["show_alert"], answer["url"])

    async def forward(self, message: int, *, chat: int | None = None, to: int | None = None) -> int:
        return int((await self._do("forward", message=message, chat=chat, to=to))["message"])

    async def edit(self, message: int, text: str, *, chat: int | None = None) -> None:
        await self._do("edit", message=message, text=text, chat=chat)

    async def block(self) -> None:
        await self._do("block")

    async def unblock(self) -> None:
        await self._do("unblock")

    async def delete_topic(self, chat: int, thread: int) -> None:
        await self._do("delete_topic", chat=chat, thread=thread)

    async def upgrade(self, chat: int) -> int:
        """Make a supergroup with topics of a basic group; its new number."""
        return int((await self._do("upgrade", chat=chat))["message"])

    async def kick(self, chat: int) -> None:
        """Take the bot out of a group."""
        await self._do("kick", chat=chat)

    async def web_app(self) -> dict[str, str]:
        """Open a Mini App: query_id and init_data."""
        opened: dict[str, str] = await self._do("web_app")
        return opened

    async def messages(self, chat: int | None = None) -> list[Bubble]:
        """What stands in a chat now, oldest first; by default in the private one."""
        return _messages(await self.world.state(user=self.id), chat or self.id)

    async def message(self, number: int, chat: int | None = None) -> Bubble:
        return next(bubble for bubble in await self.messages(chat) if bubble.id == number)

    async def last(self, chat: int | None = None) -> Bubble:
        return (await self.messages(chat))[-1]

    async def wait_for(
        self, text: str, *, chat: int | None = None, after: int = 0, seconds: float = PATIENCE
    ) -> Bubble:
        """The newest message of the bot that has this text now, as soon as there is one with a number above `after`."""

        def find(state: dict[str, Any]) -> Bubble | None:
            found = [bubble for bubble in _messages(state, chat or self.id) if bubble.by_bot and bubble.id > after]
            return next((bubble for bubble in reversed(found) if text in bubble.text), None)

        found: Bubble = await self.world.wait_until(find, user=self.id, seconds=seconds, what=f"“{text}”")
        return found


def _messages(state: dict[str, Any], chat: int) -> list[Bubble]:
    found = next((known for known in state["chats"] if known["id"] == chat), None)
    return [_bubble(raw) for raw in found["messages"]] if found else []


def _told(state: dict[str, Any]) -> str:
    """The last texts, for the message of a test that failed."""
    texts = [raw.get("text", raw.get("caption", "")) for chat in state["chats"] for raw in chat["messages"][-4:]]
    return f"{state['pending']} updates on the way, texts {texts}"


@asynccontextmanager
async def connect(url: str, *, token: str = DEMO_TOKEN, bot: str = DEMO_NAME) -> AsyncIterator[World]:
    """The control side of a stand-in that runs elsewhere."""
    async with aiohttp.ClientSession() as session:
        yield World(url, session, token, bot)


@asynccontextmanager
async def standing_in(world: ServedWorld | None = None) -> AsyncIterator[World]:
    """A fresh stand-in on a free port of this process, with its control side."""
    async with serving(world) as url, connect(url) as client:
        yield client
