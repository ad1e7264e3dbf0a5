"""The pages and the interface of change requests, as both companies open them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from portal.app import create_app
from portal.approvals.inputs import Group
from portal.changes.impact import Touched, also
from portal.changes.rules_impact import Stake
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import Driver, driver, unit_of_work
from portal.core.i18n import Language
from portal.core.settings import Settings
from portal.notices.compose import card_for
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.approvals.makers import approvers, put_in_force, rules_of
from tests.changes.makers import another, ask, day, delivery, lines, state, wish, worked
from tests.contracts.bucket_makers import figures, make_committed, periods, span
from tests.contracts.test_api import calling
from tests.factories import Tenant, fetch

D = Decimal
V1 = "/api/v1/change-requests"


@asynccontextmanager
async def person(settings: Settings, company: Actor, role: Role) -> AsyncIterator[Browser]:
    """Somebody of a company with a session."""
    somebody = await make_person(company, role)
    async with browsing(create_app(settings), somebody.token) as browser:
        yield browser


async def test_a_pause_is_written_seen_sent_and_agreed_to_in_pages(database: Settings, tenant: Tenant) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=10)
    contract = str(made.contract.id)
    said = {"contract_id": contract, "reason": "holiday", "pause_line": "", "pause_drop": ""}
    async with person(database, tenant.supplier, Role.PARTNER_ADMIN) as browser:
        assert "All parts of the contract" in text_of(await browser.open(f"/changes/new?contract={contract}"))
        wrong = await browser.send("/changes", **said, pause_since=str(day(15)), pause_until=str(day(5)))
        assert wrong.status_code == 422
        assert "before it begins on" in text_of(wrong)
        assert "Nothing in this request differs" in text_of(await browser.send("/changes", **said))
        sent = await browser.send("/changes", **said, pause_since=str(day(5)), pause_until=str(day(15)))
        place = sent.headers["location"]
        shown = text_of(await browser.open(place))
        assert "A100: no delivery from " in shown
        assert "1 delivery, 100 pcs move to " in shown
        assert (await browser.send(f"{place}/submit", version=1)).status_code == 303

    async with person(database, tenant.factory, Role.BUYER) as browser:
        today = text_of(await browser.open("/"))
        assert "Changes to answer 1 Answer by " in today
        counts = (await browser.open("/counts")).text
        assert 'id="count-changes" hx-swap-oob="true"><span class="cf-pill">1<' in counts
        form = (await browser.open(f"{place}/counter")).text
        assert f'value="{day(5)}"' in form  # the live offer stands in it
        assert (await browser.send(f"{place}/accept", version=2)).status_code == 303
        assert "Agreed and applied" in text_of(await browser.open(place))
        assert "Changes to answer" not in text_of(await browser.open("/"))
    ((quantity, due, status),) = await lines(tenant.supplier, made)
    assert (quantity, status) == (100, "confirmed")
    assert day(16) <= due <= day(18)


async def test_what_cannot_be_read_stands_under_its_field(database: Settings, tenant: Tenant) -> None:
    made, line = await delivery(tenant, Direction.PURCHASE, ahead=10)
    contract = str(made.contract.id)
    said = {"contract_id": contract, "reason": "demand", "line": str(line), f"version.{line}": "2"}
    async with person(database, tenant.factory, Role.ADMIN) as browser:
        await browser.open(f"/changes/new?line={line}")
        wish = await browser.send("/changes", **said, **{f"quantity.{line}": "-5"})
        terms = [
            await browser.send(f"/contracts/{contract}/change-terms", answer_hours=typed)
            for typed in ("soon", "0", "999")
        ]
    assert {one.status_code for one in (wish, *terms)} == {422}
    assert (f'id="quantity-{line}-error"' in wish.text, 'value="-5"' in wish.text) == (True, True)
    assert "“-5” is not a quantity" in text_of(wish)
    for answer, words in zip(
        terms, ("“soon” is not a whole number", "Enter 1 or more", "Enter 400 or less"), strict=True
    ):
        assert 'id="f-answer_hours-error"' in answer.text
        assert words in text_of(answer)
    assert await fetch(tenant.factory, "select id from change_request") == []


async def test_a_carry_over_is_asked_in_pages_and_refused_in_chinese(database: Settings, tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-40, -10), span(-10, 45))
    ended, later = await periods(tenant.factory, made.contract)
    async with person(database, tenant.factory, Role.BUYER) as browser:
        shown = text_of(await browser.open(f"/changes/new?contract={made.contract.id}"))
        assert "What an ended period is short of, or too much of, counts in a later one." in shown
        said = {"contract_id": str(made.contract.id), "reason": "demand"}
        said |= {"carry_from": str(ended.id), "carry_to": str(later.id)}
        much = await browser.send("/changes", **said, carry_quantity="101")
        assert "Only 100 pcs of the period can be carried over." in text_of(much)
        place = (await browser.send("/changes", **said, carry_quantity="60")).headers["location"]
        shown = text_of(await browser.open(place))
        assert "60 pcs missing in " in shown
        assert "the target goes from 100 to 160 pcs, and floor and ceiling with it." in shown
        assert (await browser.send(f"{place}/submit", version=1)).status_code == 303
        assert "carry-over" in text_of(await browser.open("/changes?view=waiting"))

    async with person(database, tenant.supplier, Role.PARTNER_ADMIN) as browser:
        browser.client.cookies.set("language", Language.ZH.value)
        browser.client.headers["accept-language"] = "zh-CN"
        page = text_of(await browser.open(place))
        assert "缺少的 60 件" in page
        refused = await browser.send(f"{place}/decline", version=2, reason="no room")
        assert refused.status_code == 303
    assert await figures(tenant, made) == [{}, {}]


async def test_both_are_asked_over_the_interface_with_their_impact(database: Settings, tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-40, -10), span(-10, 45))
    ended, later = await periods(tenant.factory, made.contract)
    part = {"kind": "carry_over", "bucket_id": str(ended.id), "to_bucket_id": str(later.id)}
    body = {"contract_id": str(made.contract.id), "reason": "demand", "parts": [part]}
    pause = {"since": str(day(15)), "until": str(day(5))}
    async with calling(database, tenant.factory) as buyer, calling(database, tenant.supplier) as seller:
        wrong = await buyer.post(V1, json=body | {"pauses": [pause]})
        nothing = await buyer.post(V1, json=body | {"parts": []})
        made_one = await buyer.post(f"{V1}?send=true", json=body)
        path = f"{V1}/{made_one.json()['id']}"
        found = await seller.get(path)
        stale = await seller.post(f"{path}/accept", json={}, headers={"if-match": '"1"'})
        own = await buyer.post(f"{path}/accept", json={}, headers={"if-match": found.headers["etag"]})
        waits = (await seller.get(V1, params={"view": "to_answer"})).json()["items"]
        agreed = await seller.post(f"{path}/accept", json={}, headers={"if-match": found.headers["etag"]})
    problems = [(one.status_code, one.json()["type"].rpartition("/")[2]) for one in (wrong, nothing, stale, own)]
    assert problems[0] == (422, "pause-backwards")
    assert problems[1] == (422, "nothing-asked")
    assert (problems[2][0], problems[3]) == (412, (403, "own-offer"))
    (carry,) = found.json()["carry_overs"]
    assert (D(carry["quantity"]), D(carry["left"]), D(carry["target_after"])) == (D(100), D(100), D(200))
    assert found.json()["impact"]["way"] == "carry"
    assert "count in" in found.json()["impact"]["sentence"]
    assert [(one["parts"], one["carried"]) for one in waits] == [(1, 1)]
    assert (agreed.status_code, agreed.json()["status"]) == (200, "accepted")
    await worked(tenant, made_one.json()["id"])
    assert await figures(tenant, made) == [{"carried_out": -100}, {"carried_in": 100}]


async def test_a_counter_offer_begins_with_the_offer_as_people_write_it(database: Settings, tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(1200)))
    async with person(database, tenant.factory, Role.SALES) as browser:
        form = (await browser.open(f"/changes/{change.id}/counter")).text
    assert f'name="quantity.{line_id}" type="text" value="1200"' in form


async def test_the_factory_alone_reads_which_supplier_lines_a_change_touches(
    database: Settings, tenant: Tenant
) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=10)
    bought, _line = await delivery(tenant, Direction.PURCHASE, quantity=800, ahead=50)
    await another(tenant, bought, 800, 57)
    async with unit_of_work(tenant.factory) as session:
        same = "update contract_line set item_id = $2 where id = $1"
        await (await driver(session)).execute(same, bought.line.id, made.line.item_id)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(150)))
    place = f"/changes/{change.id}"
    async with person(database, tenant.factory, Role.BUYER) as browser:
        shown = text_of(await browser.open(place))
        assert f"A100: Castings still delivers 1,600 pcs on {bought.contract.number}, in 2 deliveries from " in shown
        assert f'href="/contracts/{bought.contract.id}/schedule"' in (await browser.open(place)).text
    async with person(database, tenant.customer, Role.PARTNER_ADMIN) as browser:
        theirs = (await browser.open(place)).text
        assert "data-chart=" in theirs  # the cumulative curve before and after is the same on both sides
        assert "Show as table" in theirs
        assert (bought.contract.number in theirs, "Castings" in theirs) == (False, False)
    async with calling(database, tenant.factory) as own, calling(database, tenant.customer) as customer:
        own_sheet, their_sheet = [
            (await client.get(f"{V1}/{change.id}")).json()["impact"]["touched"] for client in (own, customer)
        ]
    assert (len(own_sheet), their_sheet) == (1, [])


@also
async def furnace(_connection: Driver, _actor: Actor, stakes: Sequence[Stake]) -> Sequence[Touched]:
    """What a later domain, here a planning, would know of these parts."""
    return [Touched("The furnace is full in that week.") for one in stakes if one.before.quantity == D(777)]


async def test_what_a_later_domain_registers_is_read_on_page_interface_and_card_and_by_the_factory_alone(
    database: Settings, tenant: Tenant
) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, quantity=777, ahead=10)
    bought, _line = await delivery(tenant, Direction.PURCHASE, quantity=800, ahead=5)
    async with unit_of_work(tenant.factory) as session:
        same = "update contract_line set item_id = $2 where id = $1"
        await (await driver(session)).execute(same, bought.line.id, made.line.item_id)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(850)))
    expected = "bring in 800 pcs and take out 777 pcs. That leaves 23 pcs, and -50 pcs with this change"
    pages, sheets, cards = [], [], []
    for company, role in ((tenant.factory, Role.BUYER), (tenant.customer, Role.PARTNER_ADMIN)):
        async with person(database, company, role) as browser:
            pages.append(text_of(await browser.open(f"/changes/{change.id}")))
        async with calling(database, company) as client:
            sheets.append((await client.get(f"{V1}/{change.id}")).json()["impact"]["touched"])
        async with unit_of_work(company) as session:
            cards.append("\n".join((await card_for(session, company, "change_request", change.id)).facts))
    for own, theirs in (pages, [" ".join(one["text"] for one in found) for found in sheets], cards):
        assert "The furnace is full in that week." in own
        assert expected in " ".join(own.replace("−", "-").split())
        assert "furnace" not in theirs
        assert "bring in" not in theirs


async def test_a_draft_says_whose_word_it_will_need_before_it_is_sent(database: Settings, tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=10)
    await put_in_force(tenant, rules_of((Group(), approvers(Role.SALES, Role.FINANCE))))
    async with person(database, tenant.factory, Role.ADMIN) as browser:
        said = {"contract_id": str(made.contract.id), "reason": "material", "line": str(line_id)}
        await browser.open(f"/changes/new?line={line_id}")
        sent = await browser.send("/changes", **said, **{f"quantity.{line_id}": "60"})
        place = sent.headers["location"]
        shown = text_of(await browser.open(place))
        assert "By your company's rules it goes out after the word of Sales planner, Finance." in shown
        assert (await browser.send(f"{place}/submit", version=1)).status_code == 303
        shown = text_of(await browser.open(place))
        assert "Waits for the word of Sales planner. After that: Finance." in shown
    async with person(database, tenant.customer, Role.PARTNER_ADMIN) as browser:
        assert (await browser.open(place)).status_code == 404  # a draft still


async def test_who_may_not_ask_is_not_told_of_what_waits_on_today(database: Settings, tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=10)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(150)))
    async with person(database, tenant.factory, Role.VIEWER) as browser:
        assert "Changes to answer" not in text_of(await browser.open("/"))
    assert await state(tenant.customer, change.id) == "submitted"
