"""What is known about a request at each approval point: the names that conditions use, with their kinds.

Upper domains hand these facts over; a fact they do not know is left out. Nothing here knows where facts come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

from portal.approvals.inputs import Op
from portal.approvals.model import ApprovalPoint
from portal.core.access import FACTORY, PARTNER, ROLE_NAMES
from portal.core.i18n import N_, _
from portal.core.quantities import UNITS
from portal.fields.words import told

Facts: TypeAlias = dict[str, Any]  # figures as text, words as lists of text; None: not known


class FactKind(StrEnum):
    NUMBER = "number"
    PERCENT = "percent"
    MONEY = "money"
    DAYS = "days"
    CHOICE = "choice"
    TEXT = "text"
    DATE = "date"


Names: TypeAlias = tuple[str, str]  # what the administrator wrote, in Chinese and in English


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a condition can look at. choices: value -> words.

    An own fact is a field that the factory defined. Its values are always a list, because a request can be about
    several items: a comparison holds when it holds for one of them.
    """

    name: str
    kind: FactKind
    label: str
    choices: Mapping[str, str] | None = field(default=None, hash=False)
    own: Names | None = None  # label of an own fact
    own_choices: Mapping[str, Names] | None = field(default=None, hash=False)
    unit: str = ""  # of an own figure
    removed: bool = False  # kept so that what was decided by it can be read
    measured: str = ""  # of a figure in the goods' unit: what it is called where that unit stands beside it

    @property
    def is_figure(self) -> bool:
        return self.kind in FIGURES

    @property
    def is_choice(self) -> bool:
        """Whether it is one of some values."""
        return self.kind is FactKind.CHOICE

    @property
    def is_single(self) -> bool:
        """Whether it is compared with one value."""
        return self.is_figure or self.kind is FactKind.DATE

    def named(self) -> str:
        """What the reader calls it."""
        return told(*self.own) if self.own else _(self.label)

    def words(self) -> dict[str, str]:
        """What can be chosen, in the reader's words; nothing where it is not a choice."""
        said = {value: told(*names) for value, names in (self.own_choices or {}).items()}
        return said or {value: _(word) for value, word in (self.choices or {}).items()}


FIGURES = frozenset({FactKind.NUMBER, FactKind.PERCENT, FactKind.MONEY, FactKind.DAYS})
OPS: dict[FactKind, tuple[Op, ...]] = {
    **dict.fromkeys(
        (FactKind.NUMBER, FactKind.PERCENT, FactKind.MONEY, FactKind.DAYS),
        (Op.LESS, Op.AT_MOST, Op.EQUAL, Op.AT_LEAST, Op.MORE, Op.WITHIN, Op.BEYOND, Op.UNKNOWN),
    ),
    FactKind.DATE: (Op.LESS, Op.AT_MOST, Op.EQUAL, Op.AT_LEAST, Op.MORE, Op.UNKNOWN),
    FactKind.CHOICE: (Op.ANY_OF, Op.NONE_OF, Op.UNKNOWN),
    FactKind.TEXT: (Op.ANY_OF, Op.NONE_OF, Op.CONTAINS, Op.UNKNOWN),
}

_SCOPES = {"factory": N_("our own company"), "partner": N_("the partner")}
_DIRECTIONS = {"sale": N_("sale"), "purchase": N_("purchase")}
_ROLES = {role.value: ROLE_NAMES[role] for role in dict.fromkeys([*FACTORY, *PARTNER])}
_KINDS = {
    "quantity": N_("quantity"),
    "date": N_("date"),
    "place": N_("place"),
    "split": N_("split"),
    "add": N_("additional delivery"),
    "cancel": N_("cancellation"),
    "pause": N_("pause"),
    "price": N_("price"),
    "carry_over": N_("carry-over"),
    "terms": N_("contract terms"),
}
_ZONES = {"firm": N_("firm zone"), "tradeoff": N_("trade-off zone"), "forecast": N_("forecast zone")}
_BANDS = {"inside": N_("inside the band"), "outside": N_("outside the band"), "none": N_("no band")}
_STEPS = {
    "proposal": N_("new contract"),
    "counter": N_("counter-offer"),
    "acceptance": N_("acceptance of the partner's offer"),
    "amendment": N_("amendment"),
}

_REASONS = {  # the words of portal/changes/words.py, which a test compares: this layer does not know that one
    "demand": N_("Demand has changed"),
    "production": N_("Production plan has changed"),
    "material": N_("Material is missing"),
    "capacity": N_("No capacity"),
    "transport": N_("No transport"),
    "quality": N_("Quality problem"),
    "stock": N_("Stock is too high or too low"),
    "holiday": N_("Holiday or shutdown"),
    "other": N_("Another reason"),
}

