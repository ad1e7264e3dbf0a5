"""What an import says about a file: refused cells and remarks, each with row, column, reason and how to mend it."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from portal.core.i18n import N_, render

SHOWN = 40  # characters of a cell repeated in a message

# code -> (what is wrong, how to mend it)
REASONS: dict[str, tuple[str, str]] = {
    "missing-column": (N_("The column is missing."), N_("Add it, spelled as in the published file.")),
    "unknown-column": (N_("The column is not known."), N_("Remove it or correct its heading.")),
    "repeated-column": (N_("The heading stands there twice."), N_("Keep one of the two columns.")),
    "uneven-row": (
        N_("The row has {cells} cells, the heading has {columns}."),
        N_("Look for a separator or a quotation mark that is missing or too many."),
    ),
    "blank": (N_("The cell is empty."), N_("Fill it in.")),
    "too-long": (N_("The text has more than {limit} characters."), N_("Shorten it.")),
    "hidden-character": (N_("“{cell}” holds an invisible character."), N_("Delete the text and type it again.")),
    "not-a-date": (N_("“{cell}” is not a date."), N_("Write it as 2-Jun-06 or 2006-06-02.")),
    "absurd-date": (N_("“{cell}” lies outside the years 1990 to 2099."), N_("Correct the year.")),
    "not-a-number": (
        N_("“{cell}” is not a number."),
        N_("Write plain digits with a decimal point: no thousands separators, no exponent, no full-width digits."),
    ),
    "not-positive": (N_("“{cell}” is not above zero."), N_("Enter the quantity that was delivered.")),
    "negative": (N_("“{cell}” is below zero."), N_("Enter zero or more.")),
    "too-large": (N_("“{cell}” is larger than {limit}."), N_("Check for digits too many.")),
    "too-fine": (N_("“{cell}” has more than {places} decimals."), N_("Round it.")),
    "unknown-choice": (N_("“{cell}” is not one of the choices."), N_("Write one of these: {choices}.")),
    "not-weekdays": (
        N_("“{cell}” names no weekdays."),
        N_("Write numbers from 1 (Monday) to 7 (Sunday) with commas between them."),
    ),
    "own-date": (N_("“{cell}” is not a date."), N_("Write year, month and day, as 2026-08-15 or 2026/8/15.")),
    "unclear-date": (
        N_("“{cell}” can be read as two days."),
        N_("Say in the mapping which comes first, the day or the month."),
    ),
    "own-number": (
        N_("“{cell}” is not a number."),
        N_("Write digits with the decimal mark that the mapping names; groups have three digits."),
    ),
    "unknown-unit": (N_("“{cell}” is not a unit that is known here."), N_("Write pcs, kg, m or another known unit.")),
    "unit-differs": (
        N_("“{cell}” is in another unit than the item, which is in {unit}."),
        N_("Convert the quantity, or correct the unit."),
    ),
    "own-cadence": (N_("“{cell}” is not a period."), N_("Write week, month or quarter.")),
    "head-differs": (
        N_("“{cell}” is not what row {other} says of the same contract."),
        N_("Let all rows of one contract say the same, or leave the cell empty."),
    ),
    "no-partner": (N_("There is no partner “{cell}”."), N_("Correct its code or name, or add the partner first.")),
    "no-partner-near": (
        N_("There is no partner “{cell}”."),
        N_("“{near}” comes closest. Correct the code or the name, or add the partner first."),
    ),
    "several-partners": (N_("Several partners are called “{cell}”."), N_("Write the partner's code instead.")),
    "no-contract": (
        N_("No contract that you see has the number “{cell}”."),
        N_("Correct the number, or begin the contract first."),
    ),
    "several-contracts": (
        N_("Several partners have a contract with the number “{cell}”."),
        N_("Map a column to the partner, so that the row names one of them."),
    ),
    "no-contract-line": (
        N_("The contract has no line for “{cell}”."),
        N_("Correct the line's number or the item's code."),
    ),
    "no-period-of-line": (
        N_("“{cell}” lies in no period of the line."),
        N_("Write any day of one of its periods; leave the cell empty where the line has none."),
    ),
    "several-contract-lines": (
        N_("The contract has several lines for “{cell}”."),
        N_("Map a column to the line's number."),
    ),
    "unknown-way": (N_("“{cell}” is not a way of delivery."), N_("Write “Direct Drop” or “From RDC”.")),
    "way-against-vendor": (
        N_("“{cell}” does not fit the vendor “{vendor}”."),
        N_("Goods of “SCMS from RDC” are “From RDC”, all others “Direct Drop”."),
    ),
    "unknown-country": (N_("“{cell}” is not a country of this file format."), N_("Spell it as in the published file.")),
    "duplicate-id": (
        N_("The ID “{cell}” already stands in row {other} with different content."),
        N_("Give the line its own ID, or delete the wrong row."),
    ),
    "two-countries": (
        N_("The project code already stands in row {other} with the country “{country}”."),
        N_("Correct the country or the project code."),
    ),
    "split-shipment": (
        N_("“{cell}” already stands in row {other} with another order, contract or delivery date."),
        N_("Correct the number, or the order and date."),
    ),
    "known-otherwise": (
        N_("The line “{cell}” was imported before with other content."),
        N_("Take the row out, or let it read as it did then: deliveries that are here are changed here."),
    ),
    "known-shipment": (
        N_("“{cell}” was imported before with another partner, order or date."),
        N_("Correct the number, or the order and date."),
    ),
}

# code -> what was noticed; nothing is refused for it
REMARKS: dict[str, str] = {
    "text-in-date": N_("“{cell}” stands in place of a date."),
    "text-in-number": N_("“{cell}” stands in place of a number."),
    "figure-elsewhere": N_("The figure stands on another line: “{cell}”."),
    "lost-reference": N_("“{cell}” points to a line that is not in the file."),
    "empty": N_("The cell is empty."),
    "not-given": N_("“{cell}”: not given."),
    "zero": N_("The amount is zero."),
    "value-differs": N_("The stated value {cell} differs from quantity × price by more than a cent; both are kept."),
    "several-prices": N_("The order holds two prices for this item on one day; this line keeps its own, {cell}."),
    "ordered-after-due": N_("{cell} is after the scheduled date, which is taken as the order date."),
    "no-order-date": N_("No order date is given; 90 days before the scheduled date is taken."),
    "recorded-early": N_("Recorded on {cell}, before the delivery."),
    "like-another": N_("Order, shipment, item, quantity and date repeat an earlier row; both count."),
    "same-again": N_("The row repeats an earlier one word for word and counts once."),
    "item-varies": N_("The details of “{cell}” differ from those in its other rows, which count."),
}


class Refusal(Struct, frozen=True):
    """One cell that keeps the file out. A refused heading stands in row 1."""

    row: int
    column: str
    code: str
    data: dict[str, Any] = {}

    @property
    def reason(self) -> str:
        return render(REASONS[self.code][0], self.data)

    @property
    def mend(self) -> str:
        return render(REASONS[self.code][1], self.data)


class Note(Struct, frozen=True):
    """One remark on one cell."""

    row: int
    column: str
    code: str
    cell: str

    @property
    def text(self) -> str:
        return render(REMARKS[self.code], {"cell": self.cell})


class Remark(Struct, frozen=True):
    """The same remark on many rows of one column; `cells` are their texts, in the rows' order."""

    code: str
    column: str
    rows: list[int]
    cells: list[str]

    def notes(self) -> Iterator[Note]:
        for row, cell in zip(self.rows, self.cells, strict=True):
            yield Note(row, self.column, self.code, shortened(cell))


def shortened(cell: str) -> str:
    """The beginning of a cell, for a message."""
    return cell if len(cell) <= SHOWN else cell[: SHOWN - 1] + "…"
