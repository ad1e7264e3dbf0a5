"""The list of deliveries: what the reader asked for, one page of it, and the same as a file."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Response
from msgspec import Struct

from portal.contracts.parts import part_of
from portal.core import clock, i18n, paging
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.schedules import reads
from portal.schedules.model import LineStatus
from portal.schedules.reads import LineFilter, LineRow, View
from portal.web import tables
from portal.web.addresses import address, day_of
from portal.web.lines import actions, mark

SIZE = 50
EXPORT_LIMIT = 100_000
TABS: tuple[tuple[View, str], ...] = (
    (View.ALL, N_("All")),
    (View.TO_CONFIRM, N_("Waiting")),
    (View.OPEN, N_("Open")),
    (View.OVERDUE, N_("Overdue")),
    (View.CLOSED, N_("Closed")),
)


class Asked(Struct, frozen=True):
    """The list's address, taken apart."""

    view: View
    q: str
    contract: UUID | None
    part: UUID | None
    since: date | None
    until: date | None
    cursor: str | None

    @classmethod
    def of(
        cls, view: View, q: str, contract: UUID | None, part: UUID | None, since: str, until: str, cursor: str | None
    ) -> "Asked":
        """As forms and links send it: a day that was left empty restricts nothing. Raises NotADate."""
        return cls(view, q, contract, part, day_of("since", since), day_of("until", until), cursor)

    def href(self, view: View | None = None, cursor: str | None = None) -> str:
        """The same choice in another view, or from another row on; empty parts are left out."""
        view = view or self.view
        parts: dict[str, object] = {"view": None if view is View.ALL else view, "cursor": cursor}
        if self.narrowed:
            parts |= {"q": self.q, "contract": self.contract, "part": self.part}
            parts |= {"since": self.since, "until": self.until}
        return address("/schedules", parts)

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.contract or self.part or self.since or self.until)

    def filter(self, today: date) -> LineFilter:
        """The plain list begins with last week; every other selection shows all that fits."""
        since = self.since
        if since is None and self.view is View.ALL and not (self.q or self.contract or self.part):
            since = today - timedelta(days=7)
        return LineFilter(self.view, self.q.strip(), self.contract, None, since, self.until, today, self.part)


async def context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What `schedules/list.html` shows."""
    today = local_today(clock.now(), actor.time_zone)
    after = paging.decode(asked.cursor, date.fromisoformat, UUID) if asked.cursor else None
    async with read(actor) as connection:
        rows = await reads.list_lines(connection, actor, asked.filter(today), after, SIZE)
    more = rows[SIZE - 1] if len(rows) > SIZE else None
    first = asked.href()
    return {
        "rows": listed(rows[:SIZE], today, actor),
        "asked": asked,
        "can_confirm": asked.view is View.TO_CONFIRM and any("confirm" in actions(row, actor) for row in rows),
        "about": about(rows[0], asked, actor) if rows else "",
        "today": today,
        "tabs": [(_(label), asked.href(view=view), view is asked.view) for view, label in TABS],
        "next_href": asked.href(cursor=paging.encode(more.due_date, more.id)) if more else None,
        "first_href": first if asked.cursor else None,
        "export_href": first.replace("/schedules", "/schedules/export", 1),
    }


def about(row: LineRow, asked: Asked, actor: Actor) -> str:
    """The one contract, and the one part of it, that the address names and no field shows."""
    part = f"{part_of(row, actor)} {row.description}" if asked.part else ""
    return " · ".join(filter(None, (row.contract_number if asked.contract else "", part)))


def listed(rows: Sequence[LineRow], today: date, actor: Actor) -> list[tuple[str, ...]]:
    """The rows as the template unpacks them: id, due date, part, description, ordered, confirmed, shipped, received,
    the mark's class and word, contract, partner (for the factory), order."""
    factory = actor.is_factory
    return [
        (
            *(str(row.id), i18n.day(row.due_date, year=True), part_of(row, actor), row.description),
            *(_spaced(amount, row.unit) for amount in (row.ordered_quantity, row.confirmed_quantity)),
            *(_spaced(amount, row.unit) for amount in (row.shipped_quantity, row.received_quantity)),
            *mark(row, today, actor),
            *(row.contract_number, row.party_name if factory else "", row.order_no),
        )
        for row in rows
    ]


def _spaced(amount: Decimal, unit: str) -> str:
    """1,200 pcs with a plain space: a phone puts the unit below a long number."""
    return show_quantity(amount, unit).replace(i18n.NBSP, " ")


async def export(actor: Actor, asked: Asked, kind: str) -> Response[bytes]:
    """All rows of the list as XLSX or CSV, in the reader's language, with ISO dates and plain digits."""
    today = local_today(clock.now(), actor.time_zone)
    async with read(actor) as connection:
        rows = await reads.list_lines(connection, actor, asked.filter(today), None, EXPORT_LIMIT)
    head = [
        _("Contract"), _("Partner"), _("Order"), _("Part"), _("Description"), _("Due"), _("First promise"),
        _("Ordered"), _("Confirmed"), _("Shipped"), _("Received"), _("Unit"), _("Status"), _("Zone"), _("Ship to"),
    ]  # fmt: skip
    body = [
        [
            row.contract_number, row.party_name if actor.is_factory else "", row.order_no, part_of(row, actor),
            row.description, row.due_date, row.promised_date, row.ordered_quantity, row.confirmed_quantity,
            row.shipped_quantity, row.received_quantity, row.unit, _(LineStatus(row.status).value),
            _(row.zone) if row.zone else "", row.ship_to_code,
        ]
        for row in rows[:EXPORT_LIMIT]
    ]  # fmt: skip
    return tables.file(f"schedule-{today.isoformat()}", kind, head, body)
