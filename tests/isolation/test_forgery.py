"""Forged requests: no unsafe page works without the form token of this very session and company, from our own site."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.isolation.calls import Answer, Parts, filled, send
from tests.isolation.expect import Audience
from tests.isolation.fingerprint import changed, fingerprint
from tests.isolation.requests import Cell, cell
from tests.isolation.table import ROUTES, Route, label, specs, unsafe
from tests.isolation.world import Place, Principal, World

PAGES = unsafe(program=False)
ELSEWHERE = "https://attacker.example"
Forgery = Callable[[World, Principal, Parts], Parts]


def without_token(world: World, sender: Principal, parts: Parts) -> Parts:
    return parts


def token_of_another(world: World, sender: Principal, parts: Parts) -> Parts:
    other = next(person for person in world.browsers if person.form_token not in {"", sender.form_token})
    return replace(parts, form={"_csrf_token": other.form_token, **(parts.form or {})})


def from_another_site(world: World, sender: Principal, parts: Parts) -> Parts:
    form = {"_csrf_token": sender.form_token, **(parts.form or {})}
    return replace(parts, form=form, headers={"origin": ELSEWHERE})


def said_to_be_cross_site(world: World, sender: Principal, parts: Parts) -> Parts:
    form = {"_csrf_token": sender.form_token, **(parts.form or {})}
    return replace(parts, form=form, headers={"sec-fetch-site": "cross-site"})


def from_a_file(world: World, sender: Principal, parts: Parts) -> Parts:
    form = {"_csrf_token": sender.form_token, **(parts.form or {})}
    return replace(parts, form=form, headers={"origin": "null"})


FORGERIES: tuple[Forgery, ...] = (
    without_token,
    token_of_another,
    from_another_site,
    said_to_be_cross_site,
    from_a_file,
)


async def forge(world: World, request: Cell, method: str, forgeries: Sequence[Forgery]) -> list[Answer]:
    """The request forged in these ways, which has no effect."""
    before = await fingerprint(world.owner)
    answers = [
        await request.sent(world, forgery(world, request.sender, request.parts), method) for forgery in forgeries
    ]
    assert changed(before, await fingerprint(world.owner)) == {}
    return answers


@pytest.mark.parametrize("route", PAGES, ids=label)
async def test_forged_forms_have_no_effect(world: World, route: Route) -> None:
    for spec in specs(route):
        request = await cell(world, route, spec, refused=True)
        answers = await forge(world, request, "POST", FORGERIES)
        for forgery, answer in zip(FORGERIES, answers, strict=True):
            assert answer.status == 403, (forgery.__name__, answer.status, answer.text[-300:])


@pytest.mark.parametrize("route", PAGES, ids=label)
async def test_a_link_does_nothing_that_only_a_form_may_do(world: World, route: Route) -> None:
    """GET with everything that the form would say; where the same address is a page too, it only shows."""
    for spec in specs(route):
        (as_link,) = await forge(world, await cell(world, route, spec, refused=True), "GET", [_in_the_address])
        assert as_link.status in {404, 405} or ("GET", route[1]) in ROUTES, as_link.status


def _in_the_address(world: World, sender: Principal, parts: Parts) -> Parts:
    return Parts(query={**parts.query, **(parts.form or {}), "_csrf_token": sender.form_token})


async def test_strangers_cannot_be_signed_in_from_another_site(world: World) -> None:
    """A forged sign-in would put the victim into the attacker's account."""
    ways = ({"origin": ELSEWHERE}, {"sec-fetch-site": "cross-site"}, {"origin": "null"})
    for route in PAGES:
        for spec in specs(route):
            if spec.audience is Audience.MEMBERS:
                continue
            request = await cell(world, route, spec, refused=True)
            for headers in ways:
                parts = replace(request.parts, headers=headers)
                address = filled(route[1], request.ids)
                answer = await send(world.app, "POST", address, parts, {})
                assert (answer.status, "set-cookie" in answer.headers) == (403, False), (route, headers)


async def test_a_second_tab_of_another_company_is_refused(world: World) -> None:
    """Whoever acts for two companies and switched in another tab cannot send the old tab's form as the new company."""
    first, second = world.companies[Place.A].customer, world.companies[Place.B].customer
    person = await world.hire("clerk of two companies", first, first.role)
    other_company = await world.join(person, second)
    old_tab = await world.signed_in(person)
    choice = Parts(form={"_csrf_token": old_tab.form_token, "membership_id": str(other_company)})
    switched = await send(world.app, "POST", "/companies", choice, old_tab.headers)
    cookie = switched.headers["set-cookie"].partition(";")[0]
    before = await fingerprint(world.owner)
    late = Parts(form={"_csrf_token": old_tab.form_token, "name": "ERP", "scopes": "read", "days": "30"})
    answer = await send(world.app, "POST", "/keys", late, {"cookie": cookie})
    assert answer.status == 403
    assert changed(before, await fingerprint(world.owner)) == {}
    assert (await send(world.app, "GET", "/profile", Parts(), old_tab.headers)).status == 303, "the old session is over"
