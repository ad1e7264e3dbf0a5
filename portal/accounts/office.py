"""Where a company works and when: the hours in which it is expected to answer."""

from uuid import UUID

from portal.core.calendars import WorkingCalendar
from portal.core.db import Driver

_PLACE = """
select coalesce(s.time_zone, t.time_zone) as zone, s.weekdays,
    coalesce((select array_agg(d.day order by d.day) from site_day d
        where d.tenant_id = $1 and d.site_id = s.id and d.working and d.day >= current_date - 7), '{}') as worked,
    coalesce((select array_agg(d.day order by d.day) from site_day d
        where d.tenant_id = $1 and d.site_id = s.id and not d.working and d.day >= current_date - 7), '{}') as free
from tenant t
left join lateral (
    select * from site where tenant_id = $1 and party_id = $2 order by code limit 1
) s on true
where t.tenant_id = $1"""


async def office_hours(connection: Driver, tenant_id: UUID, party_id: UUID) -> tuple[str, WorkingCalendar]:
    """The zone and the working days of a company: those of its first site, else of the workspace."""
    row = await connection.fetchrow(_PLACE, tenant_id, party_id)
    assert row is not None
    exceptions = [*((day, True) for day in row["worked"]), *((day, False) for day in row["free"])]
    calendar = WorkingCalendar.of(row["weekdays"], exceptions) if row["weekdays"] else WorkingCalendar()
    return row["zone"], calendar
