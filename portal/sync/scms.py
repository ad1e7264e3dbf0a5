"""The SCMS delivery history as portal objects. `parse` is pure; the writer takes its result.

Project code x vendor is a contract: a sale to the country where the vendor is our own distribution centres, else a
purchase from the vendor, shipped straight to the country. With an item it is a contract line. Every row is a schedule
line, shipped with its ASN or delivery note and received on the delivered date. Dirt in side columns is a remark.
"""

import re
import unicodedata
from base64 import b32encode
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from typing import TypeVar

from portal.core.actor import Direction
from portal.sync import scms_rows as col
from portal.sync.scms_file import (
    FACTORY_VENDOR,
    Contract,
    ContractLine,
    Item,
    Lines,
    Party,
    Place,
    Price,
    ScmsFile,
    Shipment,
    Stage,
)
from portal.sync.scms_places import COUNTRIES
from portal.sync.scms_remarks import remarks_on
from portal.sync.scms_rows import Rows, read_rows
from portal.sync.table import Table

DISTRIBUTION_CENTRES = Place("RDC", "", "UTC")  # the file names none of them
FACTORY = Party(FACTORY_VENDOR, "SCMS", "Supply Chain Management System (SCMS)", DISTRIBUTION_CENTRES)
DAYS_BEFORE_DUE = timedelta(days=90)  # taken for the order date where none is recorded
T = TypeVar("T")
Key = TypeVar("Key")


def parse(table: Table) -> ScmsFile:
    """Everything the file becomes. Bad rows are listed in `refused`; one is enough, and nothing may be written."""
    rows = read_rows(table)
    order_dates = list(map(order_date, rows.ordered_on, rows.quoted_on, rows.due))
    suppliers, customers = _partners(rows)
    items = _items(rows)
    contracts, contract_of = _contracts(rows, order_dates, suppliers, customers)
    contract_lines, line_of = _contract_lines(rows, contracts, contract_of, items)
    prices = _prices(rows, line_of, order_dates)
    shipments, shipment_of = _shipments(rows, contract_of)
    return ScmsFile(
        name=table.name,
        rows=len(table),
        refused=rows.refused,
        remarks=remarks_on(rows, order_dates, line_of, prices),
        factory=FACTORY,
        suppliers=suppliers,
        customers=customers,
        ship_tos=[place(country) for country in sorted(set(rows.country))],
        items=items,
        contracts=contracts,
        contract_lines=contract_lines,
        prices=prices,
        shipments=shipments,
        lines=_lines(rows, line_of, order_dates, shipment_of),
        digest=digest(rows.payload_hash),
    )


def order_date(ordered_on: date | None, quoted_on: date | None, due: date) -> date:
    """The day of the purchase order, else of the quote, else 90 days before the due date; never after it."""
    return min(ordered_on or quoted_on or due - DAYS_BEFORE_DUE, due)


def digest(hashes: Iterable[str]) -> str:
    """One digest of many rows, whatever their order. 32 hex digits."""
    return blake2b("".join(sorted(hashes)).encode(), digest_size=16).hexdigest()


def place(country: str) -> Place:
    found = COUNTRIES[country]
    return Place(found.code, country, found.zone)


def item_code(description: str) -> str:
    """A short code that follows from the description alone: EFAV-3K7QZ2. Six base-32 digits tell 10^9 items apart."""
    word = re.search("[A-Za-z]+", description)
    mark = b32encode(blake2b(description.encode(), digest_size=5).digest()).decode()[:6]
    return f"{word[0][:4].upper() if word else 'ITEM'}-{mark}"


def party_code(name: str) -> str:
    """The name in capital letters without accents, what stands in brackets left out, at most 24 characters."""
    letters = unicodedata.normalize("NFKD", name.partition("(")[0] or name).encode("ascii", "ignore").decode()
    words = re.findall("[A-Z0-9]+", letters.upper())
    while len(words) > 1 and len("-".join(words)) > 24:
        words.pop()
    return "-".join(words)[:24] or "PARTY"


def _distinct(codes: Iterable[str]) -> list[str]:
    """The codes with a number behind every repeated one."""
    counts: dict[str, int] = {}
    distinct = []
    for code in codes:
        counts[code] = counts.get(code, 0) + 1
        distinct.append(code if counts[code] == 1 else f"{code}-{counts[code]}")
    return distinct


def _numbered(keys: Sequence[T]) -> tuple[list[T], list[int]]:
    """The different keys in order, and for each given key its place among them."""
    different = sorted(set(keys))  # type: ignore[type-var]  # texts, numbers and tuples of them
    place_of = {key: at for at, key in enumerate(different)}
    return different, [place_of[key] for key in keys]


