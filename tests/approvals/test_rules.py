"""What rules mean: against a plain reading of the same data, at the boundaries, and in files that are wrong."""

import json
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.approvals.facts import FACTS, Facts, facts_of, stored
from portal.approvals.inputs import Approver, Condition, Group, Join, Op, Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalPoint, Escalation
from portal.approvals.rules import needed, next_escalation
from portal.approvals.rules_checking import WrongRules, check_rules, read_exported
from portal.approvals.rules_matching import compiled
from portal.approvals.words import fact_rows
from portal.changes.model import ChangeReason
from portal.changes.words import REASONS
from portal.core.access import Role
from portal.core.i18n import Language, speaking
from portal.core.i18n import _ as said
from tests.approvals.makers import APPROVE, REFUSE, all_of, approvers, rules_of

CHANGE = ApprovalPoint.CHANGE
FIGURES = ["change_percent", "notice_days", "value"]
WORDS = ["zone", "item", "asked_by"]
ZONES, ITEMS, SCOPES = ["firm", "tradeoff", "forecast"], ['A"100', "b' or true", "C] #", "阀门"], ["factory", "partner"]

figure = st.decimals(-1000, 1000, places=2) | st.sampled_from([Decimal(20), Decimal("20.000001"), Decimal(-20)])
number_op = st.sampled_from([Op.LESS, Op.AT_MOST, Op.EQUAL, Op.AT_LEAST, Op.MORE])
both_ways = st.sampled_from([Op.WITHIN, Op.BEYOND])
condition = st.one_of(
    st.builds(lambda f, o, v: Condition(fact=f, op=o, values=[str(v)]), st.sampled_from(FIGURES), number_op, figure),
    st.builds(
        lambda f, o, v: Condition(fact=f, op=o, values=[str(abs(v))]), st.sampled_from(FIGURES), both_ways, figure
    ),
    st.builds(lambda o, v: Condition(fact="zone", op=o, values=v), st.sampled_from([Op.ANY_OF, Op.NONE_OF]),
              st.lists(st.sampled_from(ZONES), min_size=1, max_size=2)),
    st.builds(lambda o, v: Condition(fact="item", op=o, values=v),
              st.sampled_from([Op.ANY_OF, Op.NONE_OF, Op.CONTAINS]),
              st.lists(st.sampled_from([*ITEMS, "0", "TRUE"]), min_size=1, max_size=2)),
    st.builds(lambda f: Condition(fact=f, op=Op.UNKNOWN), st.sampled_from([*FIGURES, *WORDS])),
)  # fmt: skip
group = st.recursive(
    st.builds(lambda j, of: Group(join=j, of=of), st.sampled_from(Join), st.lists(condition, max_size=3)),
    lambda inner: st.builds(
        lambda j, of: Group(join=j, of=of), st.sampled_from(Join), st.lists(inner | condition, max_size=3)
    ),
    max_leaves=4,
)
facts = st.fixed_dictionaries(
    {
        **{name: st.none() | figure for name in FIGURES},
        "zone": st.none() | st.lists(st.sampled_from(ZONES), min_size=1, max_size=2),
        "item": st.none() | st.lists(st.sampled_from(ITEMS), min_size=1, max_size=2),
        "asked_by": st.none() | st.sampled_from(SCOPES),
    }
)

PLAIN: dict[Op, Callable[[Decimal, Decimal], bool]] = {
    Op.LESS: lambda a, b: a < b,
    Op.AT_MOST: lambda a, b: a <= b,
    Op.EQUAL: lambda a, b: a == b,
    Op.AT_LEAST: lambda a, b: a >= b,
    Op.MORE: lambda a, b: a > b,
    Op.WITHIN: lambda a, b: abs(a) <= b,
    Op.BEYOND: lambda a, b: abs(a) > b,
}


def depth(part: Group | Condition) -> int:
    return 1 + max(map(depth, part.of), default=0) if isinstance(part, Group) else 0


def holds(part: Group | Condition, known: Facts) -> bool:
    """The oracle: rules read one by one, in plain Python."""
    if isinstance(part, Group):
        said = [holds(each, known) for each in part.of]
        return not said or (all(said) if part.join is Join.AND else any(said))
    value = known[part.fact]
    if part.op is Op.UNKNOWN or value is None:
        return part.op is Op.UNKNOWN and value is None
    if part.op in PLAIN:
        return PLAIN[part.op](Decimal(value), Decimal(part.values[0]))
    if part.op is Op.CONTAINS:
        return any(word.lower() in each.lower() for each in value for word in part.values)
    return bool(set(value) & set(part.values)) == (part.op is Op.ANY_OF)


@settings(max_examples=300, deadline=None)
@given(st.lists(group.filter(lambda g: depth(g) <= 4), min_size=1, max_size=4), st.lists(facts, min_size=1, max_size=4))
def test_nested_conditions_mean_what_a_plain_reading_says(groups: list[Group], requests: list[dict[str, Any]]) -> None:
    ready = compiled(CHANGE, rules_of(*((each, APPROVE) for each in groups), otherwise=REFUSE))
    for request in requests:
        known = stored(CHANGE, request)
        fits = [no for no, each in enumerate(groups, 1) if holds(each, known)]
        assert ready.verdict(known).rule_no == (fits[0] if fits else 0)


