"""The copy of the SCMS set that travels with the portal, moved to today for the demo or repeated for the bench."""

import csv
from datetime import date, timedelta
from hashlib import blake2b
from importlib.resources import files
from itertools import compress
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from portal.sync import scms_rows as col
from portal.sync.scms import digest, parse
from portal.sync.scms_file import Contract, Lines, Price, ScmsFile, Shipment, Stage
from portal.sync.table import Table, read_table

ANCHOR = date(2014, 6, 30)  # a Monday: becomes the Monday of today's week
SHIPPED_DAYS = 14  # due this soon after the anchor: on the way
ANSWER_DAYS = 28  # due this soon and not shipped: waits for confirmation
ORDERED_DAYS = 63  # due this soon but ordered later: could not be known at the anchor

T = TypeVar("T", Contract, Price)


def bundled_table() -> Table:
    """The 8,287 published lines."""
    return read_table(files("portal.sync").joinpath("data/scms.csv.gz").read_bytes(), "scms.csv.gz")


def bundled() -> ScmsFile:
    return parse(bundled_table())


def repeat(table: Table, lines: int) -> Table:
    """The set again and again, up to so many lines, each round with new line, order and shipment numbers."""
    rounds = -(-lines // len(table))
    columns = []
    for title, column in zip(table.header, table.columns, strict=True):
        renumber = {col.ID: _new_id, col.ORDER: _new_number, col.SHIPMENT: _new_number}.get(title)
        copies = [[renumber(cell, at) for cell in column] if renumber else column for at in range(rounds)]
        columns.append([cell for copy in copies for cell in copy][:lines])
    return replace(table, columns=columns, numbers=list(range(2, lines + 2)))


def _new_id(cell: str, at: int) -> str:
    return str(int(cell) + at * 1_000_000)


def _new_number(cell: str, at: int) -> str:
    kind, number = cell.split("-")
    return f"{kind}-{int(number) + at * 10_000_000}"


def write_csv(table: Table, path: Path) -> None:
    """The table as the CSV it came from."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.header)
        writer.writerows(zip(*table.columns, strict=True))


def shift_to(file: ScmsFile, today: date) -> ScmsFile:
    """The history as it looked on the anchor, with the anchor in today's week: some work done, some waiting."""
    monday = today - timedelta(days=today.weekday())
    lines = _known_lines(file.lines)
    stages = list(map(_stage, lines.due, lines.received_on))
    moved = _moved_lines(lines, stages, monday - ANCHOR)
    shipments, moved = _moved_shipments(file.shipments, moved, monday)
    listed = set(zip(lines.contract_line, lines.order_no, lines.order_date, strict=True))
    prices = [price for price in file.prices if (price.contract_line, price.order_no, price.order_date) in listed]
    return replace(
        file,
        contracts=[_moved(contract, monday - ANCHOR, "valid_from", "valid_to") for contract in file.contracts],
        prices=[_moved(price, monday - ANCHOR, "order_date") for price in prices],
        shipments=shipments,
        lines=moved,
        digest=digest(moved.payload_hash),
        release_date=monday,
    )


def _moved(record: T, move: timedelta, *fields: str) -> T:
    return replace(record, **{field: getattr(record, field) + move for field in fields})


def _known_lines(lines: Lines) -> Lines:
    """Without what was ordered after the anchor and is due soon: on that day nobody knew of it."""
    soon = ANCHOR + timedelta(days=ORDERED_DAYS)
    known = [ordered <= ANCHOR or due > soon for ordered, due in zip(lines.order_date, lines.due, strict=True)]
    return Lines(**{field: list(compress(getattr(lines, field), known)) for field in lines.__struct_fields__})


def _stage(due: date, received: date | None) -> Stage:
    if received and received <= ANCHOR:
        return Stage.RECEIVED
    if due <= ANCHOR + timedelta(days=SHIPPED_DAYS):
        return Stage.SHIPPED
    return Stage.PROPOSED if due <= ANCHOR + timedelta(days=ANSWER_DAYS) else Stage.PUBLISHED


def _moved_lines(lines: Lines, stages: list[Stage], move: timedelta) -> Lines:
    despatched = [stage in (Stage.RECEIVED, Stage.SHIPPED) for stage in stages]
    received = zip(lines.received_on, stages, strict=True)
    return replace(
        lines,
        order_date=[day + move for day in lines.order_date],
        due=[day + move for day in lines.due],
        shipment=[at if yes else None for at, yes in zip(lines.shipment, despatched, strict=True)],
        received_on=[day + move if day and stage is Stage.RECEIVED else None for day, stage in received],
        stage=stages,
        payload_hash=[_moved_hash(old, move) for old in lines.payload_hash],
    )


def _moved_hash(old: str, move: timedelta) -> str:
    """Other dates are other content: the plain file and the demo of another week must not pass for the same."""
    return blake2b(f"{old}{move.days}".encode(), digest_size=16).hexdigest()


def _moved_shipments(shipments: list[Shipment], lines: Lines, monday: date) -> tuple[list[Shipment], Lines]:
    """Only what was despatched, with the lines pointing at the new places. On the way means: left when due."""
    move = monday - ANCHOR
    due: dict[int, date] = {}
    for at, day in zip(lines.shipment, lines.due, strict=True):
        if at is not None:
            due[at] = min(day, due.get(at, monday))
    despatched = []
    for at, day in due.items():
        old = shipments[at]
        received = old.received_on + move if old.received_on and old.received_on <= ANCHOR else None
        despatched.append(replace(old, shipped_on=received or day, received_on=received))
    new_place = {at: place for place, at in enumerate(due)}
    return despatched, replace(lines, shipment=[None if at is None else new_place[at] for at in lines.shipment])
