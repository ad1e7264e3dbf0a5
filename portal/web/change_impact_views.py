"""What a request does, as pictures and in words: the cumulative curves before and after, and whose word is needed."""

import json
from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.inputs import OutcomeKind
from portal.approvals.model import ApprovalCase, CaseStatus, StepStatus
from portal.approvals.service import steps_of
from portal.changes.impact import Impact
from portal.changes.model import ChangeRequest, ChangeStatus
from portal.changes.rules_impact import Curve, Stake
from portal.changes.service_reviewing import foreseen
from portal.core import i18n
from portal.core.access import ROLE_NAMES, Role
from portal.core.actor import Actor, Scope
from portal.core.i18n import _
from portal.schedules.rules_cumulative import aligned
from portal.web.board_chart import plain, seconds, shown, zone_bands
from portal.web.pages import unit_name

AROUND = timedelta(weeks=4)  # shown before the first day and after the last day that the request touches
DRAWN = 4  # curves on one page; of more each has its sentence


class CurveView(Struct, frozen=True):
    """One contract line's cumulative quantity before and after. data: empty where it is told in words alone."""

    part: str
    title: str  # the part with its unit
    sentence: str
    data: str
    rows: list[tuple[str, str, str]]  # day, before, after


def curves(sheet: Impact) -> list[CurveView]:
    """The contract lines whose cumulative curve moves at all."""
    stakes = {stake.contract_line_id: stake for stake in sheet.stakes}
    moving = [curve for curve in sheet.curves if curve.widest is not None and curve.widest[1]]
    return [_view(sheet, curve, stakes[curve.contract_line_id], n < DRAWN) for n, curve in enumerate(moving)]


def _view(sheet: Impact, curve: Curve, stake: Stake, drawn: bool) -> CurveView:
    assert curve.widest is not None
    day, gap = curve.widest
    text = _("{quantity} on {day}, where both curves are furthest apart.").format(
        quantity=f"{i18n.signed(gap)}{i18n.NBSP}{unit_name(stake.before.unit)}", day=i18n.day(day, year=True)
    )
    part = stake.before.item
    title = _("{part}, in {unit}").format(part=part, unit=unit_name(stake.before.unit))
    if not drawn:
        return CurveView(part, title, text, "", [])
    touched = [when for when, _quantity in curve.changes]
    start, end = min(*touched, sheet.today) - AROUND, max(*touched, sheet.today) + AROUND
    days, series = aligned({"before": curve.before, "after": curve.after}, start, end, {})
    data = {
        "x": [seconds(each) for each in days],
        "planned": plain(series["before"]),
        "delivered": plain(series["after"]),
        "cover": None,
        "zones": zone_bands(sheet.today, stake.fences, end),
        "today": seconds(sheet.today),
        "words": {"planned": _("Before"), "delivered": _("After"), "today": _("today").capitalize()},
    }
    rows = [
        (i18n.day(each, year=True), shown(series["before"][n]), shown(series["after"][n]))
        for n, each in enumerate(days)
    ]
    return CurveView(part, title, text, json.dumps(data), rows)


# --- whose word ------------------------------------------------------------------------------------------------------


async def approval(
    session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact, case: ApprovalCase | None
) -> tuple[str, str]:
    """(whose word of the own company is waited for or will be needed, where it is given); the factory's alone."""
    if not actor.is_factory:
        return "", ""
    if case is not None and case.status is CaseStatus.WAITING:
        steps = await steps_of(session, case, fresh=False)
        names = _roles([step.role for step in steps if step.status is StepStatus.OPEN])
        later = _roles([step.role for step in steps if step.status is StepStatus.LATER])
        said = _("Waits for the word of {roles}.").format(roles=names)
        said = _joined(said, _("After that: {roles}.").format(roles=later)) if later else said
        return said, f"/approvals/{case.id}"
    if change.status is not ChangeStatus.DRAFT or change.asked_scope != Scope.FACTORY:
        return "", ""
    kind, roles = await foreseen(session, actor, change, sheet)
    if kind is OutcomeKind.REFUSE:
        return _("Your company's rules do not allow this request."), ""
    if kind is OutcomeKind.APPROVERS:
        return _("By your company's rules it goes out after the word of {roles}.").format(roles=_roles(roles)), ""
    return "", ""


def _roles(roles: Sequence[Role]) -> str:
    return _(", ").join(_(ROLE_NAMES[role]) for role in roles)


def _joined(*sentences: str) -> str:
    return ("" if i18n.language.get() is i18n.Language.ZH else " ").join(sentences)
