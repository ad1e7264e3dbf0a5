"""The sheets of workbooks that go out and come back: their columns, and each cell's text as one canonical value.

Pure. A canonical value is what the canonical content of a contract holds, as text: 600, 2027-01-01, week. Equal things
have equal texts, whatever the spreadsheet program made of them, so a cell that nobody touched never looks changed.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

from portal.contracts.model import Cadence, ContractKind, DateRule, DayUnit, DeviationRule, Lapse, PriceTier
from portal.contracts.words import ANSWER_LABELS, ANSWER_WORDS
from portal.core.days import plausible
from portal.core.i18n import N_, Language, _, speaking
from portal.schedules.rules import RejectReason
from portal.schedules.words import REASONS
from portal.sync.cells import DAY_MONTH_YEAR, Bad, amount, bad, canonical_number, find_day

MOST = Decimal(10**12) - Decimal("0.000001")  # what a quantity or a price of the database holds
YEAR_FIRST = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")


class Kind(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"
    WHOLE = "whole"
    DAY = "day"
    CHOICE = "choice"
    WEEKDAYS = "weekdays"


class Field(Struct, frozen=True):
    """One column. A fixed one names the row: it is filled in for new rows and stands for those that are there."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    fixed: bool = False
    longest: int = 300
    choices: type[StrEnum] | None = None
    empty: bool = True  # may be left empty


class Sheet(StrEnum):
    """The sheets; their names in the reader's language are in `TITLES`."""

    CONTRACTS = "contracts"
    LINES = "lines"
    PRICES = "prices"
    PERIODS = "periods"
    FIELDS = "fields"
    ANSWERS = "answers"
    COMMITS = "commits"


CONTRACT_SHEETS = (Sheet.CONTRACTS, Sheet.LINES, Sheet.PRICES, Sheet.PERIODS, Sheet.FIELDS)


class Reply(StrEnum):
    """What the seller says to one delivery."""

    CONFIRM = "confirm"
    REFUSE = "refuse"


class YesNo(StrEnum):
    YES = "yes"
    NO = "no"


TITLES = {
    Sheet.CONTRACTS: N_("Contracts"),
    Sheet.LINES: N_("Lines"),
    Sheet.PRICES: N_("Prices"),
    Sheet.PERIODS: N_("Periods"),
    Sheet.FIELDS: N_("Custom fields"),
    Sheet.ANSWERS: N_("Answers"),
    Sheet.COMMITS: N_("Commits"),
}
KEY, VERSION, REASON = N_("Key (do not change)"), N_("Version (do not change)"), N_("Reason")
# A choice in words of the reader's language; a program may write the value itself.
WORDS: dict[str, str] = {
    ContractKind.PERIODIC: N_("Periodic"),
    ContractKind.ANNUAL: N_("Annual"),
    ContractKind.STRATEGIC: N_("Strategic"),
    ContractKind.LONG_TERM: N_("Long-term"),
    Cadence.WEEK: N_("week"),
    Cadence.MONTH: N_("month"),
    Cadence.QUARTER: N_("quarter"),
    DayUnit.CALENDAR: N_("calendar days"),
    DayUnit.WORKING: N_("working days"),
    PriceTier.ALL: N_("none: one price"),
    PriceTier.CUMULATIVE: N_("by all deliveries so far"),
    PriceTier.DELIVERY: N_("by the quantity of one delivery"),
    **ANSWER_WORDS,
    **{reason.value: said for reason, said in REASONS.items()},
    Reply.CONFIRM: N_("confirm the delivery"),
    Reply.REFUSE: N_("refuse the delivery"),
    YesNo.YES: N_("yes"),
    YesNo.NO: N_("no"),
}

