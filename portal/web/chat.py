"""The portal's own chat window: messages, buttons, a photo; live while it is open, and by forms without script."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException
from litestar.response import Redirect, ServerSentEvent, Template
from litestar.response.sse import ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK

from portal.accounts import chat_window, identity, service_chats
from portal.accounts.identity import Signed
from portal.core import files, live
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read
from portal.core.errors import Conflict, Invalid
from portal.core.files import Stored
from portal.core.inputs import NUL
from portal.parameters import FromPath
from portal.web.accounts import Browser, cookie_name, signed_of
from portal.web.chat_views import bubbles
from portal.web.errors import status_of
from portal.web.forms import known_fields
from portal.web.pages import Page

HEARTBEAT = 15.0  # seconds; the session is looked at again
NEWS, HERE = ServerSentEventMessage(event="chat", data="1"), ServerSentEventMessage(comment="here", data=None)
ANSWER_SECONDS = 2.0  # how long a page without script waits for the bot's answer


async def shown(signed: Signed) -> dict[str, Any]:
    """What `chat/_log.html` shows."""
    row_id, _chat = await service_chats.open_window(signed)
    actor = signed.actor
    assert actor is not None
    async with read(actor) as connection:
        found = await chat_window.entries(connection, actor, row_id)
    return {"messages": bubbles(found, actor)}


async def answered(page: Page, signed: Signed, before: str, error: Exception | None = None) -> Template | Redirect:
    """The log for htmx; else the whole page, after the bot had a moment to answer."""
    if page.by_htmx:
        return page.fragment("chat/_log.html", **await shown(signed), error=str(error) if error else "")
    if error is None:
        await answer_comes(signed, before)
        return page.go("/chat#end")
    status = status_of(error) if isinstance(error, Invalid | Conflict) else 422
    return page.render("chat/window.html", active="chat", status=status, **await shown(signed), error=str(error))


async def state_of(signed: Signed) -> str:
    """A mark that changes when the window does."""
    row_id, _chat = await service_chats.open_window(signed)
    actor = signed.actor
    assert actor is not None
    async with read(actor) as connection:
        return await chat_window.newest(connection, actor, row_id)


async def answer_comes(signed: Signed, before: str) -> None:
    """Wait until the bot has said something after what the person did, or for a moment."""
    assert signed.actor is not None
    async with live.subscribed(signed.actor) as ears:
        now = await state_of(signed)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while now == before or not await replied(signed):
                    await ears.get()
                    now = await state_of(signed)
        except TimeoutError:
            return


async def replied(signed: Signed) -> bool:
    """Whether the newest thing in the window is the bot's."""
    row_id, _chat = await service_chats.open_window(signed)
    assert signed.actor is not None
    async with read(signed.actor) as connection:
        found = await chat_window.entries(connection, signed.actor, row_id)
    return bool(found) and found[-1].kind == "shown"


# --- pages ------------------------------------------------------------------------------------------------------------


@get("/chat")
async def window(request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """The conversation."""
    actor.require(Permission.READ)
    return page.render("chat/window.html", active="chat", **await shown(signed_of(request)), error="")


@get("/chat/log")
async def log(request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """The messages alone, fetched again whenever something changed."""
    return page.fragment("chat/_log.html", **await shown(signed_of(request)), error="")


@post("/chat/say", status_code=HTTP_200_OK)
async def say(request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template | Redirect:
    """Words, a photo, or both."""
    form = await known_fields(request, "text", "photo")
    signed, error = signed_of(request), None
    before = await state_of(signed)
    try:
        text, photo = await typed(form)
        await chat_window.say(signed, text, photo)
    except Invalid as refused:
        error = refused
    return await answered(page, signed, before, error)


async def typed(form: FormMultiDict) -> tuple[str, Stored | None]:
    """The message of the form, its picture drawn anew."""
    upload = form.get("photo")
    photo = None
    if isinstance(upload, UploadFile) and upload.filename:
        photo = await files.drawn_anew(await upload.read(), "photo")
    return str(form.get("text", "")).replace(NUL, ""), photo  # which nobody types and PostgreSQL cannot keep


@post("/chat/messages/{message_id:uuid}/press", status_code=HTTP_200_OK)
async def press(
    request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page], message_id: FromPath[UUID]
) -> Template | Redirect:
    """One of the message's buttons."""
    form = await known_fields(request, "data")
    signed, error = signed_of(request), None
    before = await state_of(signed)
    try:
        await chat_window.press(signed, message_id, str(form.get("data", "")))
    except Conflict as refused:
        error = refused
    return await answered(page, signed, before, error)


@get("/chat/photos/{digest:str}")
async def photo(request: Browser, actor: NamedDependency[Actor], digest: FromPath[str]) -> Response[bytes]:
    """A picture that was sent in this window."""
    return Response(await chat_window.photo_of(signed_of(request), digest), media_type="image/jpeg")


# --- live -------------------------------------------------------------------------------------------------------------


async def events(signed: Signed, token: str) -> AsyncGenerator[ServerSentEventMessage]:
    """Says "chat" whenever the window changed. Ends with the session; holds no database connection in between."""
    assert signed.actor is not None
    async with live.subscribed(signed.actor) as ears:
        seen = ""
        while not ears.deaf:
            now = await state_of(signed)
            yield NEWS if now != seen else HERE
            seen = now
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await ears.get()
            except TimeoutError:
                still = await identity.signed_in(token)
                if still is None or still.actor != signed.actor:
                    return


@get("/chat/live", opt={"public": True})
async def stream(request: Browser) -> ServerSentEvent:
    """Signed out: 401, so that a page left open asks less and less often."""
    signed: Signed | None = request.state.signed
    if signed is None or signed.actor is None:
        raise NotAuthorizedException
    return ServerSentEvent(events(signed, request.cookies[cookie_name()]))


ROUTES: list[Any] = [window, log, say, press, photo, stream]
