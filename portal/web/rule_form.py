"""The form of one rule: conditions in groups, and what follows. Each press of a button sends it whole, so it needs no
script: a condition is added by its fact, and comes back with the comparisons and values that fit that fact.

Fields are named after their place: `c2.value` is the value of the third condition.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field

from portal.approvals.facts import Fact
from portal.approvals.inputs import (
    MOST_CONDITIONS,
    MOST_STEPS,
    Condition,
    Group,
    Join,
    Op,
    Outcome,
    OutcomeKind,
    Rule,
)
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.web.errors import BadForm
from portal.web.field_errors import filled
from portal.web.typed import plain

ONE = ("version", "no", "name", "join", "kind", "mode", "answer_hours", "reason", "new.fact", "new.group", "do")
_NAME = re.compile(r"(g\d{1,2}\.join|c\d{1,2}\.(group|fact|op|value|is\.[a-z0-9_]{1,30})|a\d{1,2}\.(role|limit))")
NEW_GROUP = "new"
Known: TypeAlias = Mapping[str, Fact]  # what conditions can look at, removed fields too


class TooDeepForForm(Conflict):
    code = "rule-too-deep-for-form"
    text = N_("This rule nests its groups deeper than the page shows. Change it in the exported file.")


class ConditionRow(Struct):
    """One condition as the form shows it."""

    group: int
    fact: Fact
    op: str
    value: str  # of figures and texts
    chosen: list[str]  # of choices

    def condition(self) -> Condition:
        if self.op == Op.UNKNOWN:
            values = []
        elif self.fact.is_choice:
            values = self.chosen
        else:
            several = [self.value.replace(",", "")] if self.fact.is_single else re.split(r"[,，、]", self.value)
            values = [text for text in (each.strip() for each in several) if text]
        return filled(Condition, {"fact": self.fact.name, "op": self.op, "values": values})


class RuleForm(Struct):
    """What stands in the form."""

    name: str = ""
    join: str = Join.OR.value  # between the groups
    joins: list[str] = field(default_factory=lambda: [Join.AND.value])  # inside each group
    rows: list[ConditionRow] = field(default_factory=list)
    kind: str = "approvers"
    mode: str = "order"
    answer_hours: str = "16"
    reason: str = ""
    approvers: list[tuple[str, str]] = field(default_factory=lambda: [("", "")])  # role, limit

    def rule(self) -> Rule:
        """The rule that the form means. Raises Invalid for the first field that cannot be read."""
        return filled(Rule, {"name": self.name, "when": self._when(), "then": self.outcome()})

    def outcome(self) -> Outcome:
        """What follows. Raises Invalid as `rule`."""
        people = self.kind == OutcomeKind.APPROVERS
        said: dict[str, Any] = {"kind": self.kind}
        if people:
            asked = [(role, limit.replace(",", "")) for role, limit in self.approvers if role]
            said["approvers"] = [{"role": role, "limit": limit or None} for role, limit in asked]
            said |= {"mode": self.mode, "answer_hours": self.answer_hours or None}
        elif self.kind == OutcomeKind.REFUSE:
            said["reason"] = self.reason
        return filled(Outcome, said)

    def _when(self) -> Group:
        groups = []
        for number, join in enumerate(self.joins):
            conditions: list[Condition | Group] = [row.condition() for row in self.rows if row.group == number]
            if conditions:
                groups.append(Group(join=Join(join), of=conditions))
        if len(groups) == 1:
            return groups[0]
        return Group(join=Join(self.join), of=[each.of[0] if len(each.of) == 1 else each for each in groups])

    def add(self, known: Known, fact: str, group: str) -> None:
        """One more condition, in a group or a new one."""
        if fact not in known or len(self.rows) >= MOST_CONDITIONS:
            return
        number = int(group) if group.isdecimal() and int(group) < len(self.joins) else len(self.joins)
        if number == len(self.joins):
            self.joins.append(Join.AND.value)
        self.rows.append(ConditionRow(number, known[fact], "", "", []))


def form_of(rule: Rule, known: Known) -> RuleForm:
    """A rule as the form shows it. Raises TooDeepForForm."""
    groups = _groups(rule.when)
    then = rule.then
    rows = [
        ConditionRow(
            number,
            known[said.fact],
            said.op.value,
            "" if known[said.fact].is_choice else ", ".join(said.values),
            said.values if known[said.fact].is_choice else [],
        )
        for number, group in enumerate(groups)
        for said in _conditions(group)
    ]
    return RuleForm(
        rule.name,
        rule.when.join.value if len(groups) > 1 else Join.OR.value,
        [group.join.value for group in groups],
        rows,
        then.kind.value,
        then.mode.value,
        "" if then.answer_hours is None else str(then.answer_hours),
        then.reason,
        [(each.role.value, plain(each.limit)) for each in then.approvers] or [("", "")],
    )


def _groups(when: Group) -> list[Group]:
    """The groups of the form: one of bare conditions, or each part as a group of its own."""
    if all(isinstance(part, Condition) for part in when.of):
        return [when]
    return [part if isinstance(part, Group) else Group(of=[part]) for part in when.of]


def _conditions(group: Group) -> Iterator[Condition]:
    for part in group.of:
        if isinstance(part, Group):
            raise TooDeepForForm
        yield part


def typed_form(typed: Mapping[str, str], known: Known) -> RuleForm:
    """The form as it was sent. Raises BadForm for a field that it does not have."""
    for name in typed:
        if name not in ONE and not _NAME.fullmatch(name):
            raise BadForm(field="", fields=name)
    joins = _listed(typed, "g", MOST_CONDITIONS + 1)
    return RuleForm(
        typed.get("name", ""),
        _one_of(typed, "join", Join),
        [_one_of(each, "join", Join) for each in joins] or [Join.AND.value],
        [row for row in (_row(each, known, len(joins)) for each in _listed(typed, "c", MOST_CONDITIONS)) if row],
        typed.get("kind", ""),
        typed.get("mode", ""),
        typed.get("answer_hours", ""),
        typed.get("reason", ""),
        [(each.get("role", ""), each.get("limit", "")) for each in _listed(typed, "a", MOST_STEPS)] or [("", "")],
    )


def _one_of(typed: Mapping[str, str], name: str, words: Any) -> str:
    value = typed.get(name, "")
    return value if value in list(words) else next(iter(words)).value


def _listed(typed: Mapping[str, str], letter: str, most: int) -> list[dict[str, str]]:
    """The rows of the form by their number, each with its own fields."""
    found: dict[int, dict[str, str]] = {}
    for name, value in typed.items():
        if match := re.fullmatch(rf"{letter}(\d+)\.(.+)", name):
            found.setdefault(int(match[1]), {})[match[2]] = value
    return [found[number] for number in sorted(found)][:most]


def _row(typed: Mapping[str, str], known: Known, groups: int) -> ConditionRow | None:
    fact = known.get(typed.get("fact", ""))
    if fact is None:
        return None
    group = typed.get("group", "0")
    number = int(group) if group.isdecimal() and len(group) < 3 and int(group) < max(groups, 1) else 0
    chosen = [choice for choice in fact.words() if typed.get(f"is.{choice}")]
    return ConditionRow(number, fact, typed.get("op", ""), typed.get("value", ""), chosen)
