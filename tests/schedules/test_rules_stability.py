"""Stability is one less the changes by what was asked for, and is the sender's."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from portal.schedules.model import Zone
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_stability import Steadiness, steadiness

DAY = date(2026, 12, 7)
PART = UUID(int=1)


def line(number: int, quantity: int, days: int) -> Frozen:
    return Frozen(UUID(int=number), PART, DAY + timedelta(days=days), Decimal(quantity))


def zone(one: Frozen) -> Zone:
    days = (one.due - DAY).days
    return Zone.FIRM if days <= 28 else Zone.TRADEOFF if days <= 63 else Zone.FORECAST


def compared(before: list[Frozen], after: list[Frozen]) -> Steadiness:
    return steadiness(before, after, DAY, zone, zone)


def test_a_release_that_repeats_the_one_before_is_wholly_stable() -> None:
    same = [line(1, 100, 7), line(2, 100, 40)]
    assert compared(same, same).stability == 1
    assert compared(same, same).mean_notice is None


def test_quantity_day_new_and_gone_each_count_and_the_forecast_does_not() -> None:
    before = [line(1, 100, 7), line(2, 100, 14), line(3, 100, 40), line(4, 100, 50), line(5, 900, 90)]
    after = [line(1, 80, 7), line(2, 100, 21), line(4, 100, 50), line(5, 300, 95), line(6, 50, 35)]
    found = compared(before, after)
    assert (int(found.asked), int(found.changed)) == (400, 20 + 100 + 100 + 50)
    assert found.stability == 1 - Decimal(270) / 400
    assert (found.firm_lines, found.changes) == (2, 4)
    assert found.mean_notice == Decimal(7 + 14 + 40 + 35) / 4


def test_pairs_add_up() -> None:
    one = compared([line(1, 100, 7)], [line(1, 90, 7)])
    assert one.plus(one).stability == one.stability
    assert one.plus(one).pairs == 2
