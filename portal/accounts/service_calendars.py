"""When a site works and takes goods in: holidays, shutdowns of its own, make-up days, receiving hours.

The factory keeps every calendar, a partner those of its own sites. What partners may know of the factory's is published
with each change.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import rules_calendars as rules
from portal.accounts.events import SiteChanged
from portal.accounts.model import Site, SiteDay, SiteWindow
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.db import driver
from portal.core.errors import NotFound
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record


class SetDay(Input):
    """A day out of the weekly pattern: a holiday, or a day worked to make up for one."""

    day: Day
    working: bool
    name: str = Field("", max_length=80)


class Shutdown(Input):
    """Days on which a site that usually works does not, with the reason."""

    first: Day
    last: Day
    name: str = Field(min_length=1, max_length=80, examples=["Furnace relining"])


class Window(Input):
    """Hours of a weekday in which goods are taken in."""

    weekday: int = Field(ge=0, le=6, description="Monday is 0")
    opens: str = Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["07:00"])
    closes: str = Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["11:30"])


class SetWindows(Input):
    """All receiving hours of a site anew; none: all day."""

    windows: list[Window] = Field(default=[], max_length=42)


async def get_site(session: AsyncSession, actor: Actor, site_id: UUID, *, lock: bool = False) -> Site:
    """A site for changing; reading goes through `reads`. Raises NotFound."""
    query = select(Site).where(Site.tenant_id == actor.tenant_id, Site.id == site_id)
    if not actor.is_factory:
        query = query.where(Site.party_id == actor.party_id)
    site = (await session.exec(query.with_for_update() if lock else query)).one_or_none()
    if site is None:
        raise NotFound
    return site


async def set_days(session: AsyncSession, actor: Actor, site_id: UUID, days: Sequence[SetDay]) -> Site:
    """Put days out of the weekly pattern; what was said about such a day before is replaced."""
    site = await _kept(session, actor, site_id)
    latest = {item.day: item for item in days}
    await _write_days(session, site, list(latest.values()))
    return await _changed(session, actor, site, days=sorted(latest))


async def clear_day(session: AsyncSession, actor: Actor, site_id: UUID, day: date) -> Site:
    """Back to the weekly pattern on one day. Raises NotFound when it was not out of it."""
    site = await _kept(session, actor, site_id)
    if not await _drop_days(session, site, [day]):
        raise NotFound
    return await _changed(session, actor, site, days=[day])


async def shut_down(session: AsyncSession, actor: Actor, site_id: UUID, data: Shutdown) -> Site:
    """Close the site's working days from the first to the last, both inclusive."""
    site = await _kept(session, actor, site_id)
    days = rules.shutdown_days(data.first, data.last, site.weekdays)
    await _write_days(session, site, [SetDay(day=day, working=False, name=data.name) for day in days])
    return await _changed(session, actor, site, days=days, name=data.name)


async def take_holidays(session: AsyncSession, actor: Actor, site_id: UUID, year: int) -> tuple[Site, int]:
    """The public holidays and make-up days of a year in China; days that were entered before stay as they are.

    Returns the site and how many days were added.
    """
    site = await _kept(session, actor, site_id)
    entered = select(col(SiteDay.day)).where(SiteDay.tenant_id == site.tenant_id, SiteDay.site_id == site.id)
    known = set((await session.exec(entered)).all())
    new = [
        SetDay(day=day, working=working, name=name)
        for day, working, name in rules.holidays(year, site.weekdays)
        if day not in known
    ]
    await _write_days(session, site, new)
    return await _changed(session, actor, site, year=year, n=len(new)), len(new)


async def set_windows(session: AsyncSession, actor: Actor, site_id: UUID, data: SetWindows) -> Site:
    """The hours in which the site takes goods in, all of them anew."""
    site = await _kept(session, actor, site_id)
    hours = rules.checked_windows([(one.weekday, one.opens, one.closes) for one in data.windows])
    await session.exec(
        delete(SiteWindow).where(col(SiteWindow.tenant_id) == site.tenant_id, col(SiteWindow.site_id) == site.id)
    )
    base: dict[str, Any] = {"tenant_id": site.tenant_id, "party_id": site.party_id, "site_id": site.id}
    session.add_all([SiteWindow(**base, weekday=day, opens=opens, closes=closes) for day, opens, closes in hours])
    await session.flush()
    return await _changed(session, actor, site, verb="windows_set")


async def _kept(session: AsyncSession, actor: Actor, site_id: UUID) -> Site:
    """The locked site of somebody who keeps its calendar."""
    actor.require(Permission.KEEP_CALENDARS)
    return await get_site(session, actor, site_id, lock=True)


async def _changed(
    session: AsyncSession, actor: Actor, site: Site, *, verb: str = "calendar_changed", **told: Any
) -> Site:
    site.version += 1
    await publish_calendar(session, site)
    tell_site(session, actor, site, verb, **told)
    return site


async def _write_days(session: AsyncSession, site: Site, days: Sequence[SetDay]) -> None:
    await _drop_days(session, site, [item.day for item in days])
    base: dict[str, Any] = {"tenant_id": site.tenant_id, "party_id": site.party_id, "site_id": site.id}
    session.add_all([SiteDay(**base, **item.model_dump()) for item in days])
    await session.flush()


async def _drop_days(session: AsyncSession, site: Site, days: list[date]) -> int:
    result = await session.exec(
        delete(SiteDay).where(
            col(SiteDay.tenant_id) == site.tenant_id, col(SiteDay.site_id) == site.id, col(SiteDay.day).in_(days)
        )
    )
    return result.rowcount


_PUBLISH = """
insert into site_calendar (tenant_id, id, code, weekdays, closed, extra, windows)
select s.tenant_id, s.id, s.code, s.weekdays,
    array(select d.day from site_day d where d.tenant_id = $1 and d.site_id = s.id and not d.working order by 1),
    array(select d.day from site_day d where d.tenant_id = $1 and d.site_id = s.id and d.working order by 1),
    coalesce((select jsonb_agg(jsonb_build_array(w.weekday, w.opens, w.closes) order by w.weekday, w.opens)
        from site_window w where w.tenant_id = $1 and w.site_id = s.id), '[]')
from site s join tenant t on t.tenant_id = s.tenant_id and t.factory_party_id = s.party_id
where s.tenant_id = $1 and s.id = $2
on conflict (tenant_id, id) do update set weekdays = excluded.weekdays, closed = excluded.closed,
    extra = excluded.extra, windows = excluded.windows"""


async def publish_calendar(session: AsyncSession, site: Site) -> None:
    """Let every partner know when a site of the factory works; of other companies' sites nothing is published."""
    await session.flush()
    connection = await driver(session)
    if await connection.fetchval("select factory_party_id from tenant where tenant_id = $1", site.tenant_id) == (
        site.party_id
    ):
        await connection.execute(_PUBLISH, site.tenant_id, site.id)


def tell_site(session: AsyncSession, actor: Actor, site: Site, verb: str, **data: Any) -> None:
    record(session, actor, Subject("site", site.id, site.party_id, site.version), verb, **data)
    emit(session, actor, site.party_id, SiteChanged(site_id=site.id))
