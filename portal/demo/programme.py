"""One weekly contract of the demo, row by row: twelve weeks delivered, twenty-six to come, three releases.

History is written as an import writes it: a line goes from published to closed by its receipt, and its sums are those
of its documents. What waits today is left to the commands of the people in `seed`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import SQLModel

from portal.contracts.model import Cadence, Contract, ContractKind, ContractLine, ContractPrice, ContractStatus
from portal.core.actor import Direction
from portal.core.calendars import WorkingCalendar, day_begins, deadline
from portal.demo.programme_releases import AHEAD, PACK, PAST, TRAVEL, WEEK, Story, releases_of
from portal.schedules.model import CloseReason, LineStatus, ScheduleLine
from portal.shipments.model import Receipt, ReceiptLine, Shipment, ShipmentLine, ShipmentStatus
from portal.sync.staging import new_tokens

# By week, in per cent of the fixed quantity: always inside the band. The weeks around today are as agreed.
SWING = (0, 10, 0, -10, 0, 0, 15, 0, -10, 0, 5, 0, 0)
FIXED = 2400  # of this part nothing less is agreed, so the weeks with less end below the floor
SHORT, EARLY = "short", "early"


@dataclass(frozen=True, slots=True)
class Part:
    """One item of the contract and the story of its coming weeks: c confirmed, p to confirm, r at risk, s shipped."""

    item_id: UUID
    code: str
    description: str
    unit: str
    price: Decimal
    foq: int
    weekday: int  # Monday is 0
    story: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose contract it is and where its goods go."""

    tenant_id: UUID
    party_id: UUID
    party_name: str
    direction: Direction
    number: str
    title: str
    reference: str
    currency: str
    zone: str
    place: tuple[str, str, str, str]  # ship-to code, country, unloading point, receiving window
    planner: str  # who published the releases


