"""The lines of a contract in words: quantities, band, zones with their days, price, use."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.contracts.model import Contract, ContractLine, ContractPrice, PriceTier
from portal.contracts.rules import remaining_quantity, take_or_pay
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on, sentence
from portal.contracts.words import band_words, foq_words, pack_words, show_price, tolerance_words
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_quantity
from portal.schedules.rules import fences
from portal.schedules.service_contract import Use
from portal.web.pages import unit_name

DAYS = {"calendar": N_("until {day} ({n} calendar days)"), "working": N_("until {day} ({n} working days)")}


class LineView(Struct, frozen=True):
    """One line of a contract in words."""

    id: UUID
    href: str
    part: str
    name: str
    detail: str
    quantity: str
    band: str
    packs: str
    tolerance: str
    firm: str
    tradeoff: str
    place: str
    price: str
    price_note: str
    called: str
    shipped: str
    received: str
    remaining: str
    target: str
    owed: str
    exceeded: bool


class Reader(Struct, frozen=True):
    """What the lines of one page have in common."""

    actor: Actor
    contract: Contract
    today: date
    calendars: Mapping[str, WorkingCalendar]
    editable: bool
    shows_prices: bool


def line_view(reader: Reader, line: ContractLine, prices: list[ContractPrice], use: Use | None) -> LineView:
    """One line in words."""
    own_name = line.partner_part_no if not reader.actor.is_factory else ""
    other = "" if own_name else line.partner_part_no
    price, price_note = price_words(reader, prices, unit_name(line.unit))
    firm, tradeoff = zone_words(reader, line)
    base = f"/contracts/{reader.contract.id}"
    remaining = remaining_quantity(line.target_quantity, use.consumed if use else Decimal(0))
    return LineView(
        id=line.id,
        href=f"{base}/lines/{line.id}" if reader.editable else f"{base}/schedule?part={line.id}",
        part=own_name or line.item_code,
        name=line.description,
        detail=" · ".join(
            filter(
                None,
                (
                    _("revision {revision}").format(revision=line.revision) if line.revision else "",
                    _("partner's number {number}").format(number=other) if other else "",
                ),
            )
        ),
        quantity=foq_words(line),
        band=band_words(line),
        packs=pack_words(line),
        tolerance=tolerance_words(line),
        firm=firm,
        tradeoff=tradeoff,
        place=" · ".join(filter(None, (line.ship_to_code, line.unloading_point, line.receiving_window))),
        price=price,
        price_note=price_note,
        called=show_quantity(use.called if use else Decimal(0), line.unit),
        shipped=show_quantity(use.shipped if use else Decimal(0), line.unit),
        received=show_quantity(use.received if use else Decimal(0), line.unit),
        remaining="" if remaining is None else show_quantity(remaining, line.unit),
        target="" if line.target_quantity is None else show_quantity(line.target_quantity, line.unit),
        owed=owed_words(reader.contract, line, use.received if use else Decimal(0)),
        exceeded=remaining is not None and remaining < 0,
    )


def owed_words(contract: Contract, line: ContractLine, received: Decimal) -> str:
    """What is paid even if it is not taken, and how much of it is still to be taken."""
    owed = take_or_pay(line.target_quantity, contract.take_or_pay_percent, line.take_or_pay_quantity)
    if owed is None:
        return ""
    quantity, left = show_quantity(owed, line.unit), show_quantity(max(owed - received, Decimal(0)), line.unit)
    return _("take-or-pay {quantity}, {left} not taken yet").format(quantity=quantity, left=left)


def zone_words(reader: Reader, line: ContractLine) -> tuple[str, str]:
    """Firm and trade-off with the days on which they end, from the release in force or from today."""
    start = reader.contract.released_on or reader.today
    calendar = reader.calendars.get(line.ship_to_code, WorkingCalendar())
    ends = fences(start, line.firm_days, line.tradeoff_days, line.day_unit, calendar)
    text, whole = _(DAYS[line.day_unit.value]), _("{zone} {until}")
    firm = text.format(n=line.firm_days, day=i18n.day(ends.firm_until, year=True))
    tradeoff = text.format(n=line.tradeoff_days, day=i18n.day(ends.tradeoff_until, year=True))
    return whole.format(zone=_("Firm"), until=firm), whole.format(zone=_("Trade-off"), until=tradeoff)


def price_words(reader: Reader, prices: list[ContractPrice], unit: str) -> tuple[str, str]:
    """Today's price and since when; how many there are when it depends on the order, and why it applies of a scale."""
    if not reader.shows_prices or not prices:
        return "", ""
    try:
        found = price_on(prices, reader.today)
    except (NoPrice, AmbiguousPrice):
        if len(prices) == 1 and not prices[0].order_no:  # the only one, from a later day on
            begins = _("from {day}").format(day=i18n.day(prices[0].valid_from, year=True))
            return show_price(prices[0].price, reader.contract.currency), begins
        return ngettext("{n} price", "{n} prices", len(prices)).format(n=len(prices)), _("by order and date")
    price = show_price(found.price, reader.contract.currency)
    since = _("since {day}").format(day=i18n.day(found.since, year=True)) if found.since else ""
    if any(row.tier is not PriceTier.ALL for row in prices):
        since = sentence(found, unit)
    per = _("per {quantity}").format(quantity=i18n.number(found.price_unit)) if found.price_unit != 1 else ""
    return price, " · ".join(filter(None, (per, since)))
