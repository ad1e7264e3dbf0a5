"""Who is written to: a live member, in the language of the person. Beside `identity` it opens identity tables to read
the person's language and whether they were disabled, and for nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from portal.accounts.actors import Place, live_members
from portal.core import db
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import Language


@dataclass(frozen=True, slots=True)
class Person:
    """What identity knows of a member."""

    language: Language | None
    disabled: bool


_PEOPLE = """
select m.member_id, u.language, u.disabled_at is not null as disabled
from membership m join user_account u on u.id = m.user_id where m.tenant_id = $1 and m.member_id = any($2)"""


async def people(tenant_id: UUID, member_ids: Sequence[UUID]) -> dict[UUID, Person]:
    """The persons behind members of one workspace, with one question."""
    async with db.identity_work() as session:
        rows = await (await db.driver(session)).fetch(_PEOPLE, tenant_id, list(member_ids))
    return {
        row["member_id"]: Person(Language(row["language"]) if row["language"] else None, row["disabled"])
        for row in rows
    }


async def addressees(connection: Driver, of: Place, persons: Mapping[UUID, Person | None]) -> dict[UUID, Actor]:
    """The members of one company as they may be written to now, without those who left or were disabled.

    persons: by member. The connection is in the company's scope.
    """
    wanted = [member_id for member_id, person in persons.items() if person is None or not person.disabled]
    return {
        member_id: _reader(live.actor, persons[member_id])
        for member_id, live in (await live_members(connection, of, wanted)).items()
    }


def _reader(actor: Actor, person: Person | None) -> Actor:
    return replace(actor, language=person.language) if person is not None and person.language else actor
