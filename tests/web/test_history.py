"""The history of a document as its page tells it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.core.i18n import Language, speaking
from portal.core.ids import uuid7
from portal.schedules.reads import Happening
from portal.web import pages
from portal.web.contract_views import folded
from portal.web.lines import place_text


def happening(verb: str, channel: str, day: int) -> Happening:
    data = {"since": "2026-09-07", "item_code": f"A{day}00", "called": "700", "target": "800"}
    at = datetime(2026, 11, 30, 8, tzinfo=UTC) - timedelta(days=day)
    return Happening(uuid7(), verb, 1, "", "factory", channel, data, at)


def test_what_the_portal_does_again_and_again_is_one_line_that_opens() -> None:
    closings = [happening("period_closed", "system", day) for day in range(2, 6)]
    past = [happening("accepted", "page", 1), *closings, happening("proposed", "page", 7)]
    shown = folded(past, "Asia/Shanghai")
    assert [len(one.earlier) for one in shown] == [0, 3, 0]
    assert "A200" in shown[1].text
    assert ["A300" in shown[1].earlier[0].text, "A500" in shown[1].earlier[-1].text] == [True, True]


def test_two_alike_and_what_people_do_stand_as_they_are() -> None:
    two = [happening("period_closed", "system", day) for day in range(2)]
    people = [happening("changed", "page", day) for day in range(2, 7)]
    assert [one.earlier for one in folded([*two, *people], "Asia/Shanghai")] == [()] * 7


@pytest.mark.parametrize(
    ("language", "said"), [(Language.EN, "this came with an import"), (Language.ZH, "此项由导入生成")]
)
def test_what_was_imported_says_why_it_has_no_history(language: Language, said: str) -> None:
    macros: Any = pages.engine().get_template("_macros.html").module
    with speaking(language):
        assert said in macros.timeline([])
        assert said not in macros.timeline(folded([happening("accepted", "page", 1)], "Asia/Shanghai"))


def test_a_place_names_gate_plant_and_window_as_far_as_they_are_agreed() -> None:
    assert place_text("Wuxi", "Gate 3", "07:00-09:00") == "Gate 3, Wuxi · 07:00–09:00"
    assert place_text("Wuxi", "", "") == "Wuxi"
    assert place_text("", "Gate 3", "") == "Gate 3"
