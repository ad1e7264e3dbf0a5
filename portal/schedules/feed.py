"""A feed as an iCalendar file: deliveries as all-day events on the day at the receiving site, without prices."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portal.contracts.parts import part_of
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.schedules.model import LineStatus
from portal.schedules.reads_feed import FeedLine
from portal.schedules.rules_feed import Entry, EventStatus, entries
from portal.schedules.words import ZONE_NAMES

if TYPE_CHECKING:
    from icalendar import Event

NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # of deliveries without a history
HOURLY = timedelta(hours=1)
SAID = {  # what one event says, to whoever delivers and to whoever receives
    (Side.SELLER, EventStatus.CONFIRMED): N_("Deliver {quantity} {part}"),
    (Side.SELLER, EventStatus.TENTATIVE): N_("To deliver, not confirmed: {quantity} {part}"),
    (Side.SELLER, EventStatus.CANCELLED): N_("Cancelled, not to deliver: {quantity} {part}"),
    (Side.BUYER, EventStatus.CONFIRMED): N_("Receive {quantity} {part}"),
    (Side.BUYER, EventStatus.TENTATIVE): N_("To receive, not confirmed: {quantity} {part}"),
    (Side.BUYER, EventStatus.CANCELLED): N_("Cancelled, not to receive: {quantity} {part}"),
}


def calendar(name: str, lines: Sequence[FeedLine], actor: Actor, base_url: str) -> bytes:
    """The file, in the language that is spoken. The same deliveries make the same bytes."""
    from icalendar import Calendar  # imported late: only a feed pays for it

    made = Calendar()
    made.add("prodid", "-//Calloff//Deliveries//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("x-wr-timezone", actor.time_zone)
    made.add("refresh-interval", HOURLY, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT1H")
    host = urlsplit(base_url).hostname or "calloff"
    for line in lines:
        status = LineStatus(line.row.status)
        for entry in entries(status, line.row.due_date, line.row.ordered_quantity, line.promised):
            made.add_component(_event(line, entry, actor, host, base_url))
    content: bytes = made.to_ical()
    return content


def _event(line: FeedLine, entry: Entry, actor: Actor, host: str, base_url: str) -> "Event":
    from icalendar import Event

    row = line.row
    side = actor.side_on(row.direction)
    said: dict[str, Any] = {"quantity": show_quantity(entry.quantity, row.unit), "part": part_of(row, actor)}
    at = line.changed_at or NEVER
    event = Event()
    event.add("uid", f"{row.id}{f'-{entry.no + 1}' if entry.no else ''}@{host}")
    event.add("sequence", row.version)
    event.add("dtstamp", at)
    event.add("last-modified", at)
    event.add("dtstart", entry.day)
    event.add("dtend", entry.day + timedelta(days=1))
    event.add("summary", _plain(_(SAID[side, entry.status]).format(**said)))
    event.add("status", entry.status.value)
    event.add("transp", "TRANSPARENT")
    event.add("description", _plain(_told(line, actor)))
    event.add("url", f"{base_url}/schedule-lines/{row.id}")
    if row.ship_to_code:
        event.add("location", row.ship_to_code)
    return event


def _told(line: FeedLine, actor: Actor) -> str:
    """What a reader asks next: which part, by which contract, how much of it is confirmed."""
    row = line.row
    asked, confirmed = (show_quantity(each, row.unit) for each in (row.ordered_quantity, row.confirmed_quantity))
    whose = f"{row.contract_number} · {row.party_name}" if actor.is_factory else row.contract_number
    told = [
        row.description,
        _("Contract {number}").format(number=whose),
        _("Order {number}").format(number=row.order_no) if row.order_no else "",
        _("Due {day}: {confirmed} of {asked} confirmed.").format(
            day=i18n.day(row.due_date, year=True), confirmed=confirmed, asked=asked
        ),
        _("{quantity} received.").format(quantity=show_quantity(row.received_quantity, row.unit))
        if row.received_quantity
        else "",
        _("The seller has refused it.") if row.status == LineStatus.REJECTED else "",
        _("An answer waits for the buyer’s decision.") if row.deviation_id else "",
        _(ZONE_NAMES[row.zone]) if row.zone else "",
    ]
    return "\n".join(filter(None, told))


def _plain(text: str) -> str:
    """Without no-break spaces, which some calendars show as signs."""
    return text.replace(i18n.NBSP, " ")
