"""From a sentence to one change of one delivery, or to the question that is left, against what its writer may see."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

from bot.reading import days, numbers
from bot.reading.days import EARLIER, LATER
from bot.reading.joining import join
from bot.reading.model import (
    Delivery,
    Kind,
    NotRead,
    Open,
    Question,
    Reading,
    Result,
    Settled,
    Why,
    World,
)
from bot.reading.parts import PART
from bot.reading.sentence import (
    REST,
    VERBS,
    Q,
    Roles,
    Sentence,
    direction,
    is_approximate,
    roles,
    share,
    shifted,
    take_apart,
)
from portal.core.quantities import UNITS

MOST = 6  # choices of deliveries
NEAREST = 3
_ADDED = re.compile(rf"\b(?:add|another) {Q} ?(?:more )?(?:of )?{PART}|再[来要] ?{Q}|追加(?!到|至|给)")
_TO = re.compile(r"(?:成|为|到|至|->|→|\bto|\bmake it|\bto be|\bshould be|\bbecomes?)(?: about| around)? ?[-+]? ?$")
_FILLING = re.compile(
    r"\b(?:it|this|that|the|a|to|of|on|for|from|by|and|in|please|pls|we|i|you|can|could|would|will|"
    r"only|send|do|deliver|ship|supply|delivery|"
    r"quantity|qty|date|thanks|thank|be|need|have|want)\b|请|麻烦|帮我|帮忙|谢谢|把|将|数量|日期|交期|"
    r"交货|的|到|至|成|为|了|吧|"
    r"吗|能不能|能|可以|可否|我们|要|想|需要|送|从|由|再|都|全部|这笔|这批|一下|订单"
)


def read(text: str, world: World, settled: Settled | None = None) -> Result:
    """One change, one question or nothing. settled: the answers to earlier questions about the same sentence."""
    made = take_apart(text, world)
    if isinstance(made, Why):
        return NotRead(made)
    settled = settled or Settled()
    if made.named.alike is not None and not settled.part and not settled.delivery:
        return Question(Open.PART, made.named.alike or tuple(sorted(made.named.parts)))
    if len(made.named.contracts) > 1:
        return NotRead(Why.SEVERAL)
    played = roles(made)
    rows = _rows(made, world, settled)
    if "join" in made.verbs:
        return join(made, world, settled, rows)
    if "split" in made.verbs:
        return _split(made, world, settled, rows)
    if "pause" in made.verbs:
        return _pause(made, world, settled, rows, played)
    if "new" in made.verbs or settled.new:
        return _add(made, world, settled, rows)
    if settled.new is None and _ADDED.search(made.skeleton):
        return _more_or_new(made, world, settled, rows, played)
    return _change(made, world, settled, rows, played)


def _rows(made: Sentence, world: World, settled: Settled) -> list[Delivery]:
    """The deliveries of the part and the contract that are named."""
    part = settled.part or next(iter(made.named.parts), None)
    contract = settled.contract or next(iter(made.named.contracts), None)
    return [
        row
        for row in world.deliveries
        if (part is None or row.part == part) and (contract is None or row.contract == contract)
    ]


# --- which delivery ---------------------------------------------------------------------------------------------------


def _delivery(
    made: Sentence, world: World, settled: Settled, rows: list[Delivery], played: Roles
) -> Delivery | Question:
    """The one delivery that the sentence is about, or the question which."""
    if settled.delivery is not None:
        chosen = [row for row in world.deliveries if row.key == settled.delivery]
        return chosen[0] if chosen else Question(Open.WHICH, tuple(rows[:MOST]))
    before = [made.amounts[no] for no in played.before]
    if before:
        rows = [row for row in rows if numbers.in_unit(before[0], row.unit, row.pack) == row.quantity] or rows
    if not played.source:
        return _undated(made, settled, rows)
    found = days.spans(made.days[played.source[0]], world.today)
    if not found:
        return Question(Open.DAY)
    hits = [row for row in rows if any(first <= row.due <= last for first, last in found)]
    if not hits:
        near = min(found, key=lambda span: abs(span[0] - world.today))[0]
        return Question(Open.NEAREST, tuple(sorted(rows, key=lambda row: (abs(row.due - near), row.due))[:NEAREST]))
    sure = made.days[played.source[0]].sure
    return hits[0] if len(hits) == 1 and sure else Question(Open.WHICH, tuple(hits[:MOST]))


def _undated(made: Sentence, settled: Settled, rows: list[Delivery]) -> Delivery | Question:
    """Without a day, the only delivery of the part; without a part too, the only one, when no other thing is named."""
    named = bool(made.named.parts or made.named.contracts or settled.part)
    if len(rows) == 1 and (named or not _left(made)):
        return rows[0]
    if not named and len({row.part for row in rows}) > 1:
        return Question(Open.PART)
    return Question(Open.WHICH, tuple(sorted(rows, key=lambda row: row.due)[:MOST]))


def _left(made: Sentence) -> bool:
    """Whether the sentence has words that the grammar does not know: it may be about something else altogether."""
    rest = made.skeleton
    for pattern in (*VERBS.values(), _FILLING.pattern):
        rest = re.sub(pattern, " ", rest, flags=re.ASCII)
    return bool(re.search(r"[a-z]{2,}|[\u4e00-\u9fff]", rest))


# --- change and cancel ------------------------------------------------------------------------------------------------


def _change(made: Sentence, world: World, settled: Settled, rows: list[Delivery], played: Roles) -> Result:
    """A new day, a new quantity or both; or none at all."""
    if len(played.target) > 1 or len(played.source) > 1 or len(played.after) > 1 or len(made.shifts) > 1:
        return NotRead(Why.SEVERAL)
    says = bool(played.target or played.after or made.shifts or made.verbs & {"double", "half", "cancel"})
    if not says and settled.day is None and settled.quantity is None:
        return NotRead(Why.NOTHING)
    if "cancel" in made.verbs and (played.target or made.shifts):
        return NotRead(Why.CONTRADICTION)
    row = _delivery(made, world, settled, rows, played)
    if isinstance(row, Question):
        return row
    reading = Reading(Kind.CHANGE, row.contract, row.part, row)
    if "cancel" in made.verbs and not played.after:
        return replace(reading, kind=Kind.CANCEL)
    quantity, day = _quantity(made, settled, row, played), _day(made, world, settled, row, played)
    if isinstance(quantity, Question | NotRead):
        return _with(quantity, day)
    if isinstance(day, Question | NotRead):
        return day
    day, quantity = None if day == row.due else day, None if quantity == row.quantity else quantity
    if day is None and quantity is None:
        return NotRead(Why.SAME)
    return replace(reading, day=day, quantity=quantity)


def _with(first: Question | NotRead, other: object) -> Question | NotRead:
    """The question about the quantity, with what is open of the day; or why neither is asked."""
    if isinstance(first, NotRead) or not isinstance(other, Question | NotRead):
        return first
    return other if isinstance(other, NotRead) else replace(first, also=other.open)


def _quantity(made: Sentence, settled: Settled, row: Delivery, played: Roles) -> Decimal | Question | NotRead | None:
    """The new quantity in the delivery's unit; None: it stays."""
    if settled.quantity is not None:
        return settled.quantity
    if "double" in made.verbs or "half" in made.verbs:
        return whole(row.quantity * 2 if "double" in made.verbs else row.quantity / 2, row)
    if not played.after:
        return None
    amount = made.amounts[played.after[0]]
    value = share(amount, row.quantity) if amount.percent else numbers.in_unit(amount, row.unit, row.pack)
    if value is None:
        return Question(Open.UNIT, about=row)
    sign = signed(made, played.after[0])
    if amount.to is not None or is_approximate(made) or (amount.percent and not made.verbs & {"more", "less"}):
        told = (
            each if not sign else row.quantity + sign * abs(each) for each in (value, amount.to) if each is not None
        )
        return Question(Open.QUANTITY, tuple(each for each in told if each > 0), row)
    sign = 1 if "more" in made.verbs else -1 if made.verbs & {"less", "cancel"} else 0
    if _said_to_be(made, played.after[0]):
        if value > 0 and sign and (value - row.quantity) * sign <= 0:
            return NotRead(Why.CONTRADICTION)
        return whole(value, row)
    return whole(row.quantity + sign * abs(value) if sign else value, row)


