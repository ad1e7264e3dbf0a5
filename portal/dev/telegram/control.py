"""The control side, `/ctl/`: JSON in, JSON out, for tests and for the page that looks like a phone.

Every POST has the content type application/json. What cannot be done answers 409 with `{"error": "..."}`, what cannot
be read 400. With several bots, `?bot=<username>` chooses; else it is the first. `chat` is by default the private one.

| call | body | answer |
| --- | --- | --- |
| POST /ctl/bots | token, username, name | the bot |
| POST /ctl/users | first_name, last_name?, username?, language_code? | the user |
| POST /ctl/groups | title, members: [user id], forum?, basic?, admin? (the bot is one) | the chat |
| POST /ctl/users/{id}/say | text, chat?, reply_to?, thread? | {"message": number} |
| POST /ctl/users/{id}/photo | content (base64), caption?, chat? | {"message": number} |
| POST /ctl/users/{id}/document | content (base64), name, mime?, caption?, chat? | {"message": number} |
| POST /ctl/users/{id}/press | label? or data?, message?, chat? | {"query": id}, or what another kind of button opens |
| POST /ctl/users/{id}/forge | message, data, chat? | {"query": id}: what a changed app can send |
| POST /ctl/users/{id}/forward | message, chat?, to? | {"message": number} |
| POST /ctl/users/{id}/edit | message, text, chat? | {} |
| POST /ctl/users/{id}/block, unblock | {} | {} |
| POST /ctl/users/{id}/kick | chat: a group, from which the bot is taken | {} |
| POST /ctl/users/{id}/delete_topic | chat: a group, thread: of its topics | {} |
| POST /ctl/users/{id}/upgrade | chat: a basic group, which becomes one with topics | {"message": its new number} |
| POST /ctl/users/{id}/web_app | {} | query_id, init_data of a Mini App |
| POST /ctl/fail | kind: too_many, blocked, error, hang, cut; method?, chat?, count?, seconds?, after? | {} |
| POST /ctl/heal | {} | {}: forgets the failures that are still to come |
| POST /ctl/clock | set?, advance?, speed? (0 stops it) | {"now": seconds, "speed": factor} |
| POST /ctl/delivery | copies?, delay?, reorder?, drop?, timeout?; what is left out is as usual | {} |
| POST /ctl/replay | update: its id | {}: sends it once more |
| POST /ctl/limits | on | {} |
| GET /ctl/state | ?user= only theirs; ?after=revision&wait=seconds for what is newer | everything as it stands |
| GET /ctl/calls | ?method=&chat=&status=&last= | every call of a bot with its parameters and answer, oldest first |
| GET /ctl/updates | | every update that was made, oldest first |
| GET /ctl/counts | | {"sendMessage": {"200": 3, "429": 1}} |
| GET /ctl/files/{id} | | the bytes of a file |
"""

import asyncio
import base64
import binascii
from collections import defaultdict
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portal.dev.telegram import shapes
from portal.dev.telegram.actions import Impossible, Person
from portal.dev.telegram.faults import Fault
from portal.dev.telegram.files import MOST_DOCUMENT_BYTES
from portal.dev.telegram.updates import Bend
from portal.dev.telegram.world import Bot, Call, Chat, Query, World

WORLD = web.AppKey("world", World)
LONGEST_WAIT = 30.0
DEEDS = {
    "say",
    "photo",
    "document",
    "press",
    "forge",
    "forward",
    "edit",
    "block",
    "unblock",
    "kick",
    "delete_topic",
    "upgrade",
    "web_app",
}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewBot(Body):
    token: str = Field(pattern=r"^\d+:[\w-]{3,}$")
    username: str = Field(pattern=r"^\w{5,32}$")
    name: str = "Bot"


class NewUser(Body):
    first_name: str = Field(min_length=1, max_length=64)
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = "en"


class NewGroup(Body):
    title: str
    members: list[int]
    forum: bool = False
    basic: bool = False
    admin: bool = True


class Time(Body):
    set: float | None = None
    advance: float = Field(0, ge=0)
    speed: float | None = Field(None, ge=0)


class Replay(Body):
    update: int


class LimitsBody(Body):
    on: bool


