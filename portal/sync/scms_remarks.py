"""The dirt of an SCMS delivery file that harms nothing: noticed, shown, and left as it is."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

from portal.core.days import plausible
from portal.sync import scms_rows as col
from portal.sync.cells import NUMBER, find_day
from portal.sync.findings import Remark
from portal.sync.scms_file import Price
from portal.sync.scms_rows import Rows

CENT = Decimal("0.01")
REFERENCE = re.compile(r"See [A-Z]+-[0-9]+ \(ID#:([0-9]+)\)")  # the line that carries a shipment's whole figure


def remarks_on(rows: Rows, order_dates: list[date], line_of: list[int], prices: list[Price]) -> list[Remark]:
    """All remarks on the good rows, grouped by code and column."""
    found = [
        *_on_side_columns(rows),
        *_on_money(rows, order_dates, line_of, prices),
        *_on_dates(rows),
        _same_twice(rows),
        _items_that_vary(rows),
    ]
    if rows.repeated:
        numbers, ids = zip(*rows.repeated, strict=True)
        found.append(Remark("same-again", col.ID, list(numbers), list(ids)))
    return [remark for remark in found if remark.rows]


def _remark(rows: Rows, code: str, column: str, places: Iterable[int], cells: list[str] | None = None) -> Remark:
    places = list(places)
    texts = rows.text[column] if cells is None else cells
    return Remark(code, column, [rows.row[at] for at in places], [texts[at] for at in places])


def _on_side_columns(rows: Rows) -> list[Remark]:
    ids = set(rows.external_id)
    checks: list[tuple[str, Callable[[str], str | None]]] = [
        *((title, _about_date) for title in (col.PQ_DATE, col.PO_DATE, col.RECORDED)),
        *(
            (title, lambda cell: _about_number(cell, ids))
            for title in (col.CONTENT, col.UNIT_PRICE, col.WEIGHT, col.FREIGHT, col.INSURANCE)
        ),
        (col.MODE, lambda cell: "not-given" if cell.strip() in ("", "N/A") else None),
    ]
    remarks = []
    for title, about in checks:
        column = rows.text[title]
        codes = {cell: code for cell in set(column) if (code := about(cell))}
        if not codes:
            continue
        remarks += [
            _remark(rows, code, title, [at for at, cell in enumerate(column) if codes.get(cell) == code])
            for code in sorted(set(codes.values()))
        ]
    return remarks


def _about_date(cell: str) -> str | None:
    text = cell.strip()
    if not text:
        return "empty"
    found = find_day(text)
    return None if found and plausible(found) else "text-in-date"


def _about_number(cell: str, ids: set[str]) -> str | None:
    text = cell.strip()
    if not text:
        return "empty"
    if NUMBER.fullmatch(text):
        return None
    if match := REFERENCE.fullmatch(text):
        return "figure-elsewhere" if match[1] in ids else "lost-reference"
    return "text-in-number"


def _on_money(rows: Rows, order_dates: list[date], line_of: list[int], prices: list[Price]) -> list[Remark]:
    differing = (
        at
        for at, (quantity, price, value) in enumerate(zip(rows.quantity, rows.price, rows.value, strict=True))
        if abs(quantity * price - value) > CENT
    )
    double = {(price.contract_line, price.order_no, price.order_date) for price in prices if price.ambiguous}
    keys = zip(line_of, rows.order_no, order_dates, strict=True)
    return [
        _remark(rows, "value-differs", col.VALUE, differing),
        _remark(rows, "zero", col.VALUE, (at for at, value in enumerate(rows.value) if not value)),
        _remark(rows, "zero", col.PRICE, (at for at, price in enumerate(rows.price) if not price)),
        _remark(rows, "several-prices", col.PRICE, (at for at, key in enumerate(keys) if key in double)),
    ]


def _on_dates(rows: Rows) -> list[Remark]:
    late: dict[str, list[int]] = {col.PO_DATE: [], col.PQ_DATE: []}
    undated, early = [], []
    for at, (ordered, quoted, due) in enumerate(zip(rows.ordered_on, rows.quoted_on, rows.due, strict=True)):
        given = ordered or quoted
        if given is None:
            undated.append(at)
        elif given > due:
            late[col.PO_DATE if ordered else col.PQ_DATE].append(at)
    for at, (recorded, delivered) in enumerate(zip(rows.recorded_on, rows.delivered, strict=True)):
        if recorded and recorded < delivered:
            early.append(at)
    return [
        *(_remark(rows, "ordered-after-due", title, places) for title, places in late.items()),
        _remark(rows, "no-order-date", col.PO_DATE, undated),
        _remark(rows, "recorded-early", col.RECORDED, early),
    ]


def _same_twice(rows: Rows) -> Remark:
    keys = list(zip(rows.order_no, rows.shipment_no, rows.item, rows.quantity, rows.due, strict=True))
    if len(set(keys)) == len(keys):
        return Remark("like-another", col.ID, [], [])
    seen: set[object] = set()
    again = []
    for at, key in enumerate(keys):
        if key in seen:
            again.append(at)
        seen.add(key)
    return _remark(rows, "like-another", col.ID, again)


def _items_that_vary(rows: Rows) -> Remark:
    titles = (col.GROUP, col.CLASS, col.CONTENT, col.BRAND)
    details = list(zip(rows.item, *(rows.text[title] for title in titles), strict=True))
    different = sorted(set(details), reverse=True)
    chosen = {detail[0]: detail for detail in different}
    varying: set[tuple[str, ...]] = {detail for detail in different if chosen[detail[0]] != detail}
    places = [at for at, detail in enumerate(details) if detail in varying] if varying else []
    return _remark(rows, "item-varies", col.ITEM, places)
