"""Plants, warehouses and docks with their working calendars."""

import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import BeforeValidator, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import reads, service_calendars, service_companies
from portal.accounts.reads import SiteRow
from portal.accounts.service_calendars import SetDay, SetWindows, Shutdown
from portal.accounts.service_companies import CreateSite, EditSite
from portal.core import clock, i18n, paging
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.i18n import N_, _
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web.addresses import address
from portal.web.errors import status_of
from portal.web.field_errors import command
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.people import one_or_many
from portal.web.site_calendar import FIRST_YEAR, LAST_YEAR, read_windows, window_words, windows_typed, year_view
from portal.web.typed import Typed
from portal.web.views import Column, ListView, Row

SIZE = 50
CALENDAR_FORMS = {  # of a site's calendar, with the fields that show what is wrong with them
    "day": ("day", "working", "name"),
    "shutdown": ("first", "last", "name"),
    "windows": tuple(f"day_{n}" for n in range(7)),
}
MONDAY = date(2026, 11, 23)  # any Monday: weekdays are named by it
DONE = {"saved": N_("The change is saved. Deliveries that were generated before keep their dates.")}
Days = Annotated[list[int], BeforeValidator(one_or_many)]


class SiteForm(Form):
    party_id: UUID
    code: str
    name: str
    country: str = Field("", max_length=80)
    address: str = Field("", max_length=300)
    time_zone: str
    weekdays: Days = Field(default_factory=list)


class EditSiteForm(Form):
    version: int
    name: str
    country: str = Field("", max_length=80)
    address: str = Field("", max_length=300)
    time_zone: str
    weekdays: Days = Field(default_factory=list)

    def command(self) -> EditSite:
        return EditSite.model_validate(self.model_dump(exclude={"version"}))


class DayForm(Form):
    day: str = ""
    working: str = ""
    name: str = ""

    def command(self) -> SetDay:
        return command(SetDay, self.model_dump())


class ShutdownForm(Form):
    first: str = ""
    last: str = ""
    name: str = ""

    def command(self) -> Shutdown:
        return command(Shutdown, self.model_dump())


class HolidaysForm(Form):
    year: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)


class WindowsForm(Form):
    """Receiving hours, one field a weekday: 07:00-11:30, 13:00-16:00."""

    day_0: str = ""
    day_1: str = ""
    day_2: str = ""
    day_3: str = ""
    day_4: str = ""
    day_5: str = ""
    day_6: str = ""

    def typed(self) -> list[str]:
        """The text of each weekday, Monday first."""
        return [getattr(self, f"day_{n}") for n in range(7)]

    def command(self) -> SetWindows:
        return read_windows(self.typed())


class DropDayForm(Form):
    day: date


def weekday_names() -> list[tuple[int, str]]:
    """Monday is 0."""
    return [(n, i18n.weekday(MONDAY + timedelta(days=n))) for n in range(7)]


def worked(weekdays: list[int]) -> str:
    """The working days of a week in words."""
    return " ".join(name for n, name in weekday_names() if n in weekdays)


def zones() -> list[str]:
    """Names of the time zone database that a person would look for."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]


def site_list(sites: list[SiteRow], later: bool) -> ListView:
    """The sites as a list, with the way to the next page."""
    shown = sites[:SIZE]
    rows = [
        Row(
            (site.name, site.code, site.party_name, site.country, site.time_zone, worked(site.weekdays)),
            f"/sites/{site.id}",
        )
        for site in shown
    ]
    cursor = paging.encode(shown[-1].code, shown[-1].id) if len(sites) > SIZE else None
    heads = (_("Site"), _("Code"), _("Company"), _("Country"), _("Time zone"), _("Working days"))
    return ListView(
        title=_("Sites"),
        sub=_("Deliveries fall on working days of the site they go to."),
        columns=tuple(Column(head) for head in heads),
        rows=rows,
        empty=_("No site yet."),
        next_href=address("/sites", {"cursor": cursor}) if cursor else None,
        first_href="/sites" if later else None,
    )


@get("/sites")
async def sites_page(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    cursor: FromQuery[str | None] = None,
) -> Template:
    key = paging.decode(cursor, str, UUID) if cursor else None
    sites = await reads.list_sites(actor, limit=SIZE + 1, after=key)
    return page.render("accounts/sites.html", active="sites", list=site_list(sites, key is not None))


async def new_site(page: Page, actor: Actor, party_id: UUID, typed: Typed | None = None, status: int = 200) -> Template:
    actor.require(Permission.MANAGE_MASTER_DATA)
    first = Typed(time_zone=actor.time_zone, weekdays=[0, 1, 2, 3, 4])
    return page.render(
        "accounts/site_new.html",
        active="sites",
        status=status,
        party=await reads.get_party(actor, party_id),
        typed=typed or first,
        zones=zones(),
        weekdays=weekday_names(),
    )


@get("/sites/new")
async def new_site_page(
    page: NamedDependency[Page], actor: NamedDependency[Actor], party: FromQuery[UUID | None] = None
) -> Template:
    return await new_site(page, actor, party or actor.party_id)


@post("/sites")
async def create(
    page: NamedDependency[Page], actor: NamedDependency[Actor], data: URLEncodedBody[SiteForm]
) -> Template | Redirect:
    command = CreateSite.model_validate(data.model_dump(exclude={"party_id"}))
    try:
        async with unit_of_work(actor) as session:
            site = await service_companies.create_site(session, actor, data.party_id, command)
    except (Invalid, Conflict) as error:
        return await new_site(page, actor, data.party_id, Typed(data, error), 422)
    return page.go(f"/sites/{site.id}?done=saved")


async def site_answer(
    page: Page,
    actor: Actor,
    site_id: UUID,
    typed: Typed | None = None,
    *,
    status: int = 200,
    done: str = "",
    year: int = 0,
    tried: str = "",
    sent: Form | None = None,
    error: PortalError | None = None,
) -> Template:
    """The site's page. tried: the form in CALENDAR_FORMS that was refused; sent: what stood in it."""
    site, days = await reads.get_site(actor, site_id)
    fields = ("name", "country", "address", "time_zone", "weekdays")
    windows = await reads.site_windows(actor, site_id)
    shown = year or local_today(clock.now(), site.time_zone).year
    return page.render(
        "accounts/site.html",
        active="sites",
        status=status,
        site=site,
        worked=worked(site.weekdays),
        days=days,
        typed=typed or Typed(**{field: getattr(site, field) for field in fields}),
        zones=zones(),
        weekdays=weekday_names(),
        done=_(DONE[done]) if done in DONE else "",
        can_keep=actor.may(Permission.KEEP_CALENDARS),
        year=year_view(shown, site.weekdays, days),
        windows=window_words(windows),
        windows_typed=sent.typed() if isinstance(sent, WindowsForm) else windows_typed(windows),
        tried=dict.fromkeys(CALENDAR_FORMS, Typed()) | {tried: Typed(sent, error)},
        calendar_error=Typed(sent, error).refusal(*CALENDAR_FORMS.get(tried, ())),
    )


