"""Notices: how people want to be told, the log of messages, and what may leave the house."""

import secrets
from dataclasses import replace
from typing import Any

from portal.accounts import recovery
from portal.core.access import Permission, Role
from portal.core.db import driver, unit_of_work
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, SELLER, Audience, Sight, Spec, asked, body, form, of
from tests.isolation.routes_open import OPEN, Routes
from tests.isolation.routes_releases import released
from tests.isolation.things import Ids, Token, contract, member
from tests.isolation.world import Place, World

P = Permission
CHOICES = {
    "digest_at": "08:00",
    "quiet_from": "20:00",
    "quiet_to": "07:30",
    "kind": "confirmed:digest",
    "first": "email",
}


def chosen(ids: Ids) -> Parts:
    """Choices for somebody who has chosen nothing yet."""
    return Parts(json={"digest_at": "09:00"}, version=0)


async def forgetful(world: World, place: Place) -> Ids:
    """An open link by which somebody of the place's company sets a new password."""
    person = await world.hire("viewer", world.company(place), Role.VIEWER)
    await recovery.ask(person.email, f"203.0.113.{secrets.randbelow(200)}")
    (link,) = [each for each in await recovery.unsent() if each.email == person.email]
    return {"token": Token(recovery.token_of(link.id))}


async def owed(world: World, place: Place) -> Ids:
    """A release with a delivery that waits for its seller's answer, and somebody of the seller's who may give it."""
    ids = await released(world, place)
    async with unit_of_work(world.companies[place].factory) as session:
        await (await driver(session)).execute(
            "update schedule_line set status = 'proposed' where id = $1", ids["delivery_id"]
        )
    member_id = world.seller(place).member_id
    assert member_id is not None
    return {**ids, "member_id": member_id}


DUTY = "/api/v1/contracts/{contract_id:uuid}/releases/{number:int}/duty"
ANSWERS: dict[str, Any] = {"need": P.CONFIRM_LINES, "side": SELLER}
LINK = Spec(forgetful, audience=Audience.EVERYBODY, sight=Sight.LINK, shows_bearer=True)
ROUTES: Routes = {
    ("GET", "/forgotten"): OPEN,
    ("POST", "/forgotten"): Spec(audience=Audience.EVERYBODY, parts=form(email="nobody@people.example")),
    ("GET", "/new-password/{token:str}"): LINK,
    ("POST", "/new-password/{token:str}"): replace(
        LINK, parts=form(password="twelve capstans of oak"), fresh=True, leads_to="/sign-in"
    ),
    ("POST", "/contracts/{contract_id:uuid}/releases/{number:int}/take-over"): Spec(owed, form(), **ANSWERS),
    ("GET", DUTY): Spec(owed, **ANSWERS),
    ("POST", DUTY): Spec(owed, body(member_id=of("member_id")), **ANSWERS),
    ("GET", "/profile/notifications"): Spec(need=None),
    ("POST", "/profile/notifications"): Spec(need=None, double=True, parts=form(version=0, **CHOICES)),
    ("POST", "/profile/notifications/detail"): Spec(
        need=P.MANAGE_PEOPLE, scope=FACTORY, parts=form(chat_detail="full")
    ),
    ("GET", "/messages"): Spec(),
    ("GET", "/messages/export"): Spec(),
    ("GET", "/api/v1/messages"): Spec(contract, asked(object_id="contract_id"), filters=True),
    ("GET", "/api/v1/members/{member_id:uuid}/notifications"): Spec(member, need=P.MANAGE_PEOPLE, sight=Sight.OWN),
    ("PUT", "/api/v1/members/{member_id:uuid}/notifications"): Spec(
        member, chosen, need=P.MANAGE_PEOPLE, sight=Sight.OWN, fresh=True
    ),
    ("GET", "/api/v1/chat-detail"): Spec(need=None),
    ("PUT", "/api/v1/chat-detail"): Spec(
        need=P.MANAGE_PEOPLE, scope=FACTORY, parts=lambda ids: Parts(json={"chat_detail": "full"})
    ),
}
