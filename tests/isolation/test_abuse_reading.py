"""What a competitor tries in order to learn of another's prices, volumes and partners without opening anything."""

import json
import re
from decimal import Decimal

import pytest

from portal.contracts.model import ContractNote
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from tests.factories import Made, fetch, make_contract, make_deliveries, make_price, today
from tests.isolation.calls import Answer, Parts, anonymous, send
from tests.isolation.things import delivery, proposed, receipt, shipment
from tests.isolation.world import Place, Principal, World

SALE_PRICE, PURCHASE_PRICE = Decimal("98765.43"), Decimal("12345.67")
CUSTOMER_ORDER = "ZM-TENDER-4711"
LISTS = ("/", "/counts", "/schedules", "/schedules/board", "/contracts", "/shipments", "/receipts", "/sites")
API_LISTS = ("schedule-lines", "contracts", "shipments", "receipts", "parties", "sites")


async def page(world: World, reader: Principal, path: str, **query: object) -> Answer:
    return await send(world.app, "GET", path, Parts(query=query), reader.headers)


def digits(text: str) -> str:
    """A page without the separators of its numbers."""
    return re.sub(r"(?<=\d)[,\u00a0\u202f ](?=\d)", "", text)


async def test_what_others_have_is_found_by_no_search(world: World) -> None:
    """Numbers, order numbers, parts and names of A, typed by B: the answer is that for a word that nobody has."""
    note = await shipment(world, Place.A_OTHER)
    made = world.contracts[Place.A_OTHER]
    (line,) = await make_deliveries(world.companies[Place.A], made, [777], order_no=f"PO-{uuid7().hex[-10:]}")
    words = (made.contract.number, line.order_no, str(note["note"]), made.line.item_code, world.names[Place.A])
    searches = (("/schedules", "q"), ("/contracts", "q"), ("/shipments", "q"), ("/scan", "number"), ("/search", "q"))
    api = (("schedule-lines", "search"), ("contracts", "search"), ("shipments", "search"), ("parties", "search"))
    browser, program = world.browsers[4], world.programs[4]
    assert (browser.name, program.name) == ("customer B", "customer B's key")
    for word in words:
        nonsense = "q" + uuid7().hex[-12:]
        mine = world.contracts[Place.B].line.item_code == word
        for reader, places in ((browser, searches), (program, tuple((f"/api/v1/{p}", f) for p, f in api))):
            for path, field in places:
                found = await page(world, reader, path, **{field: word})
                nothing = await page(world, reader, path, **{field: nonsense})
                if not mine:  # A and B may well order the same part
                    assert found.status == nothing.status, (path, word)
                    assert comparable(found, word) == comparable(nothing, nonsense), (path, word)


def comparable(answer: Answer, word: str) -> str:
    quoted = {word, word.replace(" ", "+"), word.replace(" ", "%20")}
    return anonymous(answer.text + answer.place, *sorted(quoted, key=len, reverse=True))


async def test_nothing_of_b_moves_when_a_is_busy(world: World) -> None:
    """Counts, lists, boards, figures and cursors of B are the same before and after a day of A's business."""
    readers = [person for person in world.browsers if person.name in {"customer B", "supplier C"}]
    keys = [key for key in world.programs if key.name in {"customer B's key", "supplier C's key"}]

    async def looks() -> list[str]:
        seen = [anonymous((await page(world, reader, path)).text) for reader in readers for path in LISTS]
        export = [(await page(world, reader, "/schedules/export", kind="csv")).text for reader in readers]
        listed = [(await page(world, key, f"/api/v1/{name}")).text for key in keys for name in API_LISTS]
        return seen + export + listed

    before = await looks()
    for place in (Place.A, Place.A_OTHER, Place.ELSEWHERE):
        await delivery("proposed")(world, place)
        await proposed(world, place)
        await receipt(world, place)
    assert await looks() == before


