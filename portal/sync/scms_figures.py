"""Known answers of an SCMS file, computed from what will be written, so that pages and exports can be held to them."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TypedDict

from portal.sync.scms_file import Lines, ScmsFile


class Figures(TypedDict):
    """What `portal import scms --json` prints, with these keys in this order."""

    rows: int
    refused: int
    changed: int  # rows of the database written by the import
    parties_vendor: int
    project_codes: int
    orders: int
    contracts: int  # project code x vendor
    price_lines: int  # project code x vendor x item
    lines: int
    lines_on_time: int  # received not later than due
    orders_on_time: int  # with all their lines on time
    value_usd: Decimal  # as stated, line by line


def figures(file: ScmsFile, changed: int = 0) -> Figures:
    """The figures of the file's good rows. `changed` comes from the writer."""
    on_time = _on_time(file.lines)
    late_orders = {order_no for order_no, good in zip(file.lines.order_no, on_time, strict=True) if not good}
    orders = set(file.lines.order_no)
    return Figures(
        rows=file.rows,
        refused=len({refusal.row for refusal in file.refused}),
        changed=changed,
        parties_vendor=len({contract.vendor for contract in file.contracts}),
        project_codes=len({contract.project_code for contract in file.contracts}),
        orders=len(orders),
        contracts=len(file.contracts),
        price_lines=len(file.contract_lines),
        lines=len(file.lines),
        lines_on_time=sum(on_time),
        orders_on_time=len(orders - late_orders),
        value_usd=sum(file.lines.value, Decimal(0)),
    )


def on_time_by_vendor(file: ScmsFile) -> dict[str, tuple[int, int]]:
    """Vendor -> (lines received not later than due, lines)."""
    vendors = [file.contracts[line.contract].vendor for line in file.contract_lines]
    of_line = [vendors[at] for at in file.lines.contract_line]
    good = Counter(vendor for vendor, yes in zip(of_line, _on_time(file.lines), strict=True) if yes)
    return {vendor: (good[vendor], count) for vendor, count in sorted(Counter(of_line).items())}


def overdue(file: ScmsFile, day: date) -> list[int]:
    """Places of the lines due on or before the day and, at its end, not received."""
    dates = zip(file.lines.due, file.lines.received_on, strict=True)
    return [at for at, (due, received) in enumerate(dates) if due <= day and (received is None or received > day)]


def _on_time(lines: Lines) -> list[bool]:
    dates = zip(lines.due, lines.received_on, strict=True)
    return [received is not None and received <= due for due, received in dates]
