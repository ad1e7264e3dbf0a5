"""One delivery from call-off to receipt, one release beside the one before, and what is not released yet."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes.reads import waiting_of_line
from portal.contracts.parts import part_of
from portal.contracts.words import show_price
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver, driver, read
from portal.core.errors import NotFound, PortalError
from portal.core.i18n import N_, _
from portal.core.quantities import UNITS, show_quantity
from portal.core.states import Side
from portal.schedules import reads, reads_board, reads_grid, reads_held, reads_next
from portal.schedules.model import SupplyState
from portal.schedules.reads import Happening, LineFilter, LineRow, View
from portal.schedules.reads_calendars import places, receiving_hours
from portal.schedules.reads_prices import DeliveryPrice, price_of
from portal.schedules.rules import OPEN
from portal.schedules.rules_grid import By
from portal.schedules.rules_packs import loose
from portal.schedules.words import ZONE_NAMES, kept_sentence
from portal.shipments.reads import documents_of
from portal.web import line_report_views, packs
from portal.web.errors import status_of
from portal.web.forms import Form
from portal.web.held_views import held_view
from portal.web.lines import actions, deviation_words, joined, line_card, mark
from portal.web.pages import Page, unit_name
from portal.web.schedule_forms import AnswerForm
from portal.web.typed import Typed
from portal.web.views import Figure, LineCard, Moment

VERBS = {
    "photos_added": N_("Photos added to {number}"),
    "called_off": N_("Called off"),
    "generated": N_("Generated"),
    "published": N_("Published in release {release}"),
    "asked": N_("Asked for an answer in release {release}"),
    "request_changed": N_("Request changed with the release"),
    "regrouped": N_("Split or joined with the release; what was promised goes on"),
    "joined_to": N_("Joined with another delivery in the release"),
    "restored": N_("Taken back: release {release} was rejected"),
    "agreed_anew": N_("Changed by agreement, request {change}"),
    "confirmed": N_("Confirmed"),
    "deviated": N_("Answered otherwise: the buyer decides"),
    "deviation_accepted": N_("Answer accepted"),
    "deviation_declined": N_("Answer declined, asked again"),
    "lapsed": N_("No answer in time"),
    "rejected": N_("Rejected"),
    "cancelled": N_("Cancelled"),
    "asked_again": N_("Asked again"),
    "supply_noted": N_("Material state noted"),
    "reported": N_("Delay or problem reported"),
    "report_closed": N_("Report closed"),
    "shipped": N_("Shipped"),
    "shipment_withdrawn": N_("Shipment withdrawn"),
    "received": N_("Goods received"),
    "receipt_corrected": N_("Receipt corrected"),
    "closed": N_("Closed"),
    "imported": N_("Imported"),
    "released": N_("Release {number} published"),
}
MARKS = {"on_behalf": N_("entered by the buyer"), "deemed": N_("deemed: nobody answered in time")}
CHANNELS = {
    "page": N_("page"),
    "api": N_("interface"),
    "chat": N_("chat"),
    "file": N_("file"),
    "system": N_("system"),
}


FORMS = ("report_form", "plan_form", "split_form", "join_form", "supply_form")


async def context(actor: Actor, line_id: UUID) -> dict[str, Any]:
    """What `schedules/line.html` shows."""
    async with read(actor) as connection:
        return await context_on(connection, actor, line_id)


async def context_on(connection: Driver, actor: Actor, line_id: UUID) -> dict[str, Any]:
    """The same, read inside a transaction that is open already."""
    row = await reads.get_row(connection, actor, line_id)
    if row is None:
        raise NotFound
    history = await reads.history(connection, actor, line_id)
    documents = await documents_of(connection, actor, line_id)
    today = local_today(clock.now(), actor.time_zone)
    delivers = actor.side_on(row.direction) is Side.SELLER and row.status in OPEN
    return {
        "row": row,
        "line": await card(connection, actor, row),
        "part": part_of(row, actor),
        "mark": mark(row, today, actor),
        "figures": figures(row),
        "facts": [
            *facts(row, actor, await receiving_hours(connection, actor, line_id)),
            *price_facts(await price_of(connection, actor, row), row),
        ],
        "documents": documents,
        "moments": [moment(entry, actor.time_zone) for entry in history],
        "actions": actions(row, actor),
        "can_ship": delivers and actor.may(Permission.SHIP),
        "can_change": row.status in OPEN and actor.may(Permission.REQUEST_CHANGES),
        "waiting_changes": await waiting_of_line(connection, actor, line_id),
        "can_note": delivers and actor.may(Permission.CONFIRM_LINES),
        "supply_states": [(state.value, _(label)) for state, label in SUPPLY.items()],
        "planned": await reads_held.planned_of(connection, actor, line_id) if plans(row, actor) else None,
        "can_plan": plans(row, actor),
        "kept": await kept_of(connection, actor, row) if plans(row, actor) else [],
        "joinable": await reads_held.joinable(connection, actor, line_id) if plans(row, actor) else [],
        **await line_report_views.context(connection, actor, row),
        **dict.fromkeys(FORMS, Typed()),
    }


def plans(row: LineRow, actor: Actor) -> bool:
    """Whether this reader says what the next release asks for instead."""
    return actor.is_factory and actor.may(Permission.PUBLISH_SCHEDULES) and row.status in OPEN


async def kept_of(connection: Driver, actor: Actor, row: LineRow) -> list[str]:
    """What the firm zone keeps of what is planned for this delivery."""
    found = await reads_next.kept_by_firm(connection, actor, row.contract_id, clock.now())
    return [kept_sentence(one) for one in found if one.line_id == row.id]


async def shown_again(actor: Actor, page: Page, line_id: UUID, form: str, typed: Typed) -> Template:
    """The delivery's page after one of its forms was refused: with what was typed, and the reason beside it."""
    assert typed.error is not None, "nothing was refused"
    shown = await context(actor, line_id) | {form: typed}
    return page.render("schedules/line.html", active="schedules", status=status_of(typed.error), **shown)


