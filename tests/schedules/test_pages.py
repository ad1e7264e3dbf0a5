"""Schedule pages as a browser without scripts uses them."""

from datetime import timedelta
from decimal import Decimal

from portal.app import create_app
from portal.contracts.model import DeviationRule
from portal.core import i18n
from portal.core.access import Permission, Role
from portal.core.actor import Direction
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.accounts.test_keys import calling, make_key
from tests.factories import Tenant, fetch, make_contract, today
from tests.schedules.answers import answers_of, asked, line_of
from tests.schedules.test_service import LINE, published


async def test_the_seller_confirms_from_the_board_and_the_buyer_sees_it(tenant: Tenant, database: Settings) -> None:
    made, line_id = await published(tenant, Direction.SALE, 800)
    planner = await make_person(tenant.factory, Role.PLANNER)
    buyer = await make_person(tenant.customer, Role.CLERK)
    board = f"/contracts/{made.contract.id}/schedule"
    async with browsing(create_app(database), planner.token) as browser:
        page = await browser.open(board)
        assert "Confirm 1 delivery" in text_of(page)
        answer = await browser.send(f"/schedule-lines/confirm?back={board}", line=f"{line_id}:2")
        assert (answer.status_code, answer.headers["location"]) == (303, board)
    async with browsing(create_app(database), buyer.token) as browser:
        page = await browser.open(board)
        assert page.status_code == 200
        assert "Confirm 1 delivery" not in text_of(page)
        shown = text_of(await browser.open(f"/schedule-lines/{line_id}"))
        assert "Confirmed: 800" in shown
        assert "Ann Weber" in shown or "page" in shown
    (line,) = await fetch(tenant.customer, LINE, line_id)
    assert (line["status"], line["confirmed_quantity"]) == ("confirmed", Decimal(800))


