"""The stream of an open page: one named event for each kind of document that changed, with ids only."""

import json
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.exceptions import NotAuthorizedException
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from portal.accounts import identity
from portal.core import news
from portal.core.news import News
from portal.web.accounts import cookie_name

# Table of the document -> the DOM events that its pages wait for: hx-trigger="lines from:body".
EVENTS = {
    "schedule_line": ("lines",),
    "line_report": ("lines",),
    "change_request": ("changes",),
    "chat": ("people",),
    "contract": ("contracts", "lines"),  # a release or a term changes what the board shows
    "shipment": ("shipments",),
    "receipt": ("receipts",),
    "party": ("partners",),
    "member": ("people",),
    "api_key": ("keys",),
    "site": ("sites",),
    "tenant": ("company",),
    "import_run": ("imports",),
}
MOST_IDS = 50  # ids in one event; a page fetches its whole list anyway


def messages(found: News) -> list[ServerSentEventMessage]:
    """One event a kind. The last one carries the newest id, from which a lost stream goes on."""
    kinds: dict[str, list[str]] = {}
    for entry in found:
        for name in EVENTS.get(entry.subject, (entry.subject,)):
            kinds.setdefault(name, []).append(str(entry.subject_id))
    told = [
        ServerSentEventMessage(event=name, data=json.dumps(list(dict.fromkeys(ids))[:MOST_IDS]))
        for name, ids in kinds.items()
    ]
    if told:
        told[-1].id = str(found[0].id)
    return told or [ServerSentEventMessage(comment="here", data=None)]


async def events(
    signed: identity.Signed, token: str, last: UUID | None, heartbeat: float = news.HEARTBEAT
) -> AsyncGenerator[ServerSentEventMessage]:
    """The stream of one browser; it ends with the session, with a change of rights, or when the page falls behind."""
    actor = signed.actor
    assert actor is not None

    async def allowed() -> bool:
        now = await identity.signed_in(token)
        return now is not None and now.actor == actor

    async for found in news.follow(actor, last, allowed, heartbeat):
        for message in messages(found):
            yield message


def last_heard(request: Request[Any, Any, Any]) -> UUID | None:
    """Where the browser's last stream ended."""
    try:
        return UUID(request.headers.get("last-event-id", ""))
    except ValueError:
        return None


@get("/live", opt={"public": True})
async def stream(request: Request[Any, Any, Any]) -> ServerSentEvent:
    """Signed out: 401 rather than the sign-in form, so that a page left open asks less and less often."""
    signed: identity.Signed | None = request.state.signed
    if signed is None or signed.actor is None:
        raise NotAuthorizedException
    return ServerSentEvent(events(signed, request.cookies[cookie_name()], last_heard(request)))


ROUTES: list[Any] = [stream]
