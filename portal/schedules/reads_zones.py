"""The zone of today beside the one that a release was published with: as if the next release were made today."""

from datetime import date, datetime
from uuid import UUID

from msgspec.structs import replace

from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.schedules import rules
from portal.schedules.reads_board import board_head
from portal.schedules.reads_releases import Comparison, compared
from portal.schedules.rules import Fences
from portal.schedules.service_terms import calendars, read_terms


async def release_today(
    connection: Driver, actor: Actor, contract_id: UUID, number: int, now: datetime, against: int | None = None
) -> Comparison:
    """A release as `reads_releases.compared` gives it, with the zones of today where the contract is kept."""
    head = await board_head(connection, actor, contract_id)
    found = await compared(connection, actor, contract_id, number, against)
    return await _with_zones(connection, actor, contract_id, found, local_today(now, head.time_zone))


async def _with_zones(
    connection: Driver, actor: Actor, contract_id: UUID, found: Comparison, today: date
) -> Comparison:
    """Each line of the release with its zone today; none where its day has passed."""
    ends = await fences_today(connection, actor, contract_id, today)
    lines = [
        replace(line, zone_today=ends[line.contract_line_id].zone(line.due_date) if line.due_date >= today else None)
        for line in found.lines
    ]
    return replace(found, lines=lines)


async def fences_today(connection: Driver, actor: Actor, contract_id: UUID, today: date) -> dict[UUID, Fences]:
    """Where the zones of each contract line would end in a release of today."""
    terms = await read_terms(connection, actor, contract_id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    return {
        line.id: rules.fences(today, line.firm_days, line.tradeoff_days, line.day_unit, at[line.ship_to_code])
        for line in terms.values()
    }
