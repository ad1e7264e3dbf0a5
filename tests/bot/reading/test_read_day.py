"""The one day that a question asks for, as the question shows it."""

from datetime import date

import pytest

from bot.phrases import read_day
from bot.reading import days

NEAR = date(2026, 11, 24)


@pytest.mark.parametrize("text", ["2026-11-30", "30 Nov", "Nov 30", "11月30日", "11 月 30 日", "11月 30日", "30号"])
def test_a_day_is_read_as_people_write_it(text: str) -> None:
    assert read_day(text, NEAR) == date(2026, 11, 30)


def test_a_quantity_beside_a_month_is_no_day() -> None:
    assert read_day("11月 30件", NEAR) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("tomorrow", "2026-11-03"),
        ("明天", "2026-11-03"),
        ("下周三", "2026-11-11"),
        ("昨天", "2026-11-01"),
        ("12月8日", "2026-12-08"),
    ],
)
def test_a_day_that_counts_from_today_is_not_counted_from_the_delivery(text: str, day: str | None) -> None:
    found = read_day(text, NEAR, date(2026, 11, 2))
    assert found == (date.fromisoformat(day) if day else None)


@pytest.mark.parametrize(("text", "day"), [("Friday", "2026-11-27"), ("周五", "2026-11-27")])
def test_where_only_a_later_day_is_wanted_an_earlier_one_is_not_meant(text: str, day: str) -> None:
    assert read_day(text, NEAR, date(2026, 11, 2), days.LATER) == date.fromisoformat(day)
    assert read_day(text, NEAR, date(2026, 11, 2)) is None  # which of both is asked
