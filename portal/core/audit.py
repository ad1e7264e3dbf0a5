"""The audit as it is read: who did what, and whether the chain over it is whole.

Rows are appended unhashed in the transaction of the deed. A job seals them within seconds: each gets a number without
gaps and a SHA-256 over the seal before it and its own content, so that an edit, a removal or a fork shows.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver


class AuditFilter(Struct, frozen=True):
    """What of the audit is wanted. Days are the reader's, both inclusive."""

    action: str = ""  # the beginning: "schedule_line" or "schedule_line.confirmed"
    member: str = ""  # part of the name or e-mail
    since: date | None = None
    until: date | None = None
    subject_id: UUID | None = None


class AuditRow(Struct, frozen=True):
    """One deed."""

    id: UUID
    at: datetime
    action: str  # document and verb: "schedule_line.confirmed"
    subject_id: UUID
    party_id: UUID
    party_name: str
    member_id: UUID | None  # none: the system
    member_name: str
    data: dict[str, Any]
    seal_no: int | None  # none: not sealed yet


_ROWS = """
select a.id, a.at, a.action, a.subject_id, a.party_id, coalesce(p.name, ''), a.member_id,
    coalesce(m.name, k.name, ''), a.data, a.seal_no
from audit a
left join party p on p.tenant_id = a.tenant_id and p.id = a.party_id
left join member m on m.tenant_id = a.tenant_id and m.id = a.member_id
left join api_key k on k.tenant_id = a.tenant_id and k.id = a.member_id
where a.tenant_id = $1
    and ($2 = '' or starts_with(a.action, $2))
    and ($3 = '' or m.name ilike $3 or m.email ilike $3 or k.name ilike $3)
    and ($4::timestamptz is null or a.at >= $4) and ($5::timestamptz is null or a.at < $5)
    and ($6::uuid is null or a.subject_id = $6)
    and ($7::uuid is null or a.id < $7)
order by a.id desc limit $8"""


async def list_rows(
    connection: Driver, actor: Actor, wanted: AuditFilter, after: UUID | None = None, limit: int = 50
) -> list[AuditRow]:
    """The newest deeds first, one more than `limit` when there are more. `after`: the last id of the page before."""
    actor.require(Permission.READ_AUDIT)
    rows = await connection.fetch(
        _ROWS,
        *(actor.tenant_id, wanted.action, f"%{_plain(wanted.member)}%" if wanted.member else ""),
        *(_midnight(wanted.since, actor.time_zone), _midnight(_next_day(wanted.until), actor.time_zone)),
        *(wanted.subject_id, after, limit + 1),
    )
    return [AuditRow(*row.values()) for row in rows]


def _plain(text: str) -> str:
    """The text as itself inside a LIKE pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _next_day(day: date | None) -> date | None:
    return day + timedelta(days=1) if day else None


def _midnight(day: date | None, zone: str) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) if day else None


# --- the chain --------------------------------------------------------------------------------------------------------


class Chain(Struct, frozen=True):
    """Where a tenant's chain stands. The head proves every row before it: note it outside of the portal."""

    sealed: int
    unsealed: int
    head: str  # the last seal, hex; empty when nothing is sealed
    sealed_until: datetime | None  # the last sealed row's time


class Break(Struct, frozen=True):
    """A place where the chain is not whole."""

    tenant_id: UUID
    seal_no: int
    audit_id: UUID
    what: str  # gap, fork or edit


_CHAIN = """
select coalesce(head.seal_no, 0), (select count(*) from audit where tenant_id = $1 and seal is null),
    coalesce(encode(head.seal, 'hex'), ''), head.at
from (select 1) one left join lateral (
    select seal_no, seal, at from audit where tenant_id = $1 and seal_no is not null order by seal_no desc limit 1
) head on true"""

# The same text as seal_audit() hashes; $1 none: all tenants. A changed seal shows at its own row and at the next one.
BREAKS = """
select tenant_id, seal_no, id,
    case when before_no = seal_no then 'fork' when coalesce(before_no, 0) + 1 <> seal_no then 'gap' else 'edit' end
from (
    select a.*, lag(seal_no) over chain as before_no, lag(seal) over chain as before_seal
    from audit a where seal_no is not null and ($1::uuid is null or tenant_id = $1)
    window chain as (partition by tenant_id order by seal_no)
) a
where coalesce(before_no, 0) + 1 <> seal_no
    or seal is distinct from sha256(coalesce(before_seal, ''::bytea) || convert_to(concat_ws('|', seal_no, tenant_id,
        id, party_id, coalesce(member_id::text, ''), action, subject_id, data, extract(epoch from at)), 'UTF8'))
order by tenant_id, seal_no limit 100"""


async def chain(connection: Driver, actor: Actor) -> Chain:
    """How far the tenant's audit is sealed. Raises Forbidden."""
    actor.require(Permission.READ_AUDIT)
    row = await connection.fetchrow(_CHAIN, actor.tenant_id)
    assert row is not None
    return Chain(*row.values())


async def verify_chain(connection: Driver, actor: Actor) -> Sequence[Break]:
    """Recompute every seal of the tenant. Empty when nothing was edited, removed or inserted; at most 100 breaks."""
    actor.require(Permission.READ_AUDIT)
    return [Break(*row.values()) for row in await connection.fetch(BREAKS, actor.tenant_id)]
