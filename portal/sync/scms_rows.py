"""The rows of an SCMS delivery file: every cell that becomes something is checked, and bad rows are told apart."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from itertools import compress
from typing import Any, TypeVar, cast

from msgspec import Struct

from portal.core.days import plausible
from portal.sync.cells import (
    Bad,
    amount,
    bad,
    canonical_day,
    canonical_number,
    day,
    find_day,
    name,
    whole_quantity,
)
from portal.sync.findings import Refusal
from portal.sync.scms_file import FACTORY_VENDOR
from portal.sync.scms_places import COUNTRIES
from portal.sync.table import Table

ID = "ID"
PROJECT = "Project Code"
ORDER = "PO / SO #"
SHIPMENT = "ASN/DN #"
COUNTRY = "Country"
WAY = "Fulfill Via"
INCOTERM = "Vendor INCO Term"
MODE = "Shipment Mode"
PQ_DATE = "PQ First Sent to Client Date"
PO_DATE = "PO Sent to Vendor Date"
DUE = "Scheduled Delivery Date"
DELIVERED = "Delivered to Client Date"
RECORDED = "Delivery Recorded Date"
GROUP = "Product Group"
CLASS = "Sub Classification"
VENDOR = "Vendor"
ITEM = "Item Description"
BRAND = "Brand"
CONTENT = "Unit of Measure (Per Pack)"
QUANTITY = "Line Item Quantity"
VALUE = "Line Item Value"
PRICE = "Pack Price"
UNIT_PRICE = "Unit Price"
WEIGHT = "Weight (Kilograms)"
FREIGHT = "Freight Cost (USD)"
INSURANCE = "Line Item Insurance (USD)"

DATES = (PQ_DATE, PO_DATE, DUE, DELIVERED, RECORDED)
NUMBERS = (ID, CONTENT, QUANTITY, VALUE, PRICE, UNIT_PRICE, WEIGHT, FREIGHT, INSURANCE)
TEXTS = (PROJECT, "PQ #", ORDER, SHIPMENT, COUNTRY, "Managed By", WAY, INCOTERM, MODE, GROUP, CLASS, VENDOR, ITEM)
MORE_TEXTS = ("Molecule/Test Type", BRAND, "Dosage", "Dosage Form", "Manufacturing Site", "First Line Designation")
COLUMNS = (*DATES, *NUMBERS, *TEXTS, *MORE_TEXTS)  # the order in which a row is hashed; never change it

MOST_PACKS = Decimal(999_999_999)
MOST_MONEY = Decimal(999_999_999_999)
MANY = 1_000  # refusals from which on each row is listed with its first one only
T = TypeVar("T")


class Rows(Struct):
    """The good rows, column by column, and why the others are not among them."""

    refused: list[Refusal]
    repeated: list[tuple[int, str]]  # (row, ID) of rows that only repeat an earlier one
    row: list[int]
    text: dict[str, list[str]]  # every column as it stands in the file
    payload_hash: list[str]
    external_id: list[str]
    project: list[str]
    vendor: list[str]
    item: list[str]
    country: list[str]
    order_no: list[str]
    shipment_no: list[str]
    due: list[date]
    delivered: list[date]
    quantity: list[Decimal]
    price: list[Decimal]
    value: list[Decimal]
    quoted_on: list[date | None]
    ordered_on: list[date | None]
    recorded_on: list[date | None]

    def __len__(self) -> int:
        return len(self.row)


def read_rows(table: Table) -> Rows:
    """Check every row. A heading that is not the file's own refuses everything."""
    if refused := _heading(table):
        return _no_rows(refused)
    reader = _Reader(table)
    columns: dict[str, list[Any]] = {
        "external_id": reader.read(ID, name(40)),
        "project": reader.read(PROJECT, name(40)),
        "vendor": reader.read(VENDOR, name(75)),  # with the project code it makes the contract's external id
        "item": reader.read(ITEM, name(200)),
        "country": reader.read(COUNTRY, _country),
        "order_no": reader.read(ORDER, name(40)),
        "shipment_no": reader.read(SHIPMENT, name(60)),
        "due": reader.read(DUE, day),
        "delivered": reader.read(DELIVERED, day),
        "quantity": reader.read(QUANTITY, partial(whole_quantity, most=MOST_PACKS)),
        "price": reader.read(PRICE, partial(amount, most=MOST_MONEY)),
        "value": reader.read(VALUE, partial(amount, most=MOST_MONEY)),
        "quoted_on": reader.read(PQ_DATE, _maybe_day),
        "ordered_on": reader.read(PO_DATE, _maybe_day),
        "recorded_on": reader.read(RECORDED, _maybe_day),
        "payload_hash": hashes(reader.text),
    }
    _check_across(reader, columns)
    return reader.good(columns)


