"""The pages of the ledger and the same figures over the interface, on both sides and in both languages."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from portal.contracts.bucket_words import period_name, sentence
from portal.contracts.inputs_buckets import SetTerms
from portal.contracts.model_buckets import BucketCadence, Consequence
from portal.contracts.reads_buckets import PeriodRow
from portal.contracts.rules_buckets import Counters
from portal.core.actor import Direction
from portal.core.i18n import Language, speaking
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.web.ledger_views import folded, period_view
from tests.contracts.bucket_makers import called, consumed, days, figures, make_committed, periods, span
from tests.contracts.makers import make_draft
from tests.contracts.test_api import calling
from tests.factories import Tenant, fetch

D = Decimal
V1 = "/api/v1/contracts"


def november(called: int, cadence: BucketCadence = BucketCadence.MONTH) -> PeriodRow:
    limits = (D(10000), D(12000), D(14400), "H87", None)
    return PeriodRow(
        uuid7(), uuid7(), cadence, date(2026, 11, 1), date(2026, 12, 1), *limits, Counters(called=D(called))
    )


@pytest.mark.parametrize(
    ("quantity", "english", "chinese"),
    [
        (
            9600,
            "If nothing changes, November ends at 9,600 of 12,000\u00a0pcs, 400 below the floor.",
            "如无变动，11 月结束时为 9,600，约定 12,000\u00a0件，低于下限 400。",
        ),
        (
            14500,
            "If nothing changes, November ends at 14,500 of 12,000\u00a0pcs, 100 above the ceiling.",
            "如无变动，11 月结束时为 14,500，约定 12,000\u00a0件，高于上限 100。",
        ),
        (
            12000,
            "If nothing changes, November ends at 12,000 of 12,000\u00a0pcs, inside 10,000 to 14,400.",
            "如无变动，11 月结束时为 12,000，约定 12,000\u00a0件，在 10,000 至 14,400 之内。",
        ),
    ],
)
def test_one_sentence_says_how_a_period_ends(quantity: int, english: str, chinese: str) -> None:
    assert sentence(november(quantity)) == english
    with speaking(Language.ZH):
        assert sentence(november(quantity)).replace(" ", "") == chinese.replace(" ", "")


def test_periods_have_names() -> None:
    assert period_name(november(1, BucketCadence.QUARTER), year=True) == "quarter 4 2026"
    assert period_name(november(1, BucketCadence.CUSTOM)) == "1\u00a0Nov – 30\u00a0Nov"
    assert period_name(november(1, BucketCadence.WEEK)) == "Wk\u00a044"


def test_many_periods_are_folded_around_the_one_that_runs() -> None:
    limits = (D(10000), D(12000), D(14400), "H87", None)
    starts = [date(2026, 1, 5) + timedelta(weeks=n) for n in range(39)]
    rows = [
        PeriodRow(uuid7(), uuid7(), BucketCadence.WEEK, start, start + timedelta(weeks=1), *limits, Counters())
        for start in starts
    ]

    def spans(count: int, today: date) -> tuple[int, int, int]:
        shown = rows[:count]
        found = folded(shown, [period_view(row, "/ledger", (), today) for row in shown], today)
        assert [*found.ended, *found.near, *found.later] == [period_view(row, "/ledger", (), today) for row in shown]
        return len(found.ended), len(found.near), len(found.later)

    assert spans(39, starts[13]) == (13, 6, 20)
    assert spans(39, starts[0] - timedelta(days=9)) == (0, 6, 33)
    assert spans(39, starts[38] + timedelta(days=99)) == (38, 1, 0), "after the end the last one stays open"
    assert spans(12, starts[5]) == (0, 12, 0), "a year of months needs no folding"


@pytest.mark.parametrize("direction", list(Direction))
async def test_both_sides_read_the_ledger_over_the_interface(
    tenant: Tenant, database: Settings, direction: Direction
) -> None:
    made = await make_committed(tenant, direction=direction, terms=SetTerms(consequence=Consequence.INVOICE))
    line_id = await called(tenant, made, 100)
    path = f"{V1}/{made.contract.id}/ledger"
    async with calling(database, tenant.factory) as factory, calling(database, tenant.partner(direction)) as partner:
        ours, theirs = (await factory.get(path)).json(), (await partner.get(path)).json()
        (row,) = ours["periods"]
        entries = (await partner.get(f"{path}/{row['id']}/entries")).json()
        more = await factory.post(f"{path}/{row['id']}/over-calls", json={"quantity": "5", "reason": "Launch"})
        refused = await partner.post(f"{path}/{row['id']}/over-calls", json={"quantity": "5", "reason": "Launch"})
        use = [(await side.get("/api/v1/contract-use")).json()["items"] for side in (factory, partner)]
    assert ours == theirs
    assert ours["terms"]["consequence"] == "invoice"
    assert (D(row["called"]), D(row["remaining"]), row["standing"]) == (D(100), D(0), "inside")
    assert [(one["kind"], D(one["quantity"]), one["document_id"]) for one in entries] == [
        ("called", D(100), str(line_id))
    ]
    assert (more.status_code, D(more.json()["over_called"]), refused.status_code) == (201, D(5), 403)
    assert use[0] == use[1]
    assert [(one["number"], one["below"], one["above"], D(one["use"])) for one in use[0]] == [
        (made.contract.number, 0, 0, D(1))
    ]


async def test_a_bad_over_call_is_one_sentence_with_its_field(tenant: Tenant, database: Settings) -> None:
    made = await make_committed(tenant)
    (row,) = await periods(tenant.factory, made.contract)
    path = f"{V1}/{made.contract.id}/ledger/{row.id}/over-calls"
    async with calling(database, tenant.factory) as factory:
        fine = await factory.post(path, json={"quantity": "0.5", "reason": "Launch"})
        mute = await factory.post(path, json={"quantity": "5", "reason": ""})
    assert (fine.status_code, fine.json()["type"].rsplit("/")[-1]) == (422, "too-fine")
    assert mute.status_code == 422
    assert await figures(tenant, made) == [{}]


async def test_terms_and_typed_periods_of_a_draft_over_the_interface(tenant: Tenant, database: Settings) -> None:
    contract = await make_draft(tenant)
    ((line_id,),) = await fetch(tenant.factory, "select id from contract_line where contract_id = $1", contract.id)
    path = f"{V1}/{contract.id}/ledger"
    typed = {"start": days(0), "end": days(30), "floor": "80", "target": "100", "ceiling": "120"}
    body = {"periods": [{name: str(value) for name, value in typed.items()}]}
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as customer:
        none = await factory.put(f"{path}/terms", json={"shortfall_carry": "periods"}, headers={"if-match": '"1"'})
        terms = await factory.put(f"{path}/terms", json={"shortfall_carry": "next"}, headers={"if-match": '"1"'})
        stale = await factory.put(f"{path}/lines/{line_id}", json=body, headers={"if-match": '"1"'})
        written = await factory.put(f"{path}/lines/{line_id}", json=body, headers={"if-match": '"2"'})
        found = (await factory.get(path)).json()
        hidden = await customer.get(path)
    assert (none.status_code, none.json()["type"].rsplit("/")[-1]) == (422, "carry-periods-needed")
    assert (terms.status_code, terms.headers["etag"], stale.status_code) == (200, '"2"', 412)
    assert (written.status_code, written.json()["contract_version"]) == (200, 3)
    assert [D(one["target"]) for one in found["periods"]] == [100]
    assert hidden.status_code == 404


async def test_contracts_are_sorted_by_risk_use_and_end(tenant: Tenant, database: Settings) -> None:
    calm = await make_committed(tenant, span(-1, 30))
    low = await make_committed(tenant, span(-1, 30))
    await consumed(tenant.factory, calm, 100)
    await consumed(tenant.factory, low, 40)
    numbers = {calm.contract.number: "calm", low.contract.number: "low"}

    async def order(**asked: str) -> list[str]:
        async with calling(database, tenant.supplier) as supplier:
            answer = await supplier.get("/api/v1/contract-use", params=asked)
        return [numbers[one["number"]] for one in answer.json()["items"]]

    assert await order() == ["low", "calm"]
    assert await order(order="use") == ["low", "calm"]
    assert await order(risky="true") == ["low"]
    assert await order(within="30") == []
    assert sorted(await order(order="end", within="306")) == ["calm", "low"]
    assert await order(search=calm.contract.number) == ["calm"]
