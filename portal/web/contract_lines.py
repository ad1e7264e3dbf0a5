"""Pages of a draft's lines: one line at a time, with its prices."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.reads import list_sites
from portal.contracts import service, service_drafts
from portal.contracts.inputs import LineTerms
from portal.contracts.model import ContractLine, ContractPrice, DayUnit, PriceTier
from portal.contracts.words import show_price
from portal.core import clock, i18n
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar, local_today
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.schedules.rules import fences
from portal.web.contract_forms import EditLineForm, NewLineForm, PriceForm, StepForm
from portal.web.contracts import get_draft
from portal.web.errors import status_of
from portal.web.pages import Page
from portal.web.typed import Typed, plain

CADENCES = {"": N_("none: pure call-off"), "week": N_("week"), "month": N_("month"), "quarter": N_("quarter")}
DAY_UNITS = {DayUnit.CALENDAR.value: N_("calendar days"), DayUnit.WORKING.value: N_("working days")}
TIERS = {
    PriceTier.ALL: N_("none: one price"),
    PriceTier.CUMULATIVE: N_("by all deliveries so far"),
    PriceTier.DELIVERY: N_("by the quantity of one delivery"),
}
TERMS = tuple(LineTerms.model_fields)
FIELDS = (*TERMS, "item_code", "description", "revision", "partner_part_no", "price", "price_from", "price_unit")
LONGEST = 3650  # days of a zone
A_MONDAY = date(2024, 1, 1)


@get("/contracts/{contract_id:uuid}/lines/new")
async def new_line(actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]) -> Template:
    """An empty line with the usual terms."""
    return await line_form(actor, page, contract_id, None, None)


@post("/contracts/{contract_id:uuid}/lines")
async def add_line(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[NewLineForm],
) -> Template | Redirect:
    """Add a line, with its first price when one is given."""
    try:
        async with unit_of_work(actor) as session:
            await service_drafts.add_line(session, actor, contract_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await line_form(actor, page, contract_id, None, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}#lines")


@get("/contracts/{contract_id:uuid}/lines/{line_id:uuid}")
async def edit_line(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID], line_id: FromPath[UUID]
) -> Template:
    """One line of a draft with its prices."""
    return await line_form(actor, page, contract_id, line_id, None)


@post("/contracts/{contract_id:uuid}/lines/{line_id:uuid}")
async def change_line(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    line_id: FromPath[UUID],
    data: URLEncodedBody[EditLineForm],
) -> Template | Redirect:
    """Write the terms of a line anew."""
    try:
        async with unit_of_work(actor) as session:
            await service_drafts.change_line(session, actor, contract_id, line_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await line_form(actor, page, contract_id, line_id, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}#lines")


@post("/contracts/{contract_id:uuid}/lines/{line_id:uuid}/remove")
async def remove_line(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    line_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Take a line out of the draft."""
    await service_drafts.remove_line(session, actor, contract_id, line_id, data.version)
    return page.go(f"/contracts/{contract_id}#lines")


