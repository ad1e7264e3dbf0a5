"""What the pages of delivery notes show: the list, one note, its printed form, and the form of a new one."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar.datastructures import FormMultiDict
from msgspec import Struct

from portal.contracts.parts import part_of
from portal.core import clock, i18n, paging
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.errors import PortalError
from portal.core.i18n import N_, _, ngettext
from portal.core.ids import uuid7
from portal.core.quantities import show_quantity
from portal.core.settings import get_settings
from portal.core.states import Side
from portal.schedules.reads import Happening, history
from portal.shipments import reads, reads_open, service
from portal.shipments.model import ShipmentStatus
from portal.shipments.reads import NoteLine, ShipmentFilter, ShipmentRow, View
from portal.shipments.reads_open import OpenLine
from portal.shipments.words import STATUSES, difference, packing
from portal.web.addresses import address
from portal.web.delivery import CHANNELS
from portal.web.pages import unit_name
from portal.web.shipment_forms import HEAD, texts
from portal.web.typed import Typed
from portal.web.views import Moment

SIZE = 50
SOON_DAYS = 28  # deliveries offered for a delivery note
TICKED_DAYS = 7  # of these, ticked from the start
TABS: tuple[tuple[View, str], ...] = (
    (View.ALL, N_("All")),
    (View.ON_THE_WAY, N_("On the way")),
    (View.RECEIVED, N_("Fully received")),
    (View.WITHDRAWN, N_("Withdrawn")),
)
TONES = {
    ShipmentStatus.SENT: "waiting",
    ShipmentStatus.PARTLY_RECEIVED: "waiting",
    ShipmentStatus.RECEIVED: "confirmed",
    ShipmentStatus.CLOSED: "confirmed",
    ShipmentStatus.WITHDRAWN: "changed",
}
TRANSPORT = {
    "expected_on": N_("Expected on"),
    "carrier": N_("Carrier"),
    "vehicle": N_("Truck"),
    "note": N_("Note"),
}
VERBS = {
    "sent": N_("Delivery note {number} sent"),
    "withdrawn": N_("Delivery note {number} withdrawn"),
    "received": N_("Received with {number}"),
    "receipt_corrected": N_("Receipt {former} corrected by {number}"),
    "transport_changed": N_("Transport changed"),
    "photos_added": N_("Photos added to {number}"),
    "imported": N_("Imported"),
}


class Asked(Struct, frozen=True):
    """The list's address, taken apart."""

    view: View
    q: str
    contract: UUID | None
    cursor: str | None

    def href(self, **changes: Any) -> str:
        """The same list with other parts; empty parts are left out."""
        parts = {"view": self.view, "q": self.q, "contract": self.contract, "cursor": None} | changes
        return address("/shipments", {name: value for name, value in parts.items() if value != View.ALL})


# --- words ------------------------------------------------------------------------------------------------------------


def contents(actor: Actor, row: ShipmentRow) -> str:
    """A100 800 pcs, and how many lines more."""
    first = f"{part_of(row, actor)} {show_quantity(row.quantity, row.unit)}"
    more = row.lines - 1
    return first if more < 1 else _("{first} and {n} more").format(first=first, n=i18n.number(more))


def counted(line: NoteLine) -> str:
    """What the receipt of a line says, in words."""
    if line.receipt_id is None or line.accepted is None:
        return ""
    accepted = _("{n} accepted").format(n=show_quantity(line.accepted, line.unit))
    rest = difference(line.rejected or Decimal(0), line.short or Decimal(0), line.unit, line.problem)
    return " · ".join(filter(None, (accepted, rest)))


