"""The ledger of a contract line as its pages show it: periods, the chart, the entries behind a number."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.contracts import reads_buckets
from portal.contracts.bucket_words import period_name, sentence
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.model_buckets import CommitmentTerms, EntryKind
from portal.contracts.reads_buckets import LineRow, PeriodRow
from portal.contracts.rules_buckets import COUNTS, Standing
from portal.contracts.use_words import terms_words
from portal.core import i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_quantity, signed_quantity
from portal.shipments.reads_ledger import EntryRow, drafted, entries
from portal.web.board_chart import bar, plain, seconds
from portal.web.pages import unit_name
from portal.web.views import Figure

COUNTERS: dict[str, str] = {
    "called": N_("Called off"),
    "confirmed": N_("Confirmed"),
    "shipped": N_("Shipped"),
    "received": N_("Received"),
    "returned": N_("Returned"),
    "invoiced": N_("Invoiced"),
    "carried_in": N_("Carried in"),
    "carried_out": N_("Carried on"),
    "over_called": N_("Over-call"),
}
NOT_YET = (ContractStatus.DRAFT, ContractStatus.PROPOSED, ContractStatus.COUNTERED, ContractStatus.ACCEPTED)
UNFOLDED = 12  # periods, a year of months, that need no folding
NEAR = 6  # periods that lie open where there are more
ALWAYS = ("called", "confirmed", "shipped", "received")
KINDS: dict[EntryKind, str] = {
    EntryKind.CALLED: N_("Called off"),
    EntryKind.RELEASED: N_("Given back"),
    EntryKind.CONFIRMED: N_("Confirmed"),
    EntryKind.SHIPPED: N_("Shipped"),
    EntryKind.RECEIVED: N_("Received"),
    EntryKind.RETURNED: N_("Returned at the receipt"),
    EntryKind.INVOICED: N_("Invoiced"),
    EntryKind.CARRIED_IN: N_("Carried in from {period}"),
    EntryKind.CARRIED_OUT: N_("Carried on to {period}"),
    EntryKind.OVER_CALL: N_("Over-call allowed"),
    EntryKind.OPENING_CALLED: N_("Called off before the cut-over date"),
    EntryKind.OPENING_SHIPPED: N_("Shipped before the cut-over date"),
    EntryKind.OPENING_RECEIVED: N_("Received before the cut-over date"),
    EntryKind.AMENDED: N_("Target changed by an amendment"),
    EntryKind.TOLERANCE: N_("Over-call inside the agreed tolerance"),
}
TONES = {Standing.BELOW: "risk", Standing.INSIDE: "confirmed", Standing.ABOVE: "waiting"}
STANDINGS = {
    Standing.BELOW: N_("below the floor"),
    Standing.INSIDE: N_("inside the band"),
    Standing.ABOVE: N_("above the ceiling"),
}


class PeriodView(Struct, frozen=True):
    """One row of the ledger."""

    href: str
    name: str
    days: str
    limits: str
    target: str
    counts: list[tuple[str, str, str]]  # number, its address, its label; an address only where there are entries
    remaining: str
    negative: bool
    completion: str
    standing: tuple[str, str]
    over_invoiced: str  # by how much more was invoiced than received; empty: it was not
    runs: bool
    drafted: str  # what lies in drafts for it, which uses nothing; empty: nothing, or a partner reads


class ChartRow(Struct, frozen=True):
    """One row of the chart's table; what lies ahead is empty."""

    period: str
    target: str
    called: str
    shipped: str
    received: str
    remaining: str


class Chart(Struct, frozen=True):
    """The use of a line over time. `data` is what the board's chart reads, with `shipped` beside."""

    title: str
    data: str
    rows: list[ChartRow]


def period_view(
    row: PeriodRow, base: str, shown: Sequence[str], today: date, drafted: Decimal | None = None
) -> PeriodView:
    """One period with each number leading to its entries."""
    seen, here = row.outlook, f"{base}/{row.id}"
    counts = []
    for name in shown:
        number = getattr(row.sums, name)
        counts.append((i18n.number(number), f"{here}?number={name}" if number else "", _(COUNTERS[name])))
    return PeriodView(
        href=here,
        name=period_name(row, year=True),
        days=i18n.day(row.period_start) + " – " + i18n.day(date.fromordinal(row.period_end.toordinal() - 1), year=True),
        limits=f"{i18n.number(seen.floor)} – {i18n.number(seen.ceiling)}",
        target=i18n.number(seen.target),
        counts=counts,
        remaining=i18n.number(seen.remaining),
        negative=seen.remaining < 0,
        completion="–" if seen.completion is None else i18n.percent(seen.completion),
        standing=(_(STANDINGS[seen.standing]), TONES[seen.standing]),
        over_invoiced=i18n.number(row.sums.over_invoiced) if row.sums.over_invoiced else "",
        runs=row.period_start <= today < row.period_end,
        drafted=i18n.number(drafted) if drafted else "",
    )


