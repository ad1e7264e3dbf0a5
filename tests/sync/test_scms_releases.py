"""The releases that the published set would have had, week by week through a year, and how steady they were."""

from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from portal.schedules.rules_history import as_bytes, steadiness_by_contract, weekly
from portal.sync.scms_demo import bundled
from portal.sync.scms_file import ScmsFile
from portal.sync.scms_releases import history, steadiness_by_partner, told

FIRST, WEEKS = date(2013, 1, 7), 52  # Mondays


def kept(file: ScmsFile) -> dict[tuple[date, int], bytes]:
    """Every release of the year, as it would be kept."""
    return {
        (day, contract): as_bytes(day, lines)
        for day, releases in weekly(history(file), FIRST, WEEKS)
        for contract, lines in releases.items()
    }


def test_a_later_row_changes_no_earlier_release_by_a_byte() -> None:
    file = bundled()
    moment = date(2013, 7, 1)
    lines = file.lines
    order = next(n for n, day in enumerate(lines.order_date) if day > moment and lines.due[n] < date(2013, 12, 1))
    arrival = next(
        n
        for n, day in enumerate(lines.received_on)
        if day and moment < day < date(2013, 12, 1) and lines.order_date[n] < FIRST
    )
    later_due, quantity, received = [*lines.due], [*lines.quantity], [*lines.received_on]
    later_due[order] += timedelta(days=9)
    quantity[order] += 1
    received[arrival] = date(2013, 12, 24)
    moved = replace(file, lines=replace(lines, due=later_due, quantity=quantity, received_on=received))

    before, after = kept(file), kept(moved)
    known = {(day, contract) for day, contract in before if day <= moment}
    assert len({contract for _, contract in known}) > 50
    assert {(day, contract) for day, contract in after if day <= moment} == known
    assert all(after[release] == before[release] for release in known)
    assert after != before


def test_the_steadiness_of_a_year_is_computed_for_every_customer() -> None:
    file = bundled()
    by_contract = steadiness_by_contract(history(file), FIRST, WEEKS)
    sales = {at: found for at, found in by_contract.items() if file.contracts[at].direction == "sale"}
    customers = {file.partner(at).name for at in sales}
    assert len(customers) > 5
    # Due dates stand in the set as they were scheduled at last, so nothing moves: what changes is what was ordered.
    for found in by_contract.values():
        assert found.changed >= 0
        assert found.pairs <= WEEKS - 1
        assert found.stability is None or found.stability <= 1
        assert found.mean_notice is None or found.mean_notice >= 0
    changed = sum((found.changed for found in sales.values()), Decimal(0))
    assert changed > 0
    shown = steadiness_by_partner(file, by_contract)
    assert set(shown) == customers
    assert sum((found.changed for found in shown.values()), Decimal(0)) == changed
    heading, *rows = told(shown)
    assert heading.split()[0] == "Customer"
    assert len(rows) == len(customers) == 16
    assert [" ".join(row.split()) for row in rows if row.startswith(("Nigeria", "Uganda", "Zimbabwe"))] == [
        "Nigeria 51 100.0% 1 24.0",
        "Uganda 51 99.6% 0 55.0",
        "Zimbabwe 153 99.7% 1 35.5",
    ]
