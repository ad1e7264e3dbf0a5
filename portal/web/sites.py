"""Plants, warehouses and docks with their working calendars."""

from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import available_timezones

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from pydantic import BeforeValidator, Field

from portal.accounts import reads, service_companies
from portal.accounts.reads import SiteRow
from portal.accounts.service_companies import CreateSite, EditSite, SetDay
from portal.core import i18n, paging
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.people import one_or_many
from portal.web.typed import Typed
from portal.web.views import Column, ListView, Row

SIZE = 50
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
    day: date
    working: bool
    name: str = Field("", max_length=80)


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
        next_href="/sites?" + urlencode({"cursor": cursor}) if cursor else None,
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
    day: Typed | None = None,
    status: int = 200,
    done: str = "",
) -> Template:
    site, days = await reads.get_site(actor, site_id)
    fields = ("name", "country", "address", "time_zone", "weekdays")
    return page.render(
        "accounts/site.html",
        active="sites",
        status=status,
        site=site,
        worked=worked(site.weekdays),
        days=days,
        typed=typed or Typed(**{field: getattr(site, field) for field in fields}),
        day_typed=day or Typed(),
        zones=zones(),
        weekdays=weekday_names(),
        done=_(DONE[done]) if done in DONE else "",
    )


@get("/sites/{site_id:uuid}")
async def site_page(
    page: NamedDependency[Page], actor: NamedDependency[Actor], site_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Template:
    return await site_answer(page, actor, site_id, done=done)


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


@post("/sites/{site_id:uuid}/days")
async def set_day(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    site_id: FromPath[UUID],
    data: URLEncodedBody[DayForm],
) -> Redirect:
    async with unit_of_work(actor) as session:
        await service_companies.set_days(session, actor, site_id, [SetDay(**data.model_dump())])
    return page.go(f"/sites/{site_id}?done=saved")


@post("/sites/{site_id:uuid}/days/clear")
async def clear_day(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    site_id: FromPath[UUID],
    data: URLEncodedBody[DropDayForm],
) -> Redirect:
    async with unit_of_work(actor) as session:
        await service_companies.clear_day(session, actor, site_id, data.day)
    return page.go(f"/sites/{site_id}?done=saved")


ROUTES: list[Any] = [sites_page, new_site_page, create, site_page, edit, set_day, clear_day]