class Spans(Struct, frozen=True):
    """The periods as the page folds them: what runs or comes next lies open."""

    ended: list[PeriodView]
    near: list[PeriodView]
    later: list[PeriodView]

    @property
    def ended_title(self) -> str:
        n = len(self.ended)
        return ngettext("{n} ended period", "{n} ended periods", n).format(n=n)

    @property
    def later_title(self) -> str:
        n = len(self.later)
        return ngettext("{n} later period", "{n} later periods", n).format(n=n)


def folded(rows: Sequence[PeriodRow], views: list[PeriodView], today: date) -> Spans:
    """All of them where they are few; else this period and the next ones, between what has ended and what is far."""
    if len(views) <= UNFOLDED:
        return Spans([], views, [])
    first = min(sum(row.period_end <= today for row in rows), len(rows) - 1)
    return Spans(views[:first], views[first : first + NEAR], views[first + NEAR :])


def counters_shown(rows: Sequence[PeriodRow]) -> list[str]:
    """The four that always matter, and the others where any period has them."""
    return [name for name in COUNTS if name in ALWAYS or any(getattr(row.sums, name) for row in rows)]


def running(rows: Sequence[PeriodRow], today: date) -> PeriodRow | None:
    """The period that the page speaks of: today's, before the first one the first, after the last one the last."""
    if not rows:
        return None
    return next((row for row in rows if row.period_end > today), rows[-1])


def figures_of(row: PeriodRow, base: str) -> tuple[Figure, ...]:
    """The four figures of the period that runs."""
    seen, here, name = row.outlook, f"{base}/{row.id}", period_name(row)
    of_target = _("of {target}").format(target=show_quantity(seen.target, row.unit))
    unit = unit_name(row.unit)
    return (
        Figure(
            _("{period} called off").format(period=name), i18n.number(row.sums.called), of_target,
            bar=bar(row.sums.called, seen.target), href=f"{here}?number=called",
        ),
        Figure(
            _("{period} received").format(period=name), i18n.number(row.sums.received), of_target,
            bar=bar(row.sums.received, seen.target), href=f"{here}?number=received",
        ),
        Figure(
            _("{period} remaining").format(period=name), i18n.number(seen.remaining), unit,
            warning=seen.remaining < 0,
        ),
        Figure(
            _("{period} ends at").format(period=name), i18n.number(seen.forecast),
            _("{low} to {high} {unit} agreed").format(
                low=i18n.number(seen.floor), high=i18n.number(seen.ceiling), unit=unit
            ),
            warning=seen.standing is not Standing.INSIDE,
        ),
    )  # fmt: skip


def chart_of(title: str, rows: Sequence[PeriodRow], today: date) -> Chart:
    """Target, called off, shipped and received, added up over the periods. title: the part, as the reader names it."""
    points: dict[str, list[Decimal | None]] = {
        name: [Decimal(0)] for name in ("target", "called", "shipped", "received")
    }
    sums = dict.fromkeys(points, Decimal(0))
    table = []
    for row in rows:
        begun = row.period_start <= today
        sums["target"] += row.target
        for name in ("called", "shipped", "received"):
            sums[name] += getattr(row.sums, name)
        for name, column in points.items():
            column.append(sums[name] if begun or name in ("target", "called") else None)
        shipped, received = (i18n.number(sums[name]) if begun else "" for name in ("shipped", "received"))
        left = i18n.number(sums["target"] - sums["called"])
        name = period_name(row, year=True)
        table.append(ChartRow(name, i18n.number(sums["target"]), i18n.number(sums["called"]), shipped, received, left))
    data = {
        "x": [seconds(rows[0].period_start), *(seconds(row.period_end) for row in rows)],
        "planned": plain(points["target"]),
        "delivered": plain(points["received"]),
        "cover": plain(points["called"]),
        "shipped": plain(points["shipped"]),
        "zones": [],
        "today": seconds(today),
        "words": {
            "planned": _("Target"),
            "delivered": _("Received"),
            "cover": _("Called off"),
            "shipped": _("Shipped"),
            "today": _("today").capitalize(),
        },
    }
    return Chart(title, json.dumps(data), table)


class EntryView(Struct, frozen=True):
    """One entry in words, with its document."""

    text: str
    quantity: str
    negative: bool
    document: str
    href: str
    who: str
    when: str
    reason: str


def entry_view(row: EntryRow, contract_id: UUID, zone: str, unit: str) -> EntryView:
    """What was written, by which document."""
    other = "" if row.other_start is None else i18n.day(row.other_start, year=True)
    text = _(KINDS[row.kind]).format(period=other)
    if row.kind is EntryKind.RELEASED and row.quantity > 0:
        text = _("Called off again")
    document, href = document_of(row, contract_id)
    return EntryView(
        text, signed_quantity(row.quantity, unit), row.quantity < 0, document, href, row.member_name,
        i18n.moment(row.at, zone), _(row.reason),
    )  # fmt: skip


