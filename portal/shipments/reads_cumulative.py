"""Cumulative quantities of a contract: every document of its lines with the entries agreed, and what follows."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction, Scope
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.schedules.rules_cumulative import (
    CountBy,
    Cumulative,
    Entry,
    Movement,
    counting,
    net_requirement,
    straddling,
)
from portal.schedules.service import visible
from portal.shipments import rules_cumulating as rules
from portal.shipments.model_cumulative import EntryKind, Figure
from portal.shipments.reads import IN_FORCE
from portal.shipments.rules_cumulating import Agreed, Document, Finding, Policy

ZERO = Decimal(0)


class Head(Struct, frozen=True):
    """The contract with its counting policy."""

    id: UUID
    party_id: UUID
    number: str
    party_name: str
    direction: Direction
    status: str
    time_zone: str
    valid_from: date
    count_by: CountBy
    count_per: str
    count_rejected: bool
    returns_lower: bool
    other_orders: bool
    version: int  # of the policy; 0: the defaults

    @property
    def policy(self) -> Policy:
        return Policy(CountBy(self.count_by), self.count_rejected)


class Moved(Struct, frozen=True):
    """One line of a delivery note with what was received of it."""

    shipment_id: UUID
    number: str
    movement: Movement

    def document(self, figure: Figure, count_rejected: bool) -> Document | None:
        """As the seller's books have it, or the buyer's: then there is none before it was received."""
        moved = self.movement
        if figure is Figure.SHIPPED:
            return Document(self.number, moved.despatched_on, moved.shipped)
        if moved.received_on is None:
            return None
        return Document(self.number, moved.received_on, moved.accepted + (moved.rejected if count_rejected else ZERO))


class EntryRow(Struct, frozen=True):
    """One proposal or agreement."""

    id: UUID
    contract_line_id: UUID
    number: int
    kind: EntryKind
    reason: str
    figure: Figure | None
    quantity: Decimal
    sync_date: date | None
    effective_on: date
    document: str
    note: str
    status: str
    offered_scope: str
    offered_name: str
    offered_at: datetime
    answered_name: str
    answered_at: datetime | None

    def correcting(self) -> Document | None:
        """What a correction adds to the document that it names."""
        return Document(self.document, self.effective_on, self.quantity) if self.document else None

    def agreed(self) -> Agreed:
        figure = Figure(self.figure) if self.figure else None
        return Agreed(EntryKind(self.kind), figure, self.quantity, self.sync_date, self.effective_on)


class ReportRow(Struct, frozen=True):
    """What one side's books say."""

    id: UUID
    scope: str
    as_of: date
    requested: Decimal | None
    received: Decimal | None
    last_document: str
    documents: list[tuple[str, date, Decimal]]
    note: str
    member_name: str
    reported_at: datetime

    def list(self) -> list[Document]:
        return [Document(number, day, quantity) for number, day, quantity in self.documents]


class Line(Struct, frozen=True):
    """One contract line with everything that its figures are made of."""

    id: UUID
    line_no: int
    item_code: str  # as the reader's company writes it
    description: str
    unit: str
    ship_to_code: str
    begin: date
    asked: list[Entry]
    moved: list[Moved]
    entries: list[EntryRow]  # the newest first
    policy: Policy

    @property
    def agreed(self) -> list[Agreed]:
        return [entry.agreed() for entry in self.entries if entry.status == "agreed"]

    @property
    def waiting(self) -> EntryRow | None:
        return next((entry for entry in self.entries if entry.status == "proposed"), None)

    def on(self, day: date) -> Cumulative:
        """The figures at the end of a day."""
        movements = [one.movement for one in self.moved]
        return rules.figures_on(self.asked, movements, self.agreed, self.policy, day, self.begin)

    def documents(self, day: date, figure: Figure) -> list[Document]:
        """The delivery notes that count on a day, one entry a note: what was shipped, or what was received of it.

        What both sides agreed to correct of a note is part of it, so an agreed difference is never found again.
        """
        since = rules.period_on(self.agreed, day, self.begin).since
        made = [one.document(figure, self.policy.count_rejected) for one in self.counted(since)]
        agreed = [one.correcting() for one in self.entries if one.status == "agreed" and one.figure == figure]
        made += [one for one in agreed if one is not None and one.day >= since]
        return rules.summed(one for one in made if one is not None and one.day <= day)

    def counted(self, since: date) -> list[Moved]:
        """The deliveries in the count from a day on, by the date that the contract counts by, as in the figures."""
        return [one for one in self.moved if counting([one.movement], since, self.policy.count_by)]

    def straddling(self, sync: date) -> list[Moved]:
        """The deliveries sent before a day and received on it or later, or not yet."""
        open_ones = set(straddling([one.movement for one in self.moved], sync))
        return [one for one in self.moved if one.movement in open_ones]


class Comparison(Struct, frozen=True):
    """One side's report beside the portal's documents, on the day of the report."""

    report: ReportRow
    figure: Figure  # which documents are compared: a seller's despatches, a buyer's receipts
    ours: Cumulative
    received_difference: Decimal | None  # theirs less ours
    requested_difference: Decimal | None
    net: Decimal | None  # what the report still asks of the seller; none: not all of it was reported
    last_known: bool  # whether the last document that it names is known here
    finding: Finding | None  # the first document that disagrees, when documents were reported


