"""What the pages of releases show: the list, one release beside another, a schedule as it stood, exposure."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor, Scope
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import N_, _
from portal.core.quantities import UNITS, show_money, show_quantity
from portal.core.states import Side
from portal.schedules import reads_board, reads_known, reads_releases, reads_zones
from portal.schedules.model import ReleaseKind, ReleaseStatus, Span, Trigger
from portal.schedules.reads_contents import Contents, PartContents
from portal.schedules.reads_releases import Comparison, StandingRow
from portal.schedules.rules_known import Stood
from portal.schedules.rules_releases import RELEASE_STATES, Gathered, Spans, gather, is_overdue
from portal.schedules.service_terms import calendars, read_terms
from portal.schedules.words import CHANGES, ZONE_NAMES, change_of, cumulative_words, gone_word, sentence
from portal.scorecards import reads_exposure
from portal.scorecards.reads_exposure import ExposureReport
from portal.web.board_chart import plain, seconds
from portal.web.pages import named
from portal.web.views import Column, Figure, ListView, Row

KINDS = {ReleaseKind.FORECAST: N_("Forecast release"), ReleaseKind.JIT: N_("JIT release")}
TRIGGERS = {
    Trigger.MANUAL: N_("by hand"),
    Trigger.EVERY: N_("every so many days"),
    Trigger.WEEKDAYS: N_("on weekdays"),
    Trigger.CHANGE: N_("on change"),
}
STANDS = {
    ReleaseStatus.PUBLISHED: (N_("Released"), ""),
    ReleaseStatus.DELIVERED: (N_("Reached the partner"), ""),
    ReleaseStatus.ACKNOWLEDGED: (N_("Acknowledged"), "confirmed"),
    ReleaseStatus.REJECTED: (N_("Rejected"), "risk"),
    ReleaseStatus.SUPERSEDED: (N_("Superseded"), ""),
}
STOOD = {
    Stood.PUBLISHED: N_("Released"),
    Stood.ASKED: N_("Waiting for the seller"),
    Stood.CONFIRMED: N_("Confirmed"),
    Stood.REJECTED: N_("Rejected"),
    Stood.CANCELLED: N_("Cancelled"),
    Stood.CLOSED: N_("Delivered"),
}


async def release_list(actor: Actor, contract_id: UUID) -> dict[str, Any]:
    """What `releases/list.html` shows."""
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        rows = await reads_board.releases(connection, actor, contract_id)
        standings = await reads_releases.standings(connection, actor, contract_id)
    here = f"/contracts/{contract_id}/releases"
    cells = [
        Row(
            (
                _("Release {n}").format(n=row.number),
                _(KINDS[standings[row.number].kind]),
                i18n.moment(row.published_at, head.time_zone),
                named(row.published_by),
                i18n.number(row.lines),
                stands(standings[row.number])[0],
                _("against {n}").format(n=standings[row.number].replaces) if standings[row.number].replaces else "",
            ),
            f"{here}/{row.number}",
        )
        for row in rows
        if row.number in standings
    ]
    columns = (
        Column(_("Release")), Column(_("Kind")), Column(_("Published")), Column(_("By")),
        Column(_("Deliveries"), num=True), Column(_("Status")), Column(_("Compared")),
    )  # fmt: skip
    empty = _("No release yet. The first one tells the other side what is called off.")
    return {"head": head, "list": ListView(_("Releases"), columns, cells, empty)}


def stands(standing: StandingRow) -> tuple[str, str]:
    """(word, class) of how a release stands with the partner."""
    if is_overdue(standing.status, standing.answer_by, clock.now()):
        return _("Not acknowledged in time"), "risk"
    word, css = STANDS[standing.status]
    return _(word), css


async def release(actor: Actor, contract_id: UUID, number: int, against: int | None, told: bool) -> dict[str, Any]:
    """What `schedules/release.html` shows: each line beside what it was, and all else that was told."""
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        found = await reads_zones.release_today(connection, actor, contract_id, number, clock.now(), against)
        standing = (await reads_releases.standings(connection, actor, contract_id, number))[number]
        numbers = [row.number for row in await reads_board.releases(connection, actor, contract_id)]
        terms = await read_terms(connection, actor, contract_id)
        at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    lines = [change.after for change in found.difference.lines if change.after]
    spans = None
    if standing.daily_until and standing.weekly_until:
        spans = Spans(standing.daily_until, standing.weekly_until)
    calendar = at[next(iter(terms.values())).ship_to_code]
    compared = found.before is not None
    return {
        "head": head,
        "release": found.release,
        "before": found.before,
        "changes": [(line, change_of(line, compared)) for line in found.lines],
        "gone": found.gone,
        "gone_word": gone_word,
        "counts": counts(found) if compared else [],
        "sentence": sentence(found.difference, found.parts, found.before.number) if found.before else "",
        "cumulative": cumulative(found) if compared else [],
        "others": [(str(no), _("Release {n}").format(n=no)) for no in numbers if no != number],
        "zone_names": {key: _(name) for key, name in ZONE_NAMES.items()},
        "facts": facts(standing, found.contents, head.time_zone),
        "parts": part_rows(found),
        "told": told and spans is not None,
        "spans": spans,
        "gathered": [gathered_row(one, found) for one in gather(lines, spans, calendar)] if told else [],
        "standing": standing,
        "stands": stands(standing),
        "actions": answers(actor, standing, number == max(numbers)),
    }


def answers(actor: Actor, standing: StandingRow, newest: bool) -> list[str]:
    """What the partner can say of a release now."""
    theirs = actor.scope is Scope.PARTNER and actor.may(Permission.CONFIRM_LINES)
    if not (theirs and newest and standing.version):
        return []
    return [name for name in RELEASE_STATES.actions(standing.status, Side.SELLER) if name in ("acknowledge", "reject")]


def counts(found: Comparison) -> list[tuple[str, str]]:
    """The comparison in numbers."""
    rows = [(_(CHANGES[kind]), i18n.number(count)) for kind, count in found.difference.counts.items()]
    return [*rows, (_("Delivered since"), i18n.number(found.delivered))] if found.delivered else rows


def cumulative(found: Comparison) -> list[tuple[str, str, str, str]]:
    """By part: the running totals' difference at the end, the largest on the way, and when."""
    return [
        (
            f"{part.item_code} {part.description}",
            f"{i18n.signed(one.total)} {show_quantity(Decimal(0), part.unit).split(i18n.NBSP)[-1]}",
            cumulative_words(one, found.parts),
            i18n.day(one.most_on, year=True),
        )
        for one in found.difference.parts
        for part in (found.parts[one.part_id],)
    ]


