"""Deliveries that are to become one: which they are, and on which day. What is left open is asked."""

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal

from bot.reading import days, numbers
from bot.reading.days import Said
from bot.reading.model import Delivery, Kind, NotRead, Open, Question, Reading, Result, Settled, Why, World
from bot.reading.sentence import AMOUNT, Sentence

MOST = 6  # choices of deliveries
NEAREST = 3
_INTO = re.compile(r"(?:到|至|成|为|入|->|→|=>|\bto|\binto|\bonto)(?: the)? ?$")
_ON = re.compile(r"(?:在|于|放|\bon|\bfor|\bdue)(?: the)? ?$")
ALL = re.compile(r"\ball\b|所有|全部|都")
BETWEEN = re.compile(r"(?:从|自|\bfrom)(?: the)? ?$")


def join(made: Sentence, world: World, settled: Settled, rows: list[Delivery]) -> Result:
    """Two or more deliveries of one part and contract as one."""
    if made.shifts:
        return NotRead(Why.UNCLEAR)
    group = _group(made, world, rows)
    if isinstance(group, Question):
        return group
    source, target = _roles(made, world, group)
    found = _chosen(made, world, settled, group, source, target)
    if isinstance(found, Question | NotRead):
        return found
    if not _counted(made, found):
        return NotRead(Why.UNCLEAR)
    day = _day(world, settled, found, target)
    if isinstance(day, Question):
        return day
    into = next((row for row in found if row.due == day), found[0])
    others = tuple(row for row in found if row is not into)
    return Reading(
        Kind.JOIN, into.contract, into.part, into, day=None if day == into.due else day, others=others
    )  # fmt: skip


def _group(made: Sentence, world: World, rows: list[Delivery]) -> list[Delivery] | Question:
    """The deliveries of the one part and contract that have one on every day that is named."""
    groups: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for row in rows:
        groups[row.contract, row.part].append(row)
    named = bool(made.named.parts or made.named.contracts)
    fitting = {
        key: one for key, one in groups.items() if len(one) > 1 and all(_on(one, said, world) for said in made.days)
    }
    found = fitting or groups
    if len({part for _contract, part in found}) > 1:
        return Question(Open.PART, tuple(sorted({part for _contract, part in found})[:MOST]) if named else ())
    if len(found) > 1:
        return Question(Open.CONTRACT, tuple(sorted(contract for contract, _part in found)))
    return next(iter(found.values()), []) or Question(Open.PART)


def _on(rows: list[Delivery], said: Said, world: World) -> list[Delivery]:
    spans = days.spans(said, world.today)
    return [row for row in rows if any(first <= row.due <= last for first, last in spans)]


def _roles(made: Sentence, world: World, group: list[Delivery]) -> tuple[list[Said], Said | None]:
    """The days of what there is, and the day of what there shall be: the last one, where the words make it that."""
    order = sorted(range(len(made.days)), key=lambda no: made.skeleton.index(chr(days.SIGN + no)))
    source = [made.days[no] for no in order]
    if len(source) < 2:
        return source, None
    lead = made.skeleton[: made.skeleton.index(chr(days.SIGN + order[-1]))]
    named_twice = _ON.search(lead) and any(
        _on(group, one, world) == _on(group, source[-1], world) for one in source[:-1]
    )
    if _INTO.search(lead) or (len(source) > 2 and named_twice):
        return source[:-1], source[-1]
    return source, None


