"""The one day that a question asks for, as the question shows it."""

from datetime import date

import pytest

from bot.phrases import read_day

NEAR = date(2026, 11, 24)


@pytest.mark.parametrize("text", ["2026-11-30", "30 Nov", "Nov 30", "11月30日", "11 月 30 日", "11月 30日", "30号"])
def test_a_day_is_read_as_people_write_it(text: str) -> None:
    assert read_day(text, NEAR) == date(2026, 11, 30)


def test_a_quantity_beside_a_month_is_no_day() -> None:
    assert read_day("11月 30件", NEAR) is None
