"""Change requests in the reader's words: the list, the card of one, and the form that asks for one."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.service import latest_case
from portal.changes import reads, service, words
from portal.changes.impact import Impact
from portal.changes.model import ChangePart, ChangeReason, ChangeRequest, ChangeStatus, ErpState
from portal.changes.reads import ChangeFilter, ChangeRow, View
from portal.changes.rules import WAITING
from portal.changes.rules_carrying import Carried
from portal.changes.service_reviewing import answers
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import driver, read
from portal.core.i18n import N_, _, ngettext
from portal.schedules import reads as schedule_reads
from portal.schedules.words import ZONE_NAMES
from portal.web.addresses import address
from portal.web.change_impact_views import approval, curves
from portal.web.contract_list import uuid_or_none
from portal.web.delivery import moment
from portal.web.pages import money, unit_name
from portal.web.views import Column, Figure, ListView, Moment, Row

S = ChangeStatus
SIZE = 50
OFFERED_LINES = 20  # deliveries of a contract that the form lists
VIEWS = (
    (View.TO_ANSWER, N_("To answer")),
    (View.WAITING, N_("With the other company")),
    (View.DRAFTS, N_("Drafts")),
    (View.DECIDED, N_("Decided")),
    (View.ALL, N_("All")),
)
STATUSES: dict[ChangeStatus, tuple[str, str]] = {
    S.DRAFT: (N_("Draft"), ""),
    S.SUBMITTED: (N_("Waits for an answer"), "waiting"),
    S.IN_REVIEW: (N_("In review"), "waiting"),
    S.COUNTERED: (N_("Counter-offer waits"), "waiting"),
    S.ACCEPTED: (N_("Agreed, being applied"), "confirmed"),
    S.APPLIED: (N_("Agreed and applied"), "confirmed"),
    S.DECLINED: (N_("Refused"), "risk"),
    S.WITHDRAWN: (N_("Withdrawn"), ""),
    S.EXPIRED: (N_("Nobody answered in time"), "risk"),
    S.APPLY_FAILED: (N_("Agreed, but not applied"), "risk"),
}
VERBS = {
    "submitted": N_("Asked"),
    "in_review": N_("In review"),
    "accepted": N_("Agreed to it"),
    "applied": N_("Applied"),
    "apply_failed": N_("Could not be applied"),
    "declined": N_("Refused"),
    "countered": N_("Counter-offer made"),
    "rebased": N_("Asked anew on the figures of now"),
    "withdrawn": N_("Withdrawn"),
    "expired": N_("Nobody answered in time"),
    "commented": N_("Remark"),
    "erp_noted": N_("State in the ERP noted"),
    "file_added": N_("File added"),
}
ERP = {
    ErpState.NOT_SENT: N_("not sent"),
    ErpState.SENT: N_("sent, not shown there yet"),
    ErpState.ECHOED: N_("shown there"),
}


class PartView(Struct, frozen=True):
    """One delivery of the request, before and after."""

    part_no: int
    href: str
    part: str
    kind: str
    before: str
    after: str
    difference: str
    zones: str
    moved: bool
    agreed: bool | None


# --- the list ---------------------------------------------------------------------------------------------------------


class Asked(Struct, frozen=True):
    """The list's address, taken apart."""

    view: View = View.TO_ANSWER
    q: str = ""
    contract: str = ""
    cursor: str = ""

    def href(self, **changes: Any) -> str:
        parts = {name: getattr(self, name) for name in ("view", "q", "contract")} | changes
        return address("/changes", {name: value for name, value in parts.items() if value != View.TO_ANSWER})


