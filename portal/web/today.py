"""Home of every role: what waits for me, by deadline; and the search that finds a delivery or a contract."""

from collections.abc import Sized
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from msgspec import Struct

from portal.approvals import reads as approvals
from portal.changes import reads as changes
from portal.changes import reads_erp
from portal.contracts import reads as contracts
from portal.contracts.model import ContractStatus
from portal.contracts.parts import part_of
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.parameters import FromQuery
from portal.schedules import reads
from portal.schedules.reads import LineFilter, LineRow, View
from portal.shipments import reads as shipments
from portal.web.approval_views import answer_by, item
from portal.web.change_views import NOT_IN_ERP, items_and_count
from portal.web.contract_list import ENDING
from portal.web.pages import Page
from portal.web.shipment_views import contents
from portal.web.views import Link, TodayGroup, TodayItem, TodayView

SHOWN = 8  # things a group shows before "all in the list"
COUNTED = 1000
OFFERED = (ContractStatus.PROPOSED, ContractStatus.COUNTERED)  # answered on their page; an amendment among the versions
TO_ANSWER = contracts.ContractFilter(to_answer=True)
ASKED_OF_US = changes.ChangeFilter(changes.View.TO_ANSWER)


class Waiting(Struct, frozen=True):
    """Everything that waits for one reader."""

    today: date
    to_confirm: list[LineRow]
    to_decide: list[LineRow]
    to_receive: list[shipments.ShipmentRow]
    to_accept: list[contracts.ContractRow]
    to_approve: list[approvals.CaseRow]
    to_answer: list[changes.ChangeRow]
    overdue: list[LineRow]
    ending: list[contracts.ContractRow]
    ending_count: int
    not_in_erp: list[reads_erp.ErpRow]
    upcoming: LineRow | None

    @property
    def changes(self) -> list[changes.ChangeRow]:
        """Those that do not stand among the approvals already."""
        cases = {case.subject_id for case in self.to_approve}
        return [row for row in self.to_answer if row.id not in cases]

    def counts(self) -> dict[str, int]:
        """By the key of the menu entry where it is answered."""
        groups: tuple[Sized, ...] = (
            *(self.to_confirm, self.to_decide, self.to_receive),
            *(self.to_accept, self.to_approve, self.changes),
        )
        return {
            "today": sum(len(group) for group in groups),
            "approvals": len(self.to_approve),
            "changes": len(self.to_answer),
            "schedules": len(self.to_confirm) + len(self.to_decide),
            "receipts": len(self.to_receive),
            "contracts": len(self.to_accept),
        }


async def waiting(actor: Actor) -> Waiting:
    """Read what waits; a role sees only what it may do."""
    today = local_today(clock.now(), actor.time_zone)
    overdue = LineFilter(View.OVERDUE, today=today)
    async with read(actor) as connection:
        renews = actor.is_factory and actor.may(Permission.EDIT_CONTRACTS)
        ending, ending_count = await contracts.ending_soon(connection, actor, today, SHOWN) if renews else ([], 0)
        return Waiting(
            today,
            await reads.to_confirm(connection, actor, COUNTED) if actor.may(Permission.CONFIRM_LINES) else [],
            await reads.to_decide(connection, actor, COUNTED) if actor.may(Permission.DECIDE_ANSWERS) else [],
            await shipments.to_receive(connection, actor, COUNTED) if actor.may(Permission.RECEIVE) else [],
            await contracts.list_contracts(connection, actor, TO_ANSWER, None, COUNTED)
            if actor.may(Permission.EDIT_CONTRACTS if actor.is_factory else Permission.ACCEPT_CONTRACTS)
            else [],
            await approvals.list_cases(connection, actor, approvals.View.MINE, limit=COUNTED)
            if actor.is_factory and actor.may(Permission.APPROVE)
            else [],
            await changes.list_changes(connection, actor, ASKED_OF_US, None, COUNTED)
            if actor.may(Permission.REQUEST_CHANGES)
            else [],
            await reads.list_lines(connection, actor, overdue, None, COUNTED),
            ending,
            ending_count,
            await reads_erp.overdue(connection, actor)
            if actor.is_factory and actor.may(Permission.PUBLISH_SCHEDULES)
            else [],
            next(iter(await reads.list_lines(connection, actor, LineFilter(View.OPEN, since=today), None, 1)), None),
        )


