"""Schedule stability by partner: of the published releases, or of those an imported history would have had."""

from datetime import date
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Template

from portal.core import clock, i18n
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import N_, _
from portal.parameters import FromQuery
from portal.scorecards import reads, reads_history
from portal.scorecards.reads_history import Asked, Source
from portal.scorecards.reads_stability import StabilityRow
from portal.web import tables
from portal.web.addresses import address
from portal.web.pages import Page
from portal.web.views import Column, ListView, Row

PATH = "/reports/stability"
SOURCES: dict[Source, str] = {Source.RELEASES: N_("Published releases"), Source.HISTORY: N_("Imported history")}
EMPTY: dict[Source, str] = {
    Source.RELEASES: N_("No release with one before it was published in this time."),
    Source.HISTORY: N_("No imported delivery was open in this time. Choose the days of the history."),
}


def typed(actor: Actor, source: str, since: str, until: str, direction: str) -> Asked:
    """The address's parts. Raises BadSelection for what is no day, source or direction."""
    try:
        first, last = (date.fromisoformat(text) if text else None for text in (since, until))
        side = Direction(direction) if direction else None
        chosen = Source(source or Source.RELEASES)
    except ValueError as error:
        raise reads.BadSelection(field="since") from error
    return reads_history.asked_of(local_today(clock.now(), actor.time_zone), chosen, first, last, side)


@get(PATH)
async def stability(
    actor: NamedDependency[Actor], page: NamedDependency[Page], source: FromQuery[str] = "",
    since: FromQuery[str] = "", until: FromQuery[str] = "", direction: FromQuery[str] = "",
) -> Template:  # fmt: skip
    """One row a partner, with the definition of the figures."""
    asked = typed(actor, source, since, until, direction)
    async with read(actor) as connection:
        rows = await reads_history.stability(connection, actor, asked)
    return page.render("reports/stability.html", active="reports", **_context(actor, asked, rows))


@get(f"{PATH}/export")
async def stability_export(
    actor: NamedDependency[Actor], source: FromQuery[str] = "", since: FromQuery[str] = "",
    until: FromQuery[str] = "", direction: FromQuery[str] = "", kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:  # fmt: skip
    """The same rows as XLSX or CSV; the stability is a share of 1."""
    asked = typed(actor, source, since, until, direction)
    async with read(actor) as connection:
        rows = await reads_history.stability(connection, actor, asked)
    head = [column.label for column in _columns()]
    table = [(row.party_name, row.pairs, row.stability, row.firm_lines, row.mean_notice) for row in rows]
    return tables.file(f"stability-{asked.until.isoformat()}", kind, head, table)


def _context(actor: Actor, asked: Asked, rows: list[StabilityRow]) -> dict[str, Any]:
    days = _("{first} to {last}").format(first=i18n.day(asked.since, year=True), last=i18n.day(asked.until, year=True))
    return {
        "list": ListView(
            title=_("Schedule stability"),
            columns=_columns(),
            rows=[Row(_cells(row)) for row in rows],
            empty=_(EMPTY[asked.source]),
            sub=days,
            crumbs=((_("Reports"), "/reports"),),
        ),
        "asked": asked,
        "views": [
            (_(name), address(PATH, {"source": one, "direction": asked.direction}), one is asked.source)
            for one, name in SOURCES.items()
        ],
        "definitions": reads_history.definitions(asked.source),
        "directions": [("", _("Both directions")), ("sale", _("Sale")), ("purchase", _("Purchase"))],
        "xlsx": _export(asked, "xlsx"),
        "csv": _export(asked, "csv"),
        "actor": actor,
    }


def _export(asked: Asked, kind: str) -> str:
    chosen = {"source": asked.source, "since": asked.since, "until": asked.until, "direction": asked.direction}
    return address(f"{PATH}/export", chosen | {"kind": kind})


def _columns() -> tuple[Column, ...]:
    figures = (_("Releases compared"), _("Schedule stability"), _("Firm deliveries changed"), _("Notice, days"))
    return (Column(_("Partner")), *(Column(label, num=True) for label in figures))


def _cells(row: StabilityRow) -> tuple[str, ...]:
    return (
        row.party_name,
        i18n.number(row.pairs),
        i18n.rate(row.stability),
        i18n.number(row.firm_lines),
        "–" if row.mean_notice is None else i18n.number(row.mean_notice),
    )


ROUTES: list[Any] = [stability, stability_export]
