"""Which rule fits the facts of a request, and what holds without rules. Pure.

A rule set is compiled once into one expression of zen-engine that says for each rule whether it holds, and is then
evaluated for any number of requests. Figures are decimals on both sides; words never become part of an expression.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import zen

from portal.approvals.facts import Fact, FactKind, Facts, facts_of
from portal.approvals.inputs import Approver, Condition, Group, Op, Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalPoint
from portal.approvals.rules_checking import check_rules
from portal.core.access import Role
from portal.core.i18n import N_


class Verdict(NamedTuple):
    """What the rules say: the number of the rule that fits, 0 when none does; the rule; what follows."""

    rule_no: int
    rule: Rule
    built_in: bool = False  # what holds without rules

    @property
    def outcome(self) -> Outcome:
        return self.rule.then


@dataclass(frozen=True, slots=True)
class Compiled:
    """Rules ready to be asked."""

    point: ApprovalPoint
    rules: Rules
    expression: Any  # one list: for each rule whether it holds
    words: Mapping[str, Any]  # what the expression compares with
    otherwise: Verdict | None  # when no rule fits; none: what holds without rules

    def verdict(self, facts: Facts) -> Verdict:
        """The first rule that fits; else what holds otherwise, or without rules."""
        held = self.expression.evaluate({"d": facts, "k": self.words})
        for no, (holds, rule) in enumerate(zip(held, self.rules.rules, strict=True), 1):
            if holds:
                return Verdict(no, rule)
        return self.otherwise or without_rules(self.point, facts)


def compiled(point: ApprovalPoint, rules: Rules, own: Sequence[Fact] = ()) -> Compiled:
    """The rules as an expression; the same content is compiled once. own: the fields that the factory defined.

    Raises WrongRules for a rule that cannot be meant, such as one about a field that is not there any more.
    """
    return _compiled(point, rules.model_dump_json(), tuple(own))


@lru_cache(maxsize=64)
def _compiled(point: ApprovalPoint, text: str, own: tuple[Fact, ...]) -> Compiled:
    rules = Rules.model_validate_json(text)
    check_rules(point, rules, own)
    words: dict[str, Any] = {}
    known = facts_of(point, own)
    parts = [_group(known, rule.when, words) for rule in rules.rules]
    otherwise = Verdict(0, Rule(name=OTHERWISE, then=rules.otherwise)) if rules.otherwise is not None else None
    return Compiled(point, rules, zen.compile_expression(f"[{', '.join(parts)}]"), words, otherwise)


def _group(known: Mapping[str, Fact], group: Group, words: dict[str, Any]) -> str:
    if not group.of:
        return "true"
    join = f" {group.join.value} "
    parts = [
        _group(known, part, words) if isinstance(part, Group) else _condition(known[part.fact], part, words)
        for part in group.of
    ]
    return f"({join.join(parts)})"


_FIGURE: dict[Op, str] = {
    Op.LESS: "number({f}) < {v}",
    Op.AT_MOST: "number({f}) <= {v}",
    Op.EQUAL: "number({f}) == {v}",
    Op.AT_LEAST: "number({f}) >= {v}",
    Op.MORE: "number({f}) > {v}",
    Op.WITHIN: "abs(number({f})) <= {v}",
    Op.BEYOND: "abs(number({f})) > {v}",
}
_WORD: dict[Op, str] = {
    Op.ANY_OF: "some({f}, # in {v})",
    Op.NONE_OF: "none({f}, # in {v})",
    Op.CONTAINS: "some({f}, contains(lower(#), {v}))",
}


def _condition(fact: Fact, said: Condition, words: dict[str, Any]) -> str:
    """One comparison. What is not known fulfils nothing but `unknown`."""
    name = f'd["{fact.name}"]' if fact.own else f"d.{fact.name}"
    if said.op is Op.UNKNOWN:
        return f"({name} == null)"
    if fact.own and fact.is_single:  # one of several items is enough
        return f"({name} != null and some({name}, {_single(fact, said)}))"
    if fact.is_figure:
        figure = f"{Decimal(said.values[0]):f}"
        return f"({name} != null and {_FIGURE[said.op].format(f=name, v=figure)})"
    if said.op is Op.CONTAINS:
        each = [_WORD[said.op].format(f=name, v=_kept(words, value.lower())) for value in said.values]
        return f"({name} != null and ({' or '.join(each)}))"
    return f"({name} != null and {_WORD[said.op].format(f=name, v=_kept(words, list(said.values)))})"


def _single(fact: Fact, said: Condition) -> str:
    if fact.kind is FactKind.DATE:
        return _FIGURE[said.op].replace("number", "date").format(f="#", v=f'date("{said.values[0]}")')
    return _FIGURE[said.op].format(f="#", v=f"{Decimal(said.values[0]):f}")


def _kept(words: dict[str, Any], value: Any) -> str:
    name = f"c{len(words)}"
    words[name] = value
    return f"k.{name}"


# --- what holds without rules -----------------------------------------------------------------------------------------


OTHERWISE = N_("No rule fits")
OUR_OWN = N_("Without rules, whoever may do this decides alone")
PARTNERS = N_("Without rules, a person answers what a partner asks")
WITHOUT_RULES_HOURS = 16  # working hours for an answer


def without_rules(point: ApprovalPoint, facts: Facts) -> Verdict:
    """A partner's change needs a person: sales for what is sold, buying for what is bought. All else: nobody more."""
    if point is not ApprovalPoint.CHANGE or facts.get("asked_by") != ["partner"]:
        return _ALONE
    return _BY_BUYER if facts.get("direction") == ["purchase"] else _BY_SALES


def _person(role: Role) -> Verdict:
    outcome = Outcome(kind=OutcomeKind.APPROVERS, approvers=[Approver(role=role)], answer_hours=WITHOUT_RULES_HOURS)
    return Verdict(0, Rule(name=PARTNERS, then=outcome), built_in=True)


_ALONE = Verdict(0, Rule(name=OUR_OWN, then=Outcome(kind=OutcomeKind.APPROVE)), built_in=True)
_BY_SALES, _BY_BUYER = _person(Role.SALES), _person(Role.BUYER)
