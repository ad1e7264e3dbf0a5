"""What a request says beside what it may say: unknown fields, poisoned values, too much. Refused, never a failure."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from portal.app import create_app
from tests.isolation.calls import Parts, filled, send
from tests.isolation.fingerprint import changed, fingerprint
from tests.isolation.matrix import signed
from tests.isolation.requests import cell
from tests.isolation.table import ROUTES, Route, label, specs, unsafe
from tests.isolation.world import World

SMUGGLED = {"is_factory": True, "tenant_id": "01a0c0de-0000-7000-8000-000000000000", "proposed_by": "me"}
READ_BY_LINE = {  # their fields are named after lines; what has no such name is not read at all
    "/schedule-lines/confirm",
    "/shipments",
    "/shipments/{shipment_id:uuid}/receipts",
    "/receipts/{receipt_id:uuid}/correct",
    "/imports",
    "/imports/own",
    "/contracts/sheets",
    "/contracts/sheets/{run_id:uuid}/apply",
}
WITHOUT_FIELDS = {  # a button alone
    "/sign-out",
    "/keys/{key_id:uuid}/revoke",
    "/people/{member_id:uuid}/invitation",
    "/imports/{run_id:uuid}/apply",
    "/contracts/{contract_id:uuid}/seal",
    "/line-reports/{report_id:uuid}/close",
    "/profile/chat/link",
    "/profile/chat/requests/{request_id:uuid}/approve",
    "/profile/chat/requests/{request_id:uuid}/refuse",
    "/profile/chat/{chat_id:uuid}/end",
}
NOT_A_FORM = {"/bot/telegram"}  # Telegram's own object, of which we read what we know
FORMS = [route for route in unsafe(program=False) if route[1] not in READ_BY_LINE | WITHOUT_FIELDS | NOT_A_FORM]
POISONS: tuple[Any, ...] = ("\x00", "a\x00b", "9" * 40, "1e999999", "NaN", "-1", "\ud800", "x" * 20_000, "=1+1\r\n")
JSON_POISONS: tuple[Any, ...] = (*POISONS, 10**40, -1, None, True, [], {}, [[[[]]]])


@pytest.mark.parametrize("route", unsafe(program=True), ids=label)
async def test_the_interface_accepts_no_field_that_it_does_not_know(world: World, route: Route) -> None:
    for spec in specs(route):
        request = await cell(world, route, spec, refused=True)
        if not isinstance(request.parts.json, dict):
            continue
        before = await fingerprint(world.owner)
        for name, value in SMUGGLED.items():
            answer = await request.told(world, replace(request.parts, json={**request.parts.json, name: value}))
            assert answer.status == 422, (name, answer.status, answer.text)
            assert name in answer.text
        assert changed(before, await fingerprint(world.owner)) == {}


@pytest.mark.parametrize("route", FORMS, ids=label)
async def test_forms_accept_no_field_that_they_do_not_know(world: World, route: Route) -> None:
    for spec in specs(route):
        request = await cell(world, route, spec, refused=True)
        before = await fingerprint(world.owner)
        for name, value in SMUGGLED.items():
            form = {**(request.parts.form or {}), name: value}
            answer = await request.told(world, replace(request.parts, form=form))
            assert answer.status == 422, (name, answer.status, answer.text[-300:])
        assert changed(before, await fingerprint(world.owner)) == {}


def spoilt(said: Any, poisons: tuple[Any, ...]) -> Iterator[Any]:
    """What was said with each of its values spoilt in turn, also inside lists."""
    for name, value in said.items():
        for poison in poisons:
            yield {**said, name: poison}
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from ({**said, name: [inner]} for inner in spoilt(value[0], poisons))


def poisoned(parts: Parts) -> Iterator[Parts]:
    """The request with each of its values spoilt."""
    yield from (replace(parts, query=query) for query in spoilt(parts.query, POISONS))
    if parts.form:
        yield from (replace(parts, form=form) for form in spoilt(parts.form, POISONS))
    if isinstance(parts.json, dict):
        yield from (replace(parts, json=said) for said in spoilt(parts.json, JSON_POISONS))
    if parts.version is not None:
        yield replace(parts, headers={"if-match": '"99999999999999999999"'}, version=None)


@pytest.mark.parametrize("route", sorted(ROUTES), ids=label)
async def test_no_value_makes_a_route_fail(world: World, route: Route) -> None:
    """A refusal is fine and success is; what reaches our side as a failure is not."""
    for spec in specs(route):
        request = await cell(world, route, spec)
        for parts in (*poisoned(request.parts), replace(request.parts, query={**request.parts.query, "q": "\x00"})):
            if not _sendable(parts):
                continue
            answer = await request.told(world, parts)
            assert answer.status < 500, (parts, answer.text[-500:])


def _sendable(parts: Parts) -> bool:
    """Half a character exists in JSON alone, as an escape."""
    return "\ud800" not in "".join(map(str, {**parts.query, **(parts.form or {})}.values()))


async def test_a_body_over_the_limit_is_refused_unread(world: World) -> None:
    app = create_app(world.settings.model_copy(update={"upload_limit_mb": 1}))
    heavy = "x" * (1024 * 1024 + 1)
    admin, key = world.browsers[1], world.programs[1]
    page = signed(Parts(form={"name": heavy}), admin)
    for path, parts, sender in (
        ("/profile/name", page, admin),
        ("/imports", signed(Parts(file=("lines.csv", heavy.encode())), admin), admin),
        ("/api/v1/items", Parts(json={"description": heavy}), key),
        ("/api/v1/imports", Parts(file=("lines.csv", heavy.encode())), key),
        ("/sign-in", Parts(form={"email": heavy}), world.browsers[0]),
    ):
        assert (await send(app, "POST", path, parts, sender.headers)).status == 413, path


async def test_a_paste_of_two_thousand_lines_is_answered(world: World) -> None:
    """Into a form field it is too long; as lines of a list it is work that is done or refused as a whole."""
    route = ("POST", "/contracts/{contract_id:uuid}/edit")
    request = await cell(world, route, specs(route)[0])
    pasted = "\r\n".join(f"A{n}\t{n}\t2026-12-01" for n in range(2000))
    answer = await request.told(world, replace(request.parts, form={**(request.parts.form or {}), "title": pasted}))
    assert answer.status == 422

    route = ("POST", "/api/v1/schedule-lines/confirm")
    request = await cell(world, route, specs(route)[0])
    (line,) = request.parts.json["lines"]
    absent = [{"id": f"01a0c0de-0000-7000-8000-{n:012d}", "version": 1} for n in range(2000)]
    before = await fingerprint(world.owner)
    answer = await request.told(world, replace(request.parts, json={"lines": [line, *absent]}))
    assert answer.status == 404, "one of them does not exist, so none is confirmed"
    assert changed(before, await fingerprint(world.owner)) == {}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"{", b"\xff\xfe", b"nul"])
async def test_an_unreadable_body_is_refused(world: World, body: bytes) -> None:
    key = world.programs[1]
    for method, path in unsafe(program=True):
        if method != "POST" or "{" in path:
            continue
        headers = {**key.headers, "content-type": "application/json"}
        answer = await send(world.app, method, filled(path, {}), Parts(content=body), headers)
        assert answer.status in {400, 413, 415, 422}, (path, answer.status, answer.text[:200])
