"""A day that somebody enters lies in the range that the portal knows; one place for every face."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.core import faults
from portal.core.days import AHEAD, FIRST, KEPT, LAST, BeforeContract, Day, EndDay, check_document_day, plausible
from portal.core.i18n import Language, speaking
from portal.core.inputs import Input

ENTERED = re.compile(r"^    \w+: date\b(?! = date\.)", re.MULTILINE)


class Said(Input):
    day: Day
    last: Day | None = None


class Span(Input):
    start: Day
    end: EndDay


class Holder(Input):
    said: list[Said]


@pytest.mark.parametrize("day", [FIRST, LAST, date(2006, 6, 2), date(2026, 11, 24)])
def test_days_of_contracts_and_histories_are_taken(day: date) -> None:
    assert plausible(day)
    assert Said.model_validate({"day": day.isoformat()}).day == day


@pytest.mark.parametrize("typed", ["1901-01-01", "0206-06-02", "1989-12-31", "2100-01-01", "9999-12-31"])
def test_a_mistyped_year_is_refused_with_the_range(typed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate({"said": [{"day": typed, "last": typed}]})
    found = caught.value.errors()
    assert [faults.place(fault) for fault in found] == ["said.0.day", "said.0.last"]
    assert {faults.sentence(fault).replace("\xa0", " ") for fault in found} == {
        "The year cannot be right. Enter a day from 1 Jan 1990 to 31 Dec 2099."
    }
    with speaking(Language.ZH):
        assert faults.sentence(found[0]) == "年份不对。请填写 1990年1月1日至 2099年12月31日之间的日期。"


@pytest.mark.parametrize("number", [0, 1_700_000_000, 1_700_000_000.5])
def test_a_number_is_no_day(number: float) -> None:
    with pytest.raises(ValidationError) as caught:
        Said.model_validate({"day": number})
    assert [faults.place(fault) for fault in caught.value.errors()] == ["day"]
    assert faults.sentence(caught.value.errors()[0]) == f"“{number}” is not a date. Write it as 2026-11-24."


def test_a_span_may_hold_the_last_day() -> None:
    after = LAST + timedelta(days=1)
    assert Span.model_validate({"start": LAST, "end": after}).end == after
    with pytest.raises(ValidationError):
        Span.model_validate({"start": LAST, "end": after + timedelta(days=1)})


def test_what_was_stored_before_is_still_read() -> None:
    kept = Holder.model_validate({"said": [{"day": "1901-01-01"}]}, context=KEPT)
    assert kept.said[0].day == date(1901, 1, 1)


def test_a_document_may_be_a_little_older_than_its_contract() -> None:
    begins, today = date(2026, 1, 1), date(2026, 11, 24)
    check_document_day(begins - AHEAD, begins, today, "shipped_on")
    with pytest.raises(BeforeContract) as caught:
        check_document_day(begins - AHEAD - timedelta(days=1), begins, today, "shipped_on")
    assert caught.value.field == "shipped_on"
    assert str(caught.value).replace("\xa0", " ").endswith("Enter a day from 3 Oct 2025 to 24 Nov 2026.")


def test_every_day_of_an_input_has_the_range() -> None:
    """Inputs are what pages, interface, chat and files all become: none of their days is a bare date."""
    bare = {
        f"{path}: {block.partition('(')[0]}"
        for path in sorted(Path("portal").rglob("*.py"))
        for text in re.split(r"^class ", path.read_text(), flags=re.MULTILINE)[1:]
        for block in [text.partition("\n\n\n")[0]]
        if re.match(r"\w+\((?:Input|Form|Parts|Transport)\)", block) and ENTERED.search(block)
    }
    assert bare == {"portal/web/sites.py: DropDayForm"}  # a button beside a day that stands in the calendar
