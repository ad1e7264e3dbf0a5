"""Chats: the window, who may bind and end, Telegram's calls; and warnings about deliveries."""

import secrets
from typing import Any

from portal.accounts import chat_window, chats, identity, service_chats
from portal.accounts.chats import ChatName
from portal.accounts.model_chats import ChatBot, ChatMessageKind
from portal.core import files
from portal.core.access import Permission, Role
from portal.core.db import read, unit_of_work
from portal.schedules import service_reports
from portal.schedules.model_reports import ReportKind, ReportReason
from tests.factories import fetch
from tests.isolation.calls import Parts, send
from tests.isolation.expect import SELLER, Audience, Sight, Spec, body, form
from tests.isolation.routes_api import picture
from tests.isolation.routes_open import Routes
from tests.isolation.things import ASKED, Ids, Token, delivery, pictures
from tests.isolation.world import Place, World

P = Permission


async def _signed(world: World, place: Place) -> identity.Signed:
    """Somebody of the place's company, signed in."""
    person = await world.hire("viewer", world.company(place), Role.VIEWER)
    assert person.user_id is not None
    token = await identity.open_session(person.user_id, person.membership_id, "test")
    found = await identity.signed_in(token)
    assert found is not None
    return found


async def message(world: World, place: Place) -> Ids:
    """A message with a button, and a photo, in the window of somebody of the place's company."""
    signed = await _signed(world, place)
    assert signed.actor is not None
    row_id, _chat = await service_chats.open_window(signed)
    rows = [[{"text": "Go on", "data": "v1:" + "A" * 22}]]
    photo = await files.drawn_anew(pictures())
    await files.keep(signed.actor.tenant_id, photo)
    async with unit_of_work(signed.actor) as session:
        await chat_window.add(session, signed.actor, row_id, ChatMessageKind.SHOWN, "Choose", rows=rows)
        await chat_window.add(session, signed.actor, row_id, ChatMessageKind.SAID, "", photo=photo.digest)
    async with read(signed.actor) as connection:
        found = await chat_window.entries(connection, signed.actor, row_id)
    return {"message_id": found[0].id, "digest": Token(photo.digest)}


async def pressed(world: World, place: Place) -> Ids:
    """The same. Everybody's own window is open before, as looking at the page makes one."""
    for sender in world.browsers:
        await send(world.app, "GET", "/chat/log", Parts(), sender.headers)
    return await message(world, place)


async def request(world: World, place: Place) -> Ids:
    """A chat that opened the link of somebody of the place's company."""
    signed = await _signed(world, place)
    token, _until = await chats.make_link(signed.user_id)
    await chats.open_link(ChatName(ChatBot.TELEGRAM, secrets.randbelow(2**50), "Ina"), token)
    (found,) = await chats.requests_of(signed.user_id)
    return {"request_id": found.id}


async def chat(world: World, place: Place) -> Ids:
    """A live chat of somebody of the place's company."""
    row_id, _chat = await service_chats.open_window(await _signed(world, place))
    return {"chat_id": row_id}


async def warning(world: World, place: Place) -> Ids:
    """A warning about a delivery, with a photo."""
    ids = await delivery("confirmed")(world, place)
    actor = world.seller(place)
    data = service_reports.ReportLine(kind=ReportKind.PROBLEM, reason=ReportReason.QUALITY, note="cracks")
    photo = await files.drawn_anew(pictures())
    async with unit_of_work(actor) as session:
        made = await service_reports.report_line(session, actor, ids["line_id"], None, data, [photo])
    ((photo_id,),) = await fetch(actor, "select id from line_report_photo where report_id = $1", made.id)
    return ids | {"report_id": made.id, "photo_id": photo_id}


def update(ids: Ids) -> Parts:
    return Parts(json={"update_id": 7})


SWAPPED = {"HX-Request": "true"}  # a page without script would wait for the bot
OWNS: dict[str, Any] = {"need": None, "sight": Sight.NOBODY, "fresh": True}
ENDS: dict[str, Any] = {"need": P.MANAGE_PEOPLE, "sight": Sight.OWN, "fresh": True}
WARNS: dict[str, Any] = {"need": P.CONFIRM_LINES, "side": SELLER, "fresh": True}
SAID: dict[str, Any] = {"kind": "problem", "reason": "material"}
ROUTES: Routes = {
    ("GET", "/chat"): Spec(),
    ("GET", "/chat/log"): Spec(),
    ("GET", "/chat/live"): Spec(need=None),
    ("POST", "/chat/say"): Spec(parts=lambda ids: Parts(form={"text": "/help"}, headers=SWAPPED)),
    ("POST", "/chat/messages/{message_id:uuid}/press"): Spec(pressed, form(data="v1:" + "A" * 22), **OWNS),
    ("GET", "/chat/photos/{digest:str}"): Spec(message, need=None, sight=Sight.NOBODY),
    ("GET", "/profile/chat"): Spec(need=None),
    ("POST", "/profile/chat/link"): Spec(need=None, parts=form()),
    ("POST", "/profile/chat/requests/{request_id:uuid}/approve"): Spec(request, form(), **OWNS),
    ("POST", "/profile/chat/requests/{request_id:uuid}/refuse"): Spec(request, form(), **OWNS),
    ("POST", "/profile/chat/{chat_id:uuid}/end"): Spec(chat, form(), **ENDS),
    ("GET", "/app"): Spec(audience=Audience.EVERYBODY),
    ("POST", "/app"): Spec(audience=Audience.NOBODY, parts=form(init_data="hash=1", to="/")),
    ("POST", "/bot/telegram"): Spec(audience=Audience.NOBODY, parts=update),
    ("GET", "/api/v1/chats"): Spec(need=P.MANAGE_PEOPLE),
    ("POST", "/api/v1/chats/{chat_id:uuid}/end"): Spec(chat, **ENDS),
    ("POST", "/schedule-lines/{line_id:uuid}/reports"): Spec(delivery(ASKED), form("version", **SAID), **WARNS),
    ("POST", "/line-reports/{report_id:uuid}/close"): Spec(warning, form(), **WARNS),
    ("GET", "/line-reports/{report_id:uuid}/photos/{photo_id:uuid}"): Spec(warning),
    ("GET", "/api/v1/schedule-lines/{line_id:uuid}/reports"): Spec(delivery(ASKED)),
    ("POST", "/api/v1/schedule-lines/{line_id:uuid}/reports"): Spec(delivery(ASKED), body(True, **SAID), **WARNS),
    ("POST", "/api/v1/line-reports/{report_id:uuid}/close"): Spec(warning, **WARNS),
    ("POST", "/api/v1/line-reports/{report_id:uuid}/photos"): Spec(warning, picture, **WARNS),
    ("GET", "/api/v1/line-reports/{report_id:uuid}/photos/{photo_id:uuid}"): Spec(warning),
}