def facts(standing: StandingRow, contents: Contents, zone: str) -> list[tuple[str, str]]:
    """How the release was made and how it stands; only what is known."""
    known = [
        (_("Kind"), _(KINDS[standing.kind])),
        (_("Trigger"), _(TRIGGERS[standing.trigger])),
        (_("Replaces"), _("Release {n}").format(n=standing.replaces) if standing.replaces else ""),
        (_("Contact"), contents.contact),
        (_("Acknowledge by"), i18n.moment(standing.answer_by, zone) if standing.answer_by else ""),
        (_("Reached the partner"), i18n.moment(standing.delivered_at, zone) if standing.delivered_at else ""),
        (_("Answered"), i18n.moment(standing.answered_at, zone) if standing.answered_at else ""),
        (_("Answered by"), standing.answered_by),
        (_("Reason"), standing.reason),
    ]
    return [(label, value) for label, value in known if value]


def part_rows(found: Comparison) -> list[dict[str, Any]]:
    """What the release told of each part beside its deliveries."""
    told = found.contents.parts
    return [_part_row(told[part.id], part.item_code) for part in found.parts.values() if part.id in told]


def _part_row(one: PartContents, name: str) -> dict[str, Any]:
    def amount(value: Decimal) -> str:
        return show_quantity(value, one.unit)

    return {
        "part": name,
        "detail": " · ".join(word for word in (one.revision, one.ship_to_code, one.unloading_point) if word),
        "received": amount(one.cum_received),
        "received_on": i18n.day(one.received_on, year=True) if one.received_on else "",
        "in_transit": amount(one.in_transit),
        "backlog": amount(one.backlog),
        "immediate": amount(one.immediate),
        "make_until": i18n.day(one.make_until, year=True),
        "buy_until": i18n.day(one.buy_until, year=True),
        "documents": [f"{d.number} · {i18n.day(d.day, year=True)} · {amount(d.quantity)}" for d in one.documents],
    }


def gathered_row(one: Gathered, found: Comparison) -> tuple[str, str, str, str]:
    """One figure as it is told: when, part, quantity, of how many deliveries."""
    part = found.parts[one.part_id]
    when = {
        Span.DAY: i18n.day(one.day, year=True),
        Span.WEEK: f"{i18n.week(one.day)} · {i18n.day(one.day, year=True)}",
        Span.MONTH: _("Month from {day}").format(day=i18n.day(one.day, year=True)),
    }[one.span]
    parts = ", ".join(f"{i18n.day(p.due)} {i18n.number(p.quantity)}" for p in one.parts) if len(one.parts) > 1 else ""
    return when, f"{part.item_code} {part.description}", show_quantity(one.quantity, part.unit), parts