def signed(made: Sentence, no: int) -> int:
    """Whether a quantity of the sentence is so much more (1) or less (-1) than there is, or what there shall be (0)."""
    if _said_to_be(made, no):
        return 0
    return 1 if "more" in made.verbs else -1 if made.verbs & {"less", "cancel"} else 0


def _said_to_be(made: Sentence, no: int) -> bool:
    """Whether the words before the quantity make it the new one, not the difference."""
    return bool(_TO.search(made.skeleton[: made.skeleton.index(chr(0xE100 + no))]))


def whole(value: Decimal, row: Delivery) -> Decimal | Question:
    """The quantity, if it is one that can be delivered."""
    places = UNITS[row.unit][0] if row.unit in UNITS else 6
    if value <= 0 or value != round(value, places) or value >= 10**12:
        return Question(Open.QUANTITY, about=row)
    return value


def _day(
    made: Sentence, world: World, settled: Settled, row: Delivery, played: Roles
) -> date | Question | NotRead | None:
    """The new day; None: it stays."""
    if settled.day is not None:
        return settled.day
    toward = direction(made)
    if made.shifts:
        signs = [toward] if toward else [EARLIER, LATER]
        found = [shifted(row.due, made.shifts[0], sign, world) for sign in signs]
    elif played.target:
        said = made.days[played.target[0]]
        found = days.targets(said, world.today, row.due, toward)
        if toward and not found and said.kind in {"day", "weekday"}:
            return NotRead(Why.CONTRADICTION)
    else:
        return None
    return _one(found, world, toward, row)


