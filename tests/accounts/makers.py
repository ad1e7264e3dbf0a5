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
from tests.factories import Tenant

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


def new_email() -> str:
    return f"p{os.urandom(6).hex()}@people.example"


async def make_person(company: Actor, role: Role, name: str = "Ann Weber", *, email: str | None = None) -> Person:
    """A member of the company with an account and an open session there."""
    email = email or new_email()
    user = await identity.find_user(email)
    user_id = user.id if user else await identity.create_user(email, name, await passwords.hashed(PASSWORD))
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
    token = await identity.sign_in(email, PASSWORD, "test", f"test-{email}")
    assert token is not None
    signed = await identity.signed_in(token)
    assert signed is not None
    actor = signed.actor or next(
        found.live.actor for found in await identity.companies_of(user_id) if found.live.actor.member_id == member_id
    )
    return Person(user_id, email, actor, token)


async def signed(person: Person) -> identity.Signed:
    """The person's browser."""
    found = await identity.signed_in(person.token)
    assert found is not None
    return found


async def make_tenants(url: str, count: int) -> list[Tenant]:
    """Several factories' workspaces."""
    from tests.factories import make_tenant

    return [await make_tenant(url) for _ in range(count)]
