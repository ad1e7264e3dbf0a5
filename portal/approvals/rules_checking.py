"""What may be written as rules: every fact, comparison and outcome must mean something at its point. Pure.

A refusal names the place of the error as both a program and a reader of an exported file find it, counted from 1.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from portal.approvals.facts import OPS, Fact, FactKind, facts_of
from portal.approvals.inputs import DEEPEST, Condition, Exported, Group, Mode, Op, Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalPoint
from portal.approvals.rules import APPROVER_ROLES
from portal.core import faults
from portal.core.errors import Invalid, NotFound
from portal.core.i18n import N_, render

FILE = "file"  # the place of what is wrong with the whole
LARGEST = Decimal(10) ** 12


class WrongRules(Invalid):
    """Something in a rule that cannot be meant. `what` is a refusal of its own, so that it is read in any language."""

    code = "wrong-rules"
    text = N_("{place}: {what}")


class UnknownPoint(NotFound):
    code = "unknown-approval-point"
    text = N_("Approvals are not asked here. Use one of: {known}.")


class Said:
    """A sentence inside a sentence, translated when it is read. What somebody typed stays as it was typed."""

    def __init__(self, said: str, **data: Any) -> None:
        self.said = said
        self.data = {name: Typed(value) if isinstance(value, str) else value for name, value in data.items()}

    def __str__(self) -> str:
        return render(self.said, self.data)


class Typed:
    """A text that is no word of ours."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


UNKNOWN_FACT = N_("There is no fact “{name}” here. Use one of: {known}.")
REMOVED_FACT = N_("The field “{name}” was removed from this workspace. Take the condition out, or use another fact.")
WRONG_OP = N_("“{fact}” cannot be compared with “{op}”. Use one of: {known}.")
NO_NUMBER = N_("“{typed}” is not a number below a million millions with at most six decimals.")
ONE_NUMBER = N_("One number is needed here.")
ONE_DATE = N_("One date is needed here, such as 2026-12-31.")
NO_WORD = N_("At least one value is needed here.")
NO_VALUE = N_("Nothing is compared here, so leave the value out.")
UNKNOWN_CHOICE = N_("“{typed}” is not one of: {known}.")
NEGATIVE = N_("“{typed}” is below zero, but this comparison counts in both directions.")
TOO_DEEP = N_("Groups can stand in each other {deepest} deep at most.")
NOBODY = N_("Name at least one approver.")
NOT_WANTED = N_("Approvers are named only where people are asked.")
WRONG_ROLE = N_("The role “{role}” cannot approve. Use one of: {known}.")
LIMIT_IN_PARALLEL = N_("A limit only means something when approvers are asked in order.")
LIMIT_AT_END = N_("The last approver cannot have a limit, or nobody could decide what lies above it.")
NO_REASON = N_("Say why such requests are refused; whoever asked reads it.")
THE_FILE = N_("The file of rules")
NO_JSON = N_("This is not a file of rules: it cannot be read as JSON.")
MISSING = N_("Something is missing here.")
SUPERFLUOUS = N_("There is no such field. Leave it out.")
_SHAPES = {"json_invalid": NO_JSON, "missing": MISSING, "extra_forbidden": SUPERFLUOUS}


def check_point(name: str) -> ApprovalPoint:
    """The point of an address. Raises UnknownPoint."""
    if name not in list(ApprovalPoint):
        raise UnknownPoint(known=", ".join(ApprovalPoint))
    return ApprovalPoint(name)


def read_exported(file: str | dict[str, Any], point: ApprovalPoint, own: Sequence[Fact] = ()) -> Rules:
    """Rules from a file, as text or read already. Raises WrongRules, which names the place of the first error."""
    try:
        said = Exported.model_validate_json(file) if isinstance(file, str) else Exported.model_validate(file)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        known = _SHAPES.get(first["type"])
        text, data = (known, {}) if known else faults.told(first)
        raise _wrong(_place(first["loc"]), text, **data) from None
    if said.point != point:
        raise _wrong("point", UNKNOWN_CHOICE, typed=said.point, known=point.value)
    rules = Rules(rules=said.rules, otherwise=said.otherwise)
    check_rules(point, rules, own)
    return rules


def _place(steps: Sequence[int | str]) -> str:
    """rules[3].when.of[0]: as a programmer and a reader of the file both find it. Names of classes are left out."""
    place = ""
    for step in steps:
        if isinstance(step, int):
            place += f"[{step + 1}]"
        elif step not in ("Condition", "Group"):
            place += f".{step}" if place else step
    return place or FILE


