"""The fairness board on known histories: what one side caused is never counted against the other, and who sees it."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

from litestar import Litestar

from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.settings import Settings
from portal.schedules.model import CloseReason
from portal.schedules.service import ConfirmLine, confirm_line
from portal.scorecards.reads_fairness import Asked, Fairness, fairness
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.changes.makers import FAR, FIRM, agree, another, ask, day, delivery, wish, worked
from tests.contracts.test_api import calling
from tests.factories import Made, Tenant, firm_may_change, make_deliveries, today
from tests.scorecards.test_reports import app as app

D = Decimal


async def pairs(actor: Actor, **chosen: Any) -> list[Fairness]:
    asked = Asked(today() - timedelta(days=30), today() + timedelta(days=1), **chosen)
    async with read(actor) as connection:
        return await fairness(connection, actor, asked, today())


async def history(tenant: Tenant) -> Made:
    """The buyer changes a firm delivery, the seller delays another; two promises have passed, one was kept."""
    made, first = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    await firm_may_change(tenant.factory, made.contract.id)
    second = await another(tenant, made, 300, FIRM + 1)
    async with unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, first, None, ConfirmLine())
    less = await ask(tenant.factory, made, wish(first, quantity=D(80)))  # by the buyer
    await worked(tenant, (await agree(tenant.supplier, less.id)).id)
    late = await ask(tenant.supplier, made, wish(second, due_date=day(FIRM + 5)))  # by the seller
    await agree(tenant.factory, late.id)
    promised = today() - timedelta(days=3)
    closed: dict[str, Any] = {"status": "closed", "close_reason": CloseReason.COMPLETE, "promised_date": promised}
    await make_deliveries(tenant, made, [50], last_received_on=promised, **closed)
    await make_deliveries(tenant, made, [60], last_received_on=promised + timedelta(days=1), **closed)
    return made


async def test_each_side_is_measured_by_what_it_caused(tenant: Tenant) -> None:
    await history(tenant)

    (pair,) = await pairs(tenant.factory)

    assert pair.direction is Direction.PURCHASE
    # Release 2 adds 300, release 3 takes 20 of 100 + 300; release 4 moves 300 as the seller asked, so 80 are left.
    assert (pair.plan.asked, pair.plan.changed, pair.stability) == (D(580), D(320), D("0.448276"))
    assert (pair.changed_firm, pair.notice_days) == (2, FIRM + D("0.5"))
    word = pair.word
    assert (word.requests, word.inside, pair.inside_rate) == (1, 0, D(0))
    assert (word.promised, word.kept, pair.kept_rate) == (2, 1, D("0.5"))
    assert (word.answered, pair.answers_per_line, word.response_hours) == (1, D(1), D(0))


async def test_a_change_inside_the_band_counts_for_the_buyer(tenant: Tenant) -> None:
    made, line = await delivery(tenant, Direction.PURCHASE, ahead=FAR)
    await ask(tenant.factory, made, wish(line, quantity=D(110)))

    (pair,) = await pairs(tenant.factory)

    assert (pair.word.requests, pair.word.inside, pair.inside_rate) == (1, 1, D(1))
    assert (pair.plan.changed, pair.changed_firm, pair.stability) == (D(10), 0, D("0.9"))


async def test_each_partner_sees_its_own_pair_and_the_factory_both(tenant: Tenant) -> None:
    await history(tenant)
    made, line = await delivery(tenant, Direction.SALE)
    await ask(tenant.customer, made, wish(line, quantity=D(90)))

    assert [pair.direction for pair in await pairs(tenant.supplier)] == [Direction.PURCHASE]
    assert [pair.party_id for pair in await pairs(tenant.customer)] == [tenant.customer.party_id]
    assert len(await pairs(tenant.factory)) == 2
    assert len(await pairs(tenant.factory, direction=Direction.SALE)) == 1
    assert await pairs(tenant.supplier, party_id=tenant.customer.party_id) == []
    assert await pairs(tenant.supplier) == await pairs(tenant.factory, direction=Direction.PURCHASE)


async def test_the_page_and_the_interface_say_the_same_with_every_definition(
    app: Litestar, tenant: Tenant, database: Settings
) -> None:
    await history(tenant)
    ben = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(app, ben.token) as browser:
        answer = await browser.open("/reports/fairness")
        wrong = await browser.open("/reports/fairness?since=soon")
        exported = await browser.open("/reports/fairness/export?kind=csv")
    page = text_of(answer)
    for words in (
        "The buyer's plan",
        "The seller's word",
        "44.8%",
        "0 of 1",
        "50.0%",
        "Deliveries that a release changed",
    ):
        assert words in page
    assert wrong.status_code == 422
    head, *rows = csv.reader(io.StringIO(exported.content.decode("utf-8-sig")))
    assert (head[3], [(row[3], row[7]) for row in rows]) == ("Schedule stability", [("0.448276", "0.5")])

    async with calling(database, tenant.factory) as client:
        found = (await client.get("/api/v1/reports/fairness")).json()
    (item,) = found["items"]
    assert (item["buyer_stability"], item["seller_promises_kept_rate"]) == ("0.448276", "0.500000")
    assert len(found["definitions"]) == 7
