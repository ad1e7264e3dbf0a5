"""kill -9 of the bot and the web server between a press and its answer: one effect a button, and an answer to each."""

import asyncio
import random
import time
from uuid import UUID

import asyncpg
import httpx
import pytest

from portal.accounts import chat_window, identity, service_chats
from portal.accounts.model_chats import ChatMessageKind
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import asyncpg_dsn, unit_of_work
from portal.notices.actions import Verb, make_action
from tests.accounts.makers import Person, make_person
from tests.drills.conftest import Line, Stage
from tests.factories import fetch

VICTIMS = ("bot", "web", "bot")
PATIENCE = 60.0
DONE = ("Confirmed: ", "This was done already: Confirmed: ")
ANSWERS = """
select p.text from chat_message p where p.tenant_id = $1 and p.answer_to = $2 and p.kind = 'pressed'"""
LAPSE = "update bot_update set next_try = now() where done_at is null and tries > 0"


async def offer(person: Person, line: Line) -> UUID:
    """A message with the button that confirms a line; its id."""
    signed = await identity.signed_in(person.token)
    assert signed is not None
    assert signed.actor is not None
    row_id, _chat = await service_chats.open_window(signed)
    async with unit_of_work(signed.actor) as session:
        action = await make_action(session, signed.actor, Verb.CONFIRM, "schedule_line", line.id, line.version)
        await session.flush()
        button = {"text": "Confirm", "data": data_of(action.id)}
        no = await chat_window.add(session, signed.actor, row_id, ChatMessageKind.SHOWN, str(line.id), rows=[[button]])
        found = await chat_window.message_of(await db.driver(session), signed.actor, row_id, no)
    return found.id


def data_of(action_id: UUID) -> str:
    from bot.keyboards import pack

    return pack(action_id)


async def press(stage: Stage, client: httpx.AsyncClient, message: UUID, data: str) -> None:
    """Press as a browser does, again until the server has taken it or the button is gone because it worked."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            page = await client.get("/profile")
            token = page.text.partition('name="_csrf_token" value="')[2].partition('"')[0]
            form = {"_csrf_token": token, "data": data}
            headers = {"HX-Request": "true"}
            answer = await client.post(f"/chat/messages/{message}/press", data=form, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code < 500 and token:
            return
    raise AssertionError(f"the press was not taken\n{stage.house.said('web')}")


async def answered(stage: Stage, actor: Actor, message: UUID) -> None:
    """Wait for the bot's answer; what a killed bot held comes back now instead of in half a minute."""
    deadline = time.monotonic() + PATIENCE
    connection = await asyncpg.connect(asyncpg_dsn(str(stage.house.settings.database_identity_url)))
    try:
        while True:
            rows = await fetch(actor, ANSWERS, actor.tenant_id, message)
            if any(row["text"].startswith(DONE) for row in rows):
                return
            assert time.monotonic() < deadline, f"no answer: {rows}\n{stage.house.said('bot')}"
            await connection.execute(LAPSE)
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def drill(stage: Stage, points: int, seed: int) -> None:
    """So many presses, each with a kill somewhere before its answer."""
    chance = random.Random(seed)
    stage.house.start("bot")
    person = await make_person(stage.supplier, Role.CLERK)
    lines = stage.lines[:points]
    cookies = {"session": person.token}
    async with httpx.AsyncClient(base_url=stage.house.url, cookies=cookies, timeout=10) as client:
        for line in lines:
            message = await offer(person, line)
            (row,) = await fetch(person.actor, "select buttons from chat_message where id = $1", message)
            data = row["buttons"]["rows"][0][0]["data"]
            pressing = asyncio.create_task(press(stage, client, message, data))
            await asyncio.sleep(chance.random() * 0.3)
            stage.house.kill(chance.choice(VICTIMS))
            await pressing
            await answered(stage, person.actor, message)
    promised = "select line_id, count(*) from confirmation where tenant_id = $1 and member_id = $2 group by 1"
    found = await fetch(stage.factory, promised, stage.factory.tenant_id, person.member_id)
    assert {row["line_id"]: row["count"] for row in found} == {line.id: 1 for line in lines}
    for line in lines:
        (now,) = await fetch(stage.supplier, "select version from schedule_line where id = $1", line.id)
        assert now["version"] == line.version + 1


async def test_kills_between_press_and_answer_lose_and_double_nothing(stage: Stage) -> None:
    await drill(stage, points=3, seed=20261128)


@pytest.mark.drill
async def test_many_kills_between_press_and_answer_lose_and_double_nothing(stage: Stage) -> None:
    seed = random.SystemRandom().randrange(10**9)
    try:
        await drill(stage, points=8, seed=seed)
    except BaseException as error:
        error.add_note(f"The seed was {seed}.")
        raise
