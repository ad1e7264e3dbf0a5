"""Changes asked and decided by programs while the portal is killed: eight decide at once and repeat until answered.

A supplier's program asks for one piece more of a delivery; of the factory's eight some agree and some refuse. Whoever
saw another version than the one that stands looks again, until the request is decided.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from portal.accounts.service_keys import CreateKey, create_key
from portal.core import audit, db, invariants
from portal.core.access import Permission, Role
from portal.core.ids import uuid7
from tests.drills.chain import again, lapse
from tests.drills.conftest import Stage, make_key
from tests.drills.test_kill import LEFT
from tests.drills.worker import SUBSCRIBED
from tests.factories import fetch, make_member

PATIENCE = 60.0
DECIDERS = 8
WAITING = ("submitted", "in_review")
CHANGES = "/api/v1/change-requests"


@dataclass(frozen=True, slots=True)
class Crew:
    """The supplier's program and the factory's."""

    stage: Stage
    supplier: httpx.AsyncClient
    factory: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class Round:
    """One request: how its delivery stood, and what the eight were answered."""

    change_id: UUID
    line_id: UUID
    before: int
    answers: Sequence[str]  # "accept", "decline", or nothing where somebody else was first


async def keys(stage: Stage) -> tuple[str, str]:
    """A key of the supplier, and one of a buyer whom the factory asks about what suppliers want."""
    member = make_member(stage.factory.tenant_id, stage.factory.party_id, uuid7(), Role.BUYER)
    async with db.unit_of_work(stage.factory) as session:
        session.add(member)
    buyer = replace(stage.factory, role=Role.BUYER, member_id=member.id, name=member.name)
    theirs = [Permission.READ, Permission.REQUEST_CHANGES]
    ours = [*theirs, Permission.APPROVE]
    async with db.unit_of_work(stage.factory) as session:
        _, key = await create_key(
            session, replace(buyer, role=Role.ADMIN), CreateKey(name="drill", scopes=ours, role=Role.BUYER)
        )
    return await make_key(stage.supplier, *theirs), key


async def call(crew: Crew, client: httpx.AsyncClient, method: str, path: str, **said: Any) -> httpx.Response:
    """The same request with the same key until it is answered."""
    deadline, key = time.monotonic() + PATIENCE, {"Idempotency-Key": str(uuid4())}
    headers = {**said.pop("headers", {}), **(key if method == "POST" else {})}
    while time.monotonic() < deadline:
        try:
            answer = await client.request(method, path, headers=headers, **said)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code < 500:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"no answer to {method} {path}\n{crew.stage.house.said('web')}")


async def decide(crew: Crew, contract_id: UUID, change_id: UUID, verb: str) -> str:
    """What this one was told: its own word counted, or another's came first."""
    body = {} if verb == "accept" else {"reason": "The furnace is full."}
    path, deadline = f"{CHANGES}/{change_id}", time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        listed = await call(crew, crew.factory, "GET", CHANGES, params={"contract_id": str(contract_id)})
        (row,) = [one for one in listed.json()["items"] if one["id"] == str(change_id)]
        if row["status"] not in WAITING:
            return ""
        headers = {"If-Match": f'"{row["version"]}"'}
        answer = await call(crew, crew.factory, "POST", f"{path}/{verb}", json=body, headers=headers)
        if answer.status_code == 200:
            return verb
        assert answer.status_code in {409, 412}, answer.text
    raise AssertionError("the request was never decided")


async def one_round(crew: Crew, line_id: UUID, contract_id: UUID, before: int) -> Round:
    """Ask, and let eight decide at once."""
    part = {"line_id": str(line_id), "quantity": str(before + 1)}
    body = {"contract_id": str(contract_id), "reason": "production", "parts": [part]}
    asked = await call(crew, crew.supplier, "POST", f"{CHANGES}?send=true", json=body)
    assert asked.status_code == 201, asked.text
    change_id = UUID(asked.json()["id"])
    verbs = ["decline" if no % 4 == 3 else "accept" for no in range(DECIDERS)]
    return Round(
        change_id,
        line_id,
        before,
        await asyncio.gather(*(decide(crew, contract_id, change_id, verb) for verb in verbs)),
    )


