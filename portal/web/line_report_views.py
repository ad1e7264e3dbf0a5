"""Warnings about a delivery in the reader's words."""

from typing import Any

from msgspec import Struct

from portal.core import i18n
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _
from portal.schedules import reads_reports, rules_reports, service_reports
from portal.schedules.model_reports import ReportKind, ReportReason, ReportStatus, Urgency
from portal.schedules.reads import LineRow
from portal.schedules.reads_reports import ReportRow
from portal.schedules.rules import OPEN


class Warned(Struct, frozen=True):
    """One warning in the reader's words."""

    id: str
    number: str
    title: str  # Will be late: 30 Nov
    facts: str
    when: str
    open: bool
    urgent: bool
    photos: list[str]


async def context(connection: Driver, actor: Actor, row: LineRow) -> dict[str, Any]:
    """What `schedules/_reports.html` shows."""
    found = await reads_reports.reports_of(connection, actor, row.id)
    speaks = service_reports.side_may_report(row.direction, actor)
    return {
        "reports": [warned(report, actor) for report in found],
        "can_report": speaks and row.status in OPEN,
        "can_close_reports": speaks,
        "report_kinds": [(kind.value, _(name)) for kind, name in rules_reports.KINDS.items()],
        "report_reasons": [(reason.value, _(name)) for reason, name in rules_reports.REASONS.items()],
        "report_urgencies": [(urgency.value, _(name)) for urgency, name in rules_reports.URGENCIES.items()],
    }


def warned(report: ReportRow, actor: Actor) -> Warned:
    kind = _(rules_reports.KINDS[ReportKind(report.kind)])
    day = i18n.day(report.expected_on, year=True) if report.expected_on else ""
    reason = _(rules_reports.REASONS[ReportReason(report.reason)])
    urgent = report.urgency == Urgency.LINE_STOP
    facts = [reason, _(rules_reports.URGENCIES[Urgency.LINE_STOP]) if urgent else "", report.note]
    return Warned(
        id=str(report.id),
        number=report.number,
        title=f"{kind} · {day}" if day else kind,
        facts=" · ".join(fact for fact in facts if fact),
        when=i18n.moment(report.reported_at, actor.time_zone),
        open=report.status == ReportStatus.OPEN,
        urgent=urgent,
        photos=[f"/line-reports/{report.id}/photos/{photo}" for photo in report.photos],
    )
