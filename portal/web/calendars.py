"""Profile > Calendars: feeds for one's own calendar, and the address that calendars fetch without signing in."""

import hashlib
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, head, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from portal.contracts import reads as contract_reads
from portal.contracts.reads import ContractFilter
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.i18n import _
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.schedules import service_feeds
from portal.web.field_errors import command
from portal.web.forms import Form
from portal.web.headers import header
from portal.web.pages import Page
from portal.web.typed import Typed

CALENDAR = "text/calendar; charset=utf-8"
OFFERED = 200  # contracts in the choice


class FeedForm(Form):
    name: str = ""
    contract_id: UUID | None = None


class RevokeForm(Form):
    """A button."""


async def answer(
    page: Page, actor: Actor, typed: Typed | None = None, status: int = 200, address: str = "", done: str = ""
) -> Template:
    """The page; with a new address, or with what was typed after a refusal."""
    assert actor.member_id is not None
    async with unit_of_work(actor) as session:
        feeds = await service_feeds.list_feeds(session, actor, actor.member_id)
    async with read(actor) as connection:
        rows = await contract_reads.list_contracts(connection, actor, ContractFilter(), None, OFFERED)
    contracts = [(str(row.id), f"{row.number} · {row.party_name}" if actor.is_factory else row.number) for row in rows]
    return page.render(
        "accounts/calendars.html",
        status=status,
        feeds=feeds,
        contracts=[("", _("All contracts")), *contracts],
        typed=typed or Typed(name="", contract_id=""),
        address=address,
        done=done,
    )


@get("/profile/calendars")
async def calendars(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract: FromQuery[UUID | None] = None,
    done: FromQuery[str] = "",
) -> Template:
    """My feeds."""
    said = _("The address answers nothing any more.") if done == "revoked" else ""
    return await answer(page, actor, Typed(name="", contract_id=str(contract or "")), done=said)


@post("/profile/calendars")
async def make(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[FeedForm]
) -> Template | Redirect:
    """A new feed; its address is on this page only."""
    assert actor.member_id is not None
    try:
        wanted = command(service_feeds.NewFeed, data.model_dump())
        async with unit_of_work(actor) as session:
            _feed, address = await service_feeds.make_feed(session, actor, actor.member_id, wanted)
    except (Invalid, Conflict) as error:
        return await answer(page, actor, Typed(data, error), 422)
    return await answer(page, actor, address=address)


@post("/profile/calendars/{feed_id:uuid}/revoke")
async def revoke(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    feed_id: FromPath[UUID],
    data: URLEncodedBody[RevokeForm],
) -> Redirect:
    """End a feed."""
    assert actor.member_id is not None
    async with unit_of_work(actor) as session:
        await service_feeds.revoke_feed(session, actor, actor.member_id, feed_id)
    return page.go("/profile/calendars?done=revoked")


@get("/calendar/{name:str}", opt={"public": True})
async def calendar(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """What a calendar program fetches. It says nothing of whether an address ever was one."""
    content, headers = await _fetched(name)
    if headers["ETag"] in (header(request, "if-none-match") or ""):
        return Response(b"", status_code=304, headers=headers, media_type=CALENDAR)
    return Response(content, headers=headers, media_type=CALENDAR)


@head("/calendar/{name:str}", opt={"public": True})
async def calendar_head(name: FromPath[str]) -> Response[None]:
    """What a calendar program asks first: whether the address answers, and in which version."""
    content, headers = await _fetched(name)
    return Response(None, headers=headers | {"Content-Length": str(len(content))}, media_type=CALENDAR)


async def _fetched(name: str) -> tuple[bytes, dict[str, str]]:
    """The file and its headers. Raises NotFound for every address that is not one."""
    if not name.endswith(".ics") or len(name) > 100:
        raise NotFound
    content = await service_feeds.calendar_of(name.removesuffix(".ics"))
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return content, {"ETag": tag, "Cache-Control": "private, no-cache"}


ROUTES: list[Any] = [calendars, make, revoke, calendar, calendar_head]