async def as_known(actor: Actor, contract_id: UUID, moment: datetime) -> dict[str, Any]:
    """What `releases/known.html` shows."""
    async with read(actor) as connection:
        found = await reads_known.as_known(connection, actor, contract_id, moment)
    rows = [
        Row(
            (
                i18n.day(line.due_date, year=True),
                f"{line.part.item_code} {line.part.description}",
                show_quantity(line.quantity, line.part.unit),
                _(ZONE_NAMES[line.zone]),
                _(STOOD[line.stood]),
                *(
                    show_quantity(value, line.part.unit) if value else ""
                    for value in (line.confirmed, line.shipped, line.received)
                ),
            ),
            f"/schedule-lines/{line.line_id}",
        )
        for line in found.lines
    ]
    columns = (
        Column(_("Due")), Column(_("Part")), Column(_("Quantity"), num=True), Column(_("Zone")), Column(_("Status")),
        Column(_("Confirmed"), num=True), Column(_("Shipped"), num=True), Column(_("Received"), num=True),
    )  # fmt: skip
    zone = found.head.time_zone
    title = _("As known on {moment}").format(moment=i18n.moment(moment, zone))
    return {
        "head": found.head,
        "found": found,
        "moment": moment,
        "typed": moment.astimezone(ZoneInfo(actor.time_zone)).replace(tzinfo=None).isoformat(timespec="minutes"),
        "weeks": week_totals(found.lines),
        "list": ListView(title, columns, rows, _("Nothing was published by then.")),
    }


def week_totals(
    lines: Sequence[reads_known.KnownLine],
) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """By part with its unit, what was asked for in each of the first 13 weeks that have a delivery: the week's name,
    its Monday, the quantity."""
    sums: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in lines:
        sums[line.part.item_code, line.part.unit][_monday(line.due_date)] += line.quantity
    mondays = sorted({_monday(line.due_date) for line in lines})[:13]
    return [
        (
            part,
            _(UNITS[unit][1]),
            [(i18n.week(day), i18n.day(day), i18n.number(found[day]) if day in found else "") for day in mondays],
        )
        for (part, unit), found in sums.items()
    ]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


async def exposure(actor: Actor, contract_id: UUID) -> dict[str, Any]:
    """What `releases/exposure.html` shows beside its form."""
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        today = local_today(clock.now(), head.time_zone)
        report = await reads_exposure.exposure_of(connection, actor, contract_id, today)
    return {
        "head": head,
        "report": report,
        "figures": exposure_figures(report),
        "chart": exposure_chart(report),
        "definition": _(reads_exposure.DEFINITION),
        "rows": [
            (
                i18n.day(point.day, year=True),
                _("Release {n}").format(n=point.number) if point.number else "",
                *(show_money(v, report.currency) for v in (point.finished, point.in_work, point.material, point.total)),
            )
            for point in reversed(report.points)
        ],
    }


def exposure_figures(report: ExposureReport) -> tuple[Figure, ...]:
    """What cancelling today would cost, in all and by stage."""
    now = report.now
    share = _("{percent} % of the price")

    def of(percent: Decimal) -> str:
        return share.format(percent=i18n.number(percent))

    return (
        Figure(_("Cancelling today would cost"), show_money(now.total, report.currency), _("of what is published")),
        Figure(_("Finished goods"), show_money(now.finished, report.currency), of(report.finished_percent)),
        Figure(_("Goods in work"), show_money(now.in_work, report.currency), of(report.in_work_percent)),
        Figure(_("Material bought"), show_money(now.material, report.currency), of(report.material_percent)),
    )


def exposure_chart(report: ExposureReport) -> str:
    """The chart's data: the total, and of it the finished goods."""
    points = report.points
    return json.dumps(
        {
            "x": [seconds(point.day) for point in points],
            "planned": plain([point.total for point in points]),
            "delivered": plain([point.finished for point in points]),
            "cover": None,
            "zones": [],
            "today": seconds(points[-1].day),
            "words": {
                "planned": _("In all"),
                "delivered": _("Finished goods"),
                "cover": "",
                "today": _("today").capitalize(),
            },
        }
    )
