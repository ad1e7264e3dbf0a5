"""My account > Chat: which chats speak for me, a one-time link for a new one, and my word on who opened it."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import bot_state, chats, service_chats
from portal.accounts.identity import Signed
from portal.accounts.model_chats import ChatBot
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.db import read
from portal.core.errors import Conflict
from portal.core.i18n import N_, _
from portal.core.settings import get_settings
from portal.parameters import FromPath, FromQuery
from portal.web.accounts import Browser, signed_of
from portal.web.pages import Page

DONE = {
    "bound": N_("The chat is linked. It has been told so."),
    "refused": N_("The chat was refused. It can do nothing."),
    "ended": N_("The link of the chat has ended."),
}
BOT_NAMES = {ChatBot.TELEGRAM: N_("Telegram"), ChatBot.PORTAL: N_("Chat in the portal")}


class Link(Struct, frozen=True):
    """A one-time link as the page shows it."""

    address: str
    code: str  # an image of it, as a data address
    until: str


async def context(
    signed: Signed, actor: Actor, link: Link | None = None, done: str = "", error: str = ""
) -> dict[str, Any]:
    """What `chat/profile.html` shows."""
    async with read(actor) as connection:
        rows = await service_chats.own_chats(connection, actor)
    asked = await chats.requests_of(signed.user_id)
    return {
        "rows": [(row, _(BOT_NAMES[ChatBot(row.bot)]), i18n.moment(row.bound_at, actor.time_zone)) for row in rows],
        "requests": [(found.id, found.chat.name, i18n.moment(found.opened_at, actor.time_zone)) for found in asked],
        "link": link,
        "telegram": bool(get_settings().telegram_token),
        "done": _(DONE[done]) if done in DONE else "",
        "error": error,
    }


async def new_link(signed: Signed, actor: Actor) -> Link | None:
    """A fresh link with its code; None while no bot runs that could answer to it."""
    state = await bot_state.read()
    if state is None:
        return None
    token, until = await chats.make_link(signed.user_id)
    address = f"{opening_address()}/{state.username}?start={token}"
    return Link(address, code_of(address), i18n.moment(until, actor.time_zone))


def opening_address() -> str:
    """Where Telegram's links begin; a stand-in answers to its own."""
    api = get_settings().telegram_api
    return "https://t.me" if urlsplit(api).hostname == "api.telegram.org" else api.rstrip("/")


def code_of(address: str) -> str:
    """The address as a QR code, for a phone beside the screen."""
    import segno  # imported late: only this page pays for it

    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=2))


@get("/profile/chat")
async def chats_page(
    request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page], done: FromQuery[str] = ""
) -> Template:
    """The chats that speak for me."""
    return page.render("chat/profile.html", **await context(signed_of(request), actor, done=done))


@post("/profile/chat/link")
async def make_link(request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """A one-time link, shown once."""
    signed = signed_of(request)
    link = await new_link(signed, actor)
    error = "" if link else _("The bot does not run now. Ask the operator, or try again in a minute.")
    shown = await context(signed, actor, link, error=error)
    return page.render("chat/profile.html", **shown)


@post("/profile/chat/requests/{request_id:uuid}/approve")
async def approve(
    request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page], request_id: FromPath[UUID]
) -> Template | Redirect:
    """This chat is mine."""
    try:
        await service_chats.approve(signed_of(request), request_id)
    except Conflict as error:
        return page.render(
            "chat/profile.html", status=409, **await context(signed_of(request), actor, error=str(error))
        )
    return page.go("/profile/chat?done=bound")


@post("/profile/chat/requests/{request_id:uuid}/refuse")
async def refuse(
    request: Browser, actor: NamedDependency[Actor], page: NamedDependency[Page], request_id: FromPath[UUID]
) -> Template | Redirect:
    """I do not know this chat."""
    try:
        await chats.refuse(signed_of(request).user_id, request_id)
    except Conflict as error:
        return page.render(
            "chat/profile.html", status=409, **await context(signed_of(request), actor, error=str(error))
        )
    return page.go("/profile/chat?done=refused")


@post("/profile/chat/{chat_id:uuid}/end")
async def end(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    chat_id: FromPath[UUID],
) -> Redirect:
    """The chat speaks for me no more."""
    await service_chats.unbind(session, actor, chat_id)
    return page.go("/profile/chat?done=ended")


ROUTES: list[Any] = [chats_page, make_link, approve, refuse, end]