def check_rules(point: ApprovalPoint, rules: Rules, own: Sequence[Fact] = ()) -> None:
    """Raise WrongRules at the first thing that cannot be meant. Places count from 1."""
    for n, rule in enumerate(rules.rules, 1):
        check_rule(point, rule, f"rules[{n}]", own)
    if rules.otherwise is not None:
        _check_outcome(rules.otherwise, "otherwise")


def check_rule(point: ApprovalPoint, rule: Rule, place: str = "rule", own: Sequence[Fact] = ()) -> None:
    """Raise WrongRules unless the rule can be evaluated at this point."""
    _check_group(facts_of(point, own), rule.when, f"{place}.when", 1)
    _check_outcome(rule.then, f"{place}.then")


def _wrong(place: str, said: str, **data: Any) -> WrongRules:
    named = Said(THE_FILE) if place == FILE else Typed(place)
    return WrongRules(field=place, place=named, what=Said(said, **data))


def _check_group(known: Mapping[str, Fact], group: Group, place: str, depth: int) -> None:
    if depth > DEEPEST:
        raise _wrong(place, TOO_DEEP, deepest=DEEPEST)
    for n, part in enumerate(group.of, 1):
        where = f"{place}.of[{n}]"
        if isinstance(part, Group):
            _check_group(known, part, where, depth + 1)
        else:
            _check_condition(known, part, where)


def _check_condition(known: Mapping[str, Fact], said: Condition, place: str) -> None:
    fact = known.get(said.fact)
    if fact is None:
        offered = [name for name, each in known.items() if not each.removed]
        raise _wrong(f"{place}.fact", UNKNOWN_FACT, name=said.fact, known=", ".join(offered))
    if fact.removed:
        raise _wrong(f"{place}.fact", REMOVED_FACT, name=said.fact)
    fitting = OPS[fact.kind]
    if said.op not in fitting:
        raise _wrong(f"{place}.op", WRONG_OP, fact=said.fact, op=said.op.value, known=", ".join(fitting))
    if said.op is Op.UNKNOWN:
        if said.values:
            raise _wrong(f"{place}.values", NO_VALUE)
    elif fact.is_figure:
        _check_figure(said, f"{place}.values")
    elif fact.kind is FactKind.DATE:
        _check_date(said.values, f"{place}.values")
    else:
        _check_words(fact, said.values, f"{place}.values")


def _check_figure(said: Condition, place: str) -> None:
    if len(said.values) != 1:
        raise _wrong(place, ONE_NUMBER)
    try:
        figure = Decimal(said.values[0])
    except InvalidOperation:
        raise _wrong(place, NO_NUMBER, typed=said.values[0]) from None
    exponent = figure.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -6 or abs(figure) >= LARGEST:
        raise _wrong(place, NO_NUMBER, typed=said.values[0])
    if figure < 0 and said.op in (Op.WITHIN, Op.BEYOND):
        raise _wrong(place, NEGATIVE, typed=said.values[0])


def _check_date(values: Sequence[str], place: str) -> None:
    try:
        (day,) = values
        if date.fromisoformat(day).isoformat() == day:
            return
    except ValueError:
        pass
    raise _wrong(place, ONE_DATE)


def _check_words(fact: Fact, values: Sequence[str], place: str) -> None:
    if not values or not all(values):
        raise _wrong(place, NO_WORD)
    for value in values:
        choices = fact.own_choices or fact.choices
        if choices is not None and value not in choices:
            raise _wrong(place, UNKNOWN_CHOICE, typed=value, known=", ".join(choices))


def _check_outcome(said: Outcome, place: str) -> None:
    if said.kind is OutcomeKind.REFUSE and not said.reason:
        raise _wrong(f"{place}.reason", NO_REASON)
    if said.kind is not OutcomeKind.APPROVERS:
        if said.approvers:
            raise _wrong(f"{place}.approvers", NOT_WANTED)
        return
    if not said.approvers:
        raise _wrong(f"{place}.approvers", NOBODY)
    for n, approver in enumerate(said.approvers, 1):
        where = f"{place}.approvers[{n}]"
        if approver.role not in APPROVER_ROLES:
            raise _wrong(f"{where}.role", WRONG_ROLE, role=approver.role.value, known=", ".join(APPROVER_ROLES))
        if approver.limit is not None and said.mode is Mode.PARALLEL:
            raise _wrong(f"{where}.limit", LIMIT_IN_PARALLEL)
    if said.approvers[-1].limit is not None:
        raise _wrong(f"{place}.approvers[{len(said.approvers)}].limit", LIMIT_AT_END)
