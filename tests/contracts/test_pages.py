"""Contracts in pages, as a reader without scripts meets them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from portal.accounts.model import Member, MemberRestriction
from portal.app import create_app
from portal.contracts.inputs import Decline
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.core.settings import Settings
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import Person, make_person
from tests.contracts.makers import make_draft, make_item, make_proposed, new_line, step
from tests.factories import Tenant, fetch, make_contract, today


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    """The application over this worker's database."""
    return create_app(database)


@asynccontextmanager
async def signed_in(app: Litestar, company: Actor, role: Role | None = None) -> AsyncIterator[Browser]:
    """Somebody of this company at their browser."""
    person = await make_person(company, role or company.role, "Ann Weber")
    async with browsing(app, person.token) as browser:
        yield browser


async def state_of(tenant: Tenant, contract_id: UUID) -> tuple[Any, ...]:
    rows = await fetch(tenant.factory, "select status, version from contract where id = $1", contract_id)
    return tuple(rows[0])


def head_form(tenant: Tenant, **more: str) -> dict[str, str]:
    """What somebody types into the form of a new contract."""
    typed = {
        "direction": "sale",
        "party_id": str(tenant.customer.party_id),
        "currency": "cny",
        "valid_from": today().isoformat(),
        "valid_to": "",
        "title": "Castings 2027",
        "kind": "annual",
        "response_hours": "16",
        "time_zone": "Asia/Shanghai",
        "number": "",
        "partner_reference": "",
    }
    return typed | more


LINE = {
    "foq": "600",
    "cadence": "week",
    "pack_size": "40",
    "minimum_order": "0",
    "band_below_percent": "20",
    "band_above_percent": "20",
    "under_percent": "0",
    "over_percent": "2",
    "firm_days": "28",
    "tradeoff_days": "63",
    "day_unit": "calendar",
    "target_quantity": "",
}


