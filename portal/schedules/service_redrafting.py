"""Drafts follow an amendment: what was generated and not yet published is what the fixed quantity in force says.

Only periods that begin on the amendment's day or later, as the ledger has it. What was published stays, and so does
what somebody called off by hand; of a period that is published in part, the rest is drafted anew.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.evidence import read_back
from portal.contracts.inputs import Agreed, AgreedLine
from portal.contracts.model import Cadence, ContractRevision, RevisionStatus
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.calendars import WorkingCalendar, local_today
from portal.core.db import Driver
from portal.core.journal import Subject, record
from portal.schedules.rules_generation import Delivery, Generation, Validity, generate, remainder_at
from portal.schedules.service_release import STORE_STATE
from portal.schedules.service_terms import ContractHead, Terms, calendars, lock_head, new_line, read_terms, store_lines

logger = logging.getLogger(__name__)
FIXED = ("foq", "cadence", "pack_size", "minimum_order", "delivery_weekdays", "ship_to_code")


class Fixed(Struct, frozen=True):
    """A line as generation reads it, in the terms of one version."""

    foq: Decimal | None
    cadence: Cadence | None
    unit: str
    pack_size: Decimal
    minimum_order: Decimal
    delivery_weekdays: Sequence[int]
    generated_until: date | None
    carried_remainder: Decimal


class Drafted(Struct, frozen=True):
    """One generated delivery that is not cancelled."""

    id: UUID
    contract_line_id: UUID
    due: date
    period_start: date
    quantity: Decimal
    draft: bool


_NUMBERS = "select line_no, id from contract_line where tenant_id = $1 and contract_id = $2"
_DRAFTED = """
select id, contract_line_id, due_date, period_start, ordered_quantity, status = 'draft' from schedule_line
where tenant_id = $1 and contract_id = $2 and period_start >= $3 and status <> 'cancelled' order by due_date, id"""
_CHANGE = """
update schedule_line l set ordered_quantity = r.quantity, period_start = r.period, version = l.version + 1
from unnest($2::text::uuid[], $3::text::date[], $4::text::numeric[]) as r(id, period, quantity)
where l.tenant_id = $1 and l.id = r.id and l.status = 'draft'"""
_DROP = "delete from schedule_line where tenant_id = $1 and id = any($2) and status = 'draft'"


async def redraft(session: AsyncSession, actor: Actor, contract_id: UUID, revision_id: UUID) -> int:
    """Bring the drafts of a contract to a version that is applied. Returns how many are others. Safe to repeat."""
    head = await lock_head(session, actor, contract_id)
    new = await session.get_one(ContractRevision, (actor.tenant_id, revision_id))
    old = await _agreed_before(session, new)
    if old is None or new.applied_at is None:
        return 0
    connection = await db.driver(session)
    work = await _Work.read(connection, actor, head, new.effective_from)
    was, becomes = read_back(old.content), read_back(new.content)
    lines = {line.line_no: line for line in becomes.lines}
    for line in was.lines:
        work.look_at(line, lines.get(line.line_no), was, becomes)
    count = await work.write(connection, actor)
    if count:
        what = Subject("contract", head.id, head.party_id, head.version, head.id, shared=False)
        record(session, actor, what, "redrafted", lines=count, offer=new.number)
        logger.info("drafts follow an amendment", extra={"contract_id": str(contract_id), "lines": count})
    return count


async def _agreed_before(session: AsyncSession, new: ContractRevision) -> ContractRevision | None:
    """The version that a version replaced."""
    query = select(ContractRevision).where(
        ContractRevision.tenant_id == new.tenant_id,
        ContractRevision.contract_id == new.contract_id,
        ContractRevision.status == RevisionStatus.AGREED,
        ContractRevision.number < new.number,
    )
    return (await session.exec(query.order_by(col(ContractRevision.number).desc()).limit(1))).one_or_none()


class _Work:
    """The drafts of one contract on their way to another version."""

    def __init__(self, head: ContractHead, since: date, terms: Mapping[UUID, Terms]) -> None:
        self.head, self.since, self.terms = head, since, terms
        self.today = local_today(clock.now(), head.time_zone)
        self.numbers: dict[int, UUID] = {}
        self.calendars: Mapping[str, WorkingCalendar] = {}
        self.drafted: dict[UUID, list[Drafted]] = {}
        self.changed: list[tuple[UUID, date, Decimal]] = []
        self.dropped: list[UUID] = []
        self.new: list[tuple[Any, ...]] = []
        self.states: list[tuple[UUID, date | None, Decimal]] = []

    @classmethod
    async def read(cls, connection: Driver, actor: Actor, head: ContractHead, since: date) -> "_Work":
        work = cls(head, since, await read_terms(connection, actor, head.id))
        work.numbers = dict(await connection.fetch(_NUMBERS, actor.tenant_id, head.id))
        work.calendars = await calendars(connection, actor, {line.ship_to_code for line in work.terms.values()})
        for row in await connection.fetch(_DRAFTED, actor.tenant_id, head.id, since):
            work.drafted.setdefault(row["contract_line_id"], []).append(Drafted(*row.values()))
        return work

    def look_at(self, was: AgreedLine, becomes: AgreedLine | None, old: Agreed, new: Agreed) -> None:
        """One line of the former version, which may be gone."""
        row = self.terms.get(self.numbers.get(was.line_no, self.head.id))
        if row is None or row.generated_until is None:
            return
        if becomes is not None and _same(was, becomes, old, new):
            return
        there = self.drafted.get(row.id, [])
        drafts = [one for one in there if one.draft]
        if not drafts and (becomes is None or row.generated_until <= self.since):
            return
        made = None if becomes is None else self._made(row, was, becomes, there, old, new)
        self._match(row, drafts, [] if made is None else made.deliveries)
        if made is not None:
            self.states.append((row.id, made.generated_until, made.carried_remainder))

    def _made(
        self, row: Terms, was: AgreedLine, becomes: AgreedLine, there: Sequence[Drafted], old: Agreed, new: Agreed
    ) -> Generation:
        """What the new terms say of the periods that were generated."""
        assert row.generated_until is not None
        first = min((one.period_start for one in there), default=self.since)
        given = sum((one.quantity for one in there), Decimal(0))
        calendar = self.calendars[row.ship_to_code]
        before = _fixed(was, first, row.carried_remainder)
        rest = remainder_at(before, row.generated_until, given, _validity(old), calendar)
        published = [(one.due, one.quantity) for one in there if not one.draft]
        last = self.head.valid_to  # of a terminated contract the day it ends on
        return generate(
            _fixed(becomes, first, rest), new.valid_from, last, calendar, max(self.today, first),
            row.generated_until, rule=_validity(new).rule, published=published,
        )  # fmt: skip

    def _match(self, row: Terms, drafts: Sequence[Drafted], deliveries: Sequence[Delivery]) -> None:
        """Drafts of the same day stay with another quantity; the others go, and what is missing is drafted."""
        by_day = {one.due: one for one in drafts}  # where somebody moved two to one day, the last
        stays = set()
        for delivery in deliveries:
            draft = by_day.get(delivery.due_date)
            if draft is None:
                number = self.head.last_line_no + len(self.new) + 1
                self.new.append(new_line(row, number, delivery.due_date, delivery.period_start, delivery.quantity))
                continue
            stays.add(draft.id)
            if (draft.period_start, draft.quantity) != (delivery.period_start, delivery.quantity):
                self.changed.append((draft.id, delivery.period_start, delivery.quantity))
        self.dropped += [one.id for one in drafts if one.id not in stays]

    async def write(self, connection: Driver, actor: Actor) -> int:
        if self.changed:
            await connection.execute(_CHANGE, actor.tenant_id, *columns(self.changed))
        if self.dropped:
            await connection.execute(_DROP, actor.tenant_id, self.dropped)
        if self.new:
            await store_lines(connection, actor, self.head, "", self.today, self.new)
        if self.states:
            await connection.execute(STORE_STATE, actor.tenant_id, *columns(self.states))
        return len(self.changed) + len(self.dropped) + len(self.new)


def _same(was: AgreedLine, becomes: AgreedLine, old: Agreed, new: Agreed) -> bool:
    """Whether generation reads the same in both versions."""
    line = all(getattr(was, name) == getattr(becomes, name) for name in FIXED)
    return line and (old.valid_to, old.date_rule) == (new.valid_to, new.date_rule)


def _fixed(line: AgreedLine, first: date, rest: Decimal) -> Fixed:
    packs = (line.pack_size, line.minimum_order)
    return Fixed(line.foq, line.cadence, line.unit, *packs, line.delivery_weekdays, first, rest)


def _validity(agreed: Agreed) -> Validity:
    return Validity(agreed.valid_from, agreed.valid_to, agreed.date_rule.value if agreed.date_rule else "later")
