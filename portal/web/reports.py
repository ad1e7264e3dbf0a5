"""Reports: how deliveries kept their dates, by partner and month, with the definition under the figures."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Template
from msgspec import Struct
from msgspec.structs import asdict, replace

from portal.core import clock, i18n
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import N_, _
from portal.core.quantities import show_money
from portal.parameters import FromQuery
from portal.scorecards import reads
from portal.scorecards.reads import By, Performance, Report, Selection
from portal.web import tables
from portal.web.addresses import address
from portal.web.pages import Page
from portal.web.views import Column, Figure, ListView, Row

VIEWS = ((By.PARTNER, N_("By partner")), (By.MONTH, N_("By month")), (By.BOTH, N_("By partner and month")))
MOST = 500  # rows on the page; the file has all


class Asked(Struct, frozen=True):
    """The report's address, taken apart."""

    by: By
    direction: Direction | None
    partner: UUID | None
    since: date | None
    until: date | None
    day: date | None

    def href(self, path: str = "/reports", **changes: Any) -> str:
        parts = asdict(self) | changes
        return address(path, {name: value for name, value in parts.items() if value != By.PARTNER})

    @property
    def narrowed(self) -> bool:
        return any((self.direction, self.partner, self.since, self.until, self.day))

    def selection(self, today: date) -> Selection:
        """Without dates: everything due by today, overdue tonight."""
        until = self.until or today
        return Selection(until, self.day or today, self.since, self.direction, self.partner, self.by)


def _day(text: str) -> date | None:
    """A day as forms and links send it; empty: none."""
    return date.fromisoformat(text) if text else None


def asked_of(by: str, direction: str, partner: str, since: str, until: str, day: str) -> Asked:
    """The address's parts. Raises Invalid for what is no date, direction or company."""
    try:
        return Asked(
            By(by or By.PARTNER),
            Direction(direction) if direction else None,
            UUID(partner) if partner else None,
            *(_day(text) for text in (since, until, day)),
        )
    except ValueError as error:
        raise reads.BadSelection(field="since") from error


@get("/reports")
async def reports(
    actor: NamedDependency[Actor], page: NamedDependency[Page], by: FromQuery[str] = "",
    direction: FromQuery[str] = "", partner: FromQuery[str] = "", since: FromQuery[str] = "",
    until: FromQuery[str] = "", day: FromQuery[str] = "",
) -> Template:  # fmt: skip
    """How deliveries kept their dates."""
    asked = asked_of(by, direction, partner, since, until, day)
    report, partners = await _report(actor, asked)
    return page.render("reports/deliveries.html", active="reports", **_context(actor, asked, report, partners))


