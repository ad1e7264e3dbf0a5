"""One way through the portal, event -> notice -> message -> press -> answer, as a program of its own walks it.

Every step repeats until it is done, as browsers and programs do; what a killed part held comes back after seconds
here, not after the minute that its claim lasts.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import httpx

from portal.accounts import identity, service_chats
from portal.core import db
from portal.core.access import Permission, Role
from portal.core.db import asyncpg_dsn, unit_of_work
from portal.core.ids import uuid7
from portal.core.roles import SUPERUSER
from portal.notices.model import Kind
from portal.schedules.rules import RejectReason
from portal.schedules.service import RejectLine, reject_line
from tests.accounts.makers import Person, make_person
from tests.drills.conftest import Stage, make_key
from tests.drills.house import DATABASE
from tests.drills.messages import SITE
from tests.factories import fetch

T = TypeVar("T")
PATIENCE = 90.0
DONE = ("Confirmed: ", "This was done already: Confirmed: ")
PREFERENCE = """
insert into preference (tenant_id, id, party_id, member_id, digest_at, quiet_from, quiet_to, kinds, channels,
    evening_summary, wake_for_line_stop, version)
values ($1, $2, $3, $4, 480, 0, 0, $5, '{portal}', false, false, 1)"""
MESSAGES = """
select p.id, p.buttons from chat_message p join chat h on h.tenant_id = $1 and h.id = p.chat_id
where p.tenant_id = $1 and h.member_id = $2 and p.kind = 'shown' and p.buttons::text like '%' || $3::text || '%'
order by p.no desc"""
ANSWERS = """
select p.text from chat_message p join chat h on h.tenant_id = $1 and h.id = p.chat_id
where p.tenant_id = $1 and h.member_id = $2 and p.answer_to = any($3) and p.kind = 'pressed'"""
LAPSE = (
    "update bot_update set next_try = now() where done_at is null and tries > 0"
    " and next_try between now() and now() + interval '27 s'",
    "update dispatch set next_try = now() where state = 'waiting' and attempts > 0"
    " and next_try between now() + interval '5 s' and now() + interval '57 s'",
    "update delivery set next_try = now() where done_at is null and tries > 0"
    " and next_try between now() and now() + interval '22 s'",
)


@dataclass(frozen=True, slots=True)
class Walker:
    """A clerk of the supplier with the chat window open, and the buyer's program that asks."""

    stage: Stage
    person: Person
    key: str
    lines: Sequence[tuple[UUID, int]]  # refused deliveries with their versions

    async def read(self, statement: str, *values: Any) -> list[Any]:
        """Rows, also while PostgreSQL starts again."""
        return await again(lambda: fetch(self.person.actor, statement, self.stage.factory.tenant_id, *values))


async def again(ask: Callable[[], Awaitable[T]]) -> T:
    """Until the database answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await ask()
        except Exception as error:
            if not db.is_away(error) or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


async def walker(stage: Stage, count: int) -> Walker:
    """Refused deliveries, of which the buyer can ask again, and somebody who is told of nothing else."""
    person = await make_person(stage.supplier, Role.CLERK)
    signed = await identity.signed_in(person.token)
    assert signed is not None
    await service_chats.open_window(signed)
    tenant_id, party_id = stage.supplier.tenant_id, stage.supplier.party_id
    kinds = db.to_json({kind: "off" for kind in Kind if kind is not Kind.TO_CONFIRM})
    async with unit_of_work(stage.factory) as session:
        await (await db.driver(session)).execute(SITE, tenant_id, uuid7(), party_id)
    async with unit_of_work(person.actor) as session:
        connection = await db.driver(session)
        await connection.execute(PREFERENCE, tenant_id, uuid7(), party_id, person.member_id, kinds)
    lines = []
    for line in stage.lines[:count]:
        async with unit_of_work(person.actor) as session:
            data = RejectLine(reason=RejectReason.CAPACITY)
            head = await reject_line(session, person.actor, line.id, line.version, data)
        lines.append((head.id, head.version))
    key = await make_key(stage.factory, Permission.READ, Permission.PUBLISH_SCHEDULES)
    return Walker(stage, person, key, lines)


# --- the steps --------------------------------------------------------------------------------------------------------


async def ask(walk: Walker, line_id: UUID, version: int) -> None:
    """The event: the buyer insists. The same request again until it is answered."""
    deadline = time.monotonic() + PATIENCE
    headers = {"authorization": f"Bearer {walk.key}", "Idempotency-Key": str(uuid4()), "If-Match": f'"{version}"'}
    async with httpx.AsyncClient(base_url=walk.stage.house.url, headers=headers, timeout=10) as http:
        while time.monotonic() < deadline:
            try:
                answer = await http.post(f"/api/v1/schedule-lines/{line_id}/ask-again")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code < 500:
                assert answer.status_code == 200, answer.text
                return
            await asyncio.sleep(0.05)
    raise AssertionError(f"the question was not taken\n{walk.stage.house.said('web')}")


async def message(walk: Walker, line_id: UUID) -> tuple[UUID, str]:
    """The message about a delivery and what its button Confirm sends."""
    deadline = time.monotonic() + PATIENCE
    while True:
        for row in await walk.read(MESSAGES, walk.person.member_id, str(line_id)):
            for button in [each for line in row["buttons"]["rows"] for each in line]:
                if button["text"] == "Confirm":
                    return row["id"], button["data"]
        assert time.monotonic() < deadline, f"no message\n{walk.stage.house.said('worker')}"
        await lapse(walk.stage)
        await asyncio.sleep(0.1)


async def press(walk: Walker, message_id: UUID, data: str) -> None:
    """Press as a browser does, again until the server has taken it or the button is gone because it worked."""
    deadline, cookies = time.monotonic() + PATIENCE, {"session": walk.person.token}
    async with httpx.AsyncClient(base_url=walk.stage.house.url, cookies=cookies, timeout=10) as client:
        while time.monotonic() < deadline:
            try:
                page = await client.get("/profile")
                token = page.text.partition('name="_csrf_token" value="')[2].partition('"')[0]
                form, headers = {"_csrf_token": token, "data": data}, {"HX-Request": "true"}
                answer = await client.post(f"/chat/messages/{message_id}/press", data=form, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code < 500 and token:
                return
    raise AssertionError(f"the press was not taken\n{walk.stage.house.said('web')}")


async def answered(walk: Walker, line_id: UUID) -> None:
    """Wait for the bot's answer."""
    deadline = time.monotonic() + PATIENCE
    while True:
        shown = [row["id"] for row in await walk.read(MESSAGES, walk.person.member_id, str(line_id))]
        rows = await walk.read(ANSWERS, walk.person.member_id, shown)
        if any(row["text"].startswith(DONE) for row in rows):
            return
        assert time.monotonic() < deadline, f"no answer: {rows}\n{walk.stage.house.said('bot')}"
        await lapse(walk.stage)
        await asyncio.sleep(0.1)


async def walk_once(walk: Walker, line_id: UUID, version: int) -> None:
    """From the question to the answer."""
    await ask(walk, line_id, version)
    message_id, data = await message(walk, line_id)
    await press(walk, message_id, data)
    await answered(walk, line_id)


async def lapse(stage: Stage) -> None:
    """Claims that are older than a few seconds, so a killed part's, lapse now."""

    async def run() -> None:
        connection = await asyncpg.connect(asyncpg_dsn(stage.house.postgres.url(SUPERUSER, DATABASE)))
        try:
            for statement in LAPSE:
                await connection.execute(statement)
        finally:
            await connection.close()

    await again(run)
