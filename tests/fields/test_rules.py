"""What a field may hold, and what rules say about it: read one by one, in plain Python."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from portal.approvals.facts import Fact, FactKind, stored
from portal.approvals.inputs import Condition, Op
from portal.approvals.model import ApprovalPoint, CaseStatus
from portal.approvals.rules_checking import WrongRules, check_rules
from portal.approvals.rules_matching import compiled
from portal.approvals.rules_trial import PastCase, tried
from portal.core.errors import PortalError
from portal.core.ids import uuid7
from portal.fields.inputs import Choice
from portal.fields.model import CustomField, FieldKind, Holder
from portal.fields.rules import check_choices, checked_values
from tests.approvals.makers import APPROVE, REFUSE, all_of, rules_of

CHANGE = ApprovalPoint.CHANGE
CLASSES = {"a": ("甲", "A"), "b": ("乙", "B")}
OWN = (
    Fact("item.weight", FactKind.NUMBER, "Weight", own=("重量", "Weight"), unit="kg"),
    Fact("item.until", FactKind.DATE, "Valid until", own=("有效期", "Valid until")),
    Fact("item.colour", FactKind.TEXT, "Colour", own=("颜色", "Colour")),
    Fact(
        "item.class", FactKind.CHOICE, "Class", own=("等级", "Class"), own_choices={"a": ("甲", "A"), "b": ("乙", "B")}
    ),
)


def field(key: str, kind: FieldKind, *choices: str) -> CustomField:
    listed = [{"key": choice, "zh": choice, "en": choice} for choice in choices]
    return CustomField(
        tenant_id=uuid7(), id=uuid7(), holder=Holder.ITEM, key=key, label_zh=key, label_en=key, kind=kind,
        details={"choices": listed} if listed else {},
    )  # fmt: skip


FIELDS = [
    field("text", FieldKind.TEXT), field("number", FieldKind.NUMBER), field("day", FieldKind.DATE),
    field("yes", FieldKind.YES_NO), field("list", FieldKind.CHOICE, "a", "b"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "typed", "kept"),
    [
        ("text", " blue ", "blue"),
        ("number", "1,200.50", "1200.50"),
        ("number", "-0.000001", "-0.000001"),
        ("day", "2026-12-31", "2026-12-31"),
        ("yes", "no", "no"),
        ("list", "b", "b"),
        ("list", "", None),
    ],
)
def test_a_value_is_kept_plain_and_an_empty_one_not_at_all(key: str, typed: str, kept: str | None) -> None:
    assert checked_values(FIELDS, {key: typed}).get(key) == kept


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("text", "x" * 301),
        ("text", "two\nlines"),
        ("number", "NaN"),
        ("number", "1e13"),
        ("number", "0.0000001"),
        ("day", "2026-02-30"),
        ("day", "20261231"),
        ("yes", "maybe"),
        ("list", "c"),
        ("gone", "x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_at_its_field(key: str, typed: str) -> None:
    with pytest.raises(PortalError) as refused:
        checked_values(FIELDS, {key: typed})
    assert refused.value.field == key


def test_a_list_needs_two_values_and_keeps_those_it_had() -> None:
    a, b = (Choice(key=key, zh=key, en=key) for key in "ab")
    check_choices(FieldKind.CHOICE, [a, b], ["a"])
    for kind, choices, before in (
        (FieldKind.CHOICE, [a], []),
        (FieldKind.CHOICE, [a, a], []),
        (FieldKind.TEXT, [a, b], []),
        (FieldKind.CHOICE, [a, b], ["c"]),
    ):
        with pytest.raises(PortalError):
            check_choices(kind, choices, before)


@pytest.mark.parametrize(
    ("fact", "op", "values", "held", "fits"),
    [
        ("item.weight", Op.AT_MOST, ["2.5"], ["2.500000"], True),
        ("item.weight", Op.AT_MOST, ["2.5"], ["2.500001"], False),
        ("item.weight", Op.MORE, ["9"], ["1", "10"], True),  # one of several items is enough
        ("item.weight", Op.WITHIN, ["2"], ["-2"], True),
        ("item.weight", Op.MORE, ["9"], None, False),
        ("item.weight", Op.UNKNOWN, [], None, True),
        ("item.until", Op.LESS, ["2026-12-31"], ["2026-12-30"], True),
        ("item.until", Op.LESS, ["2026-12-31"], ["2026-12-31"], False),
        ("item.until", Op.AT_MOST, ["2026-12-31"], ["2026-12-31"], True),
        ("item.until", Op.EQUAL, ["2026-12-31"], ["2026-12-31"], True),
        ("item.until", Op.AT_LEAST, ["2026-12-31"], ["2027-01-01"], True),
        ("item.until", Op.MORE, ["2026-12-31"], ["2026-12-31"], False),
        ("item.colour", Op.CONTAINS, ["BLUE"], ["dark blue"], True),
        ("item.class", Op.ANY_OF, ["a"], ["b", "a"], True),
        ("item.class", Op.NONE_OF, ["a"], ["b"], True),
        ("item.class", Op.NONE_OF, ["a"], None, False),
    ],
)
def test_a_rule_reads_a_field(fact: str, op: Op, values: list[str], held: Any, fits: bool) -> None:
    when = all_of(Condition(fact=fact, op=op, values=values))
    ready = compiled(CHANGE, rules_of((when, APPROVE), otherwise=REFUSE), OWN)
    known = stored(CHANGE, {fact: held} if held else {}, OWN)
    assert (ready.verdict(known).rule_no == 1) is fits


@pytest.mark.parametrize(
    ("fact", "op", "values", "said"),
    [
        ("item.gone", Op.UNKNOWN, [], "was removed from this workspace"),
        ("item.nothing", Op.UNKNOWN, [], "There is no fact “item.nothing” here"),
        ("item.until", Op.LESS, ["2026-02-30"], "One date is needed here"),
        ("item.until", Op.LESS, ["20261231"], "One date is needed here"),
        ("item.until", Op.WITHIN, ["5"], "cannot be compared"),
        ("item.class", Op.ANY_OF, ["c"], "“c” is not one of: a, b"),
        ("item.weight", Op.MORE, ["much"], "is not a number"),
    ],
)
def test_a_rule_about_a_field_that_is_gone_or_not_like_that_is_refused(
    fact: str, op: Op, values: list[str], said: str
) -> None:
    gone = Fact("item.gone", FactKind.TEXT, "Gone", own=("无", "Gone"), removed=True)
    rules = rules_of((all_of(Condition(fact=fact, op=op, values=values)), APPROVE))
    for check in (check_rules, compiled):
        with pytest.raises(WrongRules) as refused:
            check(CHANGE, rules, (*OWN, gone))
        assert said in str(refused.value)


def test_a_trial_says_how_many_requests_are_older_than_the_field() -> None:
    heavy = all_of(Condition(fact="item.weight", op=Op.MORE, values=["9"]))
    ready = compiled(CHANGE, rules_of((heavy, REFUSE), otherwise=APPROVE), OWN)
    facts = [stored(CHANGE, {}), stored(CHANGE, {}, OWN), stored(CHANGE, {"item.weight": [Decimal(10)]}, OWN)]
    past = [PastCase(uuid7(), "C-1", datetime.now(UTC), CaseStatus.APPROVED, True, each) for each in facts]
    found = tried(ready, past)
    assert (found.total, found.before_fields, found.fits, found.different) == (3, 1, [1], 1)
