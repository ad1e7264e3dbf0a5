"""kill -9 of the bot, the worker, the web server and PostgreSQL on the way from an event to the answer in a chat."""

import asyncio
import random
from functools import partial

import pytest

from portal.notices.model import Kind
from tests.drills.chain import Walker, again, walk_once, walker
from tests.drills.conftest import Stage
from tests.factories import fetch

VICTIMS = ("bot", "worker", "web", "postgres")
SPREAD = 0.8  # seconds between two kills at most: about what one way takes
NOTICES = "select status from notice where tenant_id = $1 and member_id = $2 and kind = $3 and object_id = $4"
SHOWN = """
select count(*) from chat_message p join chat h on h.tenant_id = $1 and h.id = p.chat_id
where p.tenant_id = $1 and h.member_id = $2 and p.kind = 'shown'"""
PROMISES = "select line_id, count(*) from confirmation where tenant_id = $1 and member_id = $2 group by 1"
EVENTS = "select count(*) from outbox where tenant_id = $1 and name = 'LineAskedAgain' and data->>'line_id' = $2"


async def drill(stage: Stage, lines: int, kills: int, seed: int) -> None:
    """So many ways, each with so many kills at random points of it."""
    chance = random.Random(seed)
    walk = await walker(stage, lines)
    stage.house.start("bot")
    for line_id, version in walk.lines:
        walking = asyncio.create_task(walk_once(walk, line_id, version))
        for _ in range(kills):
            await asyncio.sleep(chance.random() * SPREAD)
            stage.house.kill(chance.choice(VICTIMS))
        await walking
    await prove(walk, kills=lines * kills)


async def prove(walk: Walker, kills: int) -> None:
    """Each event was told once and answered once; a kill shows a message twice at most, and says the same in it."""
    person, factory = walk.person, walk.stage.factory
    promises = await walk.read(PROMISES, person.member_id)
    assert {row["line_id"]: row["count"] for row in promises} == {line_id: 1 for line_id, _ in walk.lines}
    for line_id, version in walk.lines:
        (now,) = await walk.read("select version from schedule_line where tenant_id = $1 and id = $2", line_id)
        assert now["version"] == version + 2  # asked again once, confirmed once
        ((events,),) = await again(partial(fetch, factory, EVENTS, factory.tenant_id, str(line_id)))
        assert events == 1
        notices = await walk.read(NOTICES, person.member_id, Kind.TO_CONFIRM, line_id)
        assert len(notices) == 1
        assert notices[0]["status"] in {"sent", "superseded"}
    ((shown,),) = await walk.read(SHOWN, person.member_id)
    assert len(walk.lines) <= shown <= len(walk.lines) + kills


async def test_kills_between_event_and_answer_lose_and_double_nothing(stage: Stage) -> None:
    await drill(stage, lines=5, kills=2, seed=20261128)


@pytest.mark.drill
async def test_many_kills_between_event_and_answer_lose_and_double_nothing(stage: Stage) -> None:
    seed = random.SystemRandom().randrange(10**9)
    try:
        await drill(stage, lines=8, kills=8, seed=seed)
    except BaseException as error:
        error.add_note(f"The seed was {seed}.")
        raise
