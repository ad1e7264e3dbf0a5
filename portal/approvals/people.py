"""Who of the factory can be asked: its active members with their roles, what they may see, and their deputies."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.rules import Decider
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor


@dataclass(frozen=True, slots=True)
class Person:
    """One active member of the factory."""

    id: UUID
    name: str
    role: Role
    deputy_id: UUID | None
    contract_ids: frozenset[UUID] | None  # a restricted one sees these contracts only

    def sees(self, contract_id: UUID | None) -> bool:
        return self.contract_ids is None or contract_id in self.contract_ids


# The deputy is the person's own choice among the notification settings: one deputy for everything.
_PEOPLE = """
select m.id, m.name, m.role, p.deputy_id, case when m.restricted then array(
        select r.contract_id from member_restriction r
        where r.tenant_id = m.tenant_id and r.member_id = m.id and r.contract_id is not null) end
from member m
left join preference p on p.tenant_id = m.tenant_id and p.party_id = m.party_id and p.member_id = m.id
where m.tenant_id = $1 and m.party_id = $2 and m.status = 'active' order by lower(m.name), m.id"""


async def of_factory(session: AsyncSession, actor: Actor) -> Sequence[Person]:
    """The factory's active people by name."""
    connection = await db.driver(session)
    rows = await connection.fetch(_PEOPLE, actor.tenant_id, actor.party_id)
    return [
        Person(each, name, Role(role), deputy, None if contracts is None else frozenset(contracts))
        for each, name, role, deputy, contracts in rows
    ]


async def decider(session: AsyncSession, actor: Actor, person: UUID | None) -> Decider:
    """This person with the roles of the colleagues who named them as their deputy."""
    known = await of_factory(session, actor)
    named = [each for each in known if person is not None and each.deputy_id == person]
    return Decider(person, actor.role, {each.role: each.name for each in named})
