"""The history moved to today for the demo, and repeated for the bench."""

from collections import Counter
from datetime import date, timedelta

from portal.sync.scms import parse
from portal.sync.scms_demo import ANCHOR, repeat, shift_to
from portal.sync.scms_figures import figures, overdue
from portal.sync.scms_file import Stage
from tests.sync.samples import history, whole_set

TODAY = date(2026, 11, 25)  # a Wednesday


def test_the_demo_is_the_history_as_known_on_the_anchor() -> None:
    demo = shift_to(history(), TODAY)
    monday = date(2026, 11, 23)
    lines = demo.lines
    assert demo.release_date == monday
    for due, received, stage, shipment in zip(lines.due, lines.received_on, lines.stage, lines.shipment, strict=True):
        assert (received is not None) == (stage is Stage.RECEIVED)
        assert (shipment is not None) == (stage in (Stage.RECEIVED, Stage.SHIPPED))
        assert received is None or received <= monday
        if stage is Stage.SHIPPED:
            assert due <= monday + timedelta(days=14)
        if stage is Stage.PROPOSED:
            assert monday + timedelta(days=14) < due <= monday + timedelta(days=28)
        if stage is Stage.PUBLISHED:
            assert due > monday + timedelta(days=28)
    assert Counter(lines.stage) == {Stage.RECEIVED: 6820, Stage.SHIPPED: 17, Stage.PROPOSED: 25, Stage.PUBLISHED: 1252}
    assert len(overdue(demo, monday)) == 8


def test_the_demo_leaves_out_what_was_ordered_later_and_is_due_soon() -> None:
    """381 open lines in 62 contracts are due within 13 weeks of the anchor; 173 of them nobody knew of then."""
    file, soon = history(), ANCHOR + timedelta(weeks=13)
    lines = file.lines
    open_then = [
        at
        for at, (due, received) in enumerate(zip(lines.due, lines.received_on, strict=True))
        if received and ANCHOR < due <= soon and received > ANCHOR
    ]
    assert len(open_then) == 381
    assert len({file.contract_lines[lines.contract_line[at]].contract for at in open_then}) == 62
    demo = shift_to(file, ANCHOR)
    kept = [at for at, due in enumerate(demo.lines.due) if ANCHOR < due <= soon and not demo.lines.received_on[at]]
    assert len(kept) == 381 - 173
    assert len({demo.contract_lines[demo.lines.contract_line[at]].contract for at in kept}) == 60


def test_the_demo_moves_by_whole_weeks_and_keeps_its_documents_together() -> None:
    demo = shift_to(history(), TODAY)
    weekdays = Counter(day.weekday() for day in demo.lines.due)
    assert weekdays[5] + weekdays[6] <= 292
    assert {stage for stage in demo.lines.stage if stage is Stage.SHIPPED}
    for at, shipment in enumerate(demo.lines.shipment):
        if shipment is not None:
            document = demo.shipments[shipment]
            assert document.received_on == demo.lines.received_on[at]
            assert document.shipped_on <= date(2026, 11, 23)
            assert document.order_no == demo.lines.order_no[at]
    assert set(demo.lines.payload_hash).isdisjoint(history().lines.payload_hash)
    assert shift_to(history(), TODAY + timedelta(days=4)).digest == demo.digest
    assert shift_to(history(), TODAY + timedelta(days=5)).digest != demo.digest


def test_the_set_repeated_has_new_numbers_and_no_other_parties() -> None:
    twice = parse(repeat(whole_set(), 2 * 8287))
    once, more = figures(history()), figures(twice)
    assert more["value_usd"] == 2 * once["value_usd"]
    assert (more["orders"], more["orders_on_time"]) == (2 * once["orders"], 2 * once["orders_on_time"])
    assert (more["contracts"], more["price_lines"]) == (once["contracts"], once["price_lines"])
    assert len(twice.shipments) == 2 * len(history().shipments)
    assert twice.refused == []
