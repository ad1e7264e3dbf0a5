"""Each version of a contract has its own sealed document, and the agreed periods stand in it."""

from typing import Any

import msgspec
import pytest
from litestar import Litestar

from portal.core import clock
from portal.core.errors import NotFound
from portal.core.i18n import Language, speaking
from portal.paper.contract_paper import AgreedHead, contract_document
from portal.paper.document import Facts, Grid
from portal.paper.periods_paper import periods_grid
from portal.paper.service import BeingSealed, contract_file, seal_contract
from portal.paper.service_verify import verify
from tests.accounts.browser import text_of
from tests.contracts.versions import from_day, make_active, run_day, take
from tests.factories import Tenant, today
from tests.paper.makers import ADDRESS, agreed_text, line, system
from tests.paper.test_pages import signed_in


async def test_a_version_in_force_is_sealed_anew_and_the_former_one_stays(app: Litestar, tenant: Tenant) -> None:
    contract = await make_active(tenant)
    await seal_contract(system(tenant), contract.id)
    first = await contract_file(tenant.customer, contract.id, Language.EN)
    await take(tenant.factory, "amend", contract, from_day(today(), 700))
    await take(tenant.customer, "accept_amendment", contract)
    await run_day(tenant, clock.now())
    with pytest.raises(BeingSealed):
        await contract_file(tenant.customer, contract.id, Language.EN)
    async with signed_in(app, tenant.customer) as customer:
        waiting = text_of(await customer.open(f"/contracts/{contract.id}"))
        await seal_contract(system(tenant), contract.id)
        ready = await customer.open(f"/contracts/{contract.id}")
    second = await contract_file(tenant.customer, contract.id, Language.EN)

    assert "Make the sealed PDF" in waiting
    assert "Version 1, sealed on" in waiting
    assert "Make the sealed PDF" not in ready.text
    assert f"/contracts/{contract.id}/contract.pdf?language=en&amp;version=2" in ready.text
    assert first.name.endswith("-v1-en.pdf")
    assert second.name.endswith("-v2-en.pdf")
    assert await contract_file(tenant.customer, contract.id, Language.EN, 1) == first
    for file, version in ((first, 1), (second, 2)):
        verdict = await verify(tenant.customer, file.content)
        assert verdict.genuine
        assert verdict.issued is not None
        assert verdict.issued.version_no == version
    for absent in (0, 3, -1, 2**31, 2**70):
        with pytest.raises(NotFound):
            await contract_file(tenant.customer, contract.id, Language.EN, absent)


# --- periods ----------------------------------------------------------------------------------------------------------


def rows_of(*lines: dict[str, object], first: str = "2026-01-01", last: str | None = "2026-12-31") -> list[list[str]]:
    head = msgspec.convert(agreed_text(*lines, valid_from=first, valid_to=last).content, AgreedHead, strict=False)
    with speaking(Language.EN):
        grid = periods_grid(head.lines, head.valid_from, head.valid_to)
    return [
        [cell.text.replace("\u00a0", " ") + "".join(f" / {note}" for note in cell.notes) for cell in row]
        for row in grid.rows
    ]


def test_periods_that_say_the_same_stand_in_one_row() -> None:
    assert rows_of(line(1, cadence="month", foq="800")) == [
        ["10", "1 Jan 2026 – 31 Dec 2026 / 12 months, each", "640 pcs", "800 pcs", "960 pcs"]
    ]


def test_cut_periods_stand_by_themselves() -> None:
    rows = rows_of(line(1, foq="700", band_below_percent="0", band_above_percent="0", pack_size="1"))
    assert [row[1] for row in rows] == [
        "1 Jan 2026 – 4 Jan 2026 / 1 week, each",
        "5 Jan 2026 – 27 Dec 2026 / 51 weeks, each",
        "28 Dec 2026 – 31 Dec 2026 / 1 week, each",
    ]
    assert [row[3] for row in rows] == ["400 pcs", "700 pcs", "400 pcs"]
    assert [row[0] for row in rows] == ["10", "", ""]


def test_lines_that_say_the_same_share_their_rows_and_pure_call_off_has_none() -> None:
    rows = rows_of(
        line(1, cadence="quarter"), line(2, cadence="quarter"), line(3, foq=None, cadence=None, target_quantity="900")
    )
    assert [row[0] for row in rows] == ["10, 20"]
    assert rows[0][1] == "1 Jan 2026 – 31 Dec 2026 / 4 quarters, each"


def test_a_contract_without_an_end_goes_on() -> None:
    rows = rows_of(line(1, cadence="month"), last=None)
    assert rows[-1][1].startswith("from 1 Jan 2026 on / ")


def test_a_document_lists_the_periods_before_the_places() -> None:
    grids = [
        block.title
        for block in contract_document(agreed_text(), Language.EN, ADDRESS).blocks
        if isinstance(block, Grid)
    ]
    assert grids == ["2 lines", "Agreed quantities per period", "Places of delivery"]


def test_typed_periods_and_how_they_are_used_stand_in_the_document_in_both_languages() -> None:
    one = {"floor": "80", "target": "100", "ceiling": "120"}
    days = [("2026-01-01", "2026-01-11"), ("2026-01-11", "2026-01-21"), ("2026-02-01", "2026-02-11")]
    listed = {"cadence": "custom", "periods": [{"start": start, "end": end, **one} for start, end in days]}
    typed = line(1, foq=None, cadence=None, typed_periods=listed)
    assert [(row[1], row[3]) for row in rows_of(typed)] == [
        ("1 Jan 2026 – 20 Jan 2026 / 2 periods, each", "100 pcs"),
        ("1 Feb 2026 – 10 Feb 2026 / 1 period, each", "100 pcs"),
    ]
    said: dict[str, Any] = {"form": 2, "shortfall_carry": "next", "over_call_percent": "5", "consequence": "discuss"}
    for language, title, words in (
        (Language.EN, "How periods are used", {"carried into the next period", "both sides talk about it"}),
        (Language.ZH, "周期使用规则", {"结转至下一周期", "双方协商"}),
    ):
        blocks = contract_document(agreed_text(typed, **said), language, ADDRESS).blocks
        (use,) = [block for block in blocks if isinstance(block, Facts) and block.title == title]
        assert words <= {value for _label, value in use.rows}
    former = contract_document(agreed_text(typed), Language.EN, ADDRESS).blocks  # of the first form: nothing was said
    assert [block.title for block in former if isinstance(block, Facts)].count("How periods are used") == 0
