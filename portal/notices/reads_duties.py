"""Who of the seller's company answers a release: those who are asked, their deputies, and who took it over."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.notices import rules
from portal.notices.model import Kind
from portal.notices.recipients import company


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody whose answer is asked, as colleagues reach them."""

    member_id: UUID
    name: str
    email: str
    phone: str
    deputy_id: UUID | None


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody answers in place of those who were asked."""

    member_id: UUID
    name: str
    at: datetime


_TAKEN = """
select d.member_id, m.name, d.taken_at from duty d join member m on m.tenant_id = $1 and m.id = d.member_id
where d.tenant_id = $1 and d.party_id = $2 and d.release_id = $3 and m.status = 'active'"""
_NAMED = """
select m.id, m.name, m.email, coalesce(p.phone, ''), p.deputy_id from member m
left join preference p on p.tenant_id = $1 and p.party_id = $2 and p.member_id = m.id
where m.tenant_id = $1 and m.party_id = $2 and m.id = any($3) order by lower(m.name), m.id"""


async def taken(connection: Driver, actor: Actor, release_id: UUID) -> Taken | None:
    """Who of the reader's company took the answers to a release over; nobody once that person has left."""
    row = await connection.fetchrow(_TAKEN, actor.tenant_id, actor.party_id, release_id)
    return Taken(*row.values()) if row else None


async def asked(connection: Driver, actor: Actor, contract_id: UUID) -> list[Colleague]:
    """Those of the reader's company whose answer a contract's releases ask for."""
    of = await company(connection, actor)
    ids = [who.member_id for who in rules.told(of.people, Kind.OVERDUE, contract_id)]
    rows = await connection.fetch(_NAMED, actor.tenant_id, actor.party_id, ids)
    return [Colleague(*row.values()) for row in rows]


def absent(people: list[Colleague], actor: Actor) -> list[Colleague]:
    """Those for whom the reader is the deputy."""
    return [who for who in people if who.deputy_id == actor.member_id and who.member_id != actor.member_id]
