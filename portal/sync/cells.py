"""One cell's text as a date, a number or a name. Pure and strict: what cannot be read for certain is a `Bad`."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct

from portal.core.days import plausible
from portal.sync.findings import shortened

MONTHS = {"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * at : 3 * at + 3]: at + 1 for at in range(12)}
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})-([A-Z][a-z]{2})-([0-9]{4}|[0-9]{2})")
MONTH_DAY_YEAR = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})")
YEAR_MONTH_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
PLACES = 6  # decimals that the database keeps
CENTURY = 70  # two digits from here on are 19xx


class Bad(Struct, frozen=True):
    """Why a cell cannot be read: a code of `findings.REASONS` and what its sentence needs."""

    code: str
    data: dict[str, Any] = {}


def bad(code: str, cell: str, **data: Any) -> Bad:
    return Bad(code, {"cell": shortened(cell), **data})


def name(limit: int) -> Callable[[str], str | Bad]:
    """Reader of a text that names something: not blank, at most `limit` characters, nothing invisible in it."""

    def read(cell: str) -> str | Bad:
        text = cell.strip()
        if not text:
            return Bad("blank")
        if len(text) > limit:
            return bad("too-long", text, limit=limit)
        if not text.isprintable():  # control, direction and zero-width marks, and spaces that only look like one
            return bad("hidden-character", "".join(letter for letter in text if letter.isprintable()))
        return text

    return read


def day(cell: str) -> date | Bad:
    """2-Jun-06, 6/2/06 (month first, as the source has it) or 2006-06-02."""
    text = cell.strip()
    if not text:
        return Bad("blank")
    found = find_day(text)
    if found is None:
        return bad("not-a-date", text)
    return found if plausible(found) else bad("absurd-date", text)


def find_day(text: str) -> date | None:
    """The date a text means, or None."""
    try:
        if match := DAY_MONTH_YEAR.fullmatch(text):
            return date(_year(match[3]), MONTHS.get(match[2], 0), int(match[1]))
        if match := MONTH_DAY_YEAR.fullmatch(text):
            return date(_year(match[3]), int(match[1]), int(match[2]))
        if match := YEAR_MONTH_DAY.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:  # the 30th of February
        return None
    return None


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (1900 if year >= CENTURY else 2000)


def amount(cell: str, most: Decimal, places: int = PLACES) -> Decimal | Bad:
    """A number from 0 to `most` with at most `places` decimals."""
    text = cell.strip()
    if not text:
        return Bad("blank")
    if not NUMBER.fullmatch(text):
        return bad("not-a-number", text)
    if text.startswith("-"):
        return bad("negative", text) if text.strip("-0.") else Decimal(0)
    whole, _, decimals = text.partition(".")
    if len(whole.lstrip("0")) > most.adjusted() + 1:
        return bad("too-large", text, limit=most)
    if len(decimals.rstrip("0")) > places:
        return bad("too-fine", text, places=places)
    value = Decimal(text)
    return value if value <= most else bad("too-large", text, limit=most)


def whole_quantity(cell: str, most: Decimal) -> Decimal | Bad:
    """A whole number above zero."""
    value = amount(cell, most, places=0)
    if isinstance(value, Bad):
        return Bad("not-positive", value.data) if value.code == "negative" else value
    return value if value > 0 else bad("not-positive", cell.strip())


def canonical_number(cell: str) -> str:
    """19, 19.0 and 19.00 are the same figure: the shortest spelling of a number, any other text as it is."""
    if cell.isdecimal() and cell.isascii() and cell[0] != "0":
        return cell  # the usual case, and there are hundreds of thousands
    text = cell.strip()
    if not NUMBER.fullmatch(text):
        return text
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, decimals = digits.partition(".")
    short = whole.lstrip("0") or "0"
    if decimals := decimals.rstrip("0"):
        short += "." + decimals
    return short if short == "0" else sign + short


def canonical_day(cell: str) -> str:
    """2-Jun-06 and 2006-06-02 are the same day: ISO 8601 for a date, any other text as it is."""
    text = cell.strip()
    found = find_day(text)
    return found.isoformat() if found else text
