"""What happened, written once per transaction: the timeline both sides see, the audit, and the outbox.

Commands call `record` and `emit` wherever they act; the unit of work writes all of it with one statement just before
the commit, and rings the bell for open pages and waiting jobs just after. Nothing is promised before the commit.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import arrays
from portal.core.actor import Actor
from portal.core.ids import uuid7


@dataclass(frozen=True, slots=True)
class Event:
    """Something that others react to after the commit. Fields are ids, never data."""

    all: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        Event.all[cls.__name__] = cls


class Subject(Struct, frozen=True):
    """The document that something was done to, as it is after the deed."""

    kind: str  # its table
    id: UUID
    party_id: UUID
    version: int = 1
    contract_id: UUID | None = None
    shared: bool = True  # False: audited only, no timeline for the partner


class Bell(Struct, frozen=True):
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


_encoder = msgspec.json.Encoder(enc_hook=str)  # ids, days and Decimals as text; ten times as fast as json


def _json(value: Any) -> str:
    """What was noted with a deed, or an event, as the text of a jsonb column."""
    return _encoder.encode(value).decode()


Ring = Callable[[set[Bell]], Awaitable[None]]
_ringers: list[Ring] = []


def _journal(session: AsyncSession) -> Journal:
    journal: Journal = session.info.setdefault("journal", Journal())
    return journal


def record(session: AsyncSession, actor: Actor, subject: Subject, verb: str, **data: Any) -> None:
    """Write the deed into the document's history and into the audit."""
    journal = _journal(session)
    text = _json(data)
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
    name = type(event).__name__
    _journal(session).outbox.append((actor.tenant_id, uuid7(), party_id, name, _json(event), actor.member_id))


@asynccontextmanager
async def part(session: AsyncSession) -> AsyncIterator[None]:
    """A part of a transaction that can fail alone: its rows and what it noted here are gone then, the rest stays."""
    journal = _journal(session)
    tables = (journal.timeline, journal.audit, journal.outbox)
    before, bells = [len(rows) for rows in tables], set(journal.bells)
    try:
        async with session.begin_nested():
            await session.connection()  # the savepoint is made here: statements of the driver do not make it
            yield
    except BaseException:
        for rows, length in zip(tables, before, strict=True):
            del rows[length:]
        journal.bells = bells
        raise


def wake(session: AsyncSession, actor: Actor) -> None:
    """Let the company's open pages look again after the commit, where nothing goes into a history."""
    _journal(session).bells.add(Bell(actor.tenant_id, actor.party_id, None))


_TABLES = {
    "timeline": "tenant_id uuid, id uuid, party_id uuid, subject text, subject_id uuid, contract_id uuid, verb text,"
    " version int, member_id uuid, member_name text, scope text, channel text, data jsonb",
    "audit": "tenant_id uuid, id uuid, party_id uuid, member_id uuid, action text, subject_id uuid, data jsonb",
    "outbox": "tenant_id uuid, id uuid, party_id uuid, name text, data jsonb, member_id uuid",
}
_COLUMNS = {table: [column.split() for column in columns.split(", ")] for table, columns in _TABLES.items()}


def _statement(rows: str, mark: str) -> str:
    """One statement for the three tables, because each round trip costs a command more than the rows do."""
    numbers = count(1)
    inserts = []
    for table, columns in _COLUMNS.items():
        marks = ", ".join(mark.format(n=next(numbers), kind=kind) for _, kind in columns)
        inserts.append(f"insert into {table} ({', '.join(name for name, _ in columns)}) {rows.format(marks)}")
    return "with history as ({}), proof as ({}) {}".format(*inserts)


_ONE_EACH = _statement("values ({})", "${n}::{kind}")  # what most commands write
_MANY = _statement("select * from unnest({})", "${n}::text::{kind}[]")


async def write(session: AsyncSession) -> set[Bell]:
    """Flush the session, then write the journal with one statement. Returns whom to wake after the commit."""
    if session.new or session.dirty or session.deleted:
        await session.flush()
    journal: Journal | None = session.info.pop("journal", None)
    if journal is None:
        return set()
    tables = (journal.timeline, journal.audit, journal.outbox)
    if all(len(rows) == 1 for rows in tables):
        await session.info["driver"].execute(_ONE_EACH, *chain(*(rows[0] for rows in tables)))
    elif any(tables):
        by_column = [
            arrays.columns(rows) if rows else ["{}"] * len(columns)
            for rows, columns in zip(tables, _COLUMNS.values(), strict=True)
        ]
        await session.info["driver"].execute(_MANY, *chain(*by_column))
    return journal.bells


def on_ring(ring: Ring) -> None:
    """Register who carries bells out of this process; the web and the worker do at start."""
    _ringers.append(ring)


async def ring(bells: set[Bell]) -> None:
    """Wake open pages and waiting jobs. Called after the commit only."""
    if bells:
        for ringer in _ringers:
            await ringer(bells)