_UNIT = Fact("unit", FactKind.CHOICE, N_("Unit"), {code: name for code, (_places, name) in UNITS.items()})
_PARTY = Fact("party", FactKind.TEXT, N_("Partner (code)"))
_DIRECTION = Fact("direction", FactKind.CHOICE, N_("Direction"), _DIRECTIONS)
_ASKER = Fact("asked_by", FactKind.CHOICE, N_("Asked by"), _SCOPES)
_ROLE = Fact("requester_role", FactKind.CHOICE, N_("Role of the requester"), _ROLES)
_ITEM = Fact("item", FactKind.TEXT, N_("Item (code)"))
_CATEGORY = Fact("item_category", FactKind.TEXT, N_("Item category"))
_NOTICE = Fact("notice_days", FactKind.DAYS, N_("Notice"))
_VALUE = Fact("value", FactKind.MONEY, N_("Value"))
_CONTRACT = (
    Fact("step", FactKind.CHOICE, N_("Kind of offer"), _STEPS),
    _DIRECTION,
    _PARTY,
    _VALUE,
    Fact("value_change", FactKind.MONEY, N_("Change of the value")),
    Fact("value_change_percent", FactKind.PERCENT, N_("Relative change of the value")),
    Fact("months", FactKind.NUMBER, N_("Length in months")),
    _ITEM,
    _CATEGORY,
    _NOTICE,
    _ROLE,
)

FACTS: dict[ApprovalPoint, tuple[Fact, ...]] = {
    ApprovalPoint.CHANGE: (
        Fact("kind", FactKind.CHOICE, N_("Kind of change"), _KINDS),
        _DIRECTION,
        _ASKER,
        _ROLE,
        Fact("zone", FactKind.CHOICE, N_("Zone"), _ZONES),
        Fact("band", FactKind.CHOICE, N_("Flexibility band"), _BANDS),
        Fact("change_percent", FactKind.PERCENT, N_("Relative change of the quantity")),
        Fact(
            "change_quantity",
            FactKind.NUMBER,
            N_("Change of the quantity, in its unit"),
            measured=N_("Change of the quantity"),
        ),
        _UNIT,
        Fact("days_moved", FactKind.DAYS, N_("Date moved by")),
        _NOTICE,
        _VALUE,
        Fact("value_change", FactKind.MONEY, N_("Change of the value")),
        Fact("lines", FactKind.NUMBER, N_("Number of deliveries")),
        _ITEM,
        _CATEGORY,
        _PARTY,
        Fact("reason", FactKind.CHOICE, N_("Reason"), _REASONS),
    ),
    ApprovalPoint.CONTRACT: _CONTRACT,
    ApprovalPoint.PRICE: (
        Fact("price_change_percent", FactKind.PERCENT, N_("Largest change of a price")),
        *_CONTRACT,
    ),
    ApprovalPoint.COMMIT: (
        _PARTY,
        _ITEM,
        _CATEGORY,
        Fact("quantity", FactKind.NUMBER, N_("Quantity, in its unit"), measured=N_("Quantity")),
        _UNIT,
        Fact("forecast_percent", FactKind.PERCENT, N_("Share of the forecast")),
        _NOTICE,
        _VALUE,
        _ROLE,
    ),
    ApprovalPoint.STATEMENT: (
        _DIRECTION,
        _PARTY,
        _VALUE,
        Fact("difference", FactKind.MONEY, N_("Open difference")),
        Fact("difference_percent", FactKind.PERCENT, N_("Relative open difference")),
        _ROLE,
    ),
}
POINT_NAMES: dict[ApprovalPoint, str] = {
    ApprovalPoint.CHANGE: N_("Change requests"),
    ApprovalPoint.CONTRACT: N_("Contracts and amendments"),
    ApprovalPoint.PRICE: N_("Changes of prices"),
    ApprovalPoint.COMMIT: N_("Commitments to a forecast"),
    ApprovalPoint.STATEMENT: N_("Statements"),
}


def facts_of(point: ApprovalPoint, own: Sequence[Fact] = ()) -> dict[str, Fact]:
    """The facts of a point by name, in the order in which people read them; own ones last."""
    return {fact.name: fact for fact in (*FACTS[point], *own)}


def stored(point: ApprovalPoint, facts: Mapping[str, Any], own: Sequence[Fact] = ()) -> Facts:
    """Facts as they are kept and evaluated: figures as plain text, words as lists; every fact of the point is there.

    facts: numbers, texts, enums or several texts by name. A name that the point does not have is a mistake of ours.
    """
    known = facts_of(point, [fact for fact in own if not fact.removed])
    assert set(facts) <= set(known), f"unknown facts {set(facts) - set(known)} at {point}"
    return {name: _stored(fact, facts.get(name)) for name, fact in known.items()}


def _stored(fact: Fact, value: Any) -> Any:
    if value is None or value == "" or value == []:
        return None
    if fact.is_figure and not fact.own:
        return f"{Decimal(value):f}"
    several = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return sorted({_word(each) for each in several})


def _word(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value.value if isinstance(value, StrEnum) else value)