def _country(cell: str) -> str | Bad:
    text = name(80)(cell)
    if isinstance(text, Bad):
        return text
    return text if text in COUNTRIES else bad("unknown-country", text)


def _maybe_day(cell: str) -> date | None:
    """A date of a side column: a word in its place means that none was recorded."""
    found = find_day(cell.strip())
    return found if found and plausible(found) else None


def _heading(table: Table) -> list[Refusal]:
    known = {_plain(title): title for title in COLUMNS}
    found = [_plain(title) for title in table.header]
    refused = [Refusal(1, title, "missing-column") for plain, title in known.items() if plain not in found]
    for at, (plain, title) in enumerate(zip(found, table.header, strict=True)):
        if plain not in known:
            refused.append(Refusal(1, title or str(at + 1), "unknown-column"))
        elif plain in found[:at]:
            refused.append(Refusal(1, title, "repeated-column"))
    return refused


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()


def _no_rows(refused: list[Refusal]) -> Rows:
    nothing: dict[str, Any] = {field: [] for field in Rows.__struct_fields__}
    return Rows(**{**nothing, "refused": refused, "text": {title: [] for title in COLUMNS}})


class _Reader:
    """Reads columns and remembers which rows are bad. Each different text of a column is looked at once."""

    def __init__(self, table: Table) -> None:
        self.table = table
        titles = {_plain(title): title for title in COLUMNS}
        columns = zip(table.header, table.columns, strict=True)
        self.text = {titles[_plain(title)]: column for title, column in columns}
        self.found: list[tuple[int, Refusal]] = []
        self.bad: set[int] = set()
        self.repeated: set[int] = set()
        at = {row: index for index, row in enumerate(table.numbers)} if table.uneven else {}
        for row, cells in table.uneven:
            column = table.header[cells] if cells < len(table.header) else str(len(table.header) + 1)
            self.refuse(at[row], column, "uneven-row", cells=cells, columns=len(titles))
        self.uneven = frozenset(self.bad)

    def refuse(self, index: int, column: str, code: str, **data: Any) -> None:
        if index in self.bad and len(self.found) >= MANY:
            return
        self.bad.add(index)
        self.found.append((index, Refusal(self.table.numbers[index], column, code, data)))

    def read(self, title: str, convert: Callable[[str], T | Bad]) -> list[T]:
        """The column's values; a bad cell is refused and leaves None, which no good row holds."""
        column = self.text[title]
        seen = {cell: convert(cell) for cell in set(column)}
        wrong = {cell: value for cell, value in seen.items() if isinstance(value, Bad)}
        if wrong:
            for index, cell in enumerate(column):
                if cell in wrong and index not in self.uneven:  # a shifted row is wrong everywhere: said once
                    self.refuse(index, title, wrong[cell].code, **wrong[cell].data)
        values = {cell: None if isinstance(value, Bad) else value for cell, value in seen.items()} if wrong else seen
        return cast("list[T]", [values[cell] for cell in column])

    def good(self, columns: dict[str, list[Any]]) -> Rows:
        refused = [refusal for _, refusal in sorted(self.found, key=lambda found: found[0])]
        repeated = [(self.table.numbers[at], columns["external_id"][at]) for at in sorted(self.repeated)]
        numbers, text = self.table.numbers, self.text
        if left_out := self.bad | self.repeated:
            keep = [index not in left_out for index in range(len(numbers))]
            numbers = list(compress(numbers, keep))
            text = {title: list(compress(column, keep)) for title, column in text.items()}
            columns = {field: list(compress(column, keep)) for field, column in columns.items()}
        return Rows(refused=refused, repeated=repeated, row=numbers, text=text, **columns)