def _chosen(
    made: Sentence, world: World, settled: Settled, group: list[Delivery], source: list[Said], target: Said | None
) -> list[Delivery] | Question | NotRead:
    """The deliveries that become one, in the order of their days."""
    if (len(source) == 1 and target is None) or not source:
        return _of_one_span(made, settled, _on(group, source[0], world) if source else group, group, bool(source))
    wanted = [*source, target] if target is not None and len(source) == 1 else source
    picked = next((row for row in group if row.key == settled.delivery), None)
    found: list[Delivery] = []
    for said in wanted:
        hits = [row for row in _on(group, said, world) if row not in found]
        if picked is not None and (not hits or picked in hits) and picked not in found:
            hits, picked = [picked], None
        if len(hits) != 1 or not said.sure:
            return _open(group, said, hits, world)
        found += hits
    found.sort(key=lambda row: row.due)
    if target is not None and len(source) == 1 and _is_span(made, found, group):
        return Question(Open.JOIN)
    return found


def _is_span(made: Sentence, found: list[Delivery], group: list[Delivery]) -> bool:
    """Whether "from Aug 15 to Aug 29" may mean what lies between as well."""
    lead = made.skeleton[: made.skeleton.index(chr(days.SIGN))] if chr(days.SIGN) in made.skeleton else ""
    between = any(found[0].due < row.due < found[-1].due for row in group)
    return between and BETWEEN.search(lead) is not None


def _open(group: list[Delivery], said: Said, hits: list[Delivery], world: World) -> Question:
    if hits:
        return Question(Open.WHICH, tuple(hits[:MOST]))
    spans = days.spans(said, world.today)
    if not spans:
        return Question(Open.JOIN)
    near = min(spans, key=lambda span: abs(span[0] - world.today))[0]
    return Question(Open.NEAREST, tuple(sorted(group, key=lambda row: (abs(row.due - near), row.due))[:NEAREST]))


def _of_one_span(
    made: Sentence, settled: Settled, hits: list[Delivery], group: list[Delivery], dated: bool
) -> list[Delivery] | Question | NotRead:
    """Both of a day or a week; all of them where that is said; of a single one, the other is asked."""
    if len(hits) == 2 or (len(hits) > 2 and dated and ALL.search(made.skeleton)):
        return hits
    if len(hits) != 1 or not dated:
        return Question(Open.JOIN)
    others = [row for row in group if row is not hits[0]]
    picked = [row for row in others if row.key == settled.delivery]
    if picked:
        return sorted([hits[0], *picked], key=lambda row: row.due)
    near = sorted(others, key=lambda row: (abs(row.due - hits[0].due), row.due))
    return Question(Open.OTHER, tuple(near[:MOST])) if near else Question(Open.JOIN)


def _counted(made: Sentence, found: list[Delivery]) -> bool:
    """Whether the quantities that are named are those there are, their sum, or the count of the deliveries."""
    values: list[Decimal | None] = []
    order = sorted(range(len(made.amounts)), key=lambda no: made.skeleton.index(chr(AMOUNT + no)))
    for amount in (made.amounts[no] for no in order):
        if amount.percent or amount.to is not None or amount.signed:
            return False
        if amount.unit is None and amount.value == len(found):
            continue
        values.append(numbers.in_unit(amount, found[0].unit, found[0].pack))
    there, total = sorted(row.quantity for row in found), sum((row.quantity for row in found), Decimal(0))
    if values and values[-1] == total and len(values) in {1, len(found) + 1}:
        values = values[:-1]
    return not values or (None not in values and sorted(one for one in values if one is not None) == there)


def _day(world: World, settled: Settled, found: list[Delivery], target: Said | None) -> date | Question:
    """The day of the one delivery."""
    there = sorted({row.due for row in found})
    if settled.day is not None:
        return settled.day
    if target is None:
        return there[0] if len(there) == 1 else Question(Open.DAY, tuple(there), found[0])
    meant = days.targets(target, world.today, found[0].due, 0)
    same = [day for day in there if any(first <= day <= last for first, last in days.spans(target, world.today))]
    ahead = [day for day in same or meant if day >= world.today]
    if not ahead:
        return there[-1] if settled.delivery and not meant else Question(Open.PAST, (), found[0])
    return ahead[0] if len(ahead) == 1 else Question(Open.DAY, tuple(ahead), found[0])