_CHOICE = (Kind.CHOICE, False, 300)
N, P, W, D = Kind.NUMBER, Kind.PERCENT, Kind.WHOLE, Kind.DAY
_WHOSE = (
    Field("number", N_("Contract"), fixed=True, longest=60),
    Field("party_name", N_("Partner"), fixed=True, longest=200),
)
_LINE = (
    Field("line_no", N_("Line"), W, fixed=True),
    Field("item_code", N_("Item"), fixed=True, longest=60),
)
_PART = (
    Field("item_code", N_("Item"), fixed=True, longest=60),
    Field("description", N_("Description"), fixed=True),
)
_ANSWERS: dict[str, tuple[Any, ...]] = {
    **{f"deviation_{kind}": (*_CHOICE, DeviationRule) for kind in ("quantity", "earlier", "later", "price")},
    "early_days": (W,),
    "late_days": (W,),
    "lapse": (*_CHOICE, Lapse),
    "lapse_percent": (P,),
    "transit_days": (W,),
    "date_rule": (*_CHOICE, DateRule),
}
FIELDS: dict[Sheet, tuple[Field, ...]] = {
    Sheet.CONTRACTS: (
        *_WHOSE,
        Field("currency", N_("Currency"), fixed=True, longest=3),
        Field("valid_from", N_("Valid from"), D, fixed=True),
        Field("valid_to", N_("Last day"), D),
        Field("kind", N_("Kind"), Kind.CHOICE, choices=ContractKind, empty=False),
        Field("title", N_("Title"), longest=200),
        Field("partner_reference", N_("Partner's reference"), longest=60),
        Field("response_hours", N_("Time to answer (working hours)"), W, empty=False),
        Field("incoterm", N_("Incoterm"), longest=3),
        Field("incoterm_place", N_("Named place"), longest=120),
        Field("payment_terms", N_("Payment terms"), longest=200),
        Field("take_or_pay_percent", N_("Take-or-pay, in % of the target"), P),
        Field("penalty_percent", N_("Penalty per day late, in %"), P),
        Field("penalty_cap_percent", N_("Cap on penalties, in %"), P),
        Field("notice_days", N_("Notice before the end, in days"), W),
        *(Field(name, ANSWER_LABELS[name], *kind) for name, kind in _ANSWERS.items()),
    ),
    Sheet.LINES: (
        *_WHOSE,
        *_LINE,
        Field("description", N_("Description"), fixed=True),
        Field("unit", N_("Unit"), fixed=True, longest=3),
        Field("foq", N_("Fixed quantity per period"), N),
        Field("cadence", N_("Period"), Kind.CHOICE, choices=Cadence),
        Field("target_quantity", N_("Target over the validity"), N),
        Field("band_below_percent", N_("Band below, in %"), P, empty=False),
        Field("band_above_percent", N_("Band above, in %"), P, empty=False),
        Field("pack_size", N_("Pack size"), N, empty=False),
        Field("minimum_order", N_("Minimum per delivery"), N, empty=False),
        Field("under_percent", N_("Delivery tolerance below (%)"), P, empty=False),
        Field("over_percent", N_("Delivery tolerance above (%)"), P, empty=False),
        Field("firm_days", N_("Firm zone (days)"), W, empty=False),
        Field("tradeoff_days", N_("Trade-off zone ends (days)"), W, empty=False),
        Field("day_unit", N_("Days counted as"), Kind.CHOICE, choices=DayUnit, empty=False),
        Field("delivery_weekdays", N_("Delivery weekdays (Monday is 1)"), Kind.WEEKDAYS),
        Field("ship_to_code", N_("Ship-to code"), longest=40),
        Field("ship_to_country", N_("Ship-to country"), longest=80),
        Field("ship_to_address", N_("Ship-to address")),
        Field("unloading_point", N_("Unloading point"), longest=60),
        Field("receiving_window", N_("Receiving window"), longest=40),
        Field("transit_days", ANSWER_LABELS["transit_days"], W),
        Field("cumulative_from", N_("Cumulative from"), D),
        Field("take_or_pay_quantity", N_("Take-or-pay quantity"), N),
    ),
    Sheet.PRICES: (
        *_WHOSE,
        *_LINE,
        Field("valid_from", N_("Valid from"), D, fixed=True),
        Field("order_no", N_("Only for the order"), fixed=True, longest=40),
        Field("from_quantity", N_("From quantity"), N, fixed=True),
        Field("tier", N_("Scale by"), Kind.CHOICE, choices=PriceTier, empty=False),
        Field("price", N_("Price"), N, empty=False),
        Field("currency", N_("Currency"), fixed=True, longest=3),
        Field("price_unit", N_("Price per"), N, empty=False),
        Field("unit", N_("Unit"), fixed=True, longest=3),
    ),
    Sheet.PERIODS: (
        *_WHOSE,
        *_LINE,
        Field("start", N_("First day"), D, fixed=True),
        Field("last_day", N_("Last day"), D, empty=False),
        Field("floor", N_("Floor"), N, empty=False),
        Field("target", N_("Target"), N, empty=False),
        Field("ceiling", N_("Ceiling"), N, empty=False),
        Field("unit", N_("Unit"), fixed=True, longest=3),
    ),
    Sheet.FIELDS: (
        *_WHOSE,
        *_LINE,
        Field("name", N_("Field (key)"), fixed=True, longest=40),
        Field("label", N_("Field"), fixed=True, longest=60),
        Field("wanted", N_("What can be written"), fixed=True, longest=8000),
        Field("value", N_("Value")),
        Field("unit", N_("Unit"), fixed=True, longest=20),
    ),
    Sheet.ANSWERS: (
        *_WHOSE,
        *_PART,
        Field("order_no", N_("Order"), fixed=True, longest=40),
        Field("due_date", N_("Due"), D, fixed=True),
        Field("quantity", N_("Asked for"), N, fixed=True),
        Field("unit", N_("Unit"), fixed=True, longest=3),
        Field("confirmed", N_("Confirmed quantity"), N),
        Field("delivery_date", N_("Delivery date"), D),
        Field("despatch_date", N_("Despatch date"), D),
        Field("price", N_("Price per unit, if it differs"), N),
        Field("reply", N_("Answer"), Kind.CHOICE, choices=Reply),
        Field("reason", N_("Reason of the answer"), Kind.CHOICE, choices=RejectReason),
        Field("final", N_("Nothing more follows"), Kind.CHOICE, choices=YesNo),
        Field("note", N_("Note"), longest=500),
    ),
    Sheet.COMMITS: (
        *_WHOSE,
        *_PART,
        Field("start", N_("Period from"), D, fixed=True),
        Field("last_day", N_("Period until"), D, fixed=True),
        Field("forecast", N_("Forecast quantity"), N, fixed=True),
        Field("unit", N_("Unit"), fixed=True, longest=3),
        Field("committed", N_("Committed"), N),
    ),
}
# What a new row has to say; lines are numbered by the contract, and a line may be named by its item.
NEEDED: dict[Sheet, tuple[str, ...]] = {
    Sheet.LINES: ("item_code",),
    Sheet.PRICES: ("valid_from", "price"),
    Sheet.PERIODS: ("start", "last_day", "floor", "target", "ceiling"),
}
BY_NAME = {sheet: {field.name: field for field in fields} for sheet, fields in FIELDS.items()}
SHOWN_ONLY = {"description", "unit", "currency", "party_name"}  # of a fixed column; new rows take them from elsewhere


