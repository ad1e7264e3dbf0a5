"""Where in the form of a rule a refusal is shown: under the field that it is about, in the words of the page."""

import re

from portal.approvals.rules_checking import WrongRules
from portal.core.errors import PortalError
from portal.web.rule_form import RuleForm

_PLACE = re.compile(
    r"(?:rules\[(\d+)\]|otherwise)(?:\.when((?:\.of\[\d+\])*)|\.then)?(?:\.(\w+)(?:\[(\d+)\](?:\.(\w+))?)?)?"
)
_OWN = ("name", "kind", "mode", "answer_hours", "reason")


def placed(error: PortalError | None, form: RuleForm, no: str) -> dict[str, str]:
    """The sentence by the field of the form; under "" what is about none of them."""
    if error is None:
        return {}
    if not isinstance(error, WrongRules):
        return {_typed_field(one.field or "", form): str(one) for one in reversed(error.each())}
    where = _field(error.field or "", form, no)
    return {where: str(error.data["what"]) if where else str(error)}


def _typed_field(name: str, form: RuleForm) -> str:
    """A field that cannot be read: named as the outcome's input names it."""
    if match := re.fullmatch(r"approvers\.(\d+)\.(role|limit)", name):
        return _approver(form, int(match[1]), match[2])
    return name if name in _OWN else ""


def _field(place: str, form: RuleForm, no: str) -> str:
    """rules[2].when.of[1].values -> c0.value; empty for a place in another rule."""
    match = _PLACE.fullmatch(place)
    if match is None or (no and no != (match[1] or "otherwise")):
        return ""
    steps, part = match[2], match[3] or ""
    if steps:
        return "" if part == "fact" and not no else _condition(form, [int(n) for n in re.findall(r"\d+", steps)], part)
    if part == "approvers":
        return _approver(form, int(match[4] or 1) - 1, match[5] or "role")
    return part if part in _OWN else ""


def _condition(form: RuleForm, steps: list[int], part: str) -> str:
    """The condition at these places, counted as the rule has them: groups without a condition are left out."""
    groups = [[n for n, row in enumerate(form.rows) if row.group == group] for group in range(len(form.joins))]
    groups = [rows for rows in groups if rows]
    if len(groups) == 1:
        steps = [1, *steps]
    row = groups[steps[0] - 1][steps[1] - 1 if len(steps) > 1 else 0]
    return f"c{row}.{'value' if part == 'values' else 'op'}"


def _approver(form: RuleForm, index: int, part: str) -> str:
    """The approver of this place among those whose role is chosen."""
    chosen = [n for n, (role, _limit) in enumerate(form.approvers) if role] or [0]
    return f"a{chosen[min(index, len(chosen) - 1)]}.{part}"
