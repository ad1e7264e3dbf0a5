"""HEAD is GET without its body, at every address and for everybody: no way around, and nothing that hangs."""

import asyncio

import httpx
import pytest

from tests.isolation.calls import ORIGIN, Answer, Parts, filled, send
from tests.isolation.expect import Spec
from tests.isolation.matrix import named
from tests.isolation.table import ROUTES, Route, is_program, label, specs
from tests.isolation.world import World

READS = sorted(route for route in ROUTES if route[0] == "GET")
OF_ITS_OWN = ("x-request-id", "content-length")  # a page may show the time
SECONDS = 20.0


def said(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_ITS_OWN}


@pytest.mark.parametrize("route", READS, ids=label)
async def test_head_says_what_get_says(world: World, route: Route) -> None:
    spec: Spec = specs(route)[0]
    ids = await named(world, route, spec, spec.where()[0])
    sender = (world.programs if is_program(route) else world.browsers)[1]
    path, parts = filled(route[1], ids), spec.parts(ids)
    for headers in (sender.headers, {}):
        whole = await send(world.app, "GET", path, parts, headers)
        head = await send(world.app, "HEAD", path, parts, headers)
        assert (head.status, head.content) == (whole.status, b"")
        assert said(head) == said(whole)
        assert ("content-length" in head.headers) == ("content-length" in whole.headers)


@pytest.mark.parametrize("path", ["/live", "/chat/live"])
async def test_a_stream_ends_with_its_head(world: World, path: str) -> None:
    transport = httpx.ASGITransport(app=world.app)  # type: ignore[arg-type, unused-ignore]
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client, asyncio.timeout(SECONDS):
        answer = await client.head(path, headers=world.browsers[1].headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_head_of_what_cannot_be_read_is_refused(world: World) -> None:
    address = "/api/v1/contracts/00000000-0000-7000-8000-000000000000/accept"
    answer = await send(world.app, "HEAD", address, Parts(), world.programs[1].headers)
    assert (answer.status, answer.headers["allow"], answer.content) == (405, "OPTIONS, POST", b"")
