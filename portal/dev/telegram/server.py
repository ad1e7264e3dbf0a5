"""The HTTP server of the stand-in: the Bot API, its files, the control side and the page."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from portal.dev.telegram import control, dispatch, page
from portal.dev.telegram.control import WORLD
from portal.dev.telegram.faults import Cut
from portal.dev.telegram.files import MOST_DOCUMENT_BYTES, Upload
from portal.dev.telegram.refusals import NOT_FOUND, UNAUTHORIZED, Refused, bad
from portal.dev.telegram.webhook import Poster
from portal.dev.telegram.world import Bot, World

FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


@asynccontextmanager
async def serving(world: World | None = None, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Run the server in this event loop and give its address. Without a world a new one with the demo's bot."""
    world = world or World()
    async with aiohttp.ClientSession() as session:
        equip(world, session)
        runner = web.AppRunner(application(world), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        try:
            yield f"http://{host}:{runner.addresses[0][1]}"
        finally:
            for bot in world.bots.values():
                await bot.updates.stop()
            await runner.cleanup()


def equip(world: World, session: aiohttp.ClientSession) -> None:
    """Give each bot, now and later, its way to webhooks."""

    def equip_one(bot: Bot) -> None:
        bot.updates.post = Poster(world, bot, session)

    world.equip = equip_one
    for bot in world.bots.values():
        equip_one(bot)
    if not world.bots:
        world.bot()


def application(world: World) -> web.Application:
    app = web.Application(client_max_size=2 * MOST_DOCUMENT_BYTES, middlewares=[control.sentences])
    app[WORLD] = world
    app.router.add_route("*", "/bot{token}/{method}", call)
    app.router.add_get("/file/bot{token}/{path:.+}", download)
    app.add_routes([*control.routes(), *page.routes()])
    return app


async def call(request: web.Request) -> web.StreamResponse:
    """A call of a bot, answered in Telegram's shape."""
    try:
        bot = _bot(request)
        if request.method not in {"GET", "POST"}:
            raise Refused(405, "Method Not Allowed")
        given, uploads = await _read(request)
        done = await dispatch.answer(request.app[WORLD], bot, request.match_info["method"], given, uploads)
    except Refused as refused:
        return _answer(refused.body(), refused.code)
    except Cut:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    return _answer(done.result, done.status)


def _answer(body: Any, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json", charset="utf-8")


def _bot(request: web.Request) -> Bot:
    """The bot that has the token."""
    token = request.match_info["token"]
    bot = request.app[WORLD].bots.get(token)
    if bot is None:
        raise UNAUTHORIZED if ":" in token else NOT_FOUND
    return bot


async def _read(request: web.Request) -> tuple[dict[str, Any], dict[str, Upload]]:
    """Parameters from the address and from the body, be it a form, a form with files, or JSON."""
    given: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        given |= _object(await request.text())
    elif request.content_type in FORMS:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                uploads[name] = Upload(value.filename, value.file.read(), value.content_type)
            else:
                given[name] = value
    named = {value for value in _texts(given) if value.startswith("attach://")}
    for name in uploads:
        if f"attach://{name}" not in named:
            given[name] = f"attach://{name}"  # sent as the field itself
    return given, uploads


def _object(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text or "{}")
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(body, dict):
        raise bad("JSON object expected as the body")
    return body


def _texts(value: Any) -> list[str]:
    """All texts in the parameters, also in those that are JSON inside a form."""
    match value:
        case str() if value[:1] in {"{", "["} and "attach://" in value:
            try:
                return _texts(json.loads(value))
            except ValueError:
                return []
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
    return []


async def download(request: web.Request) -> web.Response:
    """The bytes of a file by the path that getFile gave."""
    try:
        _bot(request)
    except Refused as refused:
        return web.json_response(refused.body(), status=refused.code)
    path = request.match_info["path"]
    found = next((file for file in request.app[WORLD].files.values() if file.path == path), None)
    if found is None:
        return web.json_response(NOT_FOUND.body(), status=404)
    return web.Response(body=found.content, content_type="application/octet-stream")
