"""Drafts that were generated follow an amendment of the fixed quantity; what was published stays."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jobs.contracts import redraft_lines
from jobs.subscribers import Occurrence
from portal.contracts.events import AmendmentApplied
from portal.contracts.inputs import Amendment
from portal.contracts.model import Contract
from portal.core import clock
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.schedules.rules_generation import Validity, generate, remainder_at
from portal.schedules.service_release import CallOff, Generate, Publish, call_off, generate_lines, publish_release
from tests.contracts.versions import from_day, make_active, noon, run_day, take
from tests.factories import Tenant, fetch, today
from tests.schedules.test_rules_generation import MON_TO_FRI, MONDAY, Line, quantities, run

D = Decimal
WEEK = timedelta(weeks=1)
LINES = """
select due_date, ordered_quantity, status, period_start from schedule_line where contract_id = $1 order by due_date"""


def test_what_was_left_over_before_a_period_is_found_again() -> None:
    line = Line(foq=D(100), pack_size=D(40))
    before, after = run(line, weeks=3), run(line, weeks=6)
    given = sum((one.quantity for one in after.deliveries[3:]), D(0))
    then = line._replace(generated_until=MONDAY + 3 * WEEK, carried_remainder=after.carried_remainder)
    assert remainder_at(then, MONDAY + 6 * WEEK, given, Validity(MONDAY, None), MON_TO_FRI) == before.carried_remainder


def test_of_a_period_that_is_published_in_part_the_rest_is_on_the_days_after() -> None:
    line = Line(foq=D(900), delivery_weekdays=(0, 2, 4))
    made = generate(
        *(line, MONDAY, None, MON_TO_FRI, MONDAY, MONDAY + 2 * WEEK),
        published=[(MONDAY, D(200)), (MONDAY + WEEK, D(1000))],
    )
    assert quantities(made) == [350, 350]  # and of the second week 100 more was published than it wants
    assert made.carried_remainder == -100


def next_monday(weeks: int) -> date:
    return today() + timedelta(days=7 * weeks - today().weekday())


async def lines(tenant: Tenant, contract: Contract) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await fetch(tenant.factory, LINES, contract.id)]


async def applied(tenant: Tenant, contract: Contract, data: Amendment, ahead: int) -> None:
    """Agreed, applied on its day, and the job that follows, twice."""
    await take(tenant.customer, "amend", contract, data)
    made = await take(tenant.factory, "accept_amendment", contract)
    await run_day(tenant, noon(ahead))
    told = Occurrence(uuid7(), contract.party_id, None, clock.now(), AmendmentApplied(contract.id, made.id))
    for _ in range(2):
        async with unit_of_work(tenant.factory) as session:
            await redraft_lines(session, tenant.factory, told)


async def test_drafts_from_the_amendments_day_on_say_the_new_quantity_and_published_ones_stay(tenant: Tenant) -> None:
    contract = await make_active(tenant, Direction.SALE)
    ((line,),) = await fetch(tenant.factory, "select id from contract_line where contract_id = $1", contract.id)
    async with unit_of_work(tenant.factory) as session:
        await generate_lines(session, tenant.factory, contract.id, Generate(until=next_monday(3)))
        await publish_release(session, tenant.factory, contract.id, None, Publish())
        await generate_lines(session, tenant.factory, contract.id, Generate(until=next_monday(9)))
        by_hand = CallOff(contract_line_id=line, quantity=D(80), due_date=next_monday(6) + timedelta(days=2))
        await call_off(session, tenant.factory, contract.id, by_hand)
    before = await lines(tenant, contract)
    day = next_monday(5)
    await applied(tenant, contract, from_day(day, 720), (day - today()).days)

    after = await lines(tenant, contract)
    assert [row for row in after if row[0] < day] == [row for row in before if row[0] < day]
    later = [row for row in after if row[3] is not None and row[3] >= day]
    assert len(later) == len([row for row in before if row[3] is not None and row[3] >= day]) == 4
    assert {row[2] for row in later} == {"draft"}
    assert abs(sum(row[1] for row in later) - 4 * 720) < 40  # in packs of 40, less or more than one by rounding
    assert [row[1] for row in after if row[3] is None] == [80]
    state = await fetch(tenant.factory, "select generated_until from contract_line where contract_id = $1", contract.id)
    assert state[0][0] == next_monday(9)

    async with unit_of_work(tenant.factory) as session:
        assert await generate_lines(session, tenant.factory, contract.id, Generate(until=next_monday(10))) == 1
    assert abs(sum(row[1] for row in await lines(tenant, contract) if row[3] and row[3] >= day) - 5 * 720) < 40
