"""A contract as a document: every agreed field in words, and at its end the certificate of who agreed.

What is agreed is the canonical content (`portal.contracts.evidence`), so this is written from nothing else. A field
that has no words here yet is printed by its name: nothing that was agreed may be missing on the paper.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from portal.contracts.evidence import USE
from portal.contracts.model import Cadence, DayUnit, PriceTier
from portal.contracts.model_buckets import Assignment, BucketCadence, Carry, Consequence, PriceBasis
from portal.contracts.use_words import terms_words
from portal.contracts.words import (
    band_words,
    foq_words,
    pack_words,
    show_price,
    terms_of_answers,
    terms_of_trade,
    tolerance_words,
    validity,
)
from portal.core import i18n
from portal.core.i18n import N_, Language, _, ngettext, speaking
from portal.core.quantities import show_quantity
from portal.paper.agreed import Agreed, Deed
from portal.paper.document import Block, Cell, Column, Document, Facts, Grid, NewPage, Parties, Words
from portal.paper.periods_paper import periods_grid

KINDS = {
    "periodic": N_("Periodic order"),
    "annual": N_("Annual agreement"),
    "strategic": N_("Strategic purchasing"),
    "long_term": N_("Long-term cooperation"),
}
DRAFTS = frozenset({"draft", "proposed", "countered"})  # any other was agreed, though perhaps not in this portal
DEEDS = {"proposed": N_("Proposed by"), "accepted": N_("Accepted by")}
WAYS = {"page": N_("on the portal's page, signed in"), "api": N_("over the interface, with a company's key")}
PROVEN = {  # the same with a second factor
    "code": N_("on the portal's page, signed in with password and one-time code"),
    "recovery_code": N_("on the portal's page, signed in with password and recovery code"),
}
STEPS = {
    PriceTier.CUMULATIVE: N_("from {quantity} on, of all deliveries so far"),
    PriceTier.DELIVERY: N_("from {quantity} on, of one delivery"),
}
ZONES = {
    DayUnit.CALENDAR: N_("firm {firm}, trade-off until {tradeoff} calendar days"),
    DayUnit.WORKING: N_("firm {firm}, trade-off until {tradeoff} working days"),
}


class AgreedPrice(msgspec.Struct, frozen=True):
    """A price of the agreed text."""

    valid_from: date
    order_no: str
    price: Decimal
    price_unit: Decimal
    tier: PriceTier = PriceTier.ALL
    from_quantity: Decimal = Decimal(0)


class AgreedPeriod(msgspec.Struct, frozen=True):
    """A typed period of the agreed text, up to the day before `end`."""

    start: date
    end: date
    floor: Decimal
    target: Decimal
    ceiling: Decimal


class AgreedPeriods(msgspec.Struct, frozen=True):
    """The typed periods of a line."""

    cadence: BucketCadence
    periods: list[AgreedPeriod]


class AgreedLine(msgspec.Struct, frozen=True):
    """A line of the agreed text with the types of its fields."""

    line_no: int
    item_code: str
    description: str
    revision: str
    partner_part_no: str
    unit: str
    foq: Decimal | None
    cadence: Cadence | None
    target_quantity: Decimal | None
    band_below_percent: Decimal
    band_above_percent: Decimal
    pack_size: Decimal
    minimum_order: Decimal
    under_percent: Decimal
    over_percent: Decimal
    firm_days: int
    tradeoff_days: int
    day_unit: DayUnit
    delivery_weekdays: list[int]
    ship_to_code: str
    ship_to_country: str
    ship_to_address: str
    unloading_point: str
    receiving_window: str
    cumulative_from: date | None
    prices: list[AgreedPrice]
    take_or_pay_quantity: Decimal | None = None
    transit_days: int | None = None
    typed_periods: AgreedPeriods | None = None


class AgreedHead(msgspec.Struct, frozen=True):
    """The head of the agreed text with the types of its fields."""

    party_id: str
    party_name: str
    number: str
    direction: str
    kind: str
    title: str
    partner_reference: str
    currency: str
    valid_from: date
    valid_to: date | None
    time_zone: str
    response_hours: int
    lines: list[AgreedLine]
    incoterm: str = ""
    incoterm_place: str = ""
    payment_terms: str = ""
    take_or_pay_percent: Decimal | None = None
    penalty_percent: Decimal | None = None
    penalty_cap_percent: Decimal | None = None
    notice_days: int | None = None
    deviation_quantity: str | None = None
    deviation_earlier: str | None = None
    deviation_later: str | None = None
    deviation_price: str | None = None
    early_days: int | None = None
    late_days: int | None = None
    lapse: str | None = None
    lapse_percent: Decimal | None = None
    transit_days: int | None = None
    date_rule: str | None = None
    form: int = 1  # the first one says nothing of how periods are used
    assignment: Assignment = Assignment.REQUESTED
    shortfall_carry: Carry = Carry.NONE
    shortfall_periods: int | None = None
    shortfall_cap_percent: Decimal | None = None
    excess_carry: Carry = Carry.NONE
    excess_periods: int | None = None
    excess_cap_percent: Decimal | None = None
    consequence: Consequence = Consequence.NONE
    over_call_percent: Decimal = Decimal(0)
    call_low_percent: Decimal | None = None
    call_high_percent: Decimal | None = None
    price_basis: PriceBasis = PriceBasis.RECEIPT


def contract_document(text: Agreed, language: Language, verify_address: str) -> Document:
    """The whole document in one language; a draft carries its mark on every page and no certificate."""
    with speaking(language):
        head = msgspec.convert(text.content, AgreedHead, strict=False)
        periods = periods_grid(head.lines, head.valid_from, head.valid_to)
        blocks: list[Block] = [_parties(head, text), Facts(_facts(head)), _lines(head), periods]
        if head.form > 1 and (periods.rows or set(USE) & set(text.content)):
            blocks.append(Facts(terms_words(head), _("How periods are used")))
        blocks.append(_places(head))
        blocks += _unnamed(text.content)
        if text.accepted:
            blocks += [NewPage(), *_certificate(text, verify_address)]
        number = _("Contract {number}, version {version}").format(number=head.number, version=text.version_no)
        return Document(
            language=language,
            kind=_("Framework contract"),
            title=head.title or head.number,
            sub=f"{head.number} · {_(KINDS.get(head.kind, head.kind))}",
            blocks=[block for block in blocks if not (isinstance(block, Grid) and not block.rows)],
            foot=(number, f"SHA-256 {text.sha256}"),
            issuer=text.factory,
            mark=_mark(text),
        )


def _mark(text: Agreed) -> str:
    """What stands across the pages: nothing once it was accepted here, so that a seal follows."""
    if text.accepted:
        return ""
    return _("DRAFT") if text.contract.status in DRAFTS else _("UNSEALED")


def _parties(head: AgreedHead, text: Agreed) -> Parties:
    factory, partner = (_("Selling side"), _("Buying side"))
    if head.direction == "purchase":
        factory, partner = partner, factory
    reference = _("Reference {number}").format(number=head.partner_reference) if head.partner_reference else ""
    sides = [(factory, text.factory, ""), (partner, head.party_name, reference)]
    return Parties(sides if head.direction == "sale" else sides[::-1])


def _facts(head: AgreedHead) -> list[tuple[str, str]]:
    hours = ngettext("{n} working hour", "{n} working hours", head.response_hours).format(n=head.response_hours)
    return [
        (_("Number"), head.number),
        (_("Kind"), _(KINDS.get(head.kind, head.kind))),
        (_("Valid"), validity(head.valid_from, head.valid_to)),
        (_("Currency"), head.currency),
        (_("Seller answers within"), hours),
        (_("Dates are of"), head.time_zone),
        *((label, value) for label, value in terms_of_trade(head) if value),
        *terms_of_answers(head),
    ]


# --- lines ------------------------------------------------------------------------------------------------------------


def _lines(head: AgreedHead) -> Grid:
    columns = (
        Column(_("No."), 0),
        Column(_("Part"), 5),
        Column(_("Quantity"), 5),
        Column(_("Delivery"), 5),
        Column(_("Price"), 4, right=True),
    )
    title = ngettext("{n} line", "{n} lines", len(head.lines)).format(n=i18n.number(len(head.lines)))
    return Grid(columns, [_line(line, head.currency) for line in head.lines], title)


def _line(line: AgreedLine, currency: str) -> list[Cell]:
    return [
        Cell(str(line.line_no)),
        Cell(line.item_code, _filled(line.description, *_numbers(line))),
        Cell(foq_words(line), _filled(band_words(line), _target(line), _counted(line))),
        Cell(pack_words(line), _filled(tolerance_words(line), _zones(line), _weekdays(line), _place(line))),
        _prices(line, currency),
    ]


def _filled(*texts: str) -> list[str]:
    return [text for text in texts if text]


def _numbers(line: AgreedLine) -> list[str]:
    return [
        _("revision {revision}").format(revision=line.revision) if line.revision else "",
        _("partner's number {number}").format(number=line.partner_part_no) if line.partner_part_no else "",
    ]


def _target(line: AgreedLine) -> str:
    if line.target_quantity is None:
        return ""
    target = _("{quantity} in all").format(quantity=show_quantity(line.target_quantity, line.unit))
    if line.take_or_pay_quantity is None:
        return target
    owed = show_quantity(line.take_or_pay_quantity, line.unit)
    return " · ".join((target, _("at least {quantity} are paid").format(quantity=owed)))


def _counted(line: AgreedLine) -> str:
    if line.cumulative_from is None:
        return ""
    return _("cumulative from {day}").format(day=i18n.day(line.cumulative_from, year=True))


def _zones(line: AgreedLine) -> str:
    return _(ZONES[line.day_unit]).format(firm=line.firm_days, tradeoff=line.tradeoff_days)


def _weekdays(line: AgreedLine) -> str:
    monday = date(2024, 1, 1).toordinal()
    days = ", ".join(i18n.weekday(date.fromordinal(monday + no)) for no in line.delivery_weekdays)
    return _("on {days}").format(days=days) if days else ""


def _place(line: AgreedLine) -> str:
    transit = ngettext("{n} day in transit", "{n} days in transit", line.transit_days or 0).format(n=line.transit_days)
    way = "" if line.transit_days is None else transit
    return " · ".join(_filled(line.ship_to_code, line.unloading_point, line.receiving_window, way))


def _prices(line: AgreedLine, currency: str) -> Cell:
    """The list price from its first day on, and below it what changes when or for which order."""
    if not line.prices:
        return Cell("–")
    first, *later = [_price(price, line, currency) for price in line.prices]
    return Cell(first[0], [first[1], *(f"{amount} · {since}" for amount, since in later)])


def _price(price: AgreedPrice, line: AgreedLine, currency: str) -> tuple[str, str]:
    per = show_quantity(price.price_unit, line.unit)
    since = _("from {day}").format(day=i18n.day(price.valid_from, year=True))
    order = _("order {number}").format(number=price.order_no) if price.order_no else ""
    step = ""
    if price.tier is not PriceTier.ALL:
        step = _(STEPS[price.tier]).format(quantity=show_quantity(price.from_quantity, line.unit))
    words = _("{price} per {quantity}").format(price=show_price(price.price, currency), quantity=per)
    return words, " · ".join(_filled(since, step, order))


def _places(head: AgreedHead) -> Grid:
    """The places that the lines name, each once, with their addresses."""
    found = {(line.ship_to_code, line.ship_to_address, line.ship_to_country) for line in head.lines}
    columns = (Column(_("Place"), 1), Column(_("Address"), 4), Column(_("Country"), 1))
    rows = [[Cell(part or "–") for part in place] for place in sorted(found) if any(place)]
    return Grid(columns, rows, _("Places of delivery"))


def _unnamed(content: Mapping[str, Any]) -> list[Block]:
    """Agreed fields that this module has no words for, by name, so that nothing is left out."""
    rows = _unknown(content, AgreedHead.__struct_fields__, "")
    for line in content["lines"]:
        rows += _unknown(line, AgreedLine.__struct_fields__, f"{line['line_no']}: ")
        for price in line["prices"]:
            rows += _unknown(price, AgreedPrice.__struct_fields__, f"{line['line_no']}: ")
    return [Facts(rows, _("Further terms"))] if rows else []


def _unknown(said: Mapping[str, Any], known: Collection[str], where: str) -> list[tuple[str, str]]:
    empty: tuple[Any, ...] = (None, "", [], {})
    return [
        (f"{where}{name}", value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in said.items()
        if name not in known and value not in empty
    ]


# --- the certificate --------------------------------------------------------------------------------------------------


def _certificate(text: Agreed, verify_address: str) -> Sequence[Block]:
    """Who agreed to which content, when and how; and how anybody can check this file."""
    blocks: list[Block] = [Words([], _("Certificate of acceptance"))]
    blocks += [Facts(_deed(deed, text.time_zone), _(DEEDS[deed.verb]), wide=True) for deed in text.deeds]
    blocks.append(
        Words(
            [
                _("The content is what stands on the pages before, in one canonical form (JSON, keys sorted, UTF-8)."),
                f"SHA-256 {text.sha256}",
                _(
                    "This file is sealed with an electronic seal of {company}'s portal (PAdES). Any change after the"
                    " sealing can be seen. Check a copy at {address}, or with any program that verifies PDF signatures."
                ).format(company=text.factory, address=verify_address),
                _("A character that the fonts of this document cannot draw stands as its Unicode number, [U+…]."),
            ],
            _("Content and seal"),
        )
    )
    return blocks


def _deed(deed: Deed, zone: str) -> list[tuple[str, str]]:
    return [
        (_("Company"), deed.company),
        (_("Person"), deed.name),
        (_("Time"), f"{i18n.moment(deed.at, zone)} ({zone})"),
        (_("Time (UTC)"), f"{deed.at:%Y-%m-%dT%H:%M:%SZ}"),
        *([(_("Method"), _(PROVEN.get(deed.proof) or WAYS.get(deed.channel, deed.channel)))] if deed.channel else []),
        *([(_("Network address"), deed.address)] if deed.address else []),
        (_("Content (SHA-256)"), deed.sha256),
    ]
