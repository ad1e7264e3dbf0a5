"""Calendars of sites: holidays with one press, shutdowns, receiving hours, and what the other company sees."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from portal.accounts import rules_calendars as rules
from portal.accounts.model import Site
from portal.accounts.service_calendars import SetDay, SetWindows, Shutdown, set_days, set_windows, shut_down
from portal.accounts.service_calendars import take_holidays as take
from portal.accounts.service_companies import CreateSite, create_site
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from tests.factories import Tenant, fetch

WEEK = (0, 1, 2, 3, 4)


async def site_of(tenant: Tenant, actor: Actor, code: str = "WUXI", weekdays: Sequence[int] = WEEK) -> Site:
    async with unit_of_work(tenant.factory) as session:
        data = CreateSite(code=code, name="Plant 2", time_zone="Asia/Shanghai", weekdays=list(weekdays))
        return await create_site(session, tenant.factory, actor.party_id, data)


async def published(reader: Actor, site_id: UUID) -> list[list[Any]]:
    query = "select weekdays, closed, extra, windows from site_calendar where id = $1"
    return [list(row.values()) for row in await fetch(reader, query, site_id)]


def test_a_years_holidays_of_china_with_their_make_up_days() -> None:
    found = {day: (worked, name) for day, worked, name in rules.holidays(2025, WEEK)}
    assert found[date(2025, 10, 1)] == (False, "National Day")
    assert found[date(2025, 1, 26)] == (True, "Spring Festival")  # a Sunday, worked to make up
    assert date(2025, 10, 4) not in found  # a Saturday: free by the pattern already
    assert rules.holidays(2025, (*WEEK, 5))[0][0] == date(2025, 1, 1)
    with pytest.raises(rules.NotAnnounced):
        rules.holidays(2199, WEEK)


def test_a_shutdown_closes_working_days_only() -> None:
    assert rules.shutdown_days(date(2027, 3, 5), date(2027, 3, 8), WEEK) == [date(2027, 3, 5), date(2027, 3, 8)]
    with pytest.raises(rules.NothingToClose):
        rules.shutdown_days(date(2027, 3, 6), date(2027, 3, 7), WEEK)
    for last in (date(2027, 3, 4), date(2027, 9, 1)):
        with pytest.raises(rules.ShutdownTooLong):
            rules.shutdown_days(date(2027, 3, 5), last, WEEK)


@pytest.mark.parametrize(
    "windows", [[(0, "07:00", "07:00")], [(0, "09:00", "07:00")], [(0, "07:00", "11:00"), (0, "10:30", "12:00")]]
)
def test_hours_that_cannot_be_are_refused(windows: list[tuple[int, str, str]]) -> None:
    with pytest.raises(rules.WindowsOverlap):
        rules.checked_windows(windows)


async def test_the_factorys_holidays_are_seen_by_its_supplier_without_their_names(tenant: Tenant) -> None:
    site = await site_of(tenant, tenant.factory)
    own = SetDay(day=date(2026, 10, 2), working=True, name="Stocktaking")
    async with unit_of_work(tenant.factory) as session:
        await set_days(session, tenant.factory, site.id, [own])
        _, count = await take(session, tenant.factory, site.id, 2026)
        assert (await take(session, tenant.factory, site.id, 2026))[1] == 0  # a second press adds nothing
        hours = [{"weekday": 0, "opens": "07:00", "closes": "11:30"}]
        await set_windows(session, tenant.factory, site.id, SetWindows.model_validate({"windows": hours}))
    ((weekdays, closed, extra, windows),) = await published(tenant.supplier, site.id)
    assert (weekdays, windows) == ([0, 1, 2, 3, 4], [[0, 420, 690]])
    assert date(2026, 10, 1) in closed
    assert date(2026, 10, 2) not in closed
    assert date(2026, 10, 2) in extra
    assert len(closed) + len(extra) == count + 1
    assert not await fetch(tenant.supplier, "select 1 from site_day where site_id = $1", site.id)


async def test_a_partner_keeps_its_own_shutdowns_which_the_factory_sees(tenant: Tenant) -> None:
    site = await site_of(tenant, tenant.supplier, "FOUNDRY")
    off = Shutdown(first=date(2027, 3, 1), last=date(2027, 3, 5), name="Relining")
    async with unit_of_work(tenant.supplier) as session:
        await shut_down(session, tenant.supplier, site.id, off)
    days = await fetch(tenant.factory, "select day, name from site_day where site_id = $1 order by day", site.id)
    assert [(row["day"].day, row["name"]) for row in days] == [(day, "Relining") for day in range(1, 6)]
    assert await published(tenant.customer, site.id) == []  # nobody else's
    for actor, refusal in (
        (tenant.customer, NotFound),
        (tenant.as_role(tenant.supplier, Role.VIEWER), Forbidden),
    ):
        with pytest.raises(refusal):
            async with unit_of_work(actor) as session:
                await shut_down(session, actor, site.id, off)
    assert len(await fetch(tenant.factory, "select 1 from site_day where site_id = $1", site.id)) == 5


def test_the_make_up_day_is_worked() -> None:
    days = [(day, worked) for day, worked, _name in rules.holidays(2026, WEEK)]
    calendar = WorkingCalendar.of(WEEK, days)
    assert calendar.is_working(date(2026, 10, 10))
    assert not calendar.is_working(date(2026, 10, 7))
