"""Monthly targets from the real history: which lines have one, which stay pure call-offs, and what taking them does."""

from datetime import datetime, time
from decimal import Decimal
from statistics import median

import pytest

from portal.contracts import reads_buckets
from portal.contracts.inputs_buckets import LineTarget, SetTargets
from portal.contracts.service_commitments import TermsAgreed
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.db import read, unit_of_work
from portal.core.invariants import LEDGER_CARRIED, LEDGER_LINES, LEDGER_SUMS
from portal.core.settings import Settings
from portal.shipments.cli import apply_targets
from portal.shipments.service_ledger import NothingToCome, SuggestedLine, set_targets, suggestions
from tests.contracts.makers import make_proposed
from tests.factories import Tenant, analyze, fetch, make_tenant
from tests.sync.samples import history
from tests.sync.test_writer import bring_in


@pytest.fixture(scope="module")
async def whole(database: Settings) -> Tenant:
    """A workspace that holds the whole set."""
    tenant = await make_tenant(str(database.database_url))
    await bring_in(tenant, history())
    await analyze(str(database.database_url))
    return tenant


@pytest.fixture(scope="module")
async def said(whole: Tenant) -> list[SuggestedLine]:
    """What is suggested for the set before anything is taken."""
    async with read(whole.factory) as connection:
        return await suggestions(connection, whole.factory)


async def test_every_line_of_the_set_has_a_target_or_says_that_it_stays_a_pure_call_off(
    whole: Tenant, said: list[SuggestedLine]
) -> None:
    with_target = [line for line in said if line.said.target is not None]
    assert (len({line.contract_id for line in said}), len(said)) == (558, 1834)
    assert len(with_target) == 160
    assert all(line.said.deliveries >= 12 and line.said.target > 0 for line in with_target)  # type: ignore[operator]
    assert all(line.said.deliveries < 12 for line in said if line.said.target is None)
    for line in with_target[:20]:
        query = (
            "select sum(ordered_quantity) from schedule_line where contract_line_id = $1"
            " group by date_trunc('month', due_date)"
        )
        months = [row[0] for row in await fetch(whole.factory, query, line.line_id)]
        assert (line.said.months, line.said.target) == (len(months), round(median(months) + Decimal("1e-9")))


async def test_a_target_that_is_taken_opens_the_ledger_with_the_lines_history(
    whole: Tenant, said: list[SuggestedLine], database: Settings
) -> None:
    import asyncpg

    from portal.core.db import asyncpg_dsn

    found = [line for line in said if line.said.target is not None][:12]
    first = await fetch(whole.factory, "select min(due_date) from schedule_line where tenant_id = $1", whole.id)
    since = datetime.combine(first[0][0], time(0))
    done = await apply_targets(whole.factory, found, since, 240)
    assert done == {"applied": 12, "left_out": 0}
    for line in found[:3]:
        (row,) = await fetch(
            whole.factory,
            "select party_id, sum(received_quantity) from schedule_line where contract_line_id = $1 group by 1",
            line.line_id,
        )
        partner = Actor(whole.id, row[0], Scope.PARTNER, Role.PARTNER_ADMIN)
        async with read(partner) as connection:
            periods = await reads_buckets.ledger(connection, partner, line.contract_id, line.line_id)
        async with read(whole.factory) as connection:
            assert periods == await reads_buckets.ledger(connection, whole.factory, line.contract_id, line.line_id)
        assert sum(period.sums.received for period in periods) == row[1]
        assert sum(period.sums.called for period in periods) == row[1]
        assert {period.target for period in periods} == {line.said.target}
        assert all(period.sums.called <= period.outlook.ceiling for period in periods)
    owner = await asyncpg.connect(asyncpg_dsn(str(database.database_url)))
    try:
        for query in (LEDGER_SUMS, LEDGER_LINES, LEDGER_CARRIED):
            assert await owner.fetch(f"select * from ({query}) broken where tenant_id = $1", whole.id) == []
    finally:
        await owner.close()


async def test_a_contract_that_has_ended_or_was_agreed_on_is_left_as_it_is(
    whole: Tenant, said: list[SuggestedLine]
) -> None:
    line = [line for line in said if line.said.target is not None][-1]
    data = SetTargets(lines=[LineTarget(line_id=line.line_id, target=Decimal(5))])
    with pytest.raises(NothingToCome):
        async with unit_of_work(whole.factory) as session:
            await set_targets(session, whole.factory, line.contract_id, data)
    contract = await make_proposed(whole)
    with pytest.raises(TermsAgreed):
        async with unit_of_work(whole.factory) as session:
            await set_targets(session, whole.factory, contract.id, data)
    query = "select 1 from commitment_bucket where contract_id = any($1)"
    assert await fetch(whole.factory, query, [line.contract_id, contract.id]) == []
