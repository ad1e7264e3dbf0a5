"""The authority: an actor comes from a live member or key row, read in its company's own scope, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from portal.core import db
from portal.core.access import Permission, Role
from portal.core.actor import Actor, Channel, Scope
from portal.core.db import Driver
from portal.core.i18n import Language


@dataclass(frozen=True, slots=True)
class Place:
    """Where a membership, an invitation or a key says that it belongs."""

    tenant_id: UUID
    party_id: UUID
    scope: Scope
    id: UUID  # of the member or the key

    @property
    def asking(self) -> Actor:
        """Reads the place's own rows, with the least role; never handed to a command."""
        return Actor(self.tenant_id, self.party_id, self.scope, Role.VIEWER)


@dataclass(frozen=True, slots=True)
class LiveMember:
    """A member as the tenant knows it now."""

    actor: Actor
    tenant_name: str
    company_name: str


_MEMBER = """
select m.id, m.name, m.role, m.restricted, t.name as tenant_name, t.time_zone, t.language, p.name as company_name,
    case when m.restricted then array(
        select r.contract_id from member_restriction r
        where r.tenant_id = m.tenant_id and r.member_id = m.id and r.contract_id is not null
        union
        select l.contract_id from member_restriction r
        join contract_line l on l.tenant_id = r.tenant_id and l.ship_to_code = r.ship_to_code
        where r.tenant_id = m.tenant_id and r.member_id = m.id
    ) end as contract_ids
from member m
join tenant t on t.tenant_id = m.tenant_id
join party p on p.tenant_id = m.tenant_id and p.party_id = m.party_id and p.is_factory = $4
where m.tenant_id = $1 and m.party_id = $2 and m.id = any($3) and m.status = 'active'"""


async def live_member(place: Place) -> LiveMember | None:
    """The member with its present role and restrictions; None when it was removed or never joined."""
    async with db.read(place.asking) as connection:
        return (await live_members(connection, place, [place.id])).get(place.id)


async def live_members(connection: Driver, of: Place, member_ids: Sequence[UUID]) -> dict[UUID, LiveMember]:
    """Those of a company's members who live, in the company's own scope."""
    values = of.tenant_id, of.party_id, list(member_ids), of.scope is Scope.FACTORY
    return {row["id"]: _live(of, row) for row in await connection.fetch(_MEMBER, *values)}


def _live(of: Place, row: asyncpg.Record) -> LiveMember:
    actor = replace(
        of.asking,
        role=Role(row["role"]),
        member_id=row["id"],
        name=row["name"],
        language=Language(row["language"]),
        contract_ids=frozenset(row["contract_ids"]) if row["restricted"] else None,
        time_zone=row["time_zone"],
    )
    return LiveMember(actor, row["tenant_name"], row["company_name"])


_KEY = """
select k.name, k.role, t.time_zone, t.language, array(select jsonb_object_keys(k.scopes)) as scopes
from api_key k
join tenant t on t.tenant_id = k.tenant_id
join party p on p.tenant_id = k.tenant_id and p.party_id = k.party_id and p.is_factory = $4
where k.tenant_id = $1 and k.party_id = $2 and k.id = $3
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())"""


async def live_key(place: Place) -> Actor | None:
    """The key's actor; None when it is revoked or expired. Histories name the key itself as the one who acted."""
    async with db.read(place.asking) as connection:
        row = await connection.fetchrow(_KEY, place.tenant_id, place.party_id, place.id, place.scope is Scope.FACTORY)
    if row is None:
        return None
    return replace(
        place.asking,
        role=Role(row["role"]),
        member_id=place.id,
        name=row["name"],
        language=Language(row["language"]),
        channel=Channel.API,
        granted=frozenset(map(Permission, row["scopes"])),
        time_zone=row["time_zone"],
    )
