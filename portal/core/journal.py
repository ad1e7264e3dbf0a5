"""What happened, written once per transaction: the timeline both sides see, the audit, and the outbox.

Commands call `record` and `emit` wherever they act; the unit of work writes all of it with one statement just before
the commit, and rings the bell for open pages and waiting jobs just after. Nothing is promised before the commit.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import arrays
from portal.core.actor import Actor
from portal.core.ids import uuid7, uuid7s


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


class Who(NamedTuple):
    """Who acted. All that one transaction notes is nearly always one member's."""

    tenant_id: UUID
    member_id: UUID | None
    name: str
    scope: str
    channel: str


@dataclass(slots=True)
class Notes:
    """What one member has done so far. The timeline and the audit tell the same deeds."""

    deeds: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass(slots=True)
class Journal:
    """What one transaction has done so far."""

    notes: dict[Who, Notes] = field(default_factory=dict)
    bells: set[Bell] = field(default_factory=set)
    last: tuple[Actor, Notes] | None = None  # whose deed was noted last: nearly always the next one's too

    def of(self, actor: Actor) -> Notes:
        if self.last is not None and self.last[0] is actor:
            return self.last[1]
        who = Who(actor.tenant_id, actor.member_id, actor.name, actor.scope.value, actor.channel.value)
        notes = self.notes.get(who)
        if notes is None:
            notes = self.notes[who] = Notes()
        self.last = actor, notes
        return notes


_encoder = msgspec.json.Encoder(enc_hook=str)  # ids, days and Decimals as text; ten times as fast as json


def _json(value: Any) -> str:
    """What was noted with a deed, or an event, as the text of a jsonb column."""
    return _encoder.encode(value).decode()


Ring = Callable[[set[Bell]], Awaitable[None]]
_ringers: list[Ring] = []


def _journal(session: AsyncSession) -> Journal:
    journal: Journal | None = session.info.get("journal")
    if journal is None:
        journal = session.info["journal"] = Journal()
    return journal


def record(session: AsyncSession, actor: Actor, subject: Subject, verb: str, **data: Any) -> None:
    """Write the deed into the document's history and into the audit."""
    journal = _journal(session)
    told = uuid7() if subject.shared else None
    what = (subject.kind, subject.id, subject.contract_id, verb, subject.version)
    journal.of(actor).deeds.append((told, uuid7(), subject.party_id, *what, _json(data)))
    if subject.shared:
        journal.bells.add(Bell(actor.tenant_id, subject.party_id, subject.contract_id))


def record_each(
    session: AsyncSession, actor: Actor, subject: Subject, verb: str, each: Sequence[tuple[UUID, int]], **data: Any
) -> None:
    """Write the same deed on many documents, each with its id and version; subject: what else they have in common."""
    journal = _journal(session)
    text = _json(data)
    kind, party, contract, shared = subject.kind, subject.party_id, subject.contract_id, subject.shared
    told: Sequence[UUID | None] = uuid7s(len(each)) if shared else [None] * len(each)
    journal.of(actor).deeds.extend(
        (history, proof, party, kind, one, contract, verb, version, text)
        for history, proof, (one, version) in zip(told, uuid7s(len(each)), each, strict=True)
    )
    if shared:
        journal.bells.add(Bell(actor.tenant_id, party, contract))


def emit(session: AsyncSession, actor: Actor, party_id: UUID, event: Event) -> None:
    """Tell it after the commit: one outbox row, in the same transaction as the work."""
    _journal(session).of(actor).events.append((uuid7(), party_id, type(event).__name__, _json(event)))


@asynccontextmanager
async def part(session: AsyncSession) -> AsyncIterator[None]:
    """A part of a transaction that can fail alone: its rows and what it noted here are gone then, the rest stays."""
    journal = _journal(session)
    before = {who: (len(notes.deeds), len(notes.events)) for who, notes in journal.notes.items()}
    bells = set(journal.bells)
    try:
        async with session.begin_nested():
            await session.connection()  # the savepoint is made here: statements of the driver do not make it
            yield
    except BaseException:
        for who, notes in journal.notes.items():
            deeds, events = before.get(who, (0, 0))
            del notes.deeds[deeds:], notes.events[events:]
        journal.bells = bells
        raise


