"""Fills the page of a contract's cumulative quantities: figures of one part, documents, reports, what was agreed."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.schedules.rules_cumulative import CountBy, Cumulative
from portal.shipments import reads_cumulative as reads
from portal.shipments import words_cumulative as words
from portal.shipments.model_cumulative import CountPer, EntryKind, EntryReason, EntryStatus, Figure
from portal.shipments.reads_cumulative import Comparison, EntryRow, Head, Line, Moved
from portal.shipments.rules_cumulating import period_on
from portal.shipments.service_cumulative import may_speak
from portal.web.pages import unit_name
from portal.web.typed import Typed
from portal.web.views import Figure as Card

SHOWN = 200  # documents on the page, the newest


class EntryShown(Struct, frozen=True):
    id: str
    title: str
    figures: str
    note: str
    who: str
    status: str
    tone: str
    actions: tuple[tuple[str, str], ...]  # (action, label)


class ReportShown(Struct, frozen=True):
    title: str
    who: str
    rows: list[tuple[str, str, str, str]]  # what, the report's, ours, difference
    net: str
    unknown: str
    finding: str
    until: str
    correction: dict[str, str]  # of the one-press proposal


class DocumentShown(Struct, frozen=True):
    href: str
    number: str
    sent: str
    shipped: str
    received_on: str
    received: str
    short: str
    total: str


async def context(actor: Actor, contract_id: UUID, line_id: UUID | None, typed: Typed) -> dict[str, Any]:
    """What `cumulative/cumulative.html` shows."""
    async with read(actor) as connection:
        head = await reads.head(connection, actor, contract_id)
        lines = await reads.lines(connection, actor, head)
        chosen = next((line for line in lines if line.id == line_id), lines[0] if lines else None)
        compared = await reads.comparisons(connection, actor, head, chosen) if chosen else []
    today = local_today(clock.now(), head.time_zone)
    shared = {
        "head": head,
        "base": f"/contracts/{contract_id}/cumulative",
        "lines": [(str(line.id), f"{line.item_code} {line.description}") for line in lines],
        "policy": policy_facts(head),
        "policy_form": policy_form(head),
        "can_set": actor.may(Permission.EDIT_CONTRACTS),
        "typed": typed,
        "chosen": chosen,
    }
    return shared | (line_context(actor, head, chosen, compared, today) if chosen else {})


def line_context(actor: Actor, head: Head, line: Line, compared: list[Comparison], today: date) -> dict[str, Any]:
    """What the page shows of the part that is open."""
    return {
        "unit": unit_name(line.unit),
        "figures": figures(line.on(today), line, today),
        "documents": documents(line, today),
        "reports": [report_shown(one, actor, head, line) for one in compared],
        "entries": [entry_shown(entry, actor, line) for entry in line.entries],
        "can_speak": may_speak(actor),
        "waits": line.waiting is not None,
        "figure_choices": [(one.value, _(name)) for one, name in words.FIGURES.items()],
        "reason_choices": [(one.value, _(name)) for one, name in words.REASONS.items()],
        "today": today.isoformat(),
    }


def figures(found: Cumulative, line: Line, today: date) -> tuple[Card, ...]:
    """The cumulative figures of today; nothing is clipped."""
    unit = unit_name(line.unit)
    since = period_on(line.agreed, today, line.begin).since
    from_day = _("{unit} since {day}").format(unit=unit, day=i18n.day(since, year=True))
    lost = found.in_transit < 0
    return (
        Card(_("Cumulative requested"), i18n.number(found.requested), from_day),
        Card(_("Cumulative shipped"), i18n.number(found.shipped), from_day),
        Card(_("Cumulative received"), i18n.number(found.received), from_day),
        Card(_("In transit"), i18n.number(found.in_transit),
             _("more was received than sent: please compare") if lost else unit, warning=lost),
        Card(_("Still to ship"), i18n.number(found.open), unit),
        Card(_("Ahead or behind"), i18n.signed(found.ahead_behind), unit, warning=found.ahead_behind < 0),
    )  # fmt: skip


def policy_facts(head: Head) -> list[tuple[str, str]]:
    """How the contract counts, in words."""
    yes, no = _("yes"), _("no")
    return [
        (_("A delivery counts by"), _(words.BY[CountBy(head.count_by)])),
        (_("Counted for"), _(words.PER[CountPer(head.count_per)])),
        (_("Rejected units count until they are returned"), yes if head.count_rejected else no),
        (_("Returns lower the received quantity"), yes if head.returns_lower else no),
        (_("Receipts outside of the contract count"), yes if head.other_orders else no),
    ]


def policy_form(head: Head) -> dict[str, Any]:
    """What stands in the form of the policy."""
    return {
        "by": [(one.value, _(name)) for one, name in words.BY.items()],
        "per": [(one.value, _(name)) for one, name in words.PER.items()],
        "count_by": CountBy(head.count_by).value,
        "count_per": head.count_per,
    }


def documents(line: Line, today: date) -> list[DocumentShown]:
    """The delivery notes of the count in force with the running total of what was shipped, the newest first."""
    period = period_on(line.agreed, today, line.begin)
    rows: list[tuple[date, Decimal, Moved | EntryRow]] = [
        (one.movement.despatched_on, one.movement.shipped, one)
        for one in line.counted(period.since)
        if one.movement.despatched_on <= today
    ]
    rows += [
        (entry.effective_on, entry.quantity if entry.figure == Figure.SHIPPED else Decimal(0), entry)
        for entry in line.entries
        if entry.status == EntryStatus.AGREED
        and entry.figure in (Figure.SHIPPED, Figure.RECEIVED)
        and period.since <= entry.effective_on <= today
    ]
    total, shown = period.base, []
    for _day, shipped, one in sorted(rows, key=lambda row: row[0]):
        total += shipped
        shown.append(_document(one, i18n.number(total)))
    return shown[::-1][:SHOWN]


def _document(one: Moved | EntryRow, total: str) -> DocumentShown:
    if isinstance(one, EntryRow):
        name = _("Correction {n}").format(n=one.number) + (f" · {one.document}" if one.document else "")
        shipped = one.figure == Figure.SHIPPED
        figures = (i18n.signed(one.quantity), "", "") if shipped else ("", "", i18n.signed(one.quantity))
        return DocumentShown("#entries", name, i18n.day(one.effective_on, year=True), *figures, "", total)
    moved = one.movement
    return DocumentShown(
        f"/shipments/{one.shipment_id}",
        one.number,
        i18n.day(moved.despatched_on, year=True),
        i18n.number(moved.shipped),
        i18n.day(moved.received_on, year=True) if moved.received_on else "",
        i18n.number(moved.accepted + moved.rejected) if moved.received_on else "–",
        i18n.number(moved.short) if moved.short else "",
        total,
    )


def report_shown(one: Comparison, actor: Actor, head: Head, line: Line) -> ReportShown:
    """One side's report beside the portal's figures."""
    said, found = one.report, one.finding
    whose = (
        _("Your company") if said.scope == actor.scope else head.party_name if actor.is_factory else _("The factory")
    )
    rows = [
        (_(name), i18n.number(theirs), i18n.number(ours), i18n.signed(theirs - ours))
        for name, theirs, ours in (
            (words.FIGURES[Figure.REQUESTED], said.requested, one.ours.requested),
            (words.FIGURES[Figure.RECEIVED], said.received, one.ours.received),
        )
        if theirs is not None
    ]
    net = "" if one.net is None else _("{quantity} are left to ship by the reported figures.")
    return ReportShown(
        title=_("{company}, as of {day}").format(company=whose, day=i18n.day(said.as_of, year=True)),
        who=f"{said.member_name} · {i18n.moment(said.reported_at, actor.time_zone)}",
        rows=rows,
        net=net.format(quantity=show_quantity(one.net, line.unit)) if one.net is not None else "",
        unknown="" if one.last_known else _("The portal knows no delivery note {n}.").format(n=said.last_document),
        finding=words.finding(found, line.unit) if found else "",
        until=words.agreed_until(found, line.unit) if found else _("Both lists are alike.") if said.documents else "",
        correction=correction_of(one) if found else {},
    )


def correction_of(one: Comparison) -> dict[str, str]:
    """The proposal that would make the portal agree with the reported document."""
    found = one.finding
    assert found is not None
    day = min(found.day, one.report.as_of)
    return {
        "figure": one.figure.value,
        "quantity": f"{found.difference.normalize():f}",
        "effective_on": day.isoformat(),
        "reason": EntryReason.PARTNER.value,
        "document": found.number,
        "note": f"{found.number}: {i18n.number(found.ours)} → {i18n.number(found.theirs)}",
    }


ANSWERS = {True: ("withdraw",), False: ("agree", "decline")}


def entry_shown(entry: EntryRow, actor: Actor, line: Line) -> EntryShown:
    """One proposal or agreement with what the reader may do."""
    labels = {"agree": _("Agree to it"), "decline": _("Decline it"), "withdraw": _("Take it back")}
    open_ = entry.status == EntryStatus.PROPOSED and may_speak(actor)
    mine = entry.offered_scope == actor.scope
    kind, reason = _(words.KINDS[EntryKind(entry.kind)]), _(words.REASONS[EntryReason(entry.reason)])
    status, tone = words.STATUSES[EntryStatus(entry.status)]
    return EntryShown(
        id=str(entry.id),
        title=f"{entry.number} · {kind} · {reason}",
        figures=words.entry(entry, line.unit),
        note=entry.note,
        who=f"{entry.offered_name} · {i18n.moment(entry.offered_at, actor.time_zone)}",
        status=_(status),
        tone=tone,
        actions=tuple((action, labels[action]) for action in ANSWERS[mine]) if open_ else (),
    )