_HEAD = """
select c.id, c.party_id, c.number, c.party_name, c.direction, c.status, c.time_zone, c.valid_from,
    coalesce(p.count_by, 'receipt'), coalesce(p.count_per, 'line'), coalesce(p.count_rejected, true),
    coalesce(p.returns_lower, false), coalesce(p.other_orders, false), coalesce(p.version, 0)
from contract c left join cumulative_policy p on p.tenant_id = $1 and p.contract_id = c.id
where c.tenant_id = $1 and c.id = $2 and ($3::uuid[] is null or c.id = any($3)) and c.status <> 'draft'"""
_LINES = """
select id, line_no, case when $3 then item_code else coalesce(nullif(partner_part_no, ''), item_code) end, description,
    unit, ship_to_code, cumulative_from
from contract_line where tenant_id = $1 and contract_id = $2 and ($4::uuid is null or id = $4) order by line_no"""
_ASKED = """
select contract_line_id, due_date, ordered_quantity from schedule_line
where tenant_id = $1 and contract_line_id = any($2) and status not in ('draft', 'cancelled') order by due_date"""
_MOVED = f"""
select k.contract_line_id, s.id, s.number, s.shipped_on, l.quantity, r.received_on, coalesce(r.accepted, 0),
    coalesce(r.rejected, 0), coalesce(r.short, 0)
from shipment_line l
    join shipment s on s.tenant_id = $1 and s.id = l.shipment_id
    join schedule_line k on k.tenant_id = $1 and k.id = l.schedule_line_id
    left join lateral (
        select r.received_on, x.accepted, x.rejected, x.short
        from receipt_line x join receipt r on r.tenant_id = $1 and r.id = x.receipt_id
        where x.tenant_id = $1 and x.shipment_line_id = l.id and {IN_FORCE}) r on true
where l.tenant_id = $1 and k.contract_line_id = any($2) and s.status not in ('draft', 'withdrawn')
order by s.shipped_on, s.number, l.line_no"""  # noqa: S608 - a constant
_ENTRIES = """
select id, contract_line_id, number, kind, reason, figure, quantity, sync_date, effective_on, document, note, status,
    offered_scope, offered_name, offered_at, answered_name, answered_at
from cumulative_entry where tenant_id = $1 and contract_line_id = any($2) order by number desc"""
_REPORTS = """
select distinct on (scope) id, scope, as_of, requested, received, last_document, documents, note, member_name,
    reported_at
from cumulative_report where tenant_id = $1 and contract_line_id = $2 order by scope, id desc"""


async def head(connection: Driver, actor: Actor, contract_id: UUID) -> Head:
    """Raises NotFound for a contract that is absent, a draft or not yours."""
    row = await connection.fetchrow(_HEAD, actor.tenant_id, contract_id, visible(actor))
    if row is None:
        raise NotFound
    return Head(*row)


async def lines(connection: Driver, actor: Actor, found: Head, line_id: UUID | None = None) -> list[Line]:
    """The lines of a contract, or one of them, with all that their figures are made of."""
    rows = await connection.fetch(_LINES, actor.tenant_id, found.id, actor.is_factory, line_id)
    ids = [row[0] for row in rows]
    asked: dict[UUID, list[Entry]] = defaultdict(list)
    moved: dict[UUID, list[Moved]] = defaultdict(list)
    entries: dict[UUID, list[EntryRow]] = defaultdict(list)
    for row in await connection.fetch(_ASKED, actor.tenant_id, ids):
        asked[row[0]].append((row[1], row[2]))
    for row in await connection.fetch(_MOVED, actor.tenant_id, ids):
        moved[row[0]].append(Moved(row[1], row[2], Movement(*list(row)[3:])))
    for row in await connection.fetch(_ENTRIES, actor.tenant_id, ids):
        entries[row[1]].append(EntryRow(*row))
    return [
        Line(*(*list(row)[:6], row[6] or found.valid_from, asked[row[0]], moved[row[0]], entries[row[0]], found.policy))
        for row in rows
    ]


async def line(connection: Driver, actor: Actor, found: Head, line_id: UUID) -> Line:
    """One line of the contract. Raises NotFound."""
    rows = await lines(connection, actor, found, line_id)
    if not rows:
        raise NotFound
    return rows[0]


async def comparisons(connection: Driver, actor: Actor, head: Head, found: Line) -> list[Comparison]:
    """The newest report of each side beside the portal's own figures."""
    made = []
    for row in await connection.fetch(_REPORTS, actor.tenant_id, found.id):
        values = dict(row)
        said = [(number, date.fromisoformat(day), Decimal(text)) for number, day, text in values.pop("documents")]
        seller = (values["scope"] == Scope.FACTORY) == (head.direction == Direction.SALE)
        figure = Figure.SHIPPED if seller else Figure.RECEIVED
        made.append(compared(found, ReportRow(**values, documents=said), figure))
    return made


def compared(found: Line, report: ReportRow, figure: Figure) -> Comparison:
    """Where the report and the portal's documents part on the day of the report."""
    ours = found.on(report.as_of)
    sent = found.documents(report.as_of, Figure.SHIPPED)
    after = rules.shipped_after(sent, report.last_document) if report.last_document else None
    net = None
    if report.requested is not None and report.received is not None and after is not None:
        net = net_requirement(report.requested, report.received, after)
    listed = report.list()
    return Comparison(
        report,
        figure,
        ours,
        None if report.received is None else report.received - ours.received,
        None if report.requested is None else report.requested - ours.requested,
        net,
        after is not None or not report.last_document,
        rules.bisect(found.documents(report.as_of, figure), listed) if listed else None,
    )