LINES = (
    "select id, contract_id, ordered_quantity::int as quantity from schedule_line where tenant_id = $1 and id = any($2)"
)


async def drill(stage: Stage, points: Sequence[Sequence[str]], seed: int) -> list[Round]:
    """A request for each point, in the midst of which its parts are killed."""
    chance, rounds = random.Random(seed), list[Round]()
    theirs, ours = await keys(stage)
    ids = [line.id for line in stage.lines]
    async with (
        httpx.AsyncClient(base_url=stage.house.url, headers={"authorization": f"Bearer {theirs}"}, timeout=10) as one,
        httpx.AsyncClient(base_url=stage.house.url, headers={"authorization": f"Bearer {ours}"}, timeout=10) as other,
    ):
        crew = Crew(stage, one, other)
        for no, victims in enumerate(points):
            rows = await again(lambda: fetch(stage.factory, LINES, stage.factory.tenant_id, ids))
            row = sorted(rows, key=lambda found: found["id"])[no % len(ids)]
            work = asyncio.create_task(one_round(crew, row["id"], row["contract_id"], row["quantity"]))
            await asyncio.sleep(chance.random() * 0.4)
            for victim in victims:
                stage.house.kill(victim)
            rounds.append(await work)
    return rounds


VERBS = "select verb from timeline where tenant_id = $1 and subject_id = $2 order by id"
QUANTITY = "select ordered_quantity::int as quantity from schedule_line where tenant_id = $1 and id = $2"
RELEASES = """
select count(*)::int as told from change_request q join release r on r.tenant_id = $1 and r.contract_id = q.contract_id
    and r.number = q.release_no where q.tenant_id = $1 and q.id = $2"""


async def settled(stage: Stage) -> None:
    """Wait until the worker has nothing left to do; what a killed one held comes back after seconds."""
    deadline = time.monotonic() + PATIENCE
    while left := await fetch(stage.factory, LEFT, stage.factory.tenant_id):
        assert time.monotonic() < deadline, f"{list(map(dict, left))}\n{stage.house.said('worker')}"
        await lapse(stage)
        await asyncio.sleep(0.1)


async def prove(stage: Stage, rounds: Sequence[Round]) -> None:
    """Every request was decided once, by the one who was told so, and applied once or not at all."""
    await settled(stage)
    tenant_id, more = stage.factory.tenant_id, dict[UUID, int]()
    for one in rounds:
        said = [verb for verb in one.answers if verb]
        assert len(said) == 1, one
        verbs = [row["verb"] for row in await fetch(stage.factory, VERBS, tenant_id, one.change_id)]
        agreed = said == ["accept"]
        assert [verbs.count(verb) for verb in ("submitted", "accepted", "declined", "applied")] == [
            1, int(agreed), int(not agreed), int(agreed)
        ]  # fmt: skip
        (told,) = await fetch(stage.supplier, RELEASES, tenant_id, one.change_id)
        assert told["told"] == int(agreed)
        more[one.line_id] = one.before + int(agreed)
    for line_id, quantity in more.items():
        (now,) = await fetch(stage.supplier, QUANTITY, tenant_id, line_id)
        assert now["quantity"] == quantity


async def prove_all(stage: Stage) -> None:
    """The seals of the audit and every figure of the workspace, after a long drill."""
    async with db.read(stage.factory) as connection:
        assert await audit.verify_chain(connection, stage.factory) == []
    subscribers = {event: [subscriber.name for subscriber in found] for event, found in SUBSCRIBED.items()}
    assert await invariants.run(str(stage.house.settings.database_url), subscribers) == []