async def test_a_contract_is_written_line_by_line_proposed_and_accepted_in_pages(tenant: Tenant, app: Litestar) -> None:
    await make_item(tenant, "A100")
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        await factory.open("/contracts/new")
        made = await factory.send("/contracts", **head_form(tenant))
        assert made.status_code == 303, made.text
        here = made.headers["location"]
        price = {"price": "12.50", "price_unit": "1", "price_from": today().isoformat()}
        line = {**LINE, "item_code": "A100", "version": "1", "delivery_weekdays": ["0", "2"], **price}
        added = await factory.send(f"{here}/lines", **line)
        assert (added.status_code, added.headers["location"]) == (303, f"{here}#lines")
        page = await factory.open(here)
        words = text_of(page)
        for text in ("600 pcs a week", "480 to 720", "CNY 12.50", "Packs of 40 pcs", "Propose to Aurora"):
            assert text in words.replace("\xa0", " ")
        assert (await customer.open(here)).status_code == 404

        assert (await factory.send(f"{here}/propose", version="2")).status_code == 303
        seen = await customer.open(here)
        assert "This contract was proposed to you" in text_of(seen)
        assert 'name="version" value="3"' in seen.text
        assert (await customer.send(f"{here}/accept", version="3")).status_code == 303
        after = text_of(await customer.open(here))
    assert "Ann Weber accepted this content on" in after
    assert "The content is unchanged since." in after
    assert ("Version 1 is agreed from" in after, "is in force since" in after) == (True, False)  # not yet put in force
    contract_id = UUID(here.rsplit("/")[-1])
    assert await state_of(tenant, contract_id) == ("accepted", 4)
    weekdays = "select delivery_weekdays from contract_line where contract_id = $1"
    assert (await fetch(tenant.customer, weekdays, contract_id))[0][0] == [0, 2]


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"currency": ""}, "currency", "Fill in this field."),
        ({"currency": "c1y"}, "currency", "“C1Y” is not a currency code."),
        ({"valid_from": "31.12.2026"}, "valid_from", "“31.12.2026” is not a date."),
        ({"valid_to": "2020-01-01"}, "valid_to", "The contract would end on 1 Jan 2020"),
        ({"response_hours": "many"}, "response_hours", "“many” is not a whole number."),
        ({"response_hours": "0"}, "response_hours", "Enter 1 or more."),
        ({"party_id": ""}, "party_id", "Fill in this field."),
        ({"direction": "sideways"}, "direction", "Choose one of the values offered."),
        ({"direction": "purchase"}, "party_id", "Choose a customer for a sale contract"),
        ({"title": "x" * 201}, "title", "At most 200 characters fit here."),
        ({"time_zone": "Mars/North"}, "time_zone", "“Mars/North” is not a known time zone."),
    ],
)
async def test_a_refused_field_says_its_limit_under_itself_and_keeps_what_was_typed(
    tenant: Tenant, app: Litestar, typed: dict[str, str], field: str, sentence: str
) -> None:
    async with signed_in(app, tenant.factory) as factory:
        await factory.open("/contracts/new")
        answer = await factory.send("/contracts", **head_form(tenant, partner_reference="4500012345", **typed))
    assert answer.status_code == 422
    wrong = re.search(rf'id="f-{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    assert wrong is not None, text_of(answer)
    assert sentence in re.sub(r"<[^>]+>", "", wrong.group(1)).replace("\xa0", " ")
    assert 'value="4500012345"' in answer.text
    assert answer.text.count("cf-field-wrong") == 1
    assert (await fetch(tenant.factory, "select count(*) from contract where tenant_id = $1", tenant.id))[0][0] == 0


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"item_code": "NONE"}, "item_code", "There is no item with the code “NONE”."),
        ({"foq": "1,200"}, "foq", "“1,200” is not a number."),
        ({"foq": "600.5"}, "foq", "pcs is counted with 0 places"),
        ({"cadence": ""}, "cadence", "A fixed quantity and its period belong together."),
        ({"tradeoff_days": "20"}, "tradeoff_days", "trade-off days (20) cannot be fewer than firm days (28)"),
        ({"over_percent": "2.345"}, "over_percent", "At most 2 digits can stand after the decimal point."),
        ({"minimum_order": "50"}, "minimum_order", "not a multiple of the pack size 40"),
        ({"price": "-1"}, "price", "Enter 0 or more."),
        ({"price": "x"}, "price", "“x” is not a number."),
        ({"price": "1", "price_from": "soon"}, "price_from", "“soon” is not a date."),
    ],
)
async def test_a_refused_line_says_so_under_the_field_and_adds_nothing(
    tenant: Tenant, app: Litestar, typed: dict[str, str], field: str, sentence: str
) -> None:
    contract = await make_draft(tenant)
    await make_item(tenant, "B210")
    async with signed_in(app, tenant.factory) as factory:
        line = {"item_code": "B210", "version": "1", "price": "", "price_unit": "1", "price_from": "2027-01-01"}
        answer = await factory.send(f"/contracts/{contract.id}/lines", **(LINE | line | typed))
    assert answer.status_code == 422, text_of(answer)
    wrong = re.search(rf'id="f-{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    assert wrong is not None, text_of(answer)
    assert sentence in re.sub(r"<[^>]+>", "", wrong.group(1)).replace("\xa0", " ")
    assert await state_of(tenant, contract.id) == ("draft", 1)


async def test_a_line_and_its_prices_are_changed_and_removed(tenant: Tenant, app: Litestar) -> None:
    contract = await make_draft(tenant)
    (row,) = await fetch(tenant.factory, "select id from contract_line where contract_id = $1", contract.id)
    here = f"/contracts/{contract.id}/lines/{row['id']}"
    async with signed_in(app, tenant.factory) as factory:
        form = await factory.open(here)
        assert 'value="600"' in form.text
        change = LINE | {"version": "1", "description": "Coated housing", "revision": "", "foq": "", "cadence": ""}
        assert (await factory.send(here, **change)).status_code == 303
        price = {"version": "2", "price": "11.999", "price_unit": "100", "price_from": "2027-01-01", "order_no": ""}
        assert (await factory.send(f"{here}/prices", **price)).status_code == 303
        page = await factory.open(here)
        assert "CNY 11.999 per 100" in text_of(page).replace("\xa0", " ")
        bad = await factory.send(f"{here}/prices", **(price | {"version": "3", "price": "x"}))
        assert (bad.status_code, "“x” is not a number." in text_of(bad)) == (422, True)
        for removal in re.findall(rf'action="({here}/prices/[^"]+/remove)"', page.text):
            version = (await state_of(tenant, contract.id))[1]
            assert (await factory.send(removal, version=str(version))).status_code == 303
        whole = text_of(await factory.open(f"/contracts/{contract.id}"))
        assert "Pure call-off, in pcs" in whole
        assert "Coated housing" in whole
        assert (await factory.send(f"{here}/remove", version="5")).status_code == 303
    assert await state_of(tenant, contract.id) == ("draft", 6)
    assert await fetch(tenant.factory, "select 1 from contract_price where tenant_id = $1", tenant.id) == []


async def test_the_head_of_a_draft_is_changed_and_a_stale_form_is_shown_again(tenant: Tenant, app: Litestar) -> None:
    contract = await make_draft(tenant)
    here = f"/contracts/{contract.id}"
    typed = {name: value for name, value in head_form(tenant).items() if name not in ("direction", "party_id")}
    async with signed_in(app, tenant.factory) as factory:
        await factory.open(f"{here}/edit")
        stale = await factory.send(f"{here}/edit", **typed, version="7")
        assert stale.status_code == 409
        assert "you saw version 7, now it is 1" in text_of(stale)
        assert 'value="Castings 2027"' in stale.text
        saved = await factory.send(f"{here}/edit", **typed, version="1")
        assert saved.headers["location"] == here
        assert "Castings 2027" in text_of(await factory.open(here))
    assert await state_of(tenant, contract.id) == ("draft", 2)


async def test_a_declined_contract_tells_both_sides_what_to_do(tenant: Tenant, app: Litestar) -> None:
    contract = await make_proposed(tenant)
    here = f"/contracts/{contract.id}"
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        await customer.open(here)
        empty = await customer.send(f"{here}/decline", version="2", reason="  ")
        assert empty.status_code == 422
        assert await state_of(tenant, contract.id) == ("proposed", 2)
        assert (await customer.send(f"{here}/decline", version="2", reason="Too dear")).status_code == 303
        theirs, ours = text_of(await customer.open(here)), text_of(await factory.open(here))
    assert "You declined, and the contract went back to its writer. Your reason: “Too dear”" in theirs
    assert "Aurora declined. Change the draft and propose it again. The reason: “Too dear”" in ours
    assert await state_of(tenant, contract.id) == ("draft", 3)


@pytest.mark.parametrize("role", [Role.CLERK, Role.VIEWER, Role.FINANCE])
async def test_a_partners_colleague_without_the_right_sees_no_answer_and_can_send_none(
    tenant: Tenant, app: Litestar, role: Role
) -> None:
    contract = await make_proposed(tenant)
    here = f"/contracts/{contract.id}"
    async with signed_in(app, tenant.customer, role) as reader:
        page = await reader.open(here)
        answers = [
            await reader.send(f"{here}/accept", version="2"),
            await reader.send(f"{here}/decline", version="2", reason="no"),
            await reader.send(f"{here}/withdraw", version="2"),
            await reader.open("/contracts/new"),
            await reader.open(f"{here}/edit"),
            await reader.open(f"{here}/lines/new"),
        ]
    assert "/accept" not in page.text
    assert "New contract" not in page.text
    assert [answer.status_code for answer in answers] == [403] * 6
    assert ("12.50" in page.text) == (role is Role.FINANCE)
    assert await state_of(tenant, contract.id) == ("proposed", 2)


async def test_to_the_other_partner_and_to_a_restricted_colleague_the_contract_is_absent(
    tenant: Tenant, app: Litestar
) -> None:
    mine, others = await make_proposed(tenant), await make_proposed(tenant)
    person = await make_restricted(tenant.customer, mine.id)
    async with signed_in(app, tenant.supplier) as supplier, browsing(app, person.token) as colleague:
        absent = [await supplier.open(f"/contracts/{contract_id}") for contract_id in (mine.id, uuid7())]
        absent += [
            await supplier.send(f"/contracts/{contract_id}/accept", version="2") for contract_id in (mine.id, uuid7())
        ]
        absent.append(await colleague.open(f"/contracts/{others.id}"))
        listed = (await colleague.open("/contracts")).text
    assert [answer.status_code for answer in absent] == [404] * 5
    assert all("it is not shared with your company" in text_of(answer) for answer in absent)
    assert mine.number in listed
    assert f"/contracts/{others.id}" not in listed
    assert await state_of(tenant, others.id) == ("proposed", 2)


async def make_restricted(company: Actor, contract_id: UUID) -> Person:
    """An administrator's colleague who may see one contract only."""
    person = await make_person(company, Role.CLERK)
    async with unit_of_work(company) as session:
        member = await session.get_one(Member, (company.tenant_id, person.member_id))
        member.restricted = True
        restriction = MemberRestriction(
            tenant_id=company.tenant_id,
            party_id=company.party_id,
            member_id=person.member_id,
            contract_id=contract_id,
        )
        session.add(restriction)
    return person


async def test_the_list_filters_in_its_address_and_pages_by_fifty(tenant: Tenant, app: Litestar) -> None:
    await make_item(tenant, "A100")
    for n in range(51):
        await make_draft(tenant, Direction.SALE, new_line("A100"), title=f"Batch {n:02}")
    await make_proposed(tenant, Direction.PURCHASE)
    async with signed_in(app, tenant.factory) as factory:
        first = await factory.open("/contracts?direction=sale&status=draft")
        following = re.search(r'href="(/contracts\?[^"]*after=[^"]*)"', first.text)
        assert following is not None
        second = await factory.open(following.group(1).replace("&amp;", "&"))
        found = await factory.open("/contracts?q=batch+07")
        nothing = await factory.open("/contracts?q=nowhere")
        odd = await factory.open("/contracts?status=odd&direction=up&partner=x")
    assert first.text.count('<tr><th scope="row">') == 50
    assert second.text.count('<tr><th scope="row">') == 1
    assert "Batch 00" in second.text
    assert found.text.count('<tr><th scope="row">') == 1
    assert "No contract fits this choice." in text_of(nothing)
    assert odd.status_code == 200


async def test_the_list_is_exported_as_it_is_filtered_and_no_title_becomes_a_formula(
    tenant: Tenant, app: Litestar
) -> None:
    await make_item(tenant, "A100")
    await make_draft(tenant, Direction.SALE, new_line("A100"), title="=HYPERLINK(1)", number="K-1")
    await make_proposed(tenant, Direction.PURCHASE)
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        sales = await factory.client.get("/contracts/export?direction=sale&kind=csv")
        sheet = await factory.client.get("/contracts/export")
        theirs = await customer.client.get("/contracts/export?kind=csv")
        odd = await factory.client.get("/contracts/export?kind=exe")
    lines = sales.content.decode("utf-8-sig").splitlines()
    assert (len(lines), lines[1].split(",")[:3]) == (2, ["K-1", "'=HYPERLINK(1)", "Aurora"])
    assert sheet.content[:2] == b"PK"
    assert len(theirs.content.decode("utf-8-sig").splitlines()) == 1
    assert odd.status_code == 422


async def test_an_empty_list_says_what_will_be_here(tenant: Tenant, app: Litestar) -> None:
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        ours, theirs = text_of(await factory.open("/contracts")), text_of(await customer.open("/contracts"))
    assert "No contract yet. Write one with a customer or a supplier" in ours
    assert "No contract is shared with you yet." in theirs
    assert "New contract" not in theirs


async def test_an_active_contract_shows_its_use_from_both_sides(tenant: Tenant, app: Litestar) -> None:
    from datetime import timedelta
    from decimal import Decimal

    from portal.schedules.service_release import CallOff, Publish, call_off, publish_release

    made = await make_contract(tenant, foq=None, target_quantity=Decimal(1000))
    for quantity, days in ((300, 5), (900, 12)):
        order = CallOff(
            contract_line_id=made.line.id, quantity=Decimal(quantity), due_date=today() + timedelta(days=days)
        )
        async with unit_of_work(tenant.factory) as session:
            await call_off(session, tenant.factory, made.contract.id, order)
    async with unit_of_work(tenant.factory) as session:
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        pages = [await browser.open(f"/contracts/{made.contract.id}") for browser in (factory, customer)]
        early = await factory.send(
            f"/contracts/{made.contract.id}/complete", version=str((await state_of(tenant, made.contract.id))[1])
        )
    for page in pages:
        words = text_of(page).replace("\xa0", " ")
        assert "1,200 pcs 0 pcs 0 pcs −200 pcs of 1,000 pcs" in words  # called off, shipped, received, remaining
        assert "Release 1 published" in words
    assert "Prepare a release" in text_of(pages[0])
    assert "Prepare a release" not in text_of(pages[1])
    assert (early.status_code, "2 deliveries are still open" in text_of(early)) == (409, True)


async def test_the_page_speaks_chinese(tenant: Tenant, app: Litestar) -> None:
    contract = await make_proposed(tenant)
    await step(tenant.customer, "decline", contract.id, data=Decline(reason="太贵"))
    async with signed_in(app, tenant.factory) as factory:
        factory.client.cookies.set("language", "zh-CN")
        words = text_of(await factory.open(f"/contracts/{contract.id}"))
        listed = text_of(await factory.open("/contracts"))
    assert "Aurora 已谢绝。请修改草稿后再次提交。理由：“太贵”" in words
    assert "每周 600" in words
    assert "草稿" in listed


async def test_the_lengths_of_zones_are_told_as_days_while_typing(tenant: Tenant, app: Litestar) -> None:
    async with signed_in(app, tenant.factory) as factory:
        good = await factory.open("/contracts/zones?firm_days=0&tradeoff_days=0&day_unit=calendar")
        wrong = await factory.open("/contracts/zones?firm_days=9&tradeoff_days=3&day_unit=working")
        odd = await factory.open("/contracts/zones?firm_days=x&tradeoff_days=99999999&day_unit=z")
    assert "For a release today: firm until" in text_of(good)
    assert "trade-off cannot be shorter than firm" in text_of(wrong)
    assert "Enter both lengths in whole days." in text_of(odd)
