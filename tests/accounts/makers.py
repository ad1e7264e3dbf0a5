"""People who can sign in, keys and browsers for the tests of accounts."""

import os
from dataclasses import dataclass
from uuid import UUID

from portal.accounts import identity, passwords
from portal.accounts.actors import Place
from portal.accounts.model import Member, MemberStatus
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.ids import uuid7

PASSWORD = "nine halyards of hemp"


@dataclass(slots=True)
class Person:
    """Somebody with an account who acts for one company."""

    user_id: UUID
    email: str
    actor: Actor
    token: str = ""

    @property
    def member_id(self) -> UUID:
        assert self.actor.member_id is not None
        return self.actor.member_id


_hashes: list[str] = []


async def password_hash() -> str:
    """The hash of PASSWORD, computed once a process."""
    if not _hashes:
        _hashes.append(await passwords.hashed(PASSWORD))
    return _hashes[0]


def new_email() -> str:
    return f"p{os.urandom(6).hex()}@people.example"


async def make_person(company: Actor, role: Role, name: str = "Ann Weber", *, email: str | None = None) -> Person:
    """A member of the company with an account and an open session there."""
    email = email or new_email()
    user = await identity.find_user(email)
    user_id = user.id if user else await identity.create_user(email, name, await password_hash())
    member_id = uuid7()
    async with unit_of_work(company) as session:
        session.add(
            Member(
                tenant_id=company.tenant_id,
                party_id=company.party_id,
                id=member_id,
                email=email,
                name=name,
                role=role,
                status=MemberStatus.ACTIVE,
            )
        )
    await identity.join(user_id, Place(company.tenant_id, company.party_id, company.scope, member_id))
    companies = await identity.companies_of(user_id)
    [(membership, actor)] = [
        (found.membership_id, found.live.actor) for found in companies if found.live.actor.member_id == member_id
    ]
    return Person(user_id, email, actor, await identity.open_session(user_id, membership, "test"))


async def signed(person: Person) -> identity.Signed:
    """The person's browser."""
    found = await identity.signed_in(person.token)
    assert found is not None
    return found