SUPPLY = {
    SupplyState.UNKNOWN: N_("Not said"),
    SupplyState.SECURED: N_("Material secured"),
    SupplyState.AT_RISK: N_("Material at risk"),
}


def figures(row: LineRow) -> tuple[Figure, ...]:
    """Ordered, confirmed, shipped, received: each a sum of documents, which stand below."""
    asked = show_quantity(row.ordered_quantity, row.unit)
    rest = _("of {asked}").format(asked=asked)
    unit = show_quantity(row.ordered_quantity, row.unit).split(i18n.NBSP)[-1]
    still = _("open: {left}").format(left=show_quantity(row.ordered_quantity - row.received_quantity, row.unit))
    return (
        Figure(_("Ordered"), i18n.number(row.ordered_quantity), unit, href="#history"),
        Figure(_("Confirmed"), i18n.number(row.confirmed_quantity), rest, href="#answer"),
        Figure(_("Shipped"), i18n.number(row.shipped_quantity), rest, href="#documents"),
        Figure(_("Received"), i18n.number(row.received_quantity), still, href="#documents"),
    )


def facts(row: LineRow, actor: Actor, hours: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """What was agreed, in words; only what is known."""
    known = [
        (_("Contract"), row.contract_number),
        (_("Partner"), row.party_name if actor.is_factory else ""),
        (_("Order"), row.order_no),
        (_("Requested for"), i18n.day(row.requested_date, year=True)),
        (_("Requested quantity"), show_quantity(row.requested_quantity, row.unit) if row.requested_quantity else ""),
        (_("First promise"), i18n.day(row.promised_date, year=True) if row.promised_date else ""),
        (_("Zone as published"), _(ZONE_NAMES[row.zone]) if row.zone else ""),
        (_("Ship to"), row.ship_to_code),
        (_("Receiving hours"), "" if hours is None else joined(hours) or _("none on this weekday")),
        (_("Answer due by"), i18n.moment(row.respond_by, actor.time_zone) if row.respond_by else ""),
    ]
    return [(label, value) for label, value in known if value]


def price_facts(found: DeliveryPrice | None, row: LineRow) -> list[tuple[str, str]]:
    """The price on the agreed day with its reason, for readers who see prices."""
    if found is None:
        return []
    label = _("Price on {day}").format(day=i18n.day(row.due_date, year=True))
    price = "–" if found.price is None else show_price(found.price, found.currency)
    return [(label, price), (_("Why this price"), found.why)]


def moment(entry: Happening, zone: str) -> Moment:
    """One entry of the history in words."""
    text = _(VERBS.get(entry.verb, entry.verb)).format_map(_Known(entry.data))
    reason = _(str(entry.data["reason"])) if entry.data.get("reason") else ""
    marks = (
        deviation_words(",".join(entry.data.get("deviations", ()))),
        *(_(MARKS[m]) for m in MARKS if m in entry.data),
    )
    said = (*figures_in(entry.data), *marks, reason, str(entry.data.get("note") or ""))
    note = " · ".join(word for word in said if word)
    alone = entry.channel == "system"
    way = "" if alone else _(CHANNELS.get(entry.channel, entry.channel))
    who = _("system") if alone else entry.member_name
    return Moment(text, who, i18n.moment(entry.at, zone), way, note)


def figures_in(data: dict[str, Any]) -> list[str]:
    """The quantities, days and document numbers that an entry names."""
    unit = str(data.get("unit", ""))
    if unit not in UNITS:
        return [str(data["number"])] if "number" in data else []
    found = [
        f"{show_quantity(Decimal(part['quantity']), unit)} · {i18n.day(date.fromisoformat(part['date']))}"
        for part in data.get("splits", [])
    ]
    if "quantity" in data:
        found.append(show_quantity(Decimal(data["quantity"]), unit))
    if "accepted" in data:
        found.append(_("accepted {quantity}").format(quantity=show_quantity(Decimal(data["accepted"]), unit)))
    if Decimal(data.get("rejected", 0)) > 0:
        found.append(_("rejected {quantity}").format(quantity=show_quantity(Decimal(data["rejected"]), unit)))
    return [*found, str(data["number"])] if "number" in data else found


class _Known(dict[str, Any]):
    """A placeholder that an entry does not know stays empty."""

    def __missing__(self, key: str) -> str:
        return ""


async def card(connection: Driver, actor: Actor, row: LineRow, **more: Any) -> LineCard:
    """One delivery with its answer form, where it is handed over, and what is promised for it."""
    promises = await reads.promises(connection, actor, row.id)
    there = await places(connection, actor, [row.id])
    return line_card(row, actor, promises, place=there.get(row.id), **more)


async def answered(session: AsyncSession, actor: Actor, page: Page, line_id: UUID) -> Template | Redirect:
    """After an answer: the card itself for htmx, the delivery's page otherwise."""
    if not page.by_htmx:
        return page.go(f"/schedule-lines/{line_id}")
    connection = await driver(session)
    row = await reads.get_row(connection, actor, line_id)
    if row is None:
        raise NotFound
    return page.fragment("schedules/_line_card.html", line=await card(connection, actor, row))


async def refused(
    session: AsyncSession,
    actor: Actor,
    page: Page,
    line_id: UUID,
    error: PortalError,
    form: str = "",
    data: Form | None = None,
) -> Template:
    """After an answer that was not accepted: the form again with what was typed, and the reasons beside its fields.

    form: confirm, reject or decline, with what stood in it.
    """
    connection = await driver(session)
    row = await reads.get_row(connection, actor, line_id)
    if row is None:
        raise error
    rows = data.typed() or [("", "", "")] if isinstance(data, AnswerForm) else ()
    line = await card(connection, actor, row, refused=form, typed=Typed(data, error), rows=rows)
    status = status_of(error)
    if page.by_htmx:
        return page.fragment("schedules/_line_card.html", status=status, line=line)
    shown = await context_on(connection, actor, line_id) | {"line": line}
    return page.render("schedules/line.html", active="schedules", status=status, **shown)


DRAFT_FORMS = {  # of the page of drafts, with the fields that show what is wrong with them
    "call_off_form": ("contract_line_id", "quantity", "due_date", "order_no"),
    "generate_form": ("until",),
    "publish_form": ("kind", "note"),
}


async def drafts_again(
    actor: Actor, page: Page, contract_id: UUID, form: str, data: Form, error: PortalError
) -> Template:
    """The page of drafts after one of its forms was refused: with what was typed, and the reason beside it."""
    context = await drafts(actor, contract_id, form, Typed(data, error))
    return page.render("schedules/drafts.html", active="contracts", status=status_of(error), **context)


async def drafts(actor: Actor, contract_id: UUID, form: str = "", typed: Typed | None = None) -> dict[str, Any]:
    """What `schedules/drafts.html` shows: lines in no release yet, and the forms that make and publish them.

    form: the one in DRAFT_FORMS that was refused, and what was typed into it.
    """
    typed = typed or Typed()
    actor.require(Permission.PUBLISH_SCHEDULES)
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        today = local_today(clock.now(), head.time_zone)
        rows = await reads.list_lines(
            connection, actor, LineFilter(View.DRAFT, contract_id=contract_id), None, reads.DRAFTS
        )
        lines = await reads_board.board_lines(connection, actor, contract_id, today, today, 0, reads.DRAFTS)
        held = await reads_held.held_release(connection, actor, contract_id)
        planned = await reads_held.planned_lines(connection, actor, contract_id)
        kept = await reads_next.kept_by_firm(connection, actor, contract_id, clock.now())
        packed = {line.id: line for line in await reads_grid.grid_lines(connection, actor, contract_id)}
    named = [(packed[row.contract_line_id], row) for row in rows if row.contract_line_id in packed]
    found = [one for line, row in named for one in loose(line, row.due_date, row.ordered_quantity)]
    return {
        "held": held_view(held, lines) if held else None,
        "planned": planned,
        "kept": [kept_sentence(one) for one in kept],
        "head": head,
        "rows": rows[: reads.DRAFTS],
        "loose": packs.sentences(found, By.DAY),
        "options": [
            (
                str(line.id),
                _("{part}, in {unit}").format(part=f"{line.item_code} {line.description}", unit=_(UNITS[line.unit][1])),
            )
            for line in lines
        ],
        "unit": unit_name(lines[0].unit) if len({line.unit for line in lines}) == 1 else "",
        "today": today,
        "refusal": typed.refusal(*(DRAFT_FORMS.get(form, ()) if form != "publish_form" or rows or planned else ())),
        **dict.fromkeys(DRAFT_FORMS, Typed()),
        **({form: typed} if form else {}),
    }