def routes() -> list[web.RouteDef]:
    return [
        web.post("/ctl/bots", new_bot),
        web.post("/ctl/users", new_user),
        web.post("/ctl/groups", new_group),
        web.post("/ctl/users/{user:\\d+}/{deed:\\w+}", act),
        web.post("/ctl/fail", fail),
        web.post("/ctl/heal", heal),
        web.post("/ctl/clock", set_clock),
        web.post("/ctl/delivery", bend),
        web.post("/ctl/replay", replay),
        web.post("/ctl/limits", limits),
        web.get("/ctl/state", state),
        web.get("/ctl/calls", calls),
        web.get("/ctl/updates", updates),
        web.get("/ctl/counts", counts),
        web.get("/ctl/files/{file}", file),
    ]


@web.middleware
async def sentences(request: web.Request, handler: Any) -> web.StreamResponse:
    """What cannot be done is a sentence. Only JSON is taken, so that no page elsewhere can post here unasked."""
    if not request.path.startswith("/ctl/"):
        return await _through(handler, request)
    if request.method == "POST" and request.content_type != "application/json":
        return web.json_response({"error": "The body must be application/json."}, status=415)
    try:
        return await _through(handler, request)
    except Impossible as error:
        return web.json_response({"error": str(error)}, status=409)
    except (ValidationError, ValueError, TypeError) as error:
        return web.json_response({"error": str(error)}, status=400)


async def _through(handler: Any, request: web.Request) -> web.StreamResponse:
    response: web.StreamResponse = await handler(request)
    return response


def bot_of(request: web.Request) -> Bot:
    """The bot that is meant."""
    bots = [*request.app[WORLD].bots.values()]
    name = request.query.get("bot")
    found = next((bot for bot in bots if name in {None, bot.user.username}), None)
    if found is None:
        raise Impossible(f"There is no bot {name}.")
    return found


# --- making and doing -------------------------------------------------------------------------------------------------


async def new_bot(request: web.Request) -> web.Response:
    body = NewBot.model_validate(await request.json())
    bot = request.app[WORLD].bot(body.token, body.username, body.name)
    return web.json_response(shapes.me_json(bot))


async def new_user(request: web.Request) -> web.Response:
    body = NewUser.model_validate(await request.json())
    user = request.app[WORLD].user(body.first_name, body.last_name, body.username, body.language_code)
    return web.json_response(shapes.user_json(user))


async def new_group(request: web.Request) -> web.Response:
    world, bot = request.app[WORLD], bot_of(request)
    body = NewGroup.model_validate(await request.json())
    for user_id in body.members:
        Person(world, bot, user_id)
    members = dict.fromkeys(body.members, "member") | {bot.user.id: "administrator" if body.admin else "member"}
    chat = world.group(bot, body.title, members, forum=body.forum, basic=body.basic)
    return web.json_response(shapes.chat_json(chat, world.users))


async def act(request: web.Request) -> web.Response:
    """A person does something."""
    deed = request.match_info["deed"]
    if deed not in DEEDS:
        raise web.HTTPNotFound
    person = Person(request.app[WORLD], bot_of(request), int(request.match_info["user"]))
    result = getattr(person, deed)(**_decoded(await request.json()))
    if isinstance(result, int):
        return web.json_response({"message": result})
    return web.json_response({"query": result} if isinstance(result, str) else result or {})