@post("/contracts/{contract_id:uuid}/lines/{line_id:uuid}/prices")
async def set_price(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    line_id: FromPath[UUID],
    data: URLEncodedBody[PriceForm],
) -> Template | Redirect:
    """Agree on a price from a day on."""
    try:
        async with unit_of_work(actor) as session:
            await service_drafts.set_price(session, actor, contract_id, line_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        priced = Typed(data, error)
        return await line_form(actor, page, contract_id, line_id, None, status_of(error), priced=priced)
    return page.go(f"/contracts/{contract_id}/lines/{line_id}#prices")


@post("/contracts/{contract_id:uuid}/lines/{line_id:uuid}/prices/{price_id:uuid}/remove")
async def remove_price(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    line_id: FromPath[UUID],
    price_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Take a price out of the draft."""
    await service_drafts.remove_price(session, actor, contract_id, line_id, price_id, data.version)
    return page.go(f"/contracts/{contract_id}/lines/{line_id}#prices")


@get("/contracts/zones")
async def zones(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    firm_days: FromQuery[str] = "",
    tradeoff_days: FromQuery[str] = "",
    day_unit: FromQuery[str] = "",
) -> Template:
    """The two days that a typed length of zones leads to, told while typing."""
    words = zone_hint(firm_days, tradeoff_days, day_unit, local_today(clock.now(), actor.time_zone))
    return page.fragment("contracts/_zones.html", zones=words)


async def line_form(
    actor: Actor,
    page: Page,
    contract_id: UUID,
    line_id: UUID | None,
    typed: Typed | None,
    status: int = 200,
    priced: Typed | None = None,
) -> Template:
    """The form of a new or a known line of a draft; what was typed is kept after a refusal."""
    async with unit_of_work(actor) as session:
        contract = await get_draft(session, actor, contract_id)
        line = await service.get_line(session, actor, contract_id, line_id) if line_id else None
        prices = (await service.get_prices(session, actor, contract_id)).get(line_id, []) if line_id else []
    sites = await list_sites(actor, limit=500)
    typed = typed or Typed(None, None, **(known(line) if line else usual(contract.valid_from)))
    said = [str(typed.value(name)) for name in ("firm_days", "tradeoff_days", "day_unit")]
    return page.render(
        "contracts/line.html",
        active="contracts",
        status=status,
        contract=contract,
        line=line,
        typed=typed,
        fields=FIELDS,
        priced=priced or Typed(None, None, price_unit="1", price_from=plain(contract.valid_from)),
        prices=[(price, price_words(price, contract.currency)) for price in prices],
        cadences=[(value, _(label)) for value, label in CADENCES.items()],
        tiers=[(tier.value, _(label)) for tier, label in TIERS.items()],
        day_units=[(value, _(label)) for value, label in DAY_UNITS.items()],
        weekdays=[(str(n), i18n.weekday(A_MONDAY.replace(day=1 + n))) for n in range(7)],
        sites=sorted({site.code for site in sites if site.party_id in (actor.party_id, contract.party_id)}),
        zones=zone_hint(said[0], said[1], said[2], local_today(clock.now(), contract.time_zone)),
    )


def usual(first: date) -> dict[str, Any]:
    """What stands in the form of a new line."""
    values = {name: plain(field.default) for name, field in LineTerms.model_fields.items()}
    return values | {"delivery_weekdays": [], "price_unit": "1", "price_from": plain(first)}


def known(line: ContractLine) -> dict[str, Any]:
    """What stands in the form of a line that exists."""
    names = (*TERMS, "item_code", "description", "revision", "partner_part_no")
    values = {name: typed_as(getattr(line, name)) for name in names}
    return values | {"delivery_weekdays": [str(day) for day in line.delivery_weekdays]}


def typed_as(value: Any) -> str:
    """A value as somebody would type it: numbers without idle zeros."""
    text = plain(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "", 1).isdecimal() else text


def price_words(price: ContractPrice, currency: str) -> str:
    """CNY 12.50 per 100, for one order only if so."""
    words = show_price(price.price, currency)
    if price.price_unit != 1:
        words += " " + _("per {quantity}").format(quantity=i18n.number(price.price_unit))
    if price.from_quantity:
        step = _("from {quantity} on").format(quantity=i18n.number(price.from_quantity))
        words += f" · {step}, {_(TIERS[price.tier])}"
    if price.order_no:
        words += " · " + _("order {number} only").format(number=price.order_no)
    return words


def zone_hint(firm: str, tradeoff: str, unit: str, today: date) -> str:
    """Both fences of a release made today, or what is still missing."""
    lengths = [int(text) if text.isdecimal() and int(text) <= LONGEST else -1 for text in (firm, tradeoff)]
    if min(lengths) < 0:
        return _("Enter both lengths in whole days.")
    if lengths[1] < lengths[0]:
        return _("Both count from the release date, so trade-off cannot be shorter than firm.")
    kind = DayUnit(unit) if unit in list(DayUnit) else DayUnit.CALENDAR
    ends = fences(today, lengths[0], lengths[1], kind, WorkingCalendar())
    return _("For a release today: firm until {firm}, trade-off until {tradeoff}, forecast after that.").format(
        firm=i18n.day(ends.firm_until, year=True), tradeoff=i18n.day(ends.tradeoff_until, year=True)
    )


ROUTES: list[HTTPRouteHandler] = [
    new_line,
    add_line,
    edit_line,
    change_line,
    remove_line,
    set_price,
    remove_price,
    zones,
]