async def test_a_split_is_sent_as_several_rows(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    clerk = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(create_app(database), clerk.token) as browser:
        await browser.open(f"/schedule-lines/{line_id}")
        answer = await browser.send(
            f"/schedule-lines/{line_id}/confirm",
            version="2",
            quantity=["60", "40"],
            delivery_date=[today().isoformat(), today().isoformat()],
        )
    assert answer.status_code == 303, answer.text
    (line,) = await fetch(tenant.factory, LINE, line_id)
    assert line["status"] == "confirmed"


async def test_what_cannot_be_read_stands_under_its_field_and_stays_typed(tenant: Tenant, database: Settings) -> None:
    made, line_id = await published(tenant, Direction.PURCHASE)
    clerk, planner = await make_person(tenant.supplier, Role.CLERK), await make_person(tenant.factory, Role.PLANNER)
    line, base = f"/schedule-lines/{line_id}", f"/contracts/{made.contract.id}"
    before = await fetch(tenant.factory, "select * from schedule_line")
    async with browsing(create_app(database), clerk.token) as browser:
        await browser.open(line)
        day = today().isoformat()
        split = await browser.send(f"{line}/confirm", version="2", quantity=["60", "many"], delivery_date=[day, day])
        nothing = await browser.send(f"{line}/confirm", version="2", quantity="", delivery_date="")
        past = {
            "kind": "late",
            "expected_on": "1999-01-01",
            "reason": "material",
            "urgency": "can_wait",
            "note": "Sorry",
        }
        late = await browser.send(f"{line}/reports", version="2", **past)
    async with browsing(create_app(database), planner.token) as browser:
        await browser.open(f"{base}/drafts")
        called = {"contract_line_id": str(made.line.id), "quantity": "abc", "due_date": day, "order_no": "PO-1"}
        calls = [
            await browser.send(f"{base}/schedule/call-off", **called | {"quantity": typed})
            for typed in ("abc", "", "-5", "NaN", "9" * 20)
        ]
        plan = await browser.send(f"{line}/plan", version="2", quantity="-5", due_date=day)
        apart = await browser.send(f"{line}/split", version="2", quantity="half")
    assert {one.status_code for one in (split, nothing, late, *calls, plan, apart)} == {422}
    assert "“many” is not a number" in text_of(split)
    assert ('value="60"' in split.text, 'value="many"' in split.text) == (True, True)
    assert "Fill in this field." in text_of(nothing)
    assert 'id="f-expected_on-error"' in late.text
    assert ('value="1999-01-01"' in late.text, 'value="Sorry"' in late.text) == (True, True)
    told = ("“abc” is not a number", "Fill in this field", "Enter a number above 0", "“NaN” is not", "too many digits")
    for answer, words in zip(calls, told, strict=True):
        assert 'id="f-quantity-error"' in answer.text
        assert words in text_of(answer)
        assert 'value="PO-1"' in answer.text
    assert ('id="plan-quantity-error"' in plan.text, 'id="split-quantity-error"' in apart.text) == (True, True)
    assert await fetch(tenant.factory, "select * from schedule_line") == before


async def test_a_form_that_does_not_fit_says_which_field_in_the_readers_language(
    tenant: Tenant, database: Settings
) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    clerk = await make_person(tenant.supplier, Role.CLERK)
    fields = {"version": "x", "quantity": "60", "delivery_date": today().isoformat()}
    async with browsing(create_app(database), clerk.token) as browser:
        english = await browser.send(f"/schedule-lines/{line_id}/confirm", **fields)
        browser.client.headers["accept-language"] = "zh-CN"
        chinese = await browser.send(f"/schedule-lines/{line_id}/confirm", **fields)
    assert (english.status_code, chinese.status_code) == (422, 422)
    told = "Version: “x” is not a whole number. Write it as 12. Correct it and send the form again."
    assert told in text_of(english)
    assert "版本：“x”不是整数。请写成 12。请改正后重新提交。" in text_of(chinese)
    (line,) = await fetch(tenant.factory, LINE, line_id)
    assert line["status"] == "proposed"


async def test_a_past_moment_names_weeks_by_their_monday_and_quantities_by_their_unit(
    tenant: Tenant, database: Settings
) -> None:
    made, line_id = await published(tenant, Direction.PURCHASE)
    (line,) = await fetch(tenant.factory, "select due_date from schedule_line where id = $1", line_id)
    monday = line["due_date"] - timedelta(days=line["due_date"].weekday())
    clerk = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(create_app(database), clerk.token) as browser:
        shown = text_of(await browser.open(f"/contracts/{made.contract.id}/known"))
    assert f"Part {i18n.week(monday)} {i18n.day(monday)} A100 pcs 100".replace("\xa0", " ") in shown


async def test_a_board_names_no_contract_quantity_where_none_is_agreed(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    clerk = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(create_app(database), clerk.token) as browser:
        shown = text_of(await browser.open(f"/contracts/{made.contract.id}/schedule"))
    assert "A100 called off 0 pcs A100 delivered 0 pcs" in shown


async def test_all_is_confirmed_except_what_is_ticked(tenant: Tenant, database: Settings) -> None:
    lines = [(await published(tenant, Direction.PURCHASE, quantity))[1] for quantity in (100, 200, 300)]
    clerk = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(create_app(database), clerk.token) as browser:
        page = await browser.open("/answers")
        assert "Confirm all except the ticked" in text_of(page)
        assert "100 pcs −100 pcs" in text_of(page), "the difference has its unit"
        asked = [f"{line_id}:2" for line_id in lines]
        assert all(f'name="except" value="{value}"' in page.text for value in asked)
        fields = {"line": asked, "except": asked[1]}
        answer = await browser.send("/schedule-lines/confirm?back=/answers", None, **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/answers")
        left = await browser.open("/answers")
        assert [value in left.text for value in asked] == [False, True, False]
        none = await browser.send(
            "/schedule-lines/confirm?back=/answers", None, **{"line": asked[1], "except": asked[1]}
        )
        assert none.status_code == 422
    _key, token = await make_key(tenant.supplier, [Permission.READ, Permission.CONFIRM_LINES])
    async with calling(create_app(database), token) as client:
        named = {"except_ids": [str(lines[1])]}
        assert (
            await client.post("/schedule-lines/confirm-except", json=named)
        ).status_code == 409  # nothing else waits
        named = {"except_ids": [str(lines[0])]}  # confirmed already
        assert (await client.post("/schedule-lines/confirm-except", json=named)).status_code == 422
    told = [(await line_of(tenant.factory, line_id)) for line_id in lines]
    assert [line["status"] for line in told] == ["confirmed", "proposed", "confirmed"]


async def test_an_answer_names_the_day_of_despatch_and_another_price(tenant: Tenant, database: Settings) -> None:
    _, line_id = await asked(tenant, deviation_price=DeviationRule.APPROVAL, transit_days=3, late_days=9)
    _, plain = await asked(tenant)  # whose contract allows no other price
    clerk = await make_person(tenant.supplier, Role.CLERK)
    leaves = today() + timedelta(days=4)
    rows = {"quantity": ["60", "40", ""], "delivery_date": ["", "", ""], "despatch_date": [leaves.isoformat()] * 2}
    app = create_app(database)
    async with browsing(app, clerk.token) as browser:
        assert 'name="price"' not in (await browser.open(f"/schedule-lines/{plain}")).text
        assert 'name="price"' in (await browser.open(f"/schedule-lines/{line_id}")).text
        to = f"/schedule-lines/{line_id}/confirm"
        refused = await browser.send(to, version="2", quantity=["60", "40"], delivery_date=[str(leaves), ""])
        assert (refused.status_code, "day of delivery or of despatch" in text_of(refused)) == (422, True)
        assert await answers_of(tenant.factory, line_id) == []
        answer = await browser.send(to, version="2", price="12.80", note="Copper", **rows)
        assert answer.status_code == 303, answer.text
    planner = await make_person(tenant.factory, Role.PLANNER)
    async with browsing(app, planner.token) as browser:
        shown = text_of(await browser.open(f"/schedule-lines/{line_id}"))
        assert "a price that differs" in shown
        assert "12.80" in shown
    async with browsing(app, (await make_person(tenant.factory, Role.WAREHOUSE)).token) as browser:
        assert "12.80" not in (await browser.open(f"/schedule-lines/{line_id}")).text
    told = await fetch(tenant.factory, "select despatch_date, price from confirmation where line_id = $1", line_id)
    assert [tuple(part) for part in told] == [(leaves, Decimal("12.80"))] * 2


async def test_a_customers_release_is_pasted_and_checked(tenant: Tenant, database: Settings) -> None:
    made, _line = await published(tenant, Direction.SALE, 500)
    planner = await make_person(tenant.factory, Role.PLANNER)
    page, day = f"/contracts/{made.contract.id}/releases/check", today() + timedelta(days=7)
    async with browsing(create_app(database), planner.token) as browser:
        assert "Check a customer's release" in text_of(await browser.open(f"/contracts/{made.contract.id}/releases"))
        await browser.open(page)
        good = await browser.send(page, number="2", rows=f"Part\tDay\tQuantity\nA100\t{day}\t500")
        assert (good.status_code, "Nothing is wrong with it." in text_of(good)) == (200, True)
        found = text_of(await browser.send(page, number="9", rows=f"A100;{day};400;MARS\nB7;{day:%Y/%m/%d};1,000"))
        for sentence in (
            "7 in between did not arrive", "A100 is not delivered to MARS", "500 became 400", "Part B7 is not on",
            "It cannot be taken over",
        ):  # fmt: skip
            assert sentence in found
        bad = await browser.send(page, number="2", rows=f"A100;{day};500\nA100;tomorrow;5")
        assert (bad.status_code, "Row 2 cannot be read." in text_of(bad)) == (422, True)
        assert "tomorrow" in bad.text  # what was typed stays
        for number, rows in (("x", f"A100;{day};5"), ("2", ""), ("2", f"A100;{day};1e30"), ("2", f"A100;{day};NaN")):
            assert (await browser.send(page, number=number, rows=rows)).status_code == 422


async def test_a_form_without_its_token_changes_nothing(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    clerk = await make_person(tenant.supplier, Role.CLERK)
    form = {"version": "2", "quantity": "100", "delivery_date": today().isoformat()}
    async with browsing(create_app(database), clerk.token) as browser:
        address = f"/schedule-lines/{line_id}/confirm"
        bare = await browser.client.post(address, data=form)
        foreign = await browser.send(address, {"origin": "https://evil.example"}, **form)
        cross = await browser.send(address, {"sec-fetch-site": "cross-site"}, **form)
        wrong = await browser.client.get(address)
    assert [answer.status_code for answer in (bare, foreign, cross)] == [403, 403, 403]
    assert wrong.status_code in {404, 405}
    (line,) = await fetch(tenant.factory, LINE, line_id)
    assert (line["status"], line["version"]) == ("proposed", 2)


async def test_a_stale_answer_is_a_page_with_a_sentence(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    clerk = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(create_app(database), clerk.token) as browser:
        await browser.open(f"/schedule-lines/{line_id}")
        form = {"version": "1", "quantity": "100", "delivery_date": today().isoformat()}
        answer = await browser.send(f"/schedule-lines/{line_id}/confirm", **form)
        swapped = await browser.send(f"/schedule-lines/{line_id}/confirm", {"hx-request": "true"}, **form)
    assert answer.status_code == swapped.status_code == 409
    assert "you saw version 1, now it is 2" in text_of(answer)
    assert "you saw version 1, now it is 2" in text_of(swapped)
    assert f'id="line-{line_id}"' in swapped.text, "the card itself says it, where it was pressed"
    assert "<html" not in swapped.text


async def test_the_factory_prepares_and_publishes_a_release(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    planner = await make_person(tenant.factory, Role.PLANNER)
    base = f"/contracts/{made.contract.id}"
    async with browsing(create_app(database), planner.token) as browser:
        await browser.open(f"{base}/drafts")
        assert (await browser.send(f"{base}/schedule/generate")).status_code == 303
        refused = await browser.send(
            f"{base}/schedule/call-off", contract_line_id=str(made.line.id), quantity="5", due_date="2001-01-01"
        )
        assert refused.status_code == 422
        assert "outside the contract's validity" in text_of(refused)
        published_page = await browser.send(f"{base}/schedule/publish", version="1", note="First")
        assert published_page.status_code == 303, published_page.text
        release = text_of(await browser.open(f"{base}/releases/1"))
        listed = text_of(await browser.open("/schedules?view=to_confirm"))
    assert "Release 1" in release
    assert "A100" in listed


async def test_drafts_are_the_factorys_own(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    planner = await make_person(tenant.factory, Role.PLANNER)
    supplier = await make_person(tenant.supplier, Role.PARTNER_ADMIN)
    async with browsing(create_app(database), planner.token) as browser:
        await browser.open(f"/contracts/{made.contract.id}/drafts")
        await browser.send(f"/contracts/{made.contract.id}/schedule/generate")
    (draft, *_) = await fetch(tenant.factory, "select id from schedule_line where status = 'draft'")
    assert not await fetch(tenant.supplier, "select 1 from schedule_line")
    async with browsing(create_app(database), supplier.token) as browser:
        assert (await browser.open(f"/schedule-lines/{draft['id']}")).status_code == 404
        assert (await browser.open(f"/contracts/{made.contract.id}/drafts")).status_code == 403


async def test_today_shows_what_waits_and_in_the_readers_language(tenant: Tenant, database: Settings) -> None:
    await published(tenant, Direction.PURCHASE)
    clerk = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(create_app(database), clerk.token) as browser:
        assert "To confirm 1" in text_of(await browser.open("/"))
        browser.client.headers["accept-language"] = "zh-CN"
        page = await browser.open("/")
        assert "待您确认" in text_of(page)
        counts = await browser.open("/counts")
        assert 'id="count-schedules"' in counts.text


async def test_the_filter_may_leave_its_days_empty_and_the_export_follows_it(
    tenant: Tenant, database: Settings
) -> None:
    made, _line_id = await published(tenant, Direction.PURCHASE)
    planner = await make_person(tenant.factory, Role.PLANNER)
    async with browsing(create_app(database), planner.token) as browser:
        fits = await browser.open(f"/schedules?q={made.contract.number}&since=&until=")
        other = await browser.open("/schedules?q=NOTHING&since=&until=")
        wrong = await browser.open("/schedules?since=2026-13-01")
        whole = (await browser.open(f"/schedules/export?q={made.contract.number}&kind=csv")).text
        none = (await browser.open("/schedules/export?q=NOTHING&kind=csv")).text
    assert (fits.status_code, other.status_code, wrong.status_code) == (200, 200, 422)
    assert "1 delivery" in text_of(fits)
    assert "No delivery fits this choice." in text_of(other)
    assert "2026-13-01" in text_of(wrong)
    assert ("A100" in whole, "A100" in none) == (True, False)


async def test_an_export_is_a_table_without_formulas(tenant: Tenant, database: Settings) -> None:
    await published(tenant, Direction.PURCHASE)
    planner = await make_person(tenant.factory, Role.PLANNER)
    async with browsing(create_app(database), planner.token) as browser:
        shown = text_of(await browser.open("/schedules")).replace("\u00a0", " ")
        assert "pcs 0 pcs 0 pcs 0 pcs" in shown  # ordered, and nothing confirmed, shipped, received: each with its unit
        answer = await browser.open("/schedules/export?kind=csv")
        book = await browser.open("/schedules/export?kind=xlsx")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "A100" in answer.text
    assert book.content[:2] == b"PK"