def hashes(text: dict[str, list[str]]) -> list[str]:
    """One digest a row over all its cells, each in its canonical spelling and place."""
    canonical: list[Iterable[str]] = []
    for title in COLUMNS:
        column = text[title]
        if title in DATES or title in NUMBERS:
            spell = canonical_day if title in DATES else canonical_number
            short = {cell: spell(cell) for cell in set(column)}
            canonical.append(map(short.__getitem__, column))
        else:
            canonical.append(map(str.strip, column))
    joined = map("\x1f".join, zip(*canonical, strict=True))  # the separator of units: no cell holds it unrefused
    return [blake2b(row.encode("utf-8", "replace"), digest_size=16).hexdigest() for row in joined]


def _check_across(reader: _Reader, columns: dict[str, list[Any]]) -> None:
    """What no cell can show alone: equal IDs, and facts that must agree between rows."""
    _check_ways(reader, columns["vendor"])
    _check_ids(reader, columns["external_id"], columns["payload_hash"])
    _check_agree(reader, COUNTRY, "two-countries", columns["project"], columns["country"])
    facts = list(zip(columns["order_no"], columns["project"], columns["vendor"], columns["delivered"], strict=True))
    _check_agree(reader, SHIPMENT, "split-shipment", columns["shipment_no"], facts)


def _check_ways(reader: _Reader, vendors: list[Any]) -> None:
    right = {
        pair: pair[0].strip() == ("From RDC" if pair[1] == FACTORY_VENDOR else "Direct Drop")
        for pair in set(zip(reader.text[WAY], vendors, strict=True))
    }
    if all(right.values()):
        return
    for index, pair in enumerate(zip(reader.text[WAY], vendors, strict=True)):
        if right[pair] or index in reader.uneven:
            continue
        way, vendor = pair
        if way.strip() not in ("From RDC", "Direct Drop"):
            code = "unknown-way" if way.strip() else "blank"
            reader.refuse(index, WAY, code, **bad(code, way.strip()).data)
        elif vendor is not None:
            reader.refuse(index, WAY, "way-against-vendor", cell=way.strip(), vendor=vendor)


def _check_ids(reader: _Reader, ids: list[Any], hashes: list[str]) -> None:
    if len(set(ids)) == len(ids):
        return
    first: dict[Any, int] = {}
    for index, external_id in enumerate(ids):
        other = first.setdefault(external_id, index)
        if other == index or external_id is None:
            continue
        if hashes[other] == hashes[index]:
            reader.repeated.add(index)
        elif index not in reader.uneven:
            reader.refuse(index, ID, "duplicate-id", cell=external_id, other=reader.table.numbers[other])


def _check_agree(reader: _Reader, title: str, code: str, keys: Sequence[Hashable], facts: Sequence[Hashable]) -> None:
    """Every row with the same key states the same fact; the first good row says which."""
    if len(set(zip(keys, facts, strict=True))) == len(set(keys)):
        return
    first: dict[Hashable, int] = {}
    for index, key in enumerate(keys):
        if index in reader.bad:
            continue
        other = first.setdefault(key, index)
        if facts[other] != facts[index]:
            row, fact = reader.table.numbers[other], facts[other]
            country = fact if isinstance(fact, str) else ""
            reader.refuse(index, title, code, other=row, country=country, **bad(code, str(key)).data)