def _one(found: list[date], world: World, toward: int, row: Delivery | None) -> date | Question | NotRead:
    """The one day that is meant and may be, or the question."""
    if not found:
        return Question(Open.DAY, about=row)
    ahead = [day for day in found if day >= world.today]
    if not ahead:
        return Question(Open.PAST, about=row)
    if toward and row is not None:
        ahead = [day for day in ahead if (day > row.due) == (toward == LATER) and day != row.due]
        if not ahead:
            return NotRead(Why.CONTRADICTION)
    return ahead[0] if len(ahead) == 1 else Question(Open.DAY, tuple(ahead), row)


# --- split ------------------------------------------------------------------------------------------------------------


def _split(made: Sentence, world: World, settled: Settled, rows: list[Delivery]) -> Result:
    """The delivery in parts, whose sum is the delivery."""
    said, amounts = made.days, made.amounts
    order = sorted(range(len(said)), key=lambda no: made.skeleton.index(chr(days.SIGN + no)))
    left = made.skeleton.count(REST)
    dated = len(said) == len(amounts) + left + 1 or (len(amounts) + left <= 1 and bool(said))
    played = Roles(tuple(order[:1]) if dated else (), tuple(order[1:] if dated else order), (), ())
    row = _delivery(made, world, settled, rows, played)
    if isinstance(row, Question):
        return row
    if settled.splits:
        return _in_parts(row, [day for day, _value in settled.splits], [value for _day, value in settled.splits])
    each = [numbers.in_unit(amount, row.unit, row.pack) for amount in amounts]
    if len(each) == 1 and re.search(r"各|每|\beach\b", made.skeleton):
        each *= len(played.target)
    found = days.in_order([said[no] for no in played.target], world.today, row.due)
    values = [value for value in each if value is not None]
    if left == 1 and len(values) == len(each) == len(found) - 1:
        before = len(re.findall(Q, made.skeleton[: made.skeleton.index(REST)]))
        values.insert(before, row.quantity - sum(values))
        each = [*values]
    if len(found) < 2 or len(values) != len(found) or len(values) != len(each):
        return Question(Open.SPLIT, about=row)
    return _in_parts(row, found, values)