def moment(entry: Happening, zone: str) -> Moment:
    """One entry of a delivery note's history in words."""
    text = _(VERBS.get(entry.verb, entry.verb)).format_map({"number": "", "former": ""} | entry.data)
    differing = entry.data.get("differing") or 0
    note = ngettext("{n} line differs", "{n} lines differ", differing).format(n=differing) if differing else ""
    if entry.verb == "transport_changed":
        note = " · ".join(_changes(entry.data["before"], entry.data["after"]))
    way = _(CHANNELS.get(entry.channel, entry.channel))
    return Moment(text, entry.member_name, i18n.moment(entry.at, zone), way, note)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Expected on: 24 Nov 2026 → 26 Nov 2026, for each part that is another one."""
    for name, label in TRANSPORT.items():
        if name in after:
            was, now = (_said(name, values[name]) for values in (before, after))
            yield _("{what}: {before} → {after}").format(what=_(label), before=was, after=now)


def _said(name: str, value: Any) -> str:
    if not value:
        return _("nothing said")
    return i18n.day(date.fromisoformat(value), year=True) if name == "expected_on" else str(value)


def scan_address(token: str) -> str:
    """What the code on the paper says."""
    return f"{get_settings().base_url}/r/{token}"


# --- pages ------------------------------------------------------------------------------------------------------------


async def list_context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What `shipments/list.html` shows."""
    after = paging.decode(asked.cursor, date.fromisoformat, UUID) if asked.cursor else None
    wanted = ShipmentFilter(asked.view, asked.q.strip(), None, asked.contract)
    async with read(actor) as connection:
        rows = await reads.list_shipments(connection, actor, wanted, after, SIZE)
    more = rows[SIZE - 1] if len(rows) > SIZE else None
    return {
        "rows": rows[:SIZE],
        "asked": asked,
        "tabs": [(_(label), asked.href(view=view), view is asked.view) for view, label in TABS],
        "contents": {row.id: contents(actor, row) for row in rows},
        "words": {status.value: _(word) for status, word in STATUSES.items()},
        "tones": {status.value: tone for status, tone in TONES.items()},
        "next_href": asked.href(cursor=paging.encode(more.shipped_on, more.id)) if more else None,
        "first_href": asked.href() if asked.cursor else None,
        "factory": actor.is_factory,
        "can_ship": actor.may(Permission.SHIP),
        "sells": actor.is_factory or not rows or any(row.direction == Direction.PURCHASE for row in rows),
    }


async def detail_context(
    actor: Actor, shipment_id: UUID, factory_name: str, transport: Typed | None = None
) -> dict[str, Any]:
    """What `shipments/detail.html` and `shipments/note.html` show. transport: its dialog as it was refused."""
    async with read(actor) as connection:
        row = await reads.get_shipment(connection, actor, shipment_id)
        lines = await reads.note_lines(connection, actor, shipment_id)
        receipts = await reads.list_receipts(connection, actor, None, SIZE, shipment_id)
        happened = await history(connection, actor, shipment_id)
        token = await reads.scan_token(connection, actor, shipment_id)
    seller, buyer = row.sides(factory_name)
    status = ShipmentStatus(row.status)
    actions = service.actions(actor, status, Direction(row.direction))
    first = {name: getattr(row, name) or "" for name in TRANSPORT}
    return {
        "row": row,
        "transport": transport or Typed(None, None, **first),
        "refusal": transport.refusal(*(TRANSPORT if "change" in actions else ())) if transport else None,
        "state": _(STATUSES[status]),
        "lines": [(line, part_of(line, actor), packing(line.packages, line.package_size)) for line in lines],
        "counted": {line.id: counted(line) for line in lines},
        "receipts": receipts,
        "moments": [moment(entry, actor.time_zone) for entry in happened],
        "actions": actions,
        "is_seller": actor.side_on(Direction(row.direction)) is Side.SELLER,
        "facts": facts(row, seller, buyer),
        "scan_address": scan_address(token),
    }


def facts(row: ShipmentRow, seller: str, buyer: str) -> list[tuple[str, str]]:
    """The head of a delivery note in words; only what is known."""
    known = [
        (_("From"), seller),
        (_("To"), buyer),
        (_("Shipped on"), i18n.day(row.shipped_on, year=True)),
        (_("Expected on"), i18n.day(row.expected_on, year=True) if row.expected_on else ""),
        (_("Carrier"), row.carrier),
        (_("Truck"), row.vehicle),
        (_("Ship to"), row.ship_to_code),
        (_("Order"), row.order_no),
        (_("Note"), row.note),
    ]
    return [(label, value) for label, value in known if value]


