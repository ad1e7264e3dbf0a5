"""Three hundred names that are more than names: they reach pages as text, spreadsheets as text, logs as one line."""

import csv
import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import islice, product

import openpyxl
import pytest

from portal.core import clock
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.schedules.model import LineStatus, ScheduleLine
from tests.factories import Made, Tenant, make_contract, today
from tests.isolation.calls import Answer, Parts, send
from tests.isolation.world import Place, World

MARK = "7f3e"  # in every payload, to find it again
SCRIPTS = (
    "<script>{0}</script>",
    "<img src=x onerror={0}>",
    "<svg/onload={0}>",
    '"><iframe srcdoc={0}>',
    "'><body onfocus={0} autofocus>",
    "javascript:{0}",
    "</textarea><script>{0}</script>",
    "</title><script>{0}</script>",
    "{{{{{0}}}}}",
    "${{{0}}}",
    '" onmouseover="{0}',
    "' style='x:{0}",
    "<a href=javascript:{0}>x",
    "--><script>{0}</script>",
    "]]><script>{0}</script>",
    "\u2028<script>{0}</script>",
    "%3Cscript%3E{0}",
    "&lt;script&gt;{0}",
    "<x hx-get=/sign-out hx-trigger=load>{0}",
    "<x hx-on:load={0}>",
    "{% raw %}{0}".replace("{%", "{{%").replace("%}", "%}}"),
)
FORMULAS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u3000=", "\u00a0=", '"=', "'=", "＝", "＋", "－", "＠")
COMMANDS = ("cmd|' /C calc'!A0", 'HYPERLINK("http://x","{0}")', "1+1", "SUM(A1:A9)", 'WEBSERVICE("http://x/{0}")')
LINES = ("\n2026-11-22 ERROR forged {0}", "\r\nSet-Cookie: a={0}", "\x1b[31m{0}", "\u202e{0}", "\u0085{0}", "\x7f{0}")
CALLS = ("alert(1)", "fetch('/keys')", "top.location='//x'", "import('//x')", "document.cookie", "eval(name)")


def payloads() -> list[str]:
    """300 texts, each with its number and the mark."""
    texts = [script.replace("{0}", call) for script, call in product(SCRIPTS, CALLS)]
    texts += [sign + command for sign, command in product(FORMULAS, COMMANDS)]
    texts += list(LINES)
    every = [f"{text} {MARK}{no}" for no, text in enumerate(texts)]
    doubled = (f"{one}{other}" for one, other in zip(every, reversed(every), strict=True))
    return [text[:290] for text in (*every, *islice(doubled, 300 - len(every)))]


PAYLOADS = payloads()


@pytest.fixture(scope="module")
async def poisoned(world: World) -> Made:
    """A contract with C of 300 lines whose descriptions, numbers and notes are payloads, each with a delivery."""
    home = world.companies[Place.C]
    made = await make_contract(home, Direction.PURCHASE, [text[:30] for text in PAYLOADS], price=None)
    made.contract.title, made.contract.partner_reference = PAYLOADS[1][:100], PAYLOADS[2][:60]
    for line, text in zip(made.lines, PAYLOADS, strict=True):
        line.description, line.item_code, line.partner_part_no = text, text[:60], text[:60]
        line.ship_to_code = text[:40]
    lines = [_delivery(home, made, no, text) for no, text in enumerate(PAYLOADS)]
    async with unit_of_work(home.factory) as session:
        session.add(made.contract)
        session.add_all([*made.lines, *lines])
    return made


def _delivery(home: Tenant, made: Made, no: int, text: str) -> ScheduleLine:
    return ScheduleLine(
        tenant_id=home.id,
        id=uuid7(),
        party_id=made.contract.party_id,
        contract_id=made.contract.id,
        contract_line_id=made.lines[no].id,
        line_no=no + 1,
        order_no=text[:40],
        due_date=today(),
        requested_date=today(),
        unit="H87",
        ordered_quantity=Decimal(40),
        status=LineStatus.PROPOSED,
        respond_by=clock.now() - timedelta(days=900),  # the first of everything that waits
        supply_note=text[:200],
        ship_to_code=text[:40],
    )