def _in_parts(row: Delivery, found: list[date], values: list[Decimal]) -> Result:
    if sum(values) != row.quantity or min(values) <= 0:
        return Question(Open.SUM, about=row)
    if any(isinstance(whole(value, row), Question) for value in values):
        return Question(Open.QUANTITY, about=row)
    return Reading(Kind.SPLIT, row.contract, row.part, row, splits=tuple(zip(found, values, strict=True)))


# --- add and pause ----------------------------------------------------------------------------------------------------


def _about_part(rows: list[Delivery], made: Sentence, settled: Settled) -> Delivery | Question:
    """Any delivery of the one part and the one contract that are meant."""
    if not (made.named.parts or settled.part) and len({row.part for row in rows}) != 1:
        return Question(Open.PART)
    contracts = sorted({row.contract for row in rows})
    if len(contracts) > 1:
        return Question(Open.CONTRACT, tuple(contracts))
    return rows[0] if rows else Question(Open.PART)


def _add(made: Sentence, world: World, settled: Settled, rows: list[Delivery]) -> Result:
    """A new delivery of a part."""
    row = _about_part(rows, made, settled)
    if isinstance(row, Question):
        return row
    if len(made.days) > 1 or len(made.amounts) > 1:
        return NotRead(Why.SEVERAL)
    value = _added(made, row) if settled.quantity is None else settled.quantity
    day: date | Question | NotRead | None = settled.day
    if day is None:
        found = days.targets(made.days[0], world.today, world.today, LATER) if made.days else []
        day = _one(found, world, 0, None)
    if isinstance(value, Question):
        return _with(value, day)
    if isinstance(day, Question | NotRead):
        return replace(day, about=row) if isinstance(day, Question) else day
    return Reading(Kind.ADD, row.contract, row.part, day=day, quantity=value)


def _added(made: Sentence, row: Delivery) -> Decimal | Question:
    """The quantity of a new delivery in the part's unit."""
    if not made.amounts or made.amounts[0].percent or made.amounts[0].to or is_approximate(made):
        return Question(Open.QUANTITY, about=row)
    counted = numbers.in_unit(made.amounts[0], row.unit, row.pack)
    return Question(Open.UNIT, about=row) if counted is None else whole(counted, row)


def _more_or_new(made: Sentence, world: World, settled: Settled, rows: list[Delivery], played: Roles) -> Result:
    """Added to a delivery, or as one more beside it: where there is one on the day, both may be meant."""
    if not played.source:
        return Question(Open.MORE, tuple(rows[:MOST]))
    row = _delivery(made, world, settled, rows, played)
    if isinstance(row, Question) and row.open is Open.NEAREST:
        return _add(made, world, settled, rows)
    return row if isinstance(row, Question) else Question(Open.MORE, (row,), row)


def _pause(made: Sentence, world: World, settled: Settled, rows: list[Delivery], played: Roles) -> Result:
    """No deliveries of a part for a while."""
    row = _about_part(rows, made, settled)
    if isinstance(row, Question):
        return row
    if len(played.source) > 1 or len(played.target) > 1:
        return NotRead(Why.SEVERAL)
    if settled.day is None and not played.target:
        return Question(Open.UNTIL, about=row)
    since: date | Question | NotRead = world.today
    if played.source:
        since = _one(days.targets(made.days[played.source[0]], world.today, world.today, LATER), world, 0, row)
    if isinstance(since, Question | NotRead):
        return since
    day: date | Question | NotRead | None = settled.day
    if day is None:
        day = _one(days.targets(made.days[played.target[0]], world.today, since, 0), world, 0, row)
    if isinstance(day, Question | NotRead):
        return day
    return (
        Reading(Kind.PAUSE, row.contract, row.part, day=day, since=since) if day > since else NotRead(Why.CONTRADICTION)
    )
