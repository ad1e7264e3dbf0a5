"""What rules would have said to requests of the past, beside what was decided then. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from portal.approvals.facts import Facts
from portal.approvals.inputs import Group, OutcomeKind, Rules
from portal.approvals.model import CaseStatus
from portal.approvals.rules_matching import Compiled

MOST_SHOWN = 200


class PastCase(Struct, frozen=True):
    """A request that was decided."""

    id: UUID
    label: str
    requested_at: datetime
    status: CaseStatus
    by_people: bool
    facts: Facts


class Difference(Struct, frozen=True):
    """A request that people decided otherwise than these rules would have."""

    case: PastCase
    rule_no: int  # 0: none fits
    rule_name: str
    would: OutcomeKind


class Trial(Struct, frozen=True):
    """The sum of it, and each difference. What a person would still be asked differs from nothing."""

    total: int
    by_people: int  # of these, decided by people
    would: dict[OutcomeKind, int]
    fits: list[int]  # how often each rule fitted, in order
    no_rule: int
    differences: list[Difference]  # the first ones
    different: int  # all
    before_fields: int  # asked before a field that these rules look at was defined: it counts as not known


def own_names(rules: Rules) -> set[str]:
    """The own facts that rules look at: their names have a holder before a point."""
    return {name for rule in rules.rules for name in _names(rule.when) if "." in name}


def _names(group: Group) -> Iterator[str]:
    for part in group.of:
        if isinstance(part, Group):
            yield from _names(part)
        else:
            yield part.fact


_SAME = {OutcomeKind.APPROVE: CaseStatus.APPROVED, OutcomeKind.REFUSE: CaseStatus.REFUSED}


def tried(rules: Compiled, past: Iterable[PastCase]) -> Trial:
    """Ask the rules about every past request, as if nothing had been decided yet."""
    would = dict.fromkeys(OutcomeKind, 0)
    fits = [0] * (len(rules.rules.rules) + 1)
    found: list[Difference] = []
    named = own_names(rules.rules)
    total = by_people = different = before = 0
    for case in past:
        verdict = rules.verdict(case.facts)
        kind = verdict.outcome.kind
        total, by_people = total + 1, by_people + case.by_people
        before += any(name not in case.facts for name in named)
        would[kind] += 1
        fits[verdict.rule_no] += 1
        if case.by_people and _SAME.get(kind, case.status) is not case.status:
            different += 1
            if len(found) < MOST_SHOWN:
                found.append(Difference(case, verdict.rule_no, verdict.rule.name, kind))
    return Trial(total, by_people, would, fits[1:], fits[0], found, different, before)