class Elements(HTMLParser):
    """What a browser would build: its elements with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def dangers(page: str) -> list[str]:
    """Elements and attributes that would run something that is not ours."""
    found = []
    for tag, attributes in Elements(page).found:
        if tag == "script" and not (attributes.get("src") or "").startswith("/static/"):
            found.append(f"<{tag}> {attributes}")
        if tag in {"iframe", "object", "embed", "base"}:
            found.append(f"<{tag}>")
        for name, value in attributes.items():
            text = (value or "").strip().lower()
            if name.startswith(("on", "hx-on", "hx_on")) or name == "style" or name == "srcdoc":
                found.append(f"{tag} {name}={value}")
            if name in {"href", "src", "action"} and text.startswith(("javascript:", "data:text", "//")):
                found.append(f"{tag} {name}={value}")
    return found


async def read(world: World, path: str, **query: object) -> Answer:
    answer = await send(world.app, "GET", path, Parts(query=query), world.browsers[5].headers)
    assert answer.status == 200, path
    return answer


def test_there_are_three_hundred_different_payloads() -> None:
    assert len(set(PAYLOADS)) == 300


@pytest.mark.parametrize("name", ["contract", "board", "list", "search", "today", "line", "ship", "contracts"])
async def test_no_payload_becomes_an_element_of_a_page(world: World, poisoned: Made, name: str) -> None:
    contract = f"/contracts/{poisoned.contract.id}"
    lines = await world.owner.fetch("select id from schedule_line where contract_id = $1", poisoned.contract.id)
    pages = {
        "contract": [contract],
        "board": [f"{contract}/schedule", "/schedules/board"],
        "list": [f"/schedules?contract={poisoned.contract.id}"],
        "search": [],
        "today": ["/"],
        "line": [f"/schedule-lines/{row['id']}" for row in lines[::5]],
        "ship": [f"/shipments/new?contract={poisoned.contract.id}"],
        "contracts": ["/contracts"],
    }[name]
    seen = 0
    for path in pages:
        page = await read(world, path)
        assert dangers(page.text) == []
        seen += page.text.count(MARK)
    for text in PAYLOADS[::3] if name == "search" else ():
        assert dangers((await read(world, "/schedules", q=text)).text) == []
    assert seen or name == "search", "the payloads are on these pages"


async def test_no_cell_of_an_export_is_a_formula(world: World, poisoned: Made) -> None:
    told = await read(world, "/schedules/export", contract=poisoned.contract.id, kind="csv")
    rows = list(csv.reader(io.StringIO(told.content.decode("utf-8-sig"))))
    assert len(rows) == len(PAYLOADS) + 1
    cells = [cell for row in rows for cell in row]
    assert sum(MARK in cell for cell in cells) >= len(PAYLOADS)
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    assert [cell for cell in cells if cell.lstrip(' \u3000\u00a0"').startswith(starts)] == []


async def test_a_workbook_holds_texts_and_no_formulas_or_links(world: World, poisoned: Made) -> None:
    told = await read(world, "/schedules/export", contract=poisoned.contract.id, kind="xlsx")
    with zipfile.ZipFile(io.BytesIO(told.content)) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not [name for name in parts.namelist() if "externalLink" in name or "vba" in name.lower()]
    assert not [sheet for sheet in sheets if "<f>" in sheet or "<hyperlink" in sheet or "<oleObject" in sheet]
    book = openpyxl.load_workbook(io.BytesIO(told.content))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if MARK in str(cell.value)]
    assert len(cells) >= len(PAYLOADS)
    assert {cell.data_type for cell in cells} == {"s"}


async def test_no_payload_breaks_out_of_a_header(world: World) -> None:
    """What is typed comes back in addresses: of the sign-in form, of searches, of the way back."""
    for text in PAYLOADS:
        for path, query in (("/search", {"q": text}), ("/sign-in", {"next": text}), ("/contracts", {"q": text})):
            answer = await send(world.app, "GET", path, Parts(query=query), {})
            assert "\n" not in str(answer.headers.get("location", ""))
            assert answer.headers.get("set-cookie") is None
            assert answer.place in {"", "/sign-in"}
            assert dangers(answer.text) == []


async def test_the_way_back_after_signing_in_leads_nowhere_else(world: World) -> None:
    for back in (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "\t//evil.example",
        "/%0d%0a",
        "/\n/evil",
    ):
        answer = await send(world.app, "GET", "/sign-in", Parts(query={"next": back}), world.browsers[1].headers)
        assert answer.status == 303
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith(("//", "/\\"))