def named(label: str) -> set[str]:
    """A heading in every language, as headings are compared."""
    found = set()
    for lang in Language:
        with speaking(lang):
            found.add(folded(_(label)))
    return found


def folded(text: str) -> str:
    """Case, width and spaces make no other heading or word."""
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", text).casefold())


def word(value: str) -> str:
    """A choice in the reader's language."""
    return _(WORDS[value]) if value in WORDS else value


def canonical(field: Field, cell: str) -> str | Bad:
    """A cell's text as its canonical value, or why it cannot be read."""
    text = cell.strip()
    if not text:
        return "" if field.empty or field.fixed else Bad("blank")
    match field.kind:
        case Kind.TEXT:
            return _text(field, text)
        case Kind.DAY:
            return _day(text)
        case Kind.CHOICE:
            return _choice(field, text)
        case Kind.WEEKDAYS:
            return _weekdays(text)
        case _:
            return _number(field, unicodedata.normalize("NFKC", text))


def _text(field: Field, text: str) -> str | Bad:
    if len(text) > field.longest:
        return bad("too-long", text, limit=field.longest)
    if not text.replace("\n", " ").replace("\u00a0", " ").replace("\u3000", " ").isprintable():
        return bad("hidden-character", "".join(letter for letter in text if letter.isprintable()))
    return text


def _number(field: Field, text: str) -> str | Bad:
    places, most = {Kind.NUMBER: (6, MOST), Kind.PERCENT: (2, Decimal("999.99"))}.get(field.kind, (0, Decimal(10**6)))
    value = amount(text, most, places)
    return value if isinstance(value, Bad) else canonical_number(text)


def _day(text: str) -> str | Bad:
    """Year first, or the month as a word: what could be taken for another day is not read."""
    plain = unicodedata.normalize("NFKC", text)
    try:
        if match := YEAR_FIRST.fullmatch(plain):
            found: date | None = date(int(match[1]), int(match[2]), int(match[3]))
        else:
            found = find_day(plain) if DAY_MONTH_YEAR.fullmatch(plain) else None
    except ValueError:  # the 30th of February
        found = None
    if found is None:
        return bad("not-a-date", text)
    return found.isoformat() if plausible(found) else bad("absurd-date", text)


def _choice(field: Field, text: str) -> str | Bad:
    assert field.choices  # every choice column has them
    wanted = folded(text)
    for value in field.choices:
        if wanted == folded(value) or wanted in named(WORDS[value]):
            return value.value
    return bad("unknown-choice", text, choices=", ".join(field.choices))


def _weekdays(text: str) -> str | Bad:
    parts = re.split(r"[\s,;，、]+", unicodedata.normalize("NFKC", text).strip(",; "))
    if not all(re.fullmatch("[1-7]", part) for part in parts):
        return bad("not-weekdays", text)
    return ", ".join(sorted(set(parts)))


# From and to the content of a contract --------------------------------------------------------------------------------


def spoken(name: str, value: Any) -> str:
    """A plain value of a canonical content as canonical text."""
    if value is None:
        return {"tier": "all", "from_quantity": "0"}.get(name, "")
    if name == "delivery_weekdays":
        return ", ".join(str(day + 1) for day in sorted(value))
    return canonical_number(str(value)) if isinstance(value, int) else str(value)


def typed(field: Field, text: str) -> Any:
    """A canonical text as the inputs of commands take it."""
    match field.kind:
        case Kind.WEEKDAYS:
            return [int(day) - 1 for day in text.split(", ")] if text else []
        case Kind.TEXT:
            return text
        case Kind.WHOLE:
            return int(text) if text else None
        case _:
            return text or None
