"""Answers: in what they differ, what the contract lets pass, two dates, and what a lapse confirms."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from portal.contracts.model import DateRule, DeviationRule, Lapse
from portal.core.calendars import WorkingCalendar, moved
from portal.schedules import rules_answers
from portal.schedules.rules import OutsideTolerance
from portal.schedules.rules_answers import Asked, Deviation, DeviationForbidden, Policy, Row, Said, deviations

D = Decimal
TODAY = date(2026, 11, 23)  # a Monday
DUE = date(2026, 12, 7)
ASKED = Asked(D(100), D(5), D(10), "H87", DUE, D("12.50"))
FREE, APPROVAL, FORBIDDEN = DeviationRule.FREE, DeviationRule.APPROVAL, DeviationRule.FORBIDDEN


def said(total: int = 100, *offsets: int, final: bool = False, price: str | None = None) -> Said:
    days = [DUE + timedelta(days=offset) for offset in offsets or (0,)]
    return Said(D(total), days, final, D(price) if price else None)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (said(), []),
        (said(110), []),  # inside the tolerance above
        (said(60), []),  # less is not a refusal: the rest is not confirmed yet
        (said(111), [Deviation.QUANTITY]),
        (said(94, final=True), [Deviation.QUANTITY]),
        (said(95, final=True), []),  # inside the tolerance below
        (said(100, 0, 2), []),  # two days late are tolerated
        (said(100, 0, 3), [Deviation.LATER]),
        (said(100, -1), []),
        (said(100, -2), [Deviation.EARLIER]),
        (said(100, -2, 3), [Deviation.EARLIER, Deviation.LATER]),
        (said(price="12.50"), []),
        (said(price="12.80"), [Deviation.PRICE]),
    ],
)
def test_an_answer_differs_only_outside_of_what_is_tolerated(answer: Said, found: list[Deviation]) -> None:
    assert deviations(ASKED, answer, Policy(early_days=1, late_days=2), TODAY) == found


def test_an_overdue_delivery_promised_for_today_is_not_later_than_anybody_could_promise() -> None:
    today = DUE + timedelta(days=9)
    assert deviations(ASKED, Said(D(100), [today]), Policy(), today) == []
    assert deviations(ASKED, Said(D(100), [today + timedelta(days=1)]), Policy(), today) == [Deviation.LATER]


@pytest.mark.parametrize(
    ("found", "terms", "waits"),
    [
        ([], Policy(later=FORBIDDEN), False),
        ([Deviation.LATER], Policy(later=FREE), False),
        ([Deviation.LATER], Policy(), True),  # a supplier's later day never takes effect at once
        ([Deviation.EARLIER, Deviation.LATER], Policy(earlier=FREE, later=APPROVAL), True),
    ],
)
def test_the_contract_says_who_decides(found: list[Deviation], terms: Policy, waits: bool) -> None:
    assert rules_answers.check_allowed(found, ASKED, said(), terms) is waits


@pytest.mark.parametrize(
    ("found", "refusal", "field"),
    [
        ([Deviation.QUANTITY], OutsideTolerance, "quantity"),
        ([Deviation.LATER], DeviationForbidden, "delivery_date"),
        ([Deviation.PRICE], DeviationForbidden, "price"),
    ],
)
def test_what_the_contract_forbids_is_refused(found: list[Deviation], refusal: type[Exception], field: str) -> None:
    with pytest.raises(refusal) as caught:
        rules_answers.check_allowed(found, ASKED, said(120), Policy(later=FORBIDDEN))
    assert caught.value.field == field  # type: ignore[attr-defined]


def test_what_is_agreed_is_the_day_of_the_last_part_and_the_whole_quantity() -> None:
    assert rules_answers.agreed([Deviation.LATER], said(100, 0, 7)) == (DUE + timedelta(days=7), None, None)
    assert rules_answers.agreed([Deviation.QUANTITY], said(120)) == (None, D(120), None)
    assert rules_answers.agreed([Deviation.PRICE], said(price="13")) == (None, None, D(13))


CLOSED = WorkingCalendar(holidays=frozenset({date(2026, 12, 9), date(2026, 12, 10)}))  # Wednesday and Thursday


@pytest.mark.parametrize(
    ("day", "rule", "goes_to"),
    [
        (9, "earlier", 8),
        (9, "later", 11),
        (9, "nearest", 8),
        (10, "nearest", 11),
        (12, "nearest", 11),  # a Saturday: Friday is nearer than Monday
        (13, "nearest", 14),
        (9, "keep", 9),
        (8, "earlier", 8),
    ],
)
def test_a_closed_day_moves_as_agreed(day: int, rule: str, goes_to: int) -> None:
    assert moved(date(2026, 12, day), CLOSED, rule) == date(2026, 12, goes_to)


def test_either_day_computes_the_other() -> None:
    at = (CLOSED, WorkingCalendar(), DateRule.LATER)
    friday = date(2026, 12, 4)
    assert rules_answers.both_dates(None, friday, 5, *at) == (date(2026, 12, 11), friday)  # the 9th is closed
    assert rules_answers.both_dates(date(2026, 12, 11), None, 5, *at) == (date(2026, 12, 11), friday)  # not a Sunday
    assert rules_answers.both_dates(DUE, None, None, *at) == (DUE, None)
    with pytest.raises(rules_answers.DespatchAfterDelivery):
        rules_answers.both_dates(friday, DUE, 5, *at)
    with pytest.raises(rules_answers.TwoDates):
        rules_answers.both_dates(None, None, 5, *at)


@pytest.mark.parametrize(
    ("lapse", "confirmed", "previous", "percent", "counts"),
    [
        (Lapse.NOTHING, 0, 80, None, 0),
        (Lapse.REMIND, 0, 80, None, 0),
        (Lapse.ESCALATE, 0, 80, None, 0),
        (Lapse.DEEMED, 0, 0, None, 100),
        (Lapse.DEEMED, 40, 0, None, 60),  # what was said before stays said
        (Lapse.PREVIOUS, 0, 80, None, 80),
        (Lapse.PREVIOUS, 0, 130, None, 100),  # never more than is asked now
        (Lapse.PERCENT, 0, 0, 33, 33),
        (Lapse.PERCENT, 50, 0, 33, 0),
    ],
)
def test_a_lapse_confirms_what_the_contract_says(
    lapse: Lapse, confirmed: int, previous: int, percent: int | None, counts: int
) -> None:
    share = D(percent) if percent else None
    assert rules_answers.deemed_quantity(lapse, D(100), D(confirmed), D(previous), share, "H87") == counts


def test_the_difference_runs_over_the_lines() -> None:
    rows = [Row(DUE, D(100), D(80)), Row(DUE, D(100), D(130)), Row(DUE, D(100), D(0))]
    assert rules_answers.running_difference(rows) == [(D(-20), D(-20)), (D(30), D(10)), (D(-100), D(-90))]
