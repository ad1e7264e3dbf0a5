"""kill -9 while changes are decided: each is decided once by one of eight, and applied once or not at all."""

import random

import pytest

from tests.drills.conftest import Stage
from tests.drills.deciding import drill, prove, prove_all


async def test_kills_of_every_part_decide_and_apply_each_change_once(stage: Stage) -> None:
    rounds = await drill(stage, (("worker", "web"), ("postgres",)), seed=20261128)
    assert len(rounds) == 2
    await prove(stage, rounds)


@pytest.mark.drill
async def test_a_hundred_kills_decide_and_apply_every_change_once(stage: Stage) -> None:
    seed = random.SystemRandom().randrange(10**9)
    points = [(random.Random(seed + no).choice(("web", "worker", "postgres")),) for no in range(100)]
    try:
        await prove(stage, await drill(stage, points, seed))
        await prove_all(stage)
    except BaseException as error:
        error.add_note(f"The seed was {seed}.")
        raise