@dataclass(slots=True)
class Programme:
    """The rows, and which lines the people of the demo act on, by the letters of the story."""

    contract: Contract
    rows: list[list[SQLModel]] = field(default_factory=list)  # parents first
    acted: dict[str, list[ScheduleLine]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0  # schedule lines


def build(terms: Terms, parts: Sequence[Part], now: datetime) -> Programme:
    """A contract in its thirteenth week, as it stands now."""
    today = now.astimezone(ZoneInfo(terms.zone)).date()
    monday = today - timedelta(days=today.weekday())
    contract = _contract(terms, monday, now)
    base: dict[str, Any] = {"tenant_id": terms.tenant_id, "party_id": terms.party_id}
    kept = [_contract_line(terms, contract, part, no, monday) for no, part in enumerate(parts, start=1)]
    prices = [
        ContractPrice(**base, contract_line_id=line.id, valid_from=contract.valid_from, price=part.price)
        for line, part in zip(kept, parts, strict=True)
    ]
    programme = Programme(contract)
    lines = list(_lines(programme, terms, parts, kept, today, monday, now))
    contract.last_line_no = programme.count = len(lines)
    documents = _documents(terms, lines, today)
    arrivals = {line.last_received_on for line in lines if line.last_received_on}
    receipts = {day: _receipt_number(terms, day) for day in arrivals}
    releases = releases_of(Story(contract, kept, prices, lines, receipts, terms.planner), monday, now)
    programme.rows = [[contract], [*kept], [*prices], [*lines], *documents, *releases]
    return programme


def first_due(today: date, weekday: int) -> date:
    """The first such weekday after today."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def quantity(part: Part, no: int, week: int) -> Decimal:
    """What is asked of the part's no-th place in the contract in a week; 0 is the next one. Whole packs."""
    swing = 0 if -3 <= week < 4 else SWING[(week + PAST + 4 * no) % len(SWING)]
    return (Decimal(part.foq * (100 + swing)) / 100 / PACK).to_integral_value() * PACK


def _contract(terms: Terms, monday: date, now: datetime) -> Contract:
    begin = monday - PAST * WEEK
    agreed = datetime.combine(begin - timedelta(days=10), time(10), ZoneInfo(terms.zone))
    return Contract(
        tenant_id=terms.tenant_id,
        party_id=terms.party_id,
        number=terms.number,
        direction=terms.direction,
        kind=ContractKind.PERIODIC,
        status=ContractStatus.ACTIVE,
        title=terms.title,
        party_name=terms.party_name,
        partner_reference=terms.reference,
        currency=terms.currency,
        valid_from=begin,
        valid_to=monday + (AHEAD + 1) * WEEK - timedelta(days=1),
        time_zone=terms.zone,
        release_no=3,
        released_on=monday,
        proposed_at=agreed,
        accepted_at=agreed + timedelta(days=2),
    )


def _contract_line(terms: Terms, contract: Contract, part: Part, no: int, monday: date) -> ContractLine:
    code, country, point, hours = terms.place
    return ContractLine(
        tenant_id=terms.tenant_id,
        party_id=terms.party_id,
        contract_id=contract.id,
        line_no=no * 10,
        item_id=part.item_id,
        item_code=part.code,
        description=part.description,
        unit=part.unit,
        foq=Decimal(part.foq),
        cadence=Cadence.WEEK,
        target_quantity=Decimal(part.foq * (PAST + AHEAD + 2)),
        band_below_percent=Decimal(0 if part.foq == FIXED else 20),
        pack_size=PACK,
        delivery_weekdays=[part.weekday],
        ship_to_code=code,
        ship_to_country=country,
        unloading_point=point,
        receiving_window=hours,
        cumulative_from=contract.valid_from,
        generated_until=monday + AHEAD * WEEK,
    )


# --- schedule lines ---------------------------------------------------------------------------------------------------


def _lines(
    programme: Programme,
    terms: Terms,
    parts: Sequence[Part],
    kept: Sequence[ContractLine],
    today: date,
    monday: date,
    now: datetime,
) -> Iterator[ScheduleLine]:
    """Every part's weeks, numbered by due date. Releases and documents come later and write into them."""
    firm_until = monday + timedelta(days=28)
    answer_by = deadline(now, programme.contract.response_hours, terms.zone, WorkingCalendar())
    slots = sorted(
        (first_due(today, part.weekday) + week * WEEK, no, week)
        for no, part in enumerate(parts)
        for week in range(-PAST, AHEAD)
    )
    for number, (due, no, week) in enumerate(slots, start=1):
        part = parts[no]
        letter = part.story[week] if 0 <= week < len(part.story) and due <= firm_until else ""
        line = _line(terms, kept[no], number, due, quantity(part, no, week))
        if due <= today or letter == "e":
            short = Decimal(part.foq // 4) if no == 0 and week == -1 else Decimal(0)
            _deliver(line, line.ordered_quantity - short, _arrival(due, no, week, today))
        elif due <= firm_until:
            line.status, line.respond_by = LineStatus.PROPOSED, answer_by
            programme.acted[letter or "c"].append(line)
        yield line


def _line(terms: Terms, line: ContractLine, number: int, due: date, amount: Decimal) -> ScheduleLine:
    """One published delivery of a contract line."""
    return ScheduleLine(
        tenant_id=terms.tenant_id,
        party_id=terms.party_id,
        contract_id=line.contract_id,
        contract_line_id=line.id,
        line_no=number,
        due_date=due,
        requested_date=due,
        period_start=due - timedelta(days=due.weekday()),
        unit=line.unit,
        ordered_quantity=amount,
        status=LineStatus.PUBLISHED,
        ship_to_code=terms.place[0],
    )


def _arrival(due: date, no: int, week: int, today: date) -> date:
    """Mostly on the day; the second part was late twice, the early delivery came yesterday."""
    late = timedelta(days=2 if no == 1 and week in (-9, -5) else 0)
    return min(due + late, today) if week < 0 else today - timedelta(days=1)


def _deliver(line: ScheduleLine, received: Decimal, day: date) -> None:
    """The line's sums after one shipment and its receipt; complete, it is closed."""
    line.shipped_quantity = line.received_quantity = received
    line.last_received_on = day
    if received == line.ordered_quantity:
        line.status, line.close_reason = LineStatus.CLOSED, CloseReason.COMPLETE


# --- documents --------------------------------------------------------------------------------------------------------


def _documents(terms: Terms, lines: Sequence[ScheduleLine], today: date) -> list[list[SQLModel]]:
    """One delivery note with its receipt a day on which goods arrived."""
    by_day: dict[date, list[ScheduleLine]] = defaultdict(list)
    for line in lines:
        if line.last_received_on is not None:
            by_day[line.last_received_on].append(line)
    shipments: list[SQLModel] = []
    receipts: list[SQLModel] = []
    shipped: list[SQLModel] = []
    received: list[SQLModel] = []
    for (day, arrived), token in zip(sorted(by_day.items()), new_tokens(len(by_day)), strict=True):
        note = _note(terms, day, token)
        receipt = Receipt(
            tenant_id=terms.tenant_id,
            party_id=terms.party_id,
            number=_receipt_number(terms, day),
            shipment_id=note.id,
            received_on=day,
            posted_at=day_begins(day, terms.zone),
        )
        shipments.append(note)
        receipts.append(receipt)
        for no, line in enumerate(arrived, start=1):
            pair = _counted(note, receipt, line, no)
            shipped.append(pair[0])
            received.append(pair[1])
    return [shipments, shipped, receipts, received]


def _note_number(terms: Terms, day: date) -> str:
    return f"{'DN' if terms.direction is Direction.SALE else 'ASN'}-{day:%y%m%d}"


def _receipt_number(terms: Terms, day: date) -> str:
    return f"R-{_note_number(terms, day)}"


def _note(terms: Terms, day: date, token: str) -> Shipment:
    left = day - TRAVEL
    return Shipment(
        tenant_id=terms.tenant_id,
        party_id=terms.party_id,
        number=_note_number(terms, day),
        year=left.year,
        direction=terms.direction,
        status=ShipmentStatus.RECEIVED,
        shipped_on=left,
        expected_on=day,
        ship_to_code=terms.place[0],
        scan_token=token,
    )


def _counted(note: Shipment, receipt: Receipt, line: ScheduleLine, no: int) -> tuple[ShipmentLine, ReceiptLine]:
    """What was sent of a line, and the same counted and accepted."""
    amount = line.received_quantity
    base: dict[str, Any] = {"tenant_id": line.tenant_id, "party_id": line.party_id, "unit": line.unit}
    base |= {"schedule_line_id": line.id, "contract_id": line.contract_id}
    packages: dict[str, Any] = {"packages": int(amount / PACK), "package_size": PACK}
    sent = ShipmentLine(**base, shipment_id=note.id, line_no=no, quantity=amount, **packages)
    counts: dict[str, Any] = {"announced": amount, "counted": amount, "accepted": amount}
    return sent, ReceiptLine(**base, receipt_id=receipt.id, shipment_line_id=sent.id, **counts)
