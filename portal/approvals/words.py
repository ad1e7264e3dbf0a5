"""Rules, facts and decisions as sentences in the reader's language."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from portal.approvals.facts import Fact, FactKind, Facts, facts_of
from portal.approvals.inputs import Approver, Condition, Group, Join, Mode, Op, Outcome, OutcomeKind, Rule
from portal.approvals.model import ApprovalPoint, CaseStatus, Escalation, StepStatus
from portal.core import i18n
from portal.core.access import ROLE_NAMES
from portal.core.i18n import N_, _
from portal.core.quantities import show_money, show_quantity

OP_NAMES: dict[Op, str] = {
    Op.LESS: N_("is less than"),
    Op.AT_MOST: N_("is at most"),
    Op.EQUAL: N_("is exactly"),
    Op.AT_LEAST: N_("is at least"),
    Op.MORE: N_("is more than"),
    Op.WITHIN: N_("is at most, up or down,"),
    Op.BEYOND: N_("is more than, up or down,"),
    Op.ANY_OF: N_("is one of"),
    Op.NONE_OF: N_("is none of"),
    Op.CONTAINS: N_("contains"),
    Op.UNKNOWN: N_("is not known"),
}
DATE_OPS: dict[Op, str] = {
    Op.LESS: N_("is before"),
    Op.AT_MOST: N_("is on or before"),
    Op.EQUAL: N_("is on"),
    Op.AT_LEAST: N_("is on or after"),
    Op.MORE: N_("is after"),
}
SINGLE = {Op.ANY_OF: N_("is"), Op.NONE_OF: N_("is not")}  # with one value
OUTCOME_NAMES: dict[OutcomeKind, str] = {
    OutcomeKind.APPROVE: N_("Approve at once"),
    OutcomeKind.REFUSE: N_("Refuse at once"),
    OutcomeKind.APPROVERS: N_("Ask people"),
}
UNITS: dict[FactKind, str] = {
    FactKind.PERCENT: "%",
    FactKind.MONEY: N_("own currency"),
    FactKind.DAYS: N_("days"),
    **dict.fromkeys((FactKind.NUMBER, FactKind.CHOICE, FactKind.TEXT, FactKind.DATE), ""),
}
MODE_NAMES: dict[Mode, str] = {Mode.ORDER: N_("one after the other"), Mode.PARALLEL: N_("all at once")}
STATUS_NAMES: dict[CaseStatus, str] = {
    CaseStatus.WAITING: N_("Waits for approval"),
    CaseStatus.APPROVED: N_("Approved"),
    CaseStatus.REFUSED: N_("Refused"),
    CaseStatus.WITHDRAWN: N_("Taken back"),
    CaseStatus.REPLACED: N_("Asked again"),
}
STEP_NAMES: dict[StepStatus, str] = {
    StepStatus.LATER: N_("asked later"),
    StepStatus.OPEN: N_("asked"),
    StepStatus.APPROVED: N_("approved"),
    StepStatus.REFUSED: N_("refused"),
    StepStatus.DROPPED: N_("not needed any more"),
}
ESCALATION_NAMES: dict[Escalation, str] = {
    Escalation.ASKED: "",
    Escalation.REMINDED: N_("reminded"),
    Escalation.DEPUTIES: N_("deputies may decide"),
    Escalation.ADMINS: N_("administrators may decide"),
}
VERBS: dict[str, str] = {
    "asked": N_("Approval asked"),
    "approved": N_("Approved"),
    "refused": N_("Refused"),
    "approved_by_rule": N_("Approved by the rule “{rule}”"),
    "refused_by_rule": N_("Refused by the rule “{rule}”"),
    "withdrawn": N_("Taken back"),
    "replaced": N_("Asked again, as it is now"),
    "reminded": N_("Reminded of the answer"),
    "escalated": N_("Deputies were asked"),
    "escalated_to_admin": N_("Administrators were asked"),
}


# --- rules ------------------------------------------------------------------------------------------------------------


def condition(point: ApprovalPoint, rule: Rule, currency: str, own: Sequence[Fact]) -> str:
    """When a rule fits: Relative change of the quantity is at most 20 % and Zone is firm zone.

    own: with removed ones.
    """
    return _group(facts_of(point, own), rule.when, currency, outer=True) or _("always")


def _group(known: Mapping[str, Fact], group: Group, currency: str, *, outer: bool = False) -> str:
    said = [
        _group(known, part, currency) if isinstance(part, Group) else _condition(known[part.fact], part, currency)
        for part in group.of
    ]
    said = [text for text in said if text]
    text = (_(", and ") if group.join is Join.AND else _(", or ")).join(said)
    return text if outer or len(said) < 2 else _("({conditions})").format(conditions=text)


def _condition(fact: Fact, said: Condition, currency: str) -> str:
    comparison = SINGLE.get(said.op, op_name(fact, said.op)) if len(said.values) == 1 else op_name(fact, said.op)
    parts = (fact.named(), _(comparison), figures_or_words(fact, said.values, currency))
    return _("{fact} {comparison} {value}").format(fact=parts[0], comparison=parts[1], value=parts[2]).strip()


def op_name(fact: Fact, op: Op) -> str:
    """A comparison as it is said of this kind of fact, to be translated."""
    return DATE_OPS.get(op, OP_NAMES[op]) if fact.kind is FactKind.DATE else OP_NAMES[op]


def unit_of(fact: Fact) -> str:
    """The unit in which a figure is typed."""
    return fact.unit or (_(UNITS[fact.kind]) if UNITS[fact.kind] else "")


def figures_or_words(fact: Fact, values: Sequence[str], currency: str) -> str:
    """The values of a fact as people write them."""
    if fact.kind is FactKind.DATE:
        return _(", ").join(i18n.day(date.fromisoformat(value), year=True) for value in values)
    if not fact.is_figure:
        said = fact.words()
        return _(", ").join(said.get(value, value) for value in values)
    unit = f"{i18n.NBSP}{fact.unit}" if fact.unit else ""
    return _(", ").join(figure(fact.kind, Decimal(value), currency) + unit for value in values)


def figure(kind: FactKind, value: Decimal, currency: str) -> str:
    """One figure with its unit."""
    match kind:
        case FactKind.PERCENT:
            return (
                f"{i18n.number(_readable(value))}{'%' if i18n.language.get() is i18n.Language.ZH else i18n.NBSP + '%'}"
            )
        case FactKind.MONEY:
            return show_money(value, currency)
        case FactKind.DAYS:
            return i18n.ngettext("{n} day", "{n} days", int(value) if value == 1 else 2).format(n=i18n.number(value))
        case _:
            return i18n.number(value)


def _readable(percent: Decimal) -> Decimal:
    """A computed share in hundredths; what somebody typed has six decimals at most and stays."""
    return percent if percent == round(percent, 6) else round(percent, 2)


def sentence(point: ApprovalPoint, no: int, rule: Rule, currency: str, own: Sequence[Fact]) -> str:
    """A rule as one sentence."""
    text = _("Rule {n} “{name}”: if {condition}, then {outcome}")
    when, follows = condition(point, rule, currency, own), outcome(rule.then, currency)
    return text.format(n=i18n.number(no), name=rule.name, condition=when, outcome=follows)


def outcome(said: Outcome, currency: str) -> str:
    """What follows: Ask Sales planner, then Finance; answer within 16 working hours."""
    if said.kind is OutcomeKind.REFUSE:
        return _("{outcome}: {reason}").format(outcome=_(OUTCOME_NAMES[said.kind]), reason=said.reason)
    if said.kind is OutcomeKind.APPROVE:
        return _(OUTCOME_NAMES[said.kind])
    joint = _(", then ") if said.mode is Mode.ORDER else _(" and ")
    asked = _("Ask {roles}").format(roles=joint.join(_approver(each, currency) for each in said.approvers))
    if said.answer_hours is None:
        return asked
    return _("{asked}; answer within {n} working hours").format(asked=asked, n=i18n.number(said.answer_hours))


def _approver(said: Approver, currency: str) -> str:
    role = _(ROLE_NAMES[said.role])
    if said.limit is None:
        return role
    return _("{role} (alone up to {limit})").format(role=role, limit=show_money(said.limit, currency))


# --- cases ------------------------------------------------------------------------------------------------------------


def fact_rows(
    point: ApprovalPoint, facts: Facts, currency: str, own: Sequence[Fact], *, prices: bool
) -> list[tuple[str, str]]:
    """(label, value) of what was known; money only for those who see prices. A unit stands with its quantity."""
    rows = []
    (unit,) = facts.get("unit") or [""]
    for fact in facts_of(point, own).values():
        value = facts.get(fact.name)
        if value is None or fact.name == "unit" or (fact.kind is FactKind.MONEY and not prices):
            continue
        if fact.measured and unit:
            rows.append((_(fact.measured), show_quantity(Decimal(value), unit)))
            continue
        values = value if isinstance(value, list) else [value]
        rows.append((fact.named(), figures_or_words(fact, values, currency)))
    return rows


def why(point: ApprovalPoint, rule_no: int, rule: Mapping[str, Any], currency: str, own: Sequence[Fact]) -> str:
    """Which rule spoke, and what it says."""
    said = Rule.model_validate(rule)
    follows = outcome(said.then, currency)
    if not rule_no:
        return _("{name}: {outcome}").format(name=_(said.name), outcome=follows)
    return sentence(point, rule_no, said, currency, own)
