"""A release as a table in the reader's language: each delivery beside what it was in the release before."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import read
from portal.core.i18n import _
from portal.parameters import FromPath, FromQuery
from portal.schedules import reads_board, reads_zones
from portal.schedules.reads_releases import Comparison
from portal.schedules.words import ZONE_NAMES, change_of, gone_word
from portal.web import tables


@get("/contracts/{contract_id:uuid}/releases/{number:int}/export")
async def export(
    actor: NamedDependency[Actor],
    contract_id: FromPath[UUID],
    number: FromPath[int],
    kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:
    """One release as XLSX or CSV; what is gone stands at the end with quantity 0."""
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        found = await reads_zones.release_today(connection, actor, contract_id, number, clock.now())
    return tables.file(f"release-{number}", kind, *table_of(head.number, found))


def table_of(contract: str, found: Comparison) -> tuple[list[str], list[list[Any]]]:
    """The headings and the rows."""
    number = found.release.number
    head_row = [_("Contract"), _("Release"), _("Item"), _("Description"), _("Due"), _("Quantity"), _("Unit")]
    head_row += [_("Zone"), _("Commitment level"), _("Change"), _("Date before"), _("Quantity before")]
    head_row += [_("Zone today")]
    rows: list[list[Any]] = []
    for line in found.lines:
        change = change_of(line, found.before is not None)[1]
        about = [contract, number, line.item_code, line.description, line.due_date, line.quantity, line.unit]
        words = [_(ZONE_NAMES[line.zone]), _(line.level), change]
        today = _(ZONE_NAMES[line.zone_today]) if line.zone_today else ""
        rows.append([*about, *words, line.earlier_date, line.earlier_quantity, today])
    for line in found.gone:
        about = [contract, number, line.item_code, line.description, None, 0, line.unit]
        words = [_(ZONE_NAMES[line.zone]), _(line.level), gone_word(line)]
        rows.append([*about, *words, line.due_date, line.quantity, ""])
    return head_row, rows


ROUTES: list[HTTPRouteHandler] = [export]