def document_of(row: EntryRow, contract_id: UUID) -> tuple[str, str]:
    """The document's name and address."""
    match row.document:
        case "schedule_line":
            due = i18n.day(row.due_date, year=True) if row.due_date else ""
            return _("Delivery {n}, {day}").format(n=row.line_no or "", day=due), f"/schedule-lines/{row.document_id}"
        case "shipment":
            return _("Delivery note {number}").format(number=row.number), f"/shipments/{row.document_id}"
        case "receipt":
            return _("Receipt {number}").format(number=row.number), f"/receipts/{row.document_id}"
        case "opening_balance":
            return _("Opening balance"), f"/contracts/{contract_id}/opening"
        case "contract_revision":
            return _("Contract versions"), f"/contracts/{contract_id}/versions"
        case "contract_invoice":
            return _("Invoice {number}").format(number=row.number), f"/contracts/{contract_id}/invoices"
        case "commitment_bucket":
            return _("Ledger"), f"/contracts/{contract_id}/ledger/{row.document_id}"
        case _:
            return _("Contract"), f"/contracts/{contract_id}"


# --- contexts ---------------------------------------------------------------------------------------------------------


async def ledger_context(
    connection: Driver, actor: Actor, contract: Contract, terms: CommitmentTerms, line_id: UUID | None, today: date
) -> dict[str, Any]:
    """What `ledger/ledger.html` shows."""
    lines = await reads_buckets.lines(connection, actor, contract.id)
    committed = [line for line in lines if line.periods]
    chosen = next((line for line in committed if line.id == line_id), committed[0] if committed else None)
    rows = await reads_buckets.ledger(connection, actor, contract.id, chosen.id) if chosen else []
    base = f"/contracts/{contract.id}/ledger"
    drafts = await drafted(connection, actor, contract.id)
    now = running(rows, today)
    shown = counters_shown(rows)
    views = [period_view(row, base, shown, today, drafts.get(row.id)) for row in rows]
    return {
        "contract": contract,
        "base": base,
        "lines": [(str(line.id), part_name(line, actor)) for line in committed],
        "free": [part_name(line, actor) for line in lines if not line.periods],
        "chosen": chosen,
        "unit": unit_name(chosen.unit) if chosen else "",
        "sentence": sentence(now) if now else "",
        "warning": now is not None and now.outlook.standing is not Standing.INSIDE,
        "figures": figures_of(now, base) if now else (),
        "columns": [_(COUNTERS[name]) for name in shown],
        "rows": views,
        "spans": folded(rows, views, today),
        "chart": chart_of(part_name(chosen, actor), rows, today) if chosen and rows else None,
        "terms": terms_words(terms),
        "to_come": contract.status in NOT_YET,
    }


def part_name(line: LineRow, actor: Actor) -> str:
    own = line.partner_part_no if not actor.is_factory else ""
    return f"{own or line.item_code} · {line.description}"


async def period_context(
    connection: Driver, actor: Actor, contract: Contract, bucket_id: UUID, number: str, today: date
) -> dict[str, Any]:
    """What `ledger/period.html` shows. number: which of the counters; none: all entries. Raises NotFound."""
    row = await reads_buckets.get_period(connection, actor, contract.id, bucket_id)
    if row is None:
        raise NotFound
    lines = await reads_buckets.lines(connection, actor, contract.id)
    line = next(line for line in lines if line.id == row.contract_line_id)
    kinds = COUNTS.get(number, ())
    found = await entries(connection, actor, bucket_id, kinds)
    here = f"/contracts/{contract.id}/ledger/{bucket_id}"
    seen = row.outlook
    total = getattr(row.sums, number) if kinds else None
    open_ = contract.status is ContractStatus.ACTIVE and row.closed_at is None and row.period_end > today
    return {
        "contract": contract,
        "back": f"/contracts/{contract.id}/ledger?line={line.id}",
        "here": here,
        "line": line,
        "part": part_name(line, actor),
        "name": period_name(row, year=True),
        "sentence": sentence(row),
        "warning": seen.standing is not Standing.INSIDE,
        "number": number if kinds else "",
        "label": _(COUNTERS[number]) if kinds else _("All entries"),
        "total": None if total is None else show_quantity(total, row.unit),
        "tabs": tabs(row, here, number if kinds else ""),
        "entries": [entry_view(entry, contract.id, actor.time_zone, row.unit) for entry in found],
        "figures": figures_of(row, f"/contracts/{contract.id}/ledger"),
        "may_allow": open_ and actor.may(Permission.EDIT_CONTRACTS),
        "unit": unit_name(row.unit),
    }


def tabs(row: PeriodRow, here: str, number: str) -> list[tuple[str, str, bool]]:
    """The counters that have entries, and all of them."""
    named = [name for name in COUNTS if getattr(row.sums, name) or name == number]
    first = (_("All entries"), here, number == "")
    return [first, *((_(COUNTERS[name]), f"{here}?number={name}", name == number) for name in named)]
