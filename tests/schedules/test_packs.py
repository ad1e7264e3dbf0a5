"""Quantities in parts of packs: saved as they are asked for, and said at once, by page and by interface."""

from datetime import date, timedelta
from decimal import Decimal

from portal.app import create_app
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Tenant, fetch, make_contract, today
from tests.schedules.test_api import calling
from tests.sync.own_files import gb_csv

LINES = "select ordered_quantity::int as quantity from schedule_line where contract_id = $1 order by due_date"
DUE = today() + timedelta(days=30)


def chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


async def test_a_program_that_calls_off_parts_of_packs_is_told(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, foq=None, pack_size=Decimal(10))
    url = f"/api/v1/contracts/{made.contract.id}/schedule-lines"
    order = {"contract_line_id": str(made.line.id), "due_date": DUE.isoformat()}
    async with calling(database, tenant.factory) as factory:
        whole = await factory.post(url, json=order | {"quantity": "80"})
        loose = await factory.post(url, json=order | {"quantity": "85"}, headers={"accept-language": "zh-CN"})
    assert (whole.status_code, whole.json()["warnings"]) == (201, [])
    (told,) = loose.json()["warnings"]
    assert (told["column"], [int(Decimal(one)) for one in told["nearest"]]) == (DUE.isoformat(), [80, 90])
    assert (
        plain(told["text"])
        == f"A100，{chinese(DUE)}：85 件不是包装量 10 件的整数倍。最接近的整包数量为 80 件和 90 件。"
    )
    assert [row["quantity"] for row in await fetch(tenant.factory, LINES, made.contract.id)] == [80, 85]


async def test_a_person_who_calls_off_parts_of_packs_is_told(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, foq=None, pack_size=Decimal(10))
    base = f"/contracts/{made.contract.id}"
    person = await make_person(tenant.factory, Role.PLANNER)
    order = {"contract_line_id": str(made.line.id), "due_date": DUE.isoformat(), "order_no": ""}
    async with browsing(create_app(database), person.token) as browser:
        assert (await browser.send(f"{base}/schedule/call-off", **order, quantity="80")).status_code == 303
        assert "pack size" not in text_of(await browser.open(f"{base}/drafts"))
        assert (await browser.send(f"{base}/schedule/call-off", **order, quantity="85")).status_code == 303
        shown = text_of(await browser.open(f"{base}/drafts"))
    assert "85 pcs is not a multiple of the pack size 10 pcs. The nearest are 80 pcs and 90 pcs." in shown
    assert "Nothing is held back: this is a reminder only." in shown
    assert [row["quantity"] for row in await fetch(tenant.factory, LINES, made.contract.id)] == [80, 85]


async def test_an_imported_schedule_says_which_rows_are_in_parts_of_packs(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None, pack_size=Decimal(10))
    number = made.contract.number
    rows = [(number, "A100", DUE.isoformat(), quantity) for quantity in ("80", "85", "3")]
    content = gb_csv(("Contract number", "Item code", "Due date", "Quantity"), *rows)
    mapping = {"header": 1, "columns": {"number": 0, "item_code": 1, "due_date": 2, "quantity": 3}}
    files = {"file": ("plan.csv", content, "application/octet-stream")}
    async with calling(database, tenant.factory) as factory:
        sent = await factory.post("/api/v1/own-imports", data={"target": "schedule"}, files=files)
        url = f"/api/v1/own-imports/{sent.json()['id']}"
        tried = await factory.post(f"{url}/mapping", json=mapping)
        assert await fetch(tenant.factory, LINES, made.contract.id) == []
        done = await factory.post(f"{url}/apply", headers={"accept-language": "zh-CN"})
    english, told = tried.json()["warnings"], done.json()["warnings"]
    near = [[int(Decimal(each)) for each in one["warning"]["nearest"]] for one in english]
    assert ([one["row"] for one in english], near) == ([3, 4], [[80, 90], [10]])
    assert plain(english[1]["warning"]["text"]).endswith(
        "3 pcs is not a multiple of the pack size 10 pcs. The least is 10 pcs."
    )
    assert plain(told[1]["warning"]["text"]) == f"A100，{chinese(DUE)}：3 件不是包装量 10 件的整数倍。最少为 10 件。"
    assert [row["quantity"] for row in await fetch(tenant.factory, LINES, made.contract.id)] == [80, 85, 3]
    person = await make_person(tenant.factory, Role.ADMIN)
    async with browsing(create_app(database), person.token) as browser:
        browser.client.headers["accept-language"] = "zh-CN"
        shown = text_of(await browser.open(f"/imports/own/{sent.json()['id']}"))
    assert f"第 3 行：A100，{chinese(DUE)}：85 件不是包装量 10 件的整数倍" in shown
