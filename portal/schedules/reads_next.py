"""What the firm zone keeps of what the factory wants next: the next release made without writing anything."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.core.errors import Conflict
from portal.schedules.model import ReleaseKind, Zone
from portal.schedules.service_calculating import Calculation, Line, calculate
from portal.schedules.service_terms import read_head


class Kept(Struct, frozen=True):
    """A delivery that the next release tells otherwise than it is wanted, because only what was told is firm."""

    line_id: UUID
    item_code: str
    unit: str
    wanted_quantity: Decimal
    wanted_date: date
    told_quantity: Decimal
    told_date: date
    firm: bool  # it was told and stays; otherwise it is asked for behind the firm zone
    rest_quantity: Decimal | None  # a delivery of its own behind the firm zone
    rest_date: date | None


async def kept_by_firm(connection: Driver, actor: Actor, contract_id: UUID, now: datetime) -> list[Kept]:
    """By the day that is wanted. The factory's alone: what is planned is told to nobody yet. NotFound."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await read_head(connection, actor, contract_id)
    today = local_today(now, head.time_zone)
    try:
        made = await calculate(connection, actor, head, ReleaseKind.FORECAST, today, lock=False)
    except Conflict:  # nothing to publish, or not as it is: publishing says why
        return []
    rests = {line.row["id"]: line for line in made.lines if line.split}
    found = (_kept(made, line, rests.get(line.row["id"])) for line in made.lines if not (line.split or line.regrouped))
    return sorted(filter(None, found), key=lambda one: (one.wanted_date, one.item_code, one.line_id))


def _kept(made: Calculation, line: Line, rest: Line | None) -> Kept | None:
    """None where the release will say what is wanted. A planned zero that joins nothing is told as before."""
    row = line.row
    wanted = (row["planned"], row["planned_date"]) if row["planned"] else (row["ordered_quantity"], row["due_date"])
    if wanted == (line.quantity, line.due):
        return None
    part = made.terms[row["contract_line_id"]].item_code
    more = (rest.quantity, rest.due) if rest else (None, None)
    firm = line.zone is Zone.FIRM
    return Kept(row["id"], part, row["unit"], *wanted, line.quantity, line.due, firm, *more)