async def test_document_numbers_count_for_each_company_alone(world: World) -> None:
    """B's next receipt has the number after B's last, however many A wrote in between."""

    async def number(ids: dict[str, object]) -> int:
        query = "select number from receipt where id = $1"
        ((text,),) = await fetch(world.companies[Place.A].factory, query, ids["receipt_id"])
        return int(str(text).rpartition("-")[2])

    first = await number(await receipt(world, Place.B))
    for _ in range(3):
        await receipt(world, Place.A)
    assert await number(await receipt(world, Place.B)) == first + 1


async def test_a_cursor_of_another_company_shows_the_own_rows_only(world: World) -> None:
    await receipt(world, Place.A)
    a, b = world.programs[3], world.programs[4]
    for name in ("schedule-lines", "contracts", "receipts", "shipments"):
        first = await send(world.app, "GET", f"/api/v1/{name}", Parts(query={"limit": 1}), a.headers)
        cursor = json.loads(first.text)["next"]
        if cursor is None:
            continue
        answer = await page(world, b, f"/api/v1/{name}", cursor=cursor)
        leaked = [text for text in world.secrets_from(b.actor) if text in answer.text]
        assert (answer.status, leaked) == (200, [])


# --- the customer behind the supplier ---------------------------------------------------------------------------------


@pytest.fixture
async def chain(world: World) -> Made:
    """A purchase from C of what A buys: its private note names A's order, its price is not A's price."""
    home = world.companies[Place.A]
    sale = await make_contract(home, Direction.SALE, ("CHAIN",), price=SALE_PRICE)
    purchase = await make_contract(home, Direction.PURCHASE, ("CHAIN",), price=PURCHASE_PRICE)
    await make_deliveries(home, sale, [500], order_no=CUSTOMER_ORDER)
    await make_deliveries(home, purchase, [500], order_no="OUR-ORDER-1")
    note = ContractNote(tenant_id=home.id, contract_id=purchase.contract.id, reference=CUSTOMER_ORDER)
    async with unit_of_work(home.factory) as session:
        session.add(note)
    return purchase


async def everything_about(world: World, made: Made, reader: Principal, program: Principal) -> str:
    """Every page, file and answer about a contract that one reader can open."""
    of_contract = f"/contracts/{made.contract.id}"
    api = f"/api/v1{of_contract}"
    ((line_id,),) = await fetch(
        world.companies[Place.A].factory, "select id from schedule_line where contract_id = $1", made.contract.id
    )
    pages = [*LISTS, of_contract, f"{of_contract}/schedule", f"/schedule-lines/{line_id}", "/schedules?q=CHAIN"]
    files = ["/schedules/export?kind=csv", "/contracts/export?kind=csv"]
    calls = [api, f"{api}/history", f"{api}/releases", f"/api/v1/schedule-lines/{line_id}"]
    calls += [f"/api/v1/schedule-lines/{line_id}/history", *(f"/api/v1/{name}" for name in API_LISTS)]
    texts = [(await page(world, reader, path)) for path in pages + files]
    texts += [await page(world, program, path) for path in calls]
    assert {answer.status for answer in texts} == {200}
    return digits("\n".join(answer.text for answer in texts))


async def test_a_supplier_sees_neither_the_customer_nor_the_sales_price(world: World, chain: Made) -> None:
    supplier, key = world.browsers[5], world.programs[5]
    assert supplier.name == "supplier C"
    told = await everything_about(world, chain, supplier, key)
    assert "12345.67" in told, "its own price is there"
    for secret in ("98765.43", CUSTOMER_ORDER, world.names[Place.A], str(world.company(Place.A).party_id)):
        assert secret not in told
    for path in (f"/contracts?q={CUSTOMER_ORDER}", f"/schedules?q={CUSTOMER_ORDER}"):
        assert str(chain.contract.id) not in (await page(world, supplier, path)).text
    found = await page(world, key, "/api/v1/contracts", search=CUSTOMER_ORDER)
    assert str(chain.contract.id) not in found.text


async def test_the_factory_finds_the_customer_behind_a_purchase(world: World, chain: Made) -> None:
    """The control of the test above: what is hidden from the supplier is there for the factory."""
    assert str(chain.contract.id) in (await page(world, world.browsers[1], f"/contracts?q={CUSTOMER_ORDER}")).text


