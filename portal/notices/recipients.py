"""The people of a company with their wishes, and where the company works. Read in the company's own scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from portal.accounts.office import office_hours
from portal.core.access import Role
from portal.core.actor import Actor, Channel, Scope
from portal.core.db import Driver
from portal.notices.rules import Place, Recipient, Wishes


@dataclass(frozen=True, slots=True)
class Company:
    """One company of a workspace, as notices are planned for it."""

    actor: Actor  # reads and writes the company's own notices; no person
    place: Place
    people: Sequence[Recipient]


def speaker(tenant_id: UUID, party_id: UUID, scope: Scope) -> Actor:
    """The machinery inside one company's scope: it plans that company's notices and never acts for it."""
    return Actor(tenant_id, party_id, scope, Role.VIEWER, name="system", channel=Channel.SYSTEM)


_PEOPLE = """
select m.id, m.role, m.email, m.restricted, p.digest_at, p.quiet_from, p.quiet_to, p.kinds, p.channels, p.deputy_id,
    p.evening_summary, p.wake_for_line_stop,
    case when m.restricted then array(
        select r.contract_id from member_restriction r
        where r.tenant_id = m.tenant_id and r.member_id = m.id and r.contract_id is not null
        union
        select l.contract_id from member_restriction r
        join contract_line l on l.tenant_id = r.tenant_id and l.ship_to_code = r.ship_to_code
        where r.tenant_id = m.tenant_id and r.member_id = m.id
    ) end as contract_ids
from member m
left join preference p on p.tenant_id = m.tenant_id and p.party_id = m.party_id and p.member_id = m.id
where m.tenant_id = $1 and m.party_id = $2 and m.status = 'active' order by m.id"""


async def company(connection: Driver, actor: Actor) -> Company:
    """The company in whose scope the connection is. Its hours are those of its first site, else of the workspace."""
    people = await connection.fetch(_PEOPLE, actor.tenant_id, actor.party_id)
    place = Place(*await office_hours(connection, actor.tenant_id, actor.party_id))
    return Company(actor, place, [_recipient(person, actor.scope) for person in people])


def _recipient(row: asyncpg.Record, scope: Scope) -> Recipient:
    wishes = Wishes()
    if row["digest_at"] is not None:
        names = Wishes.__dataclass_fields__
        wishes = Wishes(**{name: row[name] for name in names})
    contracts = frozenset(row["contract_ids"]) if row["restricted"] else None
    return Recipient(row["id"], Role(row["role"]), scope, contracts, wishes, row["email"])