def _decoded(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ValueError("The body must be an object.")
    if "content" in body:
        try:
            body["content"] = base64.b64decode(body["content"], validate=True)
        except binascii.Error:
            raise ValueError("content must be base64.") from None
    if len(body.get("content", b"")) > MOST_DOCUMENT_BYTES:
        raise Impossible("The file is too big.")
    return body


async def fail(request: web.Request) -> web.Response:
    request.app[WORLD].faults.waiting.append(Fault.model_validate(await request.json()))
    return web.json_response({})


async def heal(request: web.Request) -> web.Response:
    request.app[WORLD].faults.waiting.clear()
    return web.json_response({})


async def set_clock(request: web.Request) -> web.Response:
    body, clock = Time.model_validate(await request.json()), request.app[WORLD].clock
    if body.speed is not None:
        clock.run(body.speed)
    if body.set is not None:
        clock.set(body.set)
    clock.advance(body.advance)
    request.app[WORLD].stir()
    return web.json_response({"now": clock.now(), "speed": clock.speed})


async def bend(request: web.Request) -> web.Response:
    updates = bot_of(request).updates
    updates.bend = Bend.model_validate(await request.json())
    updates.release()
    return web.json_response({})


async def replay(request: web.Request) -> web.Response:
    body = Replay.model_validate(await request.json())
    if not bot_of(request).updates.replay(body.update):
        raise Impossible(f"There was no update {body.update}.")
    return web.json_response({})


async def limits(request: web.Request) -> web.Response:
    bot_of(request).limits.on = LimitsBody.model_validate(await request.json()).on
    return web.json_response({})


# --- looking ----------------------------------------------------------------------------------------------------------


async def state(request: web.Request) -> web.Response:
    """Everything, or what one person sees; with `after` as soon as there is something newer."""
    world, query = request.app[WORLD], request.query
    if "after" in query:
        wait = min(float(query.get("wait", "0")), LONGEST_WAIT)
        await world.changed_since(int(query["after"]), wait)
        await asyncio.sleep(0)  # let a burst of changes finish
    user = int(query["user"]) if "user" in query else None
    return web.json_response(snapshot(world, bot_of(request), user))


def snapshot(world: World, bot: Bot, user: int | None) -> dict[str, Any]:
    chats = [chat for chat in bot.chats.values() if user is None or user in chat.members]
    queries = [query for query in bot.queries.values() if user in {None, query.user.id}]
    return {
        "revision": world.revision,
        "now": world.clock.now(),
        "speed": world.clock.speed,
        "bot": shapes.me_json(bot) | {"commands": _commands(bot)},
        "pending": len(bot.updates.waiting),
        "users": [shapes.user_json(known) for known in world.users.values() if user in {None, known.id}],
        "chats": [_chat_json(chat, world, bot) for chat in chats],
        "queries": [_query_json(query) for query in queries],
    }


def _commands(bot: Bot) -> dict[str, list[dict[str, str]]]:
    """By language, those that private chats show."""
    found: dict[str, list[dict[str, str]]] = {}
    for (scope, language), commands in bot.commands.items():
        if '"default"' in scope or ('"all_private_chats"' in scope):
            found[language] = commands
    return found


def _chat_json(chat: Chat, world: World, bot: Bot) -> dict[str, Any]:
    return shapes.chat_json(chat, world.users) | {
        "members": {str(user): status for user, status in chat.members.items()},
        "topics": {str(thread): name for thread, name in chat.topics.items()},
        "closed": chat.closed,
        "typing": chat.typing_until > world.clock.now(),
        "reply_keyboard": chat.reply_keyboard,
        "messages": [
            shapes.message_json(message, chat, world.users)
            | {
                "by_bot": message.sender is bot.user,
                "edits": message.edits,
                "silent": message.silent,
                "reactions": message.reactions,
            }
            for message in chat.messages.values()
        ],
    }


def _query_json(query: Query) -> dict[str, Any]:
    return {
        "id": query.id,
        "at": query.at,
        "user": query.user.id,
        "chat": query.chat_id,
        "message": query.message_id,
        "answer": query.answer,
    }


async def calls(request: web.Request) -> web.Response:
    query = request.query

    def asked(call: Call) -> bool:
        found = {"method": call.method, "chat": str(call.chat), "status": str(call.status)}
        return all(query.get(name, value) == value for name, value in found.items())

    found = [vars(call) for call in request.app[WORLD].calls if asked(call)]
    return web.json_response(found[-int(query.get("last", "0")) :])


async def updates(request: web.Request) -> web.Response:
    return web.json_response([item.body for item in bot_of(request).updates.made])


async def counts(request: web.Request) -> web.Response:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (method, status), number in request.app[WORLD].counts.items():
        found[method][str(status)] = number
    return web.json_response(found)


async def file(request: web.Request) -> web.Response:
    found = request.app[WORLD].files.get(request.match_info["file"])
    if found is None:
        raise web.HTTPNotFound
    disposition = "inline" if found.path.startswith("photos/") else "attachment"
    return web.Response(
        body=found.content, content_type=found.mime.partition(";")[0], headers={"Content-Disposition": disposition}
    )