async def test_a_customer_sees_neither_the_supplier_nor_the_purchase_price(world: World, chain: Made) -> None:
    home = world.companies[Place.A]
    sale = await make_contract(home, Direction.SALE, ("CHAIN",), price=SALE_PRICE)
    await make_deliveries(home, sale, [500], order_no=CUSTOMER_ORDER)
    told = await everything_about(world, sale, world.browsers[3], world.programs[3])
    assert "98765.43" in told
    for secret in ("12345.67", "OUR-ORDER-1", world.names[Place.C], str(world.company(Place.C).party_id)):
        assert secret not in told


@pytest.mark.parametrize("role", [Role.CLERK, Role.VIEWER])
async def test_who_may_not_see_prices_sees_none_anywhere(world: World, chain: Made, role: Role) -> None:
    company = world.company(Place.C)
    reader = await world.hire("without prices", company, role)
    program = await world.program("without prices", company, role)
    told = await everything_about(world, chain, reader, program)
    assert "12345.67" not in told
    assert "12345.670000" not in told


async def test_a_price_behind_an_order_is_as_hidden_as_a_list_price(world: World, chain: Made) -> None:
    special = make_price(chain.line, today(), Decimal("55555.55"))
    special.order_no = "OUR-ORDER-1"
    async with unit_of_work(world.companies[Place.A].factory) as session:
        session.add(special)
    reader = await world.hire("without prices", world.company(Place.C), Role.VIEWER)
    program = await world.program("without prices", world.company(Place.C), Role.VIEWER)
    assert "55555.55" not in await everything_about(world, chain, reader, program)


# --- oracles ----------------------------------------------------------------------------------------------------------


async def test_inviting_tells_nobody_who_has_an_account(world: World) -> None:
    """An address that works for A, one that works elsewhere and one that nobody has are invited alike by B."""
    b = world.browsers[4]
    known = (world.browsers[3].email, world.browsers[7].email, f"{uuid7().hex}@people.example")
    answers = []
    for email in known:
        form = {"party_id": world.company(Place.B).party_id, "email": email, "name": "Ina", "role": "viewer"}
        parts = Parts(form={"_csrf_token": b.form_token, **form})
        answer = await send(world.app, "POST", "/people", parts, b.headers)
        answers.append((answer.status, answer.place, anonymous(answer.text, email)))
    assert answers == [(303, "/people", answers[0][2])] * 3


async def test_files_are_named_after_nobody(world: World) -> None:
    """What a download is called tells neither a partner nor a count."""
    ids = await receipt(world, Place.A)
    a = world.browsers[3]
    for path in (f"/photos/{ids['photo_id']}", "/schedules/export", "/contracts/export"):
        name = (await page(world, a, path)).headers["content-disposition"]
        assert not [text for text in (*world.names.values(), "CANARY", "FC-") if text in name], name


# --- colleagues kept apart --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.PLANNER, Role.FINANCE, Role.AUDITOR, Role.VIEWER])
async def test_a_colleague_of_the_factory_restricted_to_one_partner_reads_of_no_other(world: World, role: Role) -> None:
    """In lists, filters, choices, files, reports and figures; who may read the audit is not to be restricted."""
    await receipt(world, Place.B)
    only = [world.contracts[Place.A].contract.id]
    reader = await world.hire("kept apart", world.companies[Place.A].factory, role, only)
    files = ("/schedules/export?kind=csv", "/contracts/export?kind=csv", "/reports/export?kind=csv")
    pages = ("/partners", "/reports", "/contracts/new", "/sites/new", "/shipments/new", "/audit", "/imports", "/items")
    b = world.contracts[Place.B].contract
    for path in (*LISTS, *pages, *files):
        answer = await page(world, reader, path)
        told = [text for text in (world.names[Place.B], str(b.id), str(b.party_id), b.number) if text in answer.text]
        assert told == [], path
