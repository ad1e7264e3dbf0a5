"""Commits and carry-overs in plain words, as a table: read whole or refused, and never read wrong."""

from datetime import date

from bot.reading.model import Why
from bot.reading.promising import Deed, Period, Promise, promised
from tests.bot.reading.table import rows, world

LINES = list(world("main", "2026-07-20").deliveries)


def said(result: Promise | Why | None) -> str:
    if not isinstance(result, Promise):
        return "none" if result is None else f"no {result}"
    sign = {True: "short", False: "over", None: ""}[result.short]
    amount = (
        f"{result.amount.value.normalize():f} {(result.amount.unit or '').replace('H87', '')}" if result.amount else ""
    )
    percent = f"{result.percent.normalize():f}%" if result.percent is not None else ""
    lead = "from" if result.deed is Deed.CARRY and result.period else ""
    words = [result.deed, *result.named.contracts, *result.named.parts, sign, percent, amount, lead, _of(result.period)]
    return " ".join(" ".join([*words, "to" if result.to else "", _of(result.to)]).split())


def _of(period: Period | None) -> str:
    return " ".join([period.kind, *(str(first) for first, _last in period.spans)]) if period else ""


def test_every_promise_of_the_table_is_read_as_it_says() -> None:
    table = rows("promises.csv")
    today = [date.fromisoformat(row["today"]) for row in table]
    found = [
        (row["sentence"], row["expected"], said(promised(row["sentence"], LINES, on)))
        for row, on in zip(table, today, strict=True)
    ]

    assert len(found) >= 80
    assert [entry for entry in found if entry[1] != entry[2]] == []
