"""Whatever companies do at the same time or in whatever order: decided once, applied once, and the ledger is exact."""

import asyncio
from decimal import Decimal
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.changes import service_answering, service_asking
from portal.changes.model import ChangeStatus
from portal.core import clock
from portal.core.actor import Actor, Direction
from portal.core.db import driver, unit_of_work
from portal.core.errors import PortalError
from portal.core.invariants import LEDGER_LINES, LEDGER_SUMS, LINE_HISTORY
from tests.changes.makers import agree, ask, counter, day, delivery, lines, refuse, step, wish, worked
from tests.contracts.bucket_makers import span
from tests.factories import Made, Tenant, fetch

D = Decimal
S = ChangeStatus


async def verbs(tenant: Tenant, change_id: UUID) -> list[str]:
    rows = await fetch(tenant.factory, "select verb from timeline where subject_id = $1 order by id", change_id)
    return [row["verb"] for row in rows]


async def test_of_eight_deciders_at_once_one_decides(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=10)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(150)))
    deeds = [agree(tenant.factory, change.id) if n % 2 else refuse(tenant.factory, change.id) for n in range(8)]
    done = await asyncio.gather(*deeds, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert all(isinstance(one, PortalError) for one in done if isinstance(one, BaseException))
    said = await verbs(tenant, change.id)
    assert said.count("accepted") + said.count("declined") == 1
    assert said.count("applied") == said.count("accepted")
    quantity = 150 if "applied" in said else 100
    assert [one[0] for one in await lines(tenant.customer, made)] == [quantity]


DEEDS = st.lists(
    st.sampled_from(("accept", "decline", "counter", "withdraw", "rebase", "move", "work", "lapse")),
    min_size=2, max_size=7,
)  # fmt: skip


@settings(
    max_examples=12, deadline=None, derandomize=True, phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(DEEDS, st.booleans())
async def test_any_order_of_steps_decides_and_applies_at_most_once(
    tenant: Tenant, deeds: list[str], by_buyer: bool
) -> None:
    spans = (span(5, 45), span(45, 60))
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=10, spans=spans)
    asker, other = (tenant.factory, tenant.supplier) if by_buyer else (tenant.supplier, tenant.factory)
    change = await ask(asker, made, wish(line_id, quantity=D(110), due_date=day(50)))
    for deed in deeds:
        for who in (asker, other):
            try:
                await do(tenant, made, deed, who, change.id, line_id)
            except PortalError:
                continue
    said = await verbs(tenant, change.id)
    assert said.count("applied") <= 1
    assert said.count("accepted") - said.count("apply_failed") <= 1
    await exact(tenant, made)


async def do(tenant: Tenant, made: Made, deed: str, who: Actor, change_id: UUID, line_id: UUID) -> None:
    """One step as this company takes it."""
    system = Actor.system(tenant.id, tenant.factory.party_id)
    match deed:
        case "accept":
            await agree(who, change_id)
        case "decline":
            await refuse(who, change_id)
        case "counter":
            await counter(who, change_id, wish(line_id, quantity=D(105)))
        case "withdraw":
            await step(who, service_asking.withdraw_change, change_id)
        case "rebase":
            await step(who, service_answering.rebase_change, change_id)
        case "move":
            change = await ask(tenant.factory, made, wish(line_id, due_date=day(12)))
            await agree(tenant.supplier, change.id)
            await worked(tenant, change.id)
        case "work":
            await worked(tenant, change_id)
        case _:
            await expire(system, change_id)


async def expire(system: Actor, change_id: UUID) -> None:
    """The time for an answer is over, and the job sees it."""
    async with unit_of_work(system) as session:
        await (await driver(session)).execute(
            "update change_request set respond_by = now() - interval '1 minute'"
            " where id = $1 and respond_by is not null", change_id,
        )  # fmt: skip
    async with unit_of_work(system) as session:
        await service_answering.expire_changes(session, system, clock.now())


async def exact(tenant: Tenant, made: Made) -> None:
    """The check's own queries find nothing in this tenant."""
    for query in (LEDGER_SUMS, LEDGER_LINES, LINE_HISTORY):
        rows = [row for row in await fetch(tenant.factory, query) if row["tenant_id"] == tenant.id]
        assert rows == [], made.contract.number
