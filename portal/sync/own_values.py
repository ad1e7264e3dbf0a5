"""Cells of a factory's own spreadsheet: days, numbers and units as people write them. Strict: a cell that could mean
two things is refused unless the mapping says which."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from enum import StrEnum

from portal.contracts.model import Cadence
from portal.core.days import plausible
from portal.core.quantities import UNITS
from portal.sync.cells import DAY_MONTH_YEAR, Bad, amount, bad, find_day
from portal.sync.sheet_columns import MOST, YEAR_FIRST, folded

COMPACT = re.compile(r"(19|20)[0-9]{6}")
THREE = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")
FIGURE = re.compile(r"([-+]?[0-9][0-9.,'\s]*)(.*)", re.DOTALL)
TIME = re.compile(r"[T ]00:00(:00(\.0+)?)?$")


class DayOrder(StrEnum):
    """How 3/4/2027 is meant; dates that begin with the year are always read."""

    YEAR_FIRST = "year_first"  # nothing else is read
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class Marks(StrEnum):
    """How 1,234.5 is written."""

    POINT = "point"  # 1,234.5
    COMMA = "comma"  # 1.234,5


# What units are called in files; `UNITS` holds those that the portal knows.
UNIT_NAMES: dict[str, tuple[str, ...]] = {
    "H87": ("件", "个", "只", "支", "台", "pcs", "pc", "piece", "pieces", "ea", "each", "st", "nos", "h87"),
    "XPK": ("包", "袋", "pack", "packs", "pk", "xpk"),
    "XBX": ("箱", "盒", "box", "boxes", "bx", "ctn", "carton", "cartons", "xbx"),
    "SET": ("套", "组", "set", "sets"),
    "PR": ("对", "双", "pair", "pairs", "pr"),
    "KGM": ("千克", "公斤", "kg", "kgs", "kgm", "kilogram"),
    "GRM": ("克", "g", "grm", "gram"),
    "TNE": ("吨", "t", "ton", "tons", "tonne", "tonnes", "mt", "tne"),
    "MTR": ("米", "m", "mtr", "meter", "metre", "meters", "metres"),
    "MTK": ("平方米", "平米", "m2", "m²", "sqm", "mtk"),
    "MTQ": ("立方米", "立方", "m3", "m³", "cbm", "mtq"),
    "LTR": ("升", "l", "ltr", "liter", "litre", "liters", "litres"),
}
_UNITS = {unicodedata.normalize("NFKC", name).casefold(): code for code, names in UNIT_NAMES.items() for name in names}
CADENCES: dict[str, Cadence] = {
    **dict.fromkeys(("周", "每周", "按周", "week", "weekly", "w"), Cadence.WEEK),
    **dict.fromkeys(("月", "每月", "按月", "month", "monthly", "m"), Cadence.MONTH),
    **dict.fromkeys(("季", "季度", "每季", "每季度", "按季", "quarter", "quarterly", "q"), Cadence.QUARTER),
}


def day(cell: str, order: DayOrder) -> date | Bad:
    """2026年8月15日, 2026/8/15, 20260815, 15-Aug-26; 3/4/2027 only where the mapping says what comes first."""
    text = TIME.sub("", unicodedata.normalize("NFKC", cell).strip())
    try:
        found = _day(text.replace(" ", ""), order)
    except ValueError:  # the 30th of February
        found = None
    if found is None:
        return bad("unclear-date" if THREE.fullmatch(text) else "own-date", cell.strip())
    return found if plausible(found) else bad("absurd-date", cell.strip())


def _day(text: str, order: DayOrder) -> date | None:
    if match := YEAR_FIRST.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if COMPACT.fullmatch(text):
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if match := THREE.fullmatch(text):
        first, second, year = (int(part) for part in match.groups())
        if order is DayOrder.DAY_FIRST:
            return date(year, second, first)
        return date(year, first, second) if order is DayOrder.MONTH_FIRST else None
    return find_day(text) if DAY_MONTH_YEAR.fullmatch(text) else None


def number(cell: str, marks: Marks) -> tuple[Decimal, str | None] | Bad:
    """A number, and the unit behind it where one stands there: 1,200 pcs, ¥12.50, 800件."""
    text = unicodedata.normalize("NFKC", cell).strip().strip("¥$€元").strip()
    match = FIGURE.fullmatch(text)
    if match is None:
        return bad("own-number", cell.strip())
    figure, behind = match[1].strip().lstrip("+"), match[2].strip()
    unit = unit_of(behind) if behind else None
    if behind and unit is None:
        return bad("unknown-unit", behind)
    plain = ungrouped(figure, marks)
    if plain is None:
        return bad("own-number", cell.strip())
    value = amount(plain, MOST)
    return value if isinstance(value, Bad) else (value, unit)


def ungrouped(figure: str, marks: Marks) -> str | None:
    """Plain digits with a decimal point; groups have to be of three, or the mark was meant otherwise."""
    group, point = (",", ".") if marks is Marks.POINT else (".", ",")
    whole, _, decimals = figure.partition(point)
    parts = re.split(rf"[{re.escape(group)}'\s]", whole)
    if len(parts) > 1 and not all(len(part) == 3 for part in parts[1:]):
        return None
    if not all(part.lstrip("-").isdecimal() for part in parts) or (point in figure and not decimals.isdecimal()):
        return None
    return "".join(parts) + (f".{decimals}" if decimals else "")


def unit_of(cell: str) -> str | None:
    """The code of a unit by its code or by what it is called."""
    text = unicodedata.normalize("NFKC", cell).strip().casefold().rstrip(".")
    return next((code for code in UNITS if code.casefold() == text), None) or _UNITS.get(text)


def cadence(cell: str) -> Cadence | Bad:
    found = CADENCES.get(folded(cell))
    return found if found is not None else bad("own-cadence", cell.strip())