@get("/reports/export")
async def export(
    actor: NamedDependency[Actor], by: FromQuery[str] = "", direction: FromQuery[str] = "",
    partner: FromQuery[str] = "", since: FromQuery[str] = "", until: FromQuery[str] = "", day: FromQuery[str] = "",
    kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:  # fmt: skip
    """All rows and their total as XLSX or CSV."""
    report, _partners = await _report(actor, asked_of(by, direction, partner, since, until, day))
    head, rows = table_of(report)
    return tables.file(f"deliveries-{report.selection.until.isoformat()}", kind, head, rows)


async def _report(actor: Actor, asked: Asked) -> tuple[Report, list[tuple[str, str]]]:
    today = local_today(clock.now(), actor.time_zone)
    async with read(actor) as connection:
        report = await reads.deliveries(connection, actor, asked.selection(today))
        partners = await reads.partners(connection, actor) if actor.is_factory else []
    return report, partners


def _context(actor: Actor, asked: Asked, report: Report, partners: list[tuple[str, str]]) -> dict[str, Any]:
    """What the template shows, in the reader's words."""
    rows = report.rows[:MOST]
    priced = report.total.values is not None
    view = ListView(
        title=_("Delivery performance"),
        columns=tuple(_columns(asked.by, priced)),
        rows=[Row(_cells(row, asked.by, priced), _detail(row, asked)) for row in rows],
        empty=_("No delivery fits this choice.") if asked.narrowed else _("No delivery was due so far."),
        sub=_("Due by {day}").format(day=i18n.day(report.selection.until, year=True)),
        shown=_("The first {n} are shown; the file has all.").format(n=MOST) if len(report.rows) > MOST else "",
    )
    return {
        "list": view,
        "asked": asked,
        "figures": figures_of(report),
        "views": [(_(label), asked.href(by=by), by is asked.by) for by, label in VIEWS],
        "partners": [("", _("All partners")), *partners],
        "directions": [("", _("Both directions")), ("sale", _("Sale")), ("purchase", _("Purchase"))],
        "xlsx": asked.href("/reports/export") + ("&" if "?" in asked.href() else "?") + "kind=xlsx",
        "csv": asked.href("/reports/export") + ("&" if "?" in asked.href() else "?") + "kind=csv",
        "definition": _(reads.DEFINITION),
        "actor": actor,
    }  # fmt: skip


def figures_of(report: Report) -> tuple[Figure, ...]:
    """The numbers first; each says what it is made of."""
    total = report.total
    of_lines = _("{good} of {all} deliveries").format(good=i18n.number(total.on_time), all=i18n.number(total.lines))
    figures = [
        Figure(_("On time"), i18n.rate(total.rate), of_lines),
        Figure(
            _("Orders on time"),
            i18n.number(total.orders_on_time) if total.orders else "–",
            _("of {n} orders, every delivery of them").format(n=i18n.number(total.orders))
            if total.orders
            else _("none of these deliveries has an order number"),
        ),
        Figure(
            _("Overdue"),
            i18n.number(total.overdue),
            _("at the end of {day}").format(day=i18n.day(report.selection.day, year=True)),
            warning=total.overdue > 0,
        ),
    ]
    if total.values is not None:
        figures.append(value_figure(total.values))
    return tuple(figures)


def value_figure(values: dict[str, Decimal]) -> Figure:
    """The value in full; with several currencies one after the other."""
    return Figure(_("Value"), money(values), _("of the deliveries due"))


def money(values: dict[str, Decimal] | None) -> str:
    """The value in each currency."""
    return " · ".join(show_money(value, currency) for currency, value in (values or {}).items()) or "–"


def _columns(by: By, priced: bool) -> list[Column]:
    first = [Column(_("Month")) if by is By.MONTH else Column(_("Partner"))]
    if by is By.BOTH:
        first.append(Column(_("Month")))
    counts = [_("Deliveries"), _("On time"), _("Rate"), _("Orders"), _("Orders on time"), _("Overdue")]
    return first + [Column(label, num=True) for label in (*counts, *([_("Value")] if priced else []))]


def _cells(row: Performance, by: By, priced: bool) -> tuple[str, ...]:
    month = i18n.month(row.month) if row.month else ""
    first = {By.PARTNER: (row.party_name,), By.MONTH: (month,), By.BOTH: (row.party_name, month)}[by]
    counts = (row.lines, row.on_time, i18n.rate(row.rate), row.orders, row.orders_on_time, row.overdue)
    shown = tuple(value if isinstance(value, str) else i18n.number(value) for value in counts)
    return (*first, *shown, *((money(row.values),) if priced else ()))


def _detail(row: Performance, asked: Asked) -> str | None:
    """A partner opens to its months."""
    if asked.by is By.PARTNER and row.party_id:
        return asked.href(by=By.MONTH, partner=row.party_id)
    return None


def table_of(report: Report) -> tuple[list[str], list[list[Any]]]:
    """The report as a file: plain digits, the total last."""
    priced = report.total.values is not None
    currencies = sorted(report.total.values or {})
    head = [_("Partner"), _("Month"), _("Deliveries"), _("On time"), _("Rate"), _("Orders"), _("Orders on time")]
    head += [_("Overdue"), *([_("Value {currency}").format(currency=code) for code in currencies] if priced else [])]
    total = replace(report.total, party_name=_("Total"))
    return head, [_plain(row, currencies) for row in (*report.rows, total)]


def _plain(row: Performance, currencies: list[str]) -> list[Any]:
    month = f"{row.month:%Y-%m}" if row.month else ""
    values = [(row.values or {}).get(code, Decimal(0)) for code in currencies]
    counts = [row.lines, row.on_time, row.rate, row.orders, row.orders_on_time, row.overdue]
    return [row.party_name, month, *counts, *values]


ROUTES: list[Any] = [reports, export]
