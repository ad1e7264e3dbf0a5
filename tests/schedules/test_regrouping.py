"""A release that splits, joins or exchanges deliveries on the same cumulative curve keeps what was promised."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.invariants import CONFIRMED_SUMS, LEDGER_LINES, LINE_HISTORY
from portal.schedules import service_splitting
from portal.schedules.rules import Stale
from portal.schedules.rules_difference import ChangeKind
from portal.schedules.rules_releases import ReleaseAnswered
from portal.schedules.service_splitting import JoinLines, NothingLeft, NotJoinable, SplitLine
from portal.schedules.words import sentence
from tests.factories import Made, Tenant, fetch, make_contract, today
from tests.schedules.answers import answer, promising
from tests.schedules.test_releases import answer as answer_release
from tests.schedules.test_releases import asked, change, plan, release, seen

LINES = (
    "select id, line_no, ordered_quantity as q, due_date - $2::date as day, status, confirmed_quantity as done,"
    " respond_by, promised_date - $2::date as promised, requested_date - $2::date as requested, order_no, version"
    " from schedule_line where contract_id = $1 order by line_no"
)
PROMISES = (
    "select c.line_id, c.quantity, c.delivery_date - $2::date as day, c.status,"
    " c.release_line_id = l.release_line_id as here from confirmation c"
    " join schedule_line l on l.tenant_id = c.tenant_id and l.id = c.line_id"
    " where l.contract_id = $1 order by c.delivery_date, c.quantity desc"
)


async def split(actor: Actor, line_id: UUID, quantity: int, version: int | None = None) -> UUID:
    async with unit_of_work(actor) as session:
        data = SplitLine(quantity=Decimal(quantity))
        return await service_splitting.split_line(session, actor, line_id, version, data)


async def join(actor: Actor, line_id: UUID, *others: UUID) -> None:
    async with unit_of_work(actor) as session:
        await service_splitting.join_lines(session, actor, line_id, None, JoinLines(line_ids=list(others)))


async def lines(actor: Actor, made: Made) -> list[Any]:
    return await fetch(actor, LINES, made.contract.id, today())


async def valid(actor: Actor, made: Made) -> list[tuple[UUID, int, int, bool]]:
    rows = await fetch(actor, PROMISES, made.contract.id, today())
    return [(row["line_id"], int(row["quantity"]), row["day"], row["here"]) for row in rows if row["status"] == "valid"]


async def sound(tenant: Tenant) -> None:
    """The invariants that `portal check` runs of lines hold."""
    for query in (CONFIRMED_SUMS, LEDGER_LINES, LINE_HISTORY):
        found = [row for row in await fetch(tenant.factory, query) if row["tenant_id"] == tenant.id]
        assert found == []


@pytest.mark.parametrize("only_transmitted", [True, False])
async def test_a_confirmed_delivery_is_split_and_joined_again_and_nobody_is_asked_anew(
    tenant: Tenant, only_transmitted: bool
) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    (one,) = await asked(tenant, made, (100, 7))
    await release(tenant, made)
    await plan(tenant, made, only_transmitted=only_transmitted)  # in the firm zone only what was told is firm
    await answer(tenant.supplier, one, promising((70, 5), (30, 7)))
    two = await split(tenant.factory, one, 40)
    assert [row["q"] for row in await lines(tenant.supplier, made)] == [100]  # not told yet
    await release(tenant, made)

    told = await lines(tenant.supplier, made)  # what the supplier sees
    assert [(r["q"], r["day"], r["status"], r["done"]) for r in told] == [
        (60, 7, "confirmed", 60), (40, 7, "confirmed", 40),
    ]  # fmt: skip
    assert [r["respond_by"] for r in told] == [None, None]
    assert [(r["requested"], r["promised"]) for r in told] == [(7, 7), (7, 7)]  # both for ever
    assert await valid(tenant.supplier, made) == [(one, 60, 5, True), (two, 10, 5, True), (two, 30, 7, True)]
    found, _ = await seen(tenant.supplier, made, 2)
    assert [c.kind for c in found.difference.lines] == [ChangeKind.REGROUPED] * 2
    assert found.difference.parts == []
    assert "2 split or joined; in all the same quantity on every day" in sentence(found.difference, {}, 1)
    with pytest.raises(ReleaseAnswered):  # its deliveries are answered already
        await answer_release(tenant.supplier, made, 2, "no")

    await join(tenant.factory, two, one)
    await release(tenant, made)
    told = await lines(tenant.supplier, made)
    assert [(r["q"], r["status"], r["done"]) for r in told] == [(60, "cancelled", 0), (100, "confirmed", 100)]
    assert await valid(tenant.factory, made) == [(two, 60, 5, True), (two, 10, 5, True), (two, 30, 7, True)]
    verbs = await fetch(tenant.supplier, "select verb from timeline where subject_id = $1 order by version", one)
    assert [row["verb"] for row in verbs][-3:] == ["regrouped", "published", "joined_to"]
    await sound(tenant)


async def test_what_is_not_confirmed_yet_is_asked_of_the_part_that_was_split_off(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    (one,) = await asked(tenant, made, (100, 7))
    await release(tenant, made)
    await answer(tenant.supplier, one, promising((60, 7)))
    two = await split(tenant.factory, one, 40)
    await release(tenant, made)
    told = await lines(tenant.supplier, made)
    assert [(r["q"], r["status"], r["done"]) for r in told] == [(60, "confirmed", 60), (40, "proposed", 0)]
    assert told[1]["respond_by"] is not None
    await answer(tenant.supplier, two, promising((40, 7)))
    await sound(tenant)


async def test_deliveries_that_change_places_keep_the_promises_of_their_days(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    one, two = await asked(tenant, made, (100, 7), (100, 9))
    await release(tenant, made)
    await answer(tenant.supplier, one, promising((100, 7)))
    await change(tenant, one, 100, 9)
    await change(tenant, two, 100, 7)
    await release(tenant, made)
    assert await valid(tenant.supplier, made) == [(two, 100, 7, True)]
    told = {row["id"]: (row["status"], row["day"]) for row in await lines(tenant.supplier, made)}
    assert told == {one: ("proposed", 9), two: ("confirmed", 7)}
    await sound(tenant)


async def test_only_the_line_that_really_changes_is_asked_anew(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await plan(tenant, made)
    one, two, three = await asked(tenant, made, (100, 7), (50, 9), (30, 11))
    await release(tenant, made)
    for line_id, quantity, day in ((one, 100, 7), (two, 50, 9), (three, 30, 11)):
        await answer(tenant.supplier, line_id, promising((quantity, day)))
    part = await split(tenant.factory, one, 40)
    await change(tenant, two, 80, 9)
    await release(tenant, made)
    told = {row["id"]: (row["q"], row["status"], row["done"]) for row in await lines(tenant.supplier, made)}
    assert told == {
        one: (60, "confirmed", 60), part: (40, "confirmed", 40), two: (80, "proposed", 0), three: (30, "confirmed", 30),
    }  # fmt: skip
    await sound(tenant)


async def test_a_planned_joining_that_no_longer_fits_leaves_the_delivery_as_told(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    one, two = await asked(tenant, made, (60, 7), (40, 7))
    await release(tenant, made)
    await join(tenant.factory, one, two)
    await change(tenant, one, 60, 7)  # somebody thinks better of it
    await release(tenant, made)
    told = await lines(tenant.supplier, made)
    assert [(r["q"], r["status"]) for r in told] == [(60, "proposed"), (40, "proposed")]
    assert await fetch(tenant.factory, "select 1 from line_plan where contract_id = $1", made.contract.id) == []


@pytest.mark.parametrize(
    ("who", "quantity", "version", "refusal"),
    [
        ("supplier", 40, None, (NotFound, Forbidden)),
        ("customer", 40, None, (NotFound, Forbidden)),
        ("viewer", 40, None, Forbidden),
        ("factory", 100, None, NothingLeft),
        ("factory", 40, 1, Stale),
    ],
)
async def test_a_refused_split_plans_nothing(
    tenant: Tenant, who: str, quantity: int, version: int | None, refusal: type[PortalError]
) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    one, other_day = await asked(tenant, made, (100, 7), (40, 8))
    await release(tenant, made)
    actor = tenant.as_role(tenant.factory, Role.VIEWER) if who == "viewer" else getattr(tenant, who)
    with pytest.raises(refusal):
        await split(actor, one, quantity, version)
    with pytest.raises((NotJoinable, NotFound, Forbidden)):
        await join(actor, one, other_day)
    assert await fetch(tenant.factory, "select 1 from line_plan where contract_id = $1", made.contract.id) == []
    assert len(await lines(tenant.factory, made)) == 2