@pytest.mark.parametrize(
    ("percent", "op", "fits"),
    [
        ("20", Op.AT_MOST, True),
        ("20.000000", Op.AT_MOST, True),
        ("20.000001", Op.AT_MOST, False),
        ("-20", Op.WITHIN, True),
        ("-20.000001", Op.BEYOND, True),
        ("999999999999.999999", Op.MORE, True),
        ("19.999999", Op.EQUAL, False),
        ("20.00", Op.EQUAL, True),
    ],
)
def test_figures_are_exact_at_the_boundary(percent: str, op: Op, fits: bool) -> None:
    when = all_of(Condition(fact="change_percent", op=op, values=["20"]))
    verdict = compiled(CHANGE, rules_of((when, APPROVE), otherwise=REFUSE)).verdict(
        stored(CHANGE, {"change_percent": Decimal(percent)})
    )
    assert (verdict.rule_no == 1) is fits


@pytest.mark.parametrize("point", ApprovalPoint)
def test_every_point_can_be_asked_about_every_fact(point: ApprovalPoint) -> None:
    whens = [all_of(Condition(fact=fact.name, op=Op.UNKNOWN)) for fact in FACTS[point]]
    ready = compiled(point, rules_of(*((when, REFUSE) for when in whens)))
    assert ready.verdict(stored(point, {})).rule_no == 1
    assert len(facts_of(point)) == len(FACTS[point])


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("point", ApprovalPoint)
def test_no_two_facts_of_a_point_have_one_name(point: ApprovalPoint, language: Language) -> None:
    with speaking(language):
        chosen = Counter(fact.named() for fact in FACTS[point])
        shown = Counter(said(fact.measured) if fact.measured else fact.named() for fact in FACTS[point])
    assert [name for names in (chosen, shown) for name, times in names.items() if times > 1] == []


def test_a_limit_covers_its_own_value_and_nothing_unknown() -> None:
    chain = approvers(Role.PLANNER, Role.FINANCE, Role.ADMIN)
    chain.approvers[0].limit, chain.approvers[1].limit = Decimal(50_000), Decimal(500_000)
    values = (Decimal(50_000), Decimal("50000.01"), Decimal(-600000), None)
    assert [len(needed(chain, value)) for value in values] == [1, 2, 3, 3]


def test_an_unanswered_step_goes_to_a_reminder_to_deputies_and_to_administrators() -> None:
    way = [Escalation.ASKED]
    while (further := next_escalation(way[-1], deputies=True)) is not None:
        way.append(further)
    assert way == list(Escalation)
    assert next_escalation(Escalation.REMINDED, deputies=False) is Escalation.ADMINS


# --- files that are wrong ---------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "format": "calloff-rules",
    "format_version": 1,
    "point": "change",
    "rules": [
        {
            "name": "Small",
            "when": {"join": "and", "of": [{"fact": "change_percent", "op": "within", "values": ["20"]}]},
            "then": {"kind": "approvers", "approvers": [{"role": "sales"}]},
        }
    ],
}


def broken(path: str, value: Any) -> str:
    """The good file with one place made wrong. path: rules.0.name"""
    text = json.loads(json.dumps(GOOD))
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = text
    for step in steps:
        place = place[step]
    place[last] = value
    return json.dumps(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "file"),
        ("[]", "file"),
        (broken("format_version", 2), "format_version"),
        (broken("point", "statement"), "point"),
        (broken("more", 1), "more"),
        (broken("rules.0.name", ""), "rules[1].name"),
        (broken("rules.0.when.join", "xor"), "rules[1].when.join"),
        (broken("rules.0.when.of.0.fact", "colour"), "rules[1].when.of[1].fact"),
        (broken("rules.0.when.of.0.op", "contains"), "rules[1].when.of[1].op"),
        (broken("rules.0.when.of.0.values", ["much"]), "rules[1].when.of[1].values"),
        (broken("rules.0.when.of.0.values", ["NaN"]), "rules[1].when.of[1].values"),
        (broken("rules.0.when.of.0.values", ["1e400"]), "rules[1].when.of[1].values"),
        (broken("rules.0.when.of.0.values", ["-5"]), "rules[1].when.of[1].values"),
        (broken("rules.0.when.of.0.values", ["1.0000001"]), "rules[1].when.of[1].values"),
        (broken("rules.0.then.kind", "ask"), "rules[1].then.kind"),
        (broken("rules.0.then.approvers", []), "rules[1].then.approvers"),
        (broken("rules.0.then.approvers.0.role", "clerk"), "rules[1].then.approvers[1].role"),
        (broken("rules.0.then.approvers.0.limit", "5"), "rules[1].then.approvers[1].limit"),
        (broken("otherwise", {"kind": "refuse"}), "otherwise.reason"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(text: str, place: str) -> None:
    with pytest.raises(WrongRules) as refused:
        read_exported(text, CHANGE)
    assert refused.value.field == place
    with speaking(Language.ZH):
        sentence = str(refused.value)
        assert sentence.startswith("规则文件：" if place == "file" else f"{place}：")
        assert re.search("[\u4e00-\u9fff]", sentence.partition("：")[2])


def test_the_reason_of_a_change_is_chosen_and_read_in_words() -> None:
    reason = facts_of(CHANGE)["reason"]
    assert {ChangeReason(code): words for code, words in (reason.choices or {}).items()} == REASONS
    kept = stored(CHANGE, {"reason": ChangeReason.DEMAND})
    with speaking(Language.ZH):
        assert ("原因", "需求变化") in fact_rows(CHANGE, kept, "CNY", (), prices=True)


def test_a_good_file_is_read_and_groups_stand_four_deep_at_most() -> None:
    assert read_exported(json.dumps(GOOD), CHANGE).rules[0].name == "Small"
    nested = Group()
    for _ in range(4):
        nested = Group(of=[nested])
    then = Outcome(kind=OutcomeKind.APPROVERS, approvers=[Approver(role=Role.SALES)])
    with pytest.raises(WrongRules):
        check_rules(CHANGE, Rules(rules=[Rule(name="Deep", when=nested, then=then)]))