@get("/")
async def today_page(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """What waits for me."""
    return page.render("today.html", active="today", today=view_of(await waiting(actor), actor), live="/live")


@get("/counts")
async def counts(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """The counts of the menu, fetched after a page has loaded and whenever something changed."""
    shown = {key for key, _label, _href, _icon in page.nav}
    found = (await waiting(actor)).counts()
    return page.fragment("_counts.html", counts=[(key, n) for key, n in found.items() if key in shown])


@get("/search")
async def search(page: NamedDependency[Page], q: FromQuery[str] = "") -> Redirect:
    """Deliveries by part, contract or order."""
    return page.go(f"/schedules?{urlencode({'q': q.strip()})}" if q.strip() else "/schedules")


def view_of(found: Waiting, actor: Actor) -> TodayView:
    """The page, in the reader's words."""
    groups = [to_approve(found, actor), to_accept(found, actor), to_decide(found, actor), to_confirm(found, actor)]
    groups += [to_answer(found, actor), to_receive(found, actor)]
    groups += [overdue(found, actor), not_in_erp(found, actor), ending(found)]
    upcoming = found.upcoming
    nothing = _("Nothing waits for you.")
    if upcoming is not None:
        following = _("Next delivery {day}.").format(day=i18n.day(upcoming.due_date))
        nothing += following if i18n.language.get() is i18n.Language.ZH else f" {following}"
    return TodayView(
        title=_("Today"),
        date=f"{i18n.day(found.today, year=True)} {i18n.weekday(found.today)}",
        groups=tuple(group for group in groups if group.count),
        nothing=nothing,
        next_href="/schedules/board",
    )


def to_confirm(found: Waiting, actor: Actor) -> TodayGroup:
    items = tuple(
        TodayItem(
            title=f"{part_of(row, actor)} {row.description}",
            amount=show_quantity(row.ordered_quantity, row.unit),
            meta=meta(row, actor),
            href=f"/schedule-lines/{row.id}",
            verb=_("Confirm"),
            action="/schedule-lines/confirm?back=/",
            fields=(("line", f"{row.id}:{row.version}"),),
            bad=row.supply_note if row.supply_state == "at_risk" else "",
            id=str(row.id),
        )
        for row in found.to_confirm[:SHOWN]
    )
    first = next((row.respond_by for row in found.to_confirm if row.respond_by), None)
    deadline = _("Confirm by {when}").format(when=i18n.moment(first, actor.time_zone)) if first else ""
    count = len(found.to_confirm)
    more = (_("Confirm all except some"), "/answers") if count > 1 else None
    return TodayGroup("to_confirm", _("To confirm"), count, items, deadline, more=more)


def to_decide(found: Waiting, actor: Actor) -> TodayGroup:
    """Answers that differ from what this company asked for."""
    items = tuple(
        TodayItem(
            title=f"{part_of(row, actor)} {row.description}",
            amount=show_quantity(row.ordered_quantity, row.unit),
            meta=meta(row, actor),
            href=f"/schedule-lines/{row.id}#answer",
            verb=_("Decide"),
        )
        for row in found.to_decide[:SHOWN]
    )
    more = more_of(len(found.to_decide), "/answers")
    return TodayGroup("to_decide", _("Answers to decide"), len(found.to_decide), items, more=more)


def to_receive(found: Waiting, actor: Actor) -> TodayGroup:
    items = tuple(
        TodayItem(
            title=_("Delivery note {number}").format(number=row.number),
            amount=contents(actor, row),
            meta=" · ".join(
                part
                for part in (
                    row.party_name if actor.is_factory else "",
                    _("shipped {day}").format(day=i18n.day(row.shipped_on)),
                    row.vehicle,
                )
                if part
            ),
            href=f"/receipts/new?shipment={row.id}",
            verb=_("Receive"),
        )
        for row in found.to_receive[:SHOWN]
    )
    more = more_of(len(found.to_receive), "/receipts")
    return TodayGroup("to_receive", _("To receive"), len(found.to_receive), items, more=more)


def to_accept(found: Waiting, actor: Actor) -> TodayGroup:
    items = tuple(
        TodayItem(
            title=row.number,
            amount="",
            meta=" · ".join(filter(None, (row.title, row.party_name if actor.is_factory else ""))),
            href=f"/contracts/{row.id}" if row.status in OFFERED else f"/contracts/{row.id}/versions",
            verb=_("Review"),
        )
        for row in found.to_accept[:SHOWN]
    )
    more = more_of(len(found.to_accept), "/contracts")
    return TodayGroup("to_accept", _("Contracts to answer"), len(found.to_accept), items, more=more)


def to_approve(found: Waiting, actor: Actor) -> TodayGroup:
    """What the rules want this person to look at, the most urgent first."""
    asked = {row.id: row for row in found.to_answer}
    cases = sorted(found.to_approve, key=lambda row: (row.respond_by is None, row.respond_by or row.requested_at))
    items = tuple(
        TodayItem(
            title=each.title,
            amount=items_and_count(change) if change else "",
            meta=" · ".join([*([change.party_name, change.contract_number] if change else []), each.meta]),
            href=each.href,
            verb=_("Review"),
        )
        for each, change in ((item(row, actor, ()), asked.get(row.subject_id)) for row in cases[:SHOWN])
    )
    deadline = answer_by(cases[0].respond_by, actor) if cases else ""
    more = more_of(len(cases), "/approvals")
    return TodayGroup("to_approve", _("To approve"), len(cases), items, deadline, more=more)


def to_answer(found: Waiting, actor: Actor) -> TodayGroup:
    """Changes that the other company asks for, by deadline."""
    rows = found.changes
    items = tuple(
        TodayItem(
            title=row.number or "",
            amount=items_and_count(row),
            meta=" · ".join([*([row.party_name] if actor.is_factory else []), row.contract_number]),
            href=f"/changes/{row.id}",
            verb=_("Answer"),
            bad=_("The time for an answer is over.") if row.respond_by and row.respond_by < clock.now() else "",
        )
        for row in rows[:SHOWN]
    )
    deadline = answer_by(rows[0].respond_by, actor) if rows else ""
    more = more_of(len(rows), "/changes")
    return TodayGroup("to_answer", _("Changes to answer"), len(rows), items, deadline, more=more)


def ending(found: Waiting) -> TodayGroup:
    """Contracts within their notice: to be renewed, or to be let go."""
    items = tuple(
        TodayItem(
            title=row.number,
            amount="",
            meta=" · ".join(filter(None, (row.title, row.party_name, ends_on(row)))),
            href=f"/contracts/{row.id}",
            verb=_("Details"),
        )
        for row in found.ending
    )
    more = (_("All in the list"), f"/contracts?status={ENDING}") if found.ending_count > SHOWN else None
    return TodayGroup("ending", _("Contracts ending soon"), found.ending_count, items, more=more)


def ends_on(row: contracts.ContractRow) -> str:
    return _("ends on {day}").format(day=i18n.day(row.valid_to, year=True)) if row.valid_to else ""


def overdue(found: Waiting, actor: Actor) -> TodayGroup:
    items = tuple(
        TodayItem(
            title=f"{part_of(row, actor)} {row.description}",
            amount=show_quantity(row.ordered_quantity - row.received_quantity, row.unit),
            meta=meta(row, actor),
            href=f"/schedule-lines/{row.id}",
            verb=_("Details"),
        )
        for row in found.overdue[:SHOWN]
    )
    more = more_of(len(found.overdue), "/schedules?view=overdue")
    return TodayGroup("overdue", _("Due and not received"), len(found.overdue), items, warning=True, more=more)


def applied(row: reads_erp.ErpRow, actor: Actor) -> str:
    return _("applied {when}").format(when=i18n.moment(row.applied_at, actor.time_zone))


def not_in_erp(found: Waiting, actor: Actor) -> TodayGroup:
    """Applied changes that the ERP does not show although they have waited longer than they may."""
    items = tuple(
        TodayItem(
            title=row.number,
            amount=items_and_count(row),
            meta=" · ".join((row.party_name, row.contract_number, applied(row, actor))),
            href=f"/changes/{row.id}",
            verb=_("Details"),
        )
        for row in found.not_in_erp[:SHOWN]
    )
    count = len(found.not_in_erp)
    more = (_("Mark what the ERP shows"), f"{NOT_IN_ERP}?late=yes")
    return TodayGroup("not_in_erp", _("Not yet in the ERP"), count, items, warning=True, more=more)


def more_of(count: int, href: str) -> Link | None:
    return (_("All {n} in the list").format(n=i18n.number(count)), href) if count > SHOWN else None


def meta(row: LineRow, actor: Actor) -> str:
    """24 Nov Tue · Aurora Drives · FC-2026-014."""
    parts: list[Any] = [f"{i18n.day(row.due_date)} {i18n.weekday(row.due_date)}"]
    parts += [row.party_name] if actor.is_factory else []
    return " · ".join([*parts, row.contract_number])


ROUTES: list[HTTPRouteHandler] = [today_page, counts, search]