def _partners(rows: Rows) -> tuple[list[Party], list[Party]]:
    vendors = sorted(set(rows.vendor) - {FACTORY_VENDOR})
    codes = _distinct(map(party_code, vendors))
    suppliers = [Party(vendor, code, vendor) for vendor, code in zip(vendors, codes, strict=True)]
    pairs = set(zip(rows.vendor, rows.country, strict=True))
    countries = sorted({country for vendor, country in pairs if vendor == FACTORY_VENDOR})
    return suppliers, [Party(name, COUNTRIES[name].code, name, place(name)) for name in countries]


def _items(rows: Rows) -> list[Item]:
    text = rows.text
    details = zip(rows.item, text[col.GROUP], text[col.CLASS], text[col.CONTENT], text[col.BRAND], strict=True)
    by_description: dict[str, tuple[str, ...]] = {}
    for detail in sorted(set(details), reverse=True):  # the smallest counts where rows disagree, whatever their order
        by_description[detail[0]] = detail
    chosen = [by_description[description] for description in sorted(by_description)]
    codes = _distinct(item_code(detail[0]) for detail in chosen)
    return [
        Item(code, description, f"{group} / {sub}"[:80].strip(" /"), content.strip()[:20], brand.strip()[:80])
        for code, (description, group, sub, content, brand) in zip(codes, chosen, strict=True)
    ]


def _contracts(
    rows: Rows, order_dates: list[date], suppliers: list[Party], customers: list[Party]
) -> tuple[list[Contract], list[int]]:
    keys, contract_of = _numbered(list(zip(rows.project, rows.vendor, strict=True)))
    supplier_at = {party.external_id: at for at, party in enumerate(suppliers)}
    customer_at = {party.external_id: at for at, party in enumerate(customers)}
    country_of = dict(zip(rows.project, rows.country, strict=True))
    first, last = [date.max] * len(keys), [date.min] * len(keys)
    for at, ordered, due, delivered in zip(contract_of, order_dates, rows.due, rows.delivered, strict=True):
        first[at] = min(first[at], ordered)
        last[at] = max(last[at], due, delivered)
    contracts = []
    for at, (project, vendor) in enumerate(keys):
        country = country_of[project]
        direction = Direction.SALE if vendor == FACTORY_VENDOR else Direction.PURCHASE
        partner = customer_at[country] if direction is Direction.SALE else supplier_at[vendor]
        contracts.append(
            Contract(f"{project}|{vendor}", direction, partner, project, vendor, place(country), first[at], last[at])
        )
    return contracts, contract_of


def _contract_lines(
    rows: Rows, contracts: list[Contract], contract_of: list[int], items: list[Item]
) -> tuple[list[ContractLine], list[int]]:
    keys, line_of = _numbered(list(zip(contract_of, rows.item, strict=True)))
    item_at = {item.description: at for at, item in enumerate(items)}
    numbers = [0] * len(contracts)
    lines = []
    for contract, description in keys:
        numbers[contract] += 1
        item = item_at[description]
        key = f"{contracts[contract].external_id}|{items[item].code}"
        lines.append(ContractLine(key, contract, item, numbers[contract]))
    return lines, line_of


def _prices(rows: Rows, line_of: list[int], order_dates: list[date]) -> list[Price]:
    """The price list by contract line, order and day. Two prices under one key are both kept, marked ambiguous."""
    found = sorted(set(zip(line_of, rows.order_no, order_dates, rows.price, strict=True)))
    counts: dict[tuple[int, str, date], int] = {}
    for line, order_no, ordered, _ in found:
        counts[line, order_no, ordered] = counts.get((line, order_no, ordered), 0) + 1
    return [
        Price(line, order_no, ordered, price, counts[line, order_no, ordered] > 1)
        for line, order_no, ordered, price in found
    ]


def _shipments(rows: Rows, contract_of: list[int]) -> tuple[list[Shipment], list[int]]:
    numbers, shipment_of = _numbered(rows.shipment_no)
    mode, incoterm = rows.text[col.MODE], rows.text[col.INCOTERM]
    shipments: list[Shipment | None] = [None] * len(numbers)
    for at, shipment in reversed(list(enumerate(shipment_of))):  # the first row of a shipment is written last
        delivered = rows.delivered[at]
        shipments[shipment] = Shipment(
            rows.shipment_no[at],
            contract_of[at],
            rows.order_no[at],
            delivered,
            delivered,
            "" if mode[at].startswith("N/A") else mode[at].strip()[:40],
            "" if incoterm[at].startswith("N/A") else incoterm[at].strip()[:40],
        )
    return [shipment for shipment in shipments if shipment], shipment_of


def _lines(rows: Rows, line_of: list[int], order_dates: list[date], shipment_of: list[int]) -> Lines:
    return Lines(
        external_id=rows.external_id,
        row=rows.row,
        contract_line=line_of,
        order_no=rows.order_no,
        order_date=order_dates,
        due=rows.due,
        quantity=rows.quantity,
        price=rows.price,
        value=rows.value,
        shipment=list(shipment_of),
        received_on=list(rows.delivered),
        stage=[Stage.RECEIVED] * len(rows),
        payload_hash=rows.payload_hash,
    )