async def choose_context(actor: Actor) -> dict[str, Any]:
    """What `shipments/choose.html` shows: for which contract a delivery note is made."""
    actor.require(Permission.SHIP)
    async with read(actor) as connection:
        contracts = await reads_open.open_contracts(connection, actor)
    return {"contracts": contracts, "factory": actor.is_factory}


async def new_context(
    actor: Actor,
    contract_id: UUID | None,
    line_id: UUID | None,
    days: int = SOON_DAYS,
    form: FormMultiDict | None = None,
    error: PortalError | None = None,
) -> dict[str, Any]:
    """What `shipments/new.html` shows: open deliveries of one contract, with what was typed before a refusal."""
    actor.require(Permission.SHIP)
    today = local_today(clock.now(), actor.time_zone)
    async with read(actor) as connection:
        chosen = await reads_open.open_line(connection, actor, line_id) if line_id else None
        contract = chosen.contract_id if chosen else contract_id
        assert contract is not None, "asked for without a contract or a line"
        number, partner = await reads_open.contract_head(connection, actor, contract)
        until = max(today, chosen.due_date if chosen else today) + timedelta(days=min(max(days, 0), 731))
        lines = await reads_open.open_lines(connection, actor, contract, until)
    if chosen is not None and chosen.id not in {line.id for line in lines}:
        lines.insert(0, chosen)
    ticked = {chosen.id} if chosen else {line.id for line in lines if line.due_date <= today + timedelta(TICKED_DAYS)}
    typed = texts(form) if form is not None else {}
    if form is not None:
        ticked = {line.id for line in lines if str(line.id) in form.getall("line", [])}
    entries = [_entry(actor, line, line.id in ticked, typed) for line in lines]
    return {
        "contract_id": contract,
        "line_id": line_id,
        "entries": entries,
        "number": number,
        "partner": partner if actor.is_factory else "",
        "typed": {"shipped_on": today.isoformat(), "request_id": str(uuid7())} | typed,
        "more_href": f"/shipments/new?contract={contract}&days=182" if days < 182 else None,
        "error": error,
        "wrong": _wrong(error, form),
    }


def _entry(actor: Actor, line: OpenLine, ticked: bool, typed: Mapping[str, str]) -> dict[str, Any]:
    """One delivery in the form."""
    left = max(line.left, Decimal(0))
    return {
        "id": str(line.id),
        "part": part_of(line, actor),
        "name": line.description,
        "due": f"{i18n.day(line.due_date, year=True)} {i18n.weekday(line.due_date)}",
        "left": show_quantity(left, line.unit),
        "ordered": show_quantity(line.ordered_quantity, line.unit),
        "unit": unit_name(line.unit),
        "order_no": line.order_no,
        "ticked": ticked,
        "quantity": typed.get(f"quantity.{line.id}", f"{left.normalize():f}"),
        "lot": typed.get(f"lot.{line.id}", ""),
        "packages": typed.get(f"packages.{line.id}", ""),
        "size": typed.get(f"size.{line.id}", ""),
    }


def _wrong(error: PortalError | None, form: FormMultiDict | None) -> dict[str, str]:
    """The sentences of a refusal under the fields they are about: a head field, or the id of a line; else under ""."""
    chosen = form.getall("line", []) if form is not None else []
    found: dict[str, str] = {}
    for one in error.each() if error is not None else ():
        kind, _dot, rest = (one.field or "").partition(".")
        place = rest.partition(".")[0]
        field = one.field if one.field in HEAD and one.field != "request_id" else ""
        if kind == "lines" and place.isdecimal() and int(place) < len(chosen):
            field = str(chosen[int(place)])
        found[field or ""] = i18n.sentences(found.get(field or "", ""), str(one))
    return found
