"""kill -9 at random points of the confirm loop: nothing acknowledged is lost, nothing happens twice."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import pytest

from portal.core import audit, db, invariants
from tests.drills.conftest import Line, Stage
from tests.drills.messages import listen, prove_told
from tests.drills.worker import SUBSCRIBED, TOLD
from tests.factories import fetch, today
from tests.notices.test_mail import Box

VICTIMS = ("web", "worker", "postgres", "web", "worker", "postgres", "valkey")
CLIENTS = 4
PATIENCE = 60.0


@dataclass(slots=True)
class Client:
    """One program that confirms its own line piece by piece, and repeats a request until it is answered."""

    stage: Stage
    line: Line
    http: httpx.AsyncClient
    version: int
    acknowledged: list[int] = field(default_factory=list)  # the versions that were answered
    repeated: int = 0

    async def work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self.version = await self.confirm(str(uuid4()))
            self.acknowledged.append(self.version)

    async def confirm(self, key: str) -> int:
        """Confirm one piece. Only an answer ends it: a lost connection or a failing server is asked the same again."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = await self.http.post(
                    f"/api/v1/schedule-lines/{self.line.id}/confirm",
                    json={"splits": [{"quantity": "1", "delivery_date": today().isoformat()}]},
                    headers={"If-Match": f'"{self.version}"', "Idempotency-Key": key},
                )
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                assert answer.status_code == 200, answer.text
                return int(answer.json()["version"])
            self.repeated += 1
            await asyncio.sleep(0.05)
        raise AssertionError(f"no answer in {PATIENCE} s\n{self.stage.house.said('web')}")


async def drill(stage: Stage, points: int, seed: int) -> list[Client]:
    """So many kills under load, each as soon as the portal works again after the one before."""
    chance, stop = random.Random(seed), asyncio.Event()
    headers = {"authorization": f"Bearer {stage.key}"}
    async with httpx.AsyncClient(base_url=stage.house.url, headers=headers, timeout=10) as http:
        clients = [Client(stage, line, http, line.version) for line in stage.lines[:CLIENTS]]
        working = [asyncio.create_task(client.work(stop)) for client in clients]
        try:
            for _ in range(points):
                before = sum(len(client.acknowledged) for client in clients)
                await until_acknowledged(clients, before + 10, working)
                await asyncio.sleep(chance.random() * 0.2)
                stage.house.kill(chance.choice(VICTIMS))
            await until_acknowledged(clients, sum(len(client.acknowledged) for client in clients) + 10, working)
        finally:
            stop.set()
            await asyncio.gather(*working)
    return clients


async def until_acknowledged(clients: list[Client], count: int, working: list[asyncio.Task[None]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while sum(len(client.acknowledged) for client in clients) < count:
            for task in working:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)


async def settled(stage: Stage) -> None:
    """Wait until the worker has nothing left to do."""
    deadline = time.monotonic() + PATIENCE
    while left := await fetch(stage.factory, LEFT, stage.factory.tenant_id):
        assert time.monotonic() < deadline, f"{list(map(dict, left))}\n{stage.house.said('worker')}"
        await asyncio.sleep(0.1)


LEFT = """
select 'event' as what, count(*), null::int as tries, null::interval as due, '' as error from outbox
    where tenant_id = $1 and taken_at is null having count(*) > 0
union all
select 'delivery', count(*), tries, min(next_try) - now(), last_error from delivery
    where tenant_id = $1 and done_at is null group by tries, last_error
union all
select 'audit', count(*), null, null, '' from audit where tenant_id = $1 and seal is null having count(*) > 0"""
HISTORY = """
select version from timeline
where tenant_id = $1 and subject_id = $2 and verb = 'confirmed' and version > $3 order by version"""
COMMANDS = """
select distinct command_id from confirmation where tenant_id = $1 and line_id = any($2) and member_id = $3 order by 1"""
EFFECTS = """
select subject_id from audit
where tenant_id = $1 and action = $2 and party_id = $3 and subject_id >= $4 order by 1"""  # ids follow time


async def prove(stage: Stage, clients: list[Client]) -> None:
    """Everything that was answered is there once, and so is everything that followed from it."""
    factory, supplier = stage.factory, stage.supplier
    await settled(stage)
    for client in clients:
        line = client.line
        assert client.acknowledged == list(range(line.version + 1, client.version + 1))
        (now,) = await fetch(supplier, "select version, confirmed_quantity from schedule_line where id = $1", line.id)
        assert now["version"] == client.version
        assert now["confirmed_quantity"] == line.confirmed + len(client.acknowledged)
        history = await fetch(factory, HISTORY, factory.tenant_id, line.id, line.version)
        assert [entry["version"] for entry in history] == client.acknowledged
    (key,) = await fetch(supplier, "select id from api_key where tenant_id = $1 and name = 'drill'", factory.tenant_id)
    lines = [client.line.id for client in clients]
    commands = await fetch(factory, COMMANDS, factory.tenant_id, lines, key["id"])
    assert len(commands) == sum(len(client.acknowledged) for client in clients)
    effects = await fetch(factory, EFFECTS, factory.tenant_id, TOLD, supplier.party_id, commands[0][0])
    assert [row[0] for row in effects] == [row[0] for row in commands]
    async with db.read(factory) as connection:
        assert await audit.verify_chain(connection, factory) == []
    subscribers = {event: [subscriber.name for subscriber in found] for event, found in SUBSCRIBED.items()}
    assert await invariants.run(str(stage.house.settings.database_url), subscribers) == []


async def test_ten_kills_lose_and_double_nothing(stage: Stage, letterbox: Box) -> None:
    ear = await listen(stage)
    clients = await drill(stage, points=10, seed=20261122)

    assert sum(client.repeated for client in clients) > 0
    await prove(stage, clients)
    await prove_told(stage, letterbox, ear, kills=10)


@pytest.mark.drill
async def test_two_hundred_kills_lose_and_double_nothing(stage: Stage, letterbox: Box) -> None:
    seed = random.SystemRandom().randrange(10**9)
    ear = await listen(stage)
    try:
        await prove(stage, await drill(stage, points=200, seed=seed))
        await prove_told(stage, letterbox, ear, kills=200)
    except BaseException as error:
        error.add_note(f"The seed was {seed}.")
        raise