@get("/sites/{site_id:uuid}")
async def site_page(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    site_id: FromPath[UUID],
    done: FromQuery[str] = "",
    year: FromQuery[int] = 0,
) -> Template:
    return await site_answer(page, actor, site_id, done=done, year=min(max(year, FIRST_YEAR), LAST_YEAR) if year else 0)


@post("/sites/{site_id:uuid}")
async def edit(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    site_id: FromPath[UUID],
    data: URLEncodedBody[EditSiteForm],
) -> Template | Redirect:
    try:
        async with unit_of_work(actor) as session:
            await service_companies.edit_site(session, actor, site_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return await site_answer(page, actor, site_id, Typed(data, error), status=status)
    return page.go(f"/sites/{site_id}?done=saved")


async def keep(
    page: Page,
    actor: Actor,
    site_id: UUID,
    deed: Callable[[AsyncSession], Awaitable[Any]],
    *,
    tried: str = "",
    sent: Form | None = None,
    year: int = 0,
) -> Template | Redirect:
    """Do something to the site's calendar; what is refused is said in the form that was sent, or above the year."""
    try:
        async with unit_of_work(actor) as session:
            await deed(session)
    except (Invalid, Conflict) as error:
        status = status_of(error)
        return await site_answer(page, actor, site_id, status=status, year=year, tried=tried, sent=sent, error=error)
    return page.go(f"/sites/{site_id}?done=saved" + (f"&year={year}" if year else ""))


def year_of(day: str) -> int:
    """The year of a day that can be read, for the page to show; 0: the present one."""
    year = int(day[:4]) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day) else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else 0


@post("/sites/{site_id:uuid}/days")
async def set_day(
    page: NamedDependency[Page], actor: NamedDependency[Actor], site_id: FromPath[UUID],
    data: URLEncodedBody[DayForm],
) -> Template | Redirect:  # fmt: skip
    """Put a day out of the weekly pattern."""

    async def deed(session: AsyncSession) -> None:
        await service_calendars.set_days(session, actor, site_id, [data.command()])

    return await keep(page, actor, site_id, deed, tried="day", sent=data, year=year_of(data.day))


@post("/sites/{site_id:uuid}/days/clear")
async def clear_day(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    site_id: FromPath[UUID],
    data: URLEncodedBody[DropDayForm],
) -> Redirect:
    async with unit_of_work(actor) as session:
        await service_calendars.clear_day(session, actor, site_id, data.day)
    return page.go(f"/sites/{site_id}?done=saved")


@post("/sites/{site_id:uuid}/shutdowns")
async def shut_down(
    page: NamedDependency[Page], actor: NamedDependency[Actor], site_id: FromPath[UUID],
    data: URLEncodedBody[ShutdownForm],
) -> Template | Redirect:  # fmt: skip
    """Close some days of the site's own."""

    async def deed(session: AsyncSession) -> None:
        await service_calendars.shut_down(session, actor, site_id, data.command())

    return await keep(page, actor, site_id, deed, tried="shutdown", sent=data, year=year_of(data.first))


@post("/sites/{site_id:uuid}/holidays")
async def holidays(
    page: NamedDependency[Page], actor: NamedDependency[Actor], site_id: FromPath[UUID],
    data: URLEncodedBody[HolidaysForm],
) -> Template | Redirect:  # fmt: skip
    """A year's public holidays with one press."""
    deed = partial(service_calendars.take_holidays, actor=actor, site_id=site_id, year=data.year)
    return await keep(page, actor, site_id, deed, year=data.year)


@post("/sites/{site_id:uuid}/windows")
async def windows(
    page: NamedDependency[Page], actor: NamedDependency[Actor], site_id: FromPath[UUID],
    data: URLEncodedBody[WindowsForm],
) -> Template | Redirect:  # fmt: skip
    """The receiving hours anew."""

    async def deed(session: AsyncSession) -> None:
        await service_calendars.set_windows(session, actor, site_id, data.command())

    return await keep(page, actor, site_id, deed, tried="windows", sent=data)


ROUTES: list[Any] = [
    *(sites_page, new_site_page, create, site_page, edit, set_day, clear_day, shut_down, holidays, windows),
]