async def list_context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What `changes/list.html` shows."""
    wanted = ChangeFilter(asked.view, asked.q, uuid_or_none(asked.contract))
    async with read(actor) as connection:
        rows = await reads.list_changes(connection, actor, wanted, reads.after(asked.cursor or None), SIZE)
        waiting = await reads.count_changes(connection, actor, View.TO_ANSWER)
    more = reads.key(rows[SIZE - 1]) if len(rows) > SIZE else None
    columns = [Column(_(label)) for label in COLUMNS if label != PARTNER or actor.is_factory]
    view = ListView(
        title=_("Change requests"),
        columns=tuple(columns),
        rows=[Row(_cells(row, actor), f"/changes/{row.id}") for row in rows[:SIZE]],
        empty=_("No change request is here.") if asked.q or asked.view is not View.TO_ANSWER else _(NOTHING),
        sub=ngettext("{n} waits for your answer", "{n} wait for your answer", waiting).format(n=i18n.number(waiting)),
        shown=_("By deadline"),
        next_href=asked.href(cursor=more) if more else None,
        first_href=asked.href() if asked.cursor else None,
    )
    return {"list": view, "asked": asked, "views": tabs(actor, asked, waiting)}


NOT_IN_ERP = "/changes/not-in-erp"


def tabs(actor: Actor, asked: Asked | None = None, waiting: int = 0, here: str = "") -> list[tuple[str, str, bool]]:
    """The selections of the list, and for the factory what its ERP does not show yet."""
    found = [
        (
            f"{_(label)} {i18n.number(waiting)}" if waiting and one is View.TO_ANSWER else _(label),
            (asked or Asked()).href(view=one),
            asked is not None and one is asked.view,
        )
        for one, label in VIEWS
    ]
    return [*found, (_("Not yet in the ERP"), NOT_IN_ERP, here == NOT_IN_ERP)] if actor.is_factory else found


NOTHING = N_("No change waits for your answer. Ask for one from a delivery's page.")
PARTNER = N_("Partner")
COLUMNS = (N_("Request"), N_("Contract"), PARTNER, N_("What"), N_("Reason"), N_("Answer by"), N_("Status"))


class Counted(Protocol):
    """What a request is about, in numbers."""

    @property
    def parts(self) -> int: ...
    @property
    def carried(self) -> int: ...
    @property
    def items(self) -> list[str]: ...


def items_and_count(row: Counted) -> str:
    """A100 · 2 deliveries."""
    deliveries = row.parts - row.carried
    count = [ngettext("{n} delivery", "{n} deliveries", deliveries).format(n=i18n.number(deliveries))]
    return " · ".join([*(row.items or []), *(count if deliveries else []), *([_("carry-over")] if row.carried else [])])


def _cells(row: ChangeRow, actor: Actor) -> tuple[str, ...]:
    due = i18n.moment(row.respond_by, actor.time_zone) if row.respond_by else ""
    partner = (row.party_name,) if actor.is_factory else ()
    reason = _(words.REASONS[ChangeReason(row.reason)])
    status = _(STATUSES[S(row.status)][0])
    return (row.number or _("Draft"), row.contract_number, *partner, items_and_count(row), reason, due, status)


# --- one request ------------------------------------------------------------------------------------------------------


async def change_context(session: AsyncSession, actor: Actor, change_id: UUID) -> dict[str, Any]:
    """What `changes/change.html` shows."""
    change = await service.get_change(session, actor, change_id)
    connection = await driver(session)
    sheet = await service.impact(session, actor, change)
    parts = await service.parts_of(session, change)
    moved = set(await service.moved_parts(session, actor, change, parts)) if _open(change) else set[int]()
    history = await schedule_reads.history(connection, actor, change_id)
    status, tone = STATUSES[change.status]
    case = await latest_case(session, actor, change_id)
    return {
        "change": change,
        "head": sheet.head,
        "title": change.number or _("Draft of a change request"),
        "tag": (_(status), tone),
        "sentence": words.sentence(sheet),
        "is_applied": change.status is S.APPLIED,
        "band": words.band(sheet),
        "figures": figures(sheet, change, actor),
        "parts": [
            *(_part(stake, parts, moved) for stake in sheet.stakes),
            *(_carried(one, parts, moved) for one in sheet.carries),
        ],
        "periods": _periods(sheet),
        "curves": curves(sheet),
        "approval": await approval(session, actor, change, sheet, case),
        "targets": [words.target(one) for one in sheet.carries],
        "touched": sheet.touched,
        "facts": _facts(change, sheet, actor),
        "moments": [_moment(entry, actor) for entry in history],
        "files": await reads.files_of(connection, actor, change_id),
        "actions": await answers(session, actor, change),
        "case": case,
        "can_write": actor.may(Permission.REQUEST_CHANGES),
        "ours": change.offered_scope == actor.scope,
    }


def _open(change: ChangeRequest) -> bool:
    return change.status in (*WAITING, S.DRAFT, S.APPLY_FAILED)


def figures(sheet: Impact, change: ChangeRequest, actor: Actor) -> tuple[Figure, ...]:
    """The numbers first: how much, how soon, what it is worth, and until when."""
    total = sum((piece.quantity for stake in sheet.stakes for piece in stake.after.pieces), Decimal(0))
    before = sum((stake.before.quantity for stake in sheet.stakes), Decimal(0))
    units = {stake.before.unit for stake in sheet.stakes}
    unit = unit_name(units.pop()) if len(units) == 1 else ""
    found = []
    if unit:
        was = _("{before} before, {after} after").format(before=i18n.number(before), after=i18n.number(total))
        found.append(Figure(_("Quantity"), i18n.signed(total - before), was, suffix=unit))
    if sheet.notice is not None:
        days = ngettext("day ahead", "days ahead", sheet.notice)
        found.append(Figure(_("Days of notice"), i18n.number(sheet.notice), days, warning=sheet.notice < 0))
    if sheet.value is not None and sheet.stakes:
        found.append(
            Figure(_("Change of value"), money(sheet.value, sheet.head.currency), _("at the contract's prices"))
        )
    if change.respond_by is not None:
        when = i18n.moment(change.respond_by, actor.time_zone, year=False)
        late = change.respond_by < clock.now()
        found.append(Figure(_("Answer by"), when, i18n.weekday(change.respond_by.date()), warning=late))
    return tuple(found)


def _part(stake: Any, parts: Sequence[ChangePart], moved: set[int]) -> PartView:
    kept = next(part for part in parts if part.part_no == stake.part_no)
    return PartView(
        part_no=stake.part_no,
        href=f"/schedule-lines/{stake.line_id}" if stake.line_id else "",
        part=stake.before.item,
        kind=_(words.KINDS[stake.kind]),
        before=words.was(stake.kind, stake.before),
        after=words.standing(stake.before.unit, stake.after.pieces),
        difference=words.difference(stake.kind, stake.before, stake.after, unit_name(stake.before.unit)),
        zones=words.zones(stake),
        moved=stake.part_no in moved,
        agreed=kept.agreed,
    )


def _carried(one: Carried, parts: Sequence[ChangePart], moved: set[int]) -> PartView:
    """A carry-over as a row of the same table: the period that has ended before, the other one after."""
    kept = next(part for part in parts if part.part_no == one.part_no)
    left = i18n.signed(-one.source.left)
    return PartView(
        part_no=one.part_no,
        href="",
        part=one.item,
        kind=_(words.KINDS[kept.kind]),
        before=f"{words.period(one.source)}{_(': ')}{left}{i18n.NBSP}{unit_name(one.unit)}",
        after=words.period(one.to),
        difference=f"{i18n.signed(one.quantity)}{i18n.NBSP}{unit_name(one.unit)}",
        zones="",
        moved=one.part_no in moved,
        agreed=kept.agreed,
    )


def _periods(sheet: Impact) -> list[tuple[str, str, str, str, bool]]:
    return [
        (
            f"{i18n.day(effect.period.start)} – {i18n.day(effect.period.end - words.DAY)}",
            words.figure(sheet, effect, effect.before),
            words.figure(sheet, effect, effect.after),
            f"{i18n.number(effect.period.low)} – {words.figure(sheet, effect, effect.period.high)}",
            effect.leaves,
        )
        for effect in sheet.effects
    ]


def _facts(change: ChangeRequest, sheet: Impact, actor: Actor) -> list[tuple[str, str]]:
    by_us = change.asked_scope == actor.scope
    company = _("your company") if by_us else (sheet.head.party_name if actor.is_factory else _("the other company"))
    zones = [
        f"{_(ZONE_NAMES[delta.zone.value])} {i18n.signed(delta.quantity)}{i18n.NBSP}{unit_name(delta.unit)}"
        for delta in sheet.exposure
    ]
    known = [
        (_("Contract"), sheet.head.number),
        (_("Partner"), sheet.head.party_name if actor.is_factory else ""),
        (_("Asked by"), " · ".join(filter(None, (company, change.asked_name)))),
        (_("Reason"), _(words.REASONS[change.reason])),
        (_("Note"), change.note),
        (_("About the offer"), change.offer_note),
        (_("Difference by zone"), ("，" if i18n.language.get() is i18n.Language.ZH else ", ").join(zones)),
        (_("Why refused"), _(change.decline_reason) if change.decline_reason else ""),
        (_("Release"), str(change.release_no or "")),
        (_("In the ERP"), _in_erp(change) if change.status is S.APPLIED and actor.is_factory else ""),
    ]
    return [(label, value) for label, value in known if value]


def _in_erp(change: ChangeRequest) -> str:
    """shown there · 4500018233."""
    return " · ".join(filter(None, (_(ERP[change.erp_state]), change.erp_reference)))


def _moment(entry: Any, actor: Actor) -> Moment:
    found = moment(entry, actor.time_zone)
    verb = _(VERBS.get(entry.verb, entry.verb))
    note = str(entry.data.get("note") or "") or str(entry.data.get("name") or "")
    by_rule = bool(entry.data.get("by_rule"))
    return Moment(_("{verb}, by rule").format(verb=verb) if by_rule else verb, found.who, found.when, found.way, note)
