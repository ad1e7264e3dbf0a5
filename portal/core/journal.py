"""What happened, written once per transaction: the timeline both sides see, the audit, and the outbox.

Commands call `record` and `emit` wherever they act; the unit of work writes all of it with one statement just before
the commit, and rings the bell for open pages and waiting jobs just after. Nothing is promised before the commit.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.ids import uuid7


@dataclass(frozen=True, slots=True)
class Event:
    """Something that others react to after the commit. Fields are ids, never data."""

    all: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        Event.all[cls.__name__] = cls


@dataclass(frozen=True, slots=True)
class Subject:
    """The document that something was done to, as it is after the deed."""

    kind: str  # its table
    id: UUID
    party_id: UUID
    version: int = 1
    contract_id: UUID | None = None
    shared: bool = True  # False: audited only, no timeline for the partner


@dataclass(frozen=True, slots=True)
class Bell:
    """Whose open pages should fetch again."""

    tenant_id: UUID
    party_id: UUID
    contract_id: UUID | None


@dataclass(slots=True)
class Journal:
    """What one transaction has done so far."""

    timeline: list[tuple[Any, ...]] = field(default_factory=list)
    audit: list[tuple[Any, ...]] = field(default_factory=list)
    outbox: list[tuple[Any, ...]] = field(default_factory=list)
    bells: set[Bell] = field(default_factory=set)


Ring = Callable[[set[Bell]], Awaitable[None]]
_ringers: list[Ring] = []


def _journal(session: AsyncSession) -> Journal:
    journal: Journal = session.info.setdefault("journal", Journal())
    return journal


def record(session: AsyncSession, actor: Actor, subject: Subject, verb: str, **data: Any) -> None:
    """Write the deed into the document's history and into the audit."""
    journal = _journal(session)
    text = json.dumps(data, default=str, ensure_ascii=False)
    journal.audit.append(
        (actor.tenant_id, uuid7(), subject.party_id, actor.member_id, f"{subject.kind}.{verb}", subject.id, text)
    )
    if subject.shared:
        journal.timeline.append(
            (
                *(actor.tenant_id, uuid7(), subject.party_id, subject.kind, subject.id, subject.contract_id, verb),
                *(subject.version, actor.member_id, actor.name, actor.scope.value, actor.channel.value, text),
            )
        )
        journal.bells.add(Bell(actor.tenant_id, subject.party_id, subject.contract_id))


def emit(session: AsyncSession, actor: Actor, party_id: UUID, event: Event) -> None:
    """Tell it after the commit: one outbox row, in the same transaction as the work."""
    text = json.dumps({part.name: getattr(event, part.name) for part in fields(event)}, default=str)
    _journal(session).outbox.append((actor.tenant_id, uuid7(), party_id, type(event).__name__, text, actor.member_id))


# One statement for the three tables: each round trip costs a command more than the rows do.
_WRITE = """
with history as (
    insert into timeline (tenant_id, id, party_id, subject, subject_id, contract_id, verb, version, member_id,
        member_name, scope, channel, data)
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::int[],
        $9::uuid[], $10::text[], $11::text[], $12::text[], $13::jsonb[])
), proof as (
    insert into audit (tenant_id, id, party_id, member_id, action, subject_id, data)
    select * from unnest($14::uuid[], $15::uuid[], $16::uuid[], $17::uuid[], $18::text[], $19::uuid[], $20::jsonb[])
)
insert into outbox (tenant_id, id, party_id, name, data, member_id)
select * from unnest($21::uuid[], $22::uuid[], $23::uuid[], $24::text[], $25::jsonb[], $26::uuid[])"""


async def write(session: AsyncSession) -> set[Bell]:
    """Flush the session, then write the journal with one statement. Returns whom to wake after the commit."""
    if session.new or session.dirty or session.deleted:
        await session.flush()
    journal: Journal | None = session.info.pop("journal", None)
    if journal is None:
        return set()
    columns = (*_columns(journal.timeline, 13), *_columns(journal.audit, 7), *_columns(journal.outbox, 6))
    await session.info["driver"].execute(_WRITE, *columns)
    return journal.bells


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as the columns that unnest takes; empty ones for no rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def on_ring(ring: Ring) -> None:
    """Register who carries bells out of this process; the web and the worker do at start."""
    _ringers.append(ring)


async def ring(bells: set[Bell]) -> None:
    """Wake open pages and waiting jobs. Called after the commit only."""
    if bells:
        for ringer in _ringers:
            await ringer(bells)
