"""What a sentence is read into."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from portal.core.calendars import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Delivery:
    """One open delivery of the writer's company."""

    key: str
    contract: str
    part: str  # as the writer's company calls it
    due: date
    quantity: Decimal
    unit: str
    other: str = ""  # the other company's number of the part
    description: str = ""
    pack: Decimal | None = None  # units in a pack


@dataclass(frozen=True, slots=True)
class World:
    """What a sentence can be about."""

    deliveries: tuple[Delivery, ...]
    today: date
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar)


class Kind(StrEnum):
    """What is to be done."""

    CHANGE = "change"  # the day, the quantity or both
    CANCEL = "cancel"
    SPLIT = "split"
    ADD = "add"
    PAUSE = "pause"
    JOIN = "join"  # several become one; what was promised goes on where the day stays


@dataclass(frozen=True, slots=True)
class Reading:
    """One change. What stays as it is is None. A pause goes from `since` up to and with `day`."""

    kind: Kind
    contract: str
    part: str
    delivery: Delivery | None = None
    day: date | None = None
    quantity: Decimal | None = None
    splits: tuple[tuple[date, Decimal], ...] = ()
    since: date | None = None
    others: tuple[Delivery, ...] = ()  # of a join: what becomes part of `delivery`


class Open(StrEnum):
    """What a sentence leaves open."""

    PART = "part"  # choices: part numbers like the one written
    CONTRACT = "contract"  # choices: contracts with the part
    WHICH = "which"  # choices: deliveries that fit
    NEAREST = "nearest"  # choices: the deliveries nearest to the day, on which there is none
    DAY = "day"  # choices: days that may be meant
    PAST = "past"  # the day lies behind
    QUANTITY = "quantity"  # choices: quantities that may be meant
    UNIT = "unit"  # the unit is none that the part is counted in
    SPLIT = "split"  # days and quantities of the parts are missing
    SUM = "sum"  # the parts do not add up to the delivery
    UNTIL = "until"  # a pause has no end
    JOIN = "join"  # which deliveries become one
    OTHER = "other"  # choices: deliveries with which the one named can become one
    MORE = "more"  # a new delivery, or more of the one (choice) that there is


Choice = Delivery | date | Decimal | str


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be asked. about: the delivery, where that is clear already; also: what is open beside it, said with it
    and asked next."""

    open: Open
    choices: tuple[Choice, ...] = ()
    about: Delivery | None = None
    also: Open | None = None


class Why(StrEnum):
    """Why a sentence is not read as a change."""

    NOTHING = "nothing"  # it is about something else
    SEVERAL = "several"  # more than one change
    CONTRADICTION = "contradiction"
    NEGATED = "negated"
    CONDITION = "condition"
    UNCLEAR = "unclear"  # bounds, repetitions, maybes, and numbers that nothing explains
    PRICE = "price"  # is not spoken of in chats
    SAME = "same"  # it is so already


@dataclass(frozen=True, slots=True)
class NotRead:
    """Nothing is proposed."""

    why: Why = Why.NOTHING


@dataclass(frozen=True, slots=True)
class Settled:
    """What the writer answered to earlier questions about the same sentence."""

    delivery: str | None = None  # its key
    part: str | None = None
    contract: str | None = None
    day: date | None = None
    quantity: Decimal | None = None
    new: bool | None = None  # of MORE: a new delivery
    splits: tuple[tuple[date, Decimal], ...] = ()


Result = Reading | Question | NotRead