def wake(session: AsyncSession, actor: Actor) -> None:
    """Let the company's open pages look again after the commit, where nothing goes into a history."""
    _journal(session).bells.add(Bell(actor.tenant_id, actor.party_id, None))


# One statement for the three tables, because each round trip costs a command more than the rows do; and each value in
# it once, because to encode and to read a hundred thousand of them costs a mass command more than to keep them.
_WRITE = """
with deed as ({deeds}),
history as (
    insert into timeline (tenant_id, member_id, member_name, scope, channel, id, party_id, subject, subject_id,
        contract_id, verb, version, data)
    select $1::uuid, $2::uuid, $3::text, $4::text, $5::text, told, party_id, subject, subject_id,
        contract_id, verb, version, data
    from deed where told is not null),
proof as (
    insert into audit (tenant_id, member_id, id, party_id, action, subject_id, data)
    select $1::uuid, $2::uuid, id, party_id, subject || '.' || verb, subject_id, data from deed)
insert into outbox (tenant_id, member_id, id, party_id, name, data)
select $1::uuid, $2::uuid, id, party_id, name, data from ({events}) e"""
_DEED = (
    ("told", "uuid"), ("id", "uuid"), ("party_id", "uuid"), ("subject", "text"), ("subject_id", "uuid"),
    ("contract_id", "uuid"), ("verb", "text"), ("version", "int"), ("data", "jsonb"),
)  # fmt: skip
_EVENT = (("id", "uuid"), ("party_id", "uuid"), ("name", "text"), ("data", "jsonb"))


def _one(columns: Sequence[tuple[str, str]], first: int) -> str:
    return "select " + ", ".join(f"${n}::{kind} as {name}" for n, (name, kind) in enumerate(columns, first))


def _many(columns: Sequence[tuple[str, str]], first: int) -> str:
    arrays = ", ".join(f"${n}::text::{kind}[]" for n, (_, kind) in enumerate(columns, first))
    return f"select * from unnest({arrays}) as rows({', '.join(name for name, _ in columns)})"  # noqa: S608 - own text


_AT = len(Who._fields) + 1
_ONE_EACH = _WRITE.format(deeds=_one(_DEED, _AT), events=_one(_EVENT, _AT + len(_DEED)))  # what most commands write
_MANY = _WRITE.format(deeds=_many(_DEED, _AT), events=_many(_EVENT, _AT + len(_DEED)))


async def write(session: AsyncSession) -> set[Bell]:
    """Flush the session, then write the journal with one statement. Returns whom to wake after the commit."""
    if session.new or session.dirty or session.deleted:
        await session.flush()
    journal: Journal | None = session.info.pop("journal", None)
    if journal is None:
        return set()
    for who, notes in journal.notes.items():
        if len(notes.deeds) == len(notes.events) == 1:
            await session.info["driver"].execute(_ONE_EACH, *who, *notes.deeds[0], *notes.events[0])
        elif notes.deeds or notes.events:
            deeds, events = _by_column(notes.deeds, _DEED), _by_column(notes.events, _EVENT)
            await session.info["driver"].execute(_MANY, *who, *deeds, *events)
    return journal.bells


def _by_column(rows: list[tuple[Any, ...]], columns: Sequence[object]) -> list[str]:
    """Rows as the columns that unnest takes; empty ones for no rows."""
    return arrays.columns(rows) if rows else ["{}"] * len(columns)


def on_ring(ring: Ring) -> None:
    """Register who carries bells out of this process; the web and the worker do at start."""
    _ringers.append(ring)


async def ring(bells: set[Bell]) -> None:
    """Wake open pages and waiting jobs. Called after the commit only."""
    if bells:
        for ringer in _ringers:
            await ringer(bells)
