"""What every answer carries: the strict policy, no sniffing, no framing, cookies that scripts cannot read."""

import pytest

from portal.app import CSP, HEADERS
from tests.isolation.calls import Parts, filled, send
from tests.isolation.expect import Spec
from tests.isolation.matrix import named
from tests.isolation.table import ROUTES, Route, is_program, label, routes_of, specs
from tests.isolation.world import PASSWORD, World

# Our own files may be kept; a calendar asks anew each time whether its own copy is the newest.
CACHED = ("/static/{name:path}", "/sw.js", "/calendar/{name:str}")
READS = sorted(route for route in ROUTES if route[0] == "GET")


@pytest.mark.parametrize("route", READS, ids=label)
async def test_every_answer_carries_the_strict_policy(world: World, route: Route) -> None:
    spec: Spec = specs(route)[0]
    ids = await named(world, route, spec, spec.where()[0])
    sender = (world.programs if is_program(route) else world.browsers)[1]
    for headers in (sender.headers, {}):
        answer = await send(world.app, "GET", filled(route[1], ids), spec.parts(ids), headers)
        expected = dict(HEADERS)
        if route[1] == "/scan":
            expected["content-security-policy"] = CSP.format(wasm=" 'wasm-unsafe-eval'")
            expected["permissions-policy"] = "camera=(self), microphone=(), geolocation=()"
        if route[1] in CACHED or answer.headers.get("content-type", "").startswith("text/event-stream"):
            expected.pop("cache-control")
        assert {name: answer.headers.get(name) for name in expected} == expected


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = CSP.format(wasm="")
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert "unsafe" not in policy
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"


async def test_refusals_and_unknown_addresses_carry_it_too(world: World) -> None:
    for path in ("/nothing", "/static/../portal/app.py", "/api/v1/nothing", "/api/v1/me"):
        answer = await send(world.app, "GET", path, Parts(), {})
        assert answer.status in {401, 404}, path
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    person = world.browsers[1]
    parts = Parts(form={"email": person.email, "password": PASSWORD})
    answer = await send(world.app, "POST", "/sign-in", parts, {})
    flags = {flag.strip().lower() for flag in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert not any(flag.startswith("domain=") for flag in flags)


async def test_programs_are_told_of_every_route_and_no_route_is_hidden(world: World) -> None:
    described = {
        (method.upper(), path)
        for path, item in world.app.openapi_schema.to_schema()["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }
    served = {(method, _plain(path)) for method, path in routes_of(world.app) if path.startswith("/api/v1")}
    assert served == described


def _plain(path: str) -> str:
    """An address as the description writes it: without the types of its ids."""
    for kind in (":uuid", ":int", ":date", ":str"):
        path = path.replace(kind, "")
    return path


async def test_options_tells_the_methods_of_one_path_and_needs_the_sign_in_that_they_need(world: World) -> None:
    path, key, browser = (
        "/schedule-lines/" + "0" * 8 + "-0000-7000-8000-" + "0" * 12,
        world.programs[1],
        world.browsers[1],
    )
    for address, sender, methods in (
        ("/api/v1" + path, key, "GET, HEAD, OPTIONS"),
        ("/api/v1/contracts", key, "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/contracts" + path[-37:] + "/accept", key, "OPTIONS, POST"),
        (path, browser, "GET, HEAD, OPTIONS"),
    ):
        answer = await send(world.app, "OPTIONS", address, Parts(), sender.headers)
        assert (answer.status, answer.headers["allow"]) == (204, methods)
    assert (await send(world.app, "OPTIONS", "/api/v1/contracts", Parts(), {})).status == 401
