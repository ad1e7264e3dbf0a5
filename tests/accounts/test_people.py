"""Who may invite, change, restrict and remove whom."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import identity, reads, rules, service_joining
from portal.accounts.actors import Place, live_member
from portal.accounts.service import (
    ChangeRole,
    InviteMember,
    RestrictMember,
    change_role,
    invite_member,
    remove_member,
    resend_invitation,
    restrict_member,
)
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.ids import uuid7
from portal.core.versions import Stale
from tests.accounts.makers import PASSWORD, make_person, new_email, signed
from tests.factories import Tenant, fetch, make_contract


async def invite(actor: Actor, party_id: UUID, email: str | None = None, role: Role = Role.CLERK) -> UUID:
    async with unit_of_work(actor) as session:
        data = InviteMember(email=email or new_email(), name="Eva Müller", role=role)
        return (await invite_member(session, actor, party_id, data)).id


async def links(actor: Actor, party_id: UUID) -> dict[UUID, str]:
    members = await reads.list_members(actor, limit=100, party_id=party_id)
    return {row.member.id: row.link for row in await reads.invitations_of(actor, members)}


async def deeds(tenant: Tenant, member_id: UUID) -> tuple[list[str], list[str], list[str]]:
    """Timeline as the customer sees it, audit and outbox as the factory sees them."""
    timeline = await fetch(tenant.customer, "select verb from timeline where subject_id = $1 order by id", member_id)
    audit = await fetch(tenant.factory, "select action from audit where subject_id = $1 order by id", member_id)
    outbox = await fetch(
        tenant.factory, "select name from outbox where data->>'member_id' = $1 order by id", str(member_id)
    )
    return [r[0] for r in timeline], [r[0] for r in audit], [r[0] for r in outbox]


Command = Callable[[AsyncSession], Awaitable[object]]


def on_member(actor: Actor, member_id: UUID) -> list[Command]:
    """Everything that can be done to a member."""
    return [
        lambda session: change_role(session, actor, member_id, 1, ChangeRole(role=Role.CLERK)),
        lambda session: restrict_member(session, actor, member_id, 1, RestrictMember(restricted=False)),
        lambda session: remove_member(session, actor, member_id, 1),
        lambda session: resend_invitation(session, actor, member_id),
    ]


async def test_the_factory_invites_a_partners_first_administrator(tenant: Tenant) -> None:
    member_id = await invite(tenant.factory, tenant.customer.party_id, role=Role.PARTNER_ADMIN)
    assert (await links(tenant.customer, tenant.customer.party_id))[member_id].startswith("/invitations/")
    assert await deeds(tenant, member_id) == (["invited"], ["member.invited"], ["MemberInvited"])


async def test_history_audit_and_outbox_tell_the_whole_membership(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with unit_of_work(tenant.customer) as session:
        await change_role(session, tenant.customer, ann.member_id, 1, ChangeRole(role=Role.FINANCE))
    async with unit_of_work(tenant.customer) as session:
        await remove_member(session, tenant.customer, ann.member_id, 2)
    timeline, audit, outbox = await deeds(tenant, ann.member_id)
    assert timeline == ["role_changed", "removed"]
    assert audit == ["member.role_changed", "member.removed"]
    assert outbox == ["MemberRemoved"]


async def test_a_partner_administrator_neither_sees_nor_touches_another_companys_people(tenant: Tenant) -> None:
    ben = await make_person(tenant.supplier, Role.CLERK)
    ann, party = tenant.customer, tenant.supplier.party_id
    assert all(row.party_id == ann.party_id for row in await reads.list_members(ann, limit=100))
    assert await reads.list_members(ann, limit=100, party_id=party) == []
    for member_id in (ben.member_id, uuid7()):  # foreign and absent alike
        with pytest.raises(NotFound):
            await reads.get_member(ann, member_id)
        for command in on_member(ann, member_id):
            with pytest.raises(NotFound):
                async with unit_of_work(ann) as session:
                    await command(session)
    for party_id in (party, uuid7(), tenant.factory.party_id):
        with pytest.raises(NotFound):
            await invite(ann, party_id)
    assert (await signed(ben)).actor is not None


@pytest.mark.parametrize("role", [Role.CLERK, Role.FINANCE, Role.VIEWER])
async def test_other_roles_of_a_partner_manage_nobody(tenant: Tenant, role: Role) -> None:
    clerk = replace(tenant.customer, role=role)
    with pytest.raises(Forbidden):
        await invite(clerk, clerk.party_id)
    with pytest.raises(Forbidden):
        await reads.list_members(clerk, limit=10)
    rows = await fetch(tenant.factory, "select count(*) from member where party_id = $1", clerk.party_id)
    assert rows[0][0] == 1


async def test_the_last_administrator_stays_and_the_last_but_one_may_go(tenant: Tenant) -> None:
    actor = tenant.customer
    assert actor.member_id is not None
    demote, _restrict, remove, _resend = on_member(actor, actor.member_id)
    for command in (demote, remove):
        with pytest.raises(rules.LastAdmin):
            async with unit_of_work(actor) as session:
                await command(session)
    second = await make_person(actor, Role.PARTNER_ADMIN)
    async with unit_of_work(actor) as session:
        await remove_member(session, actor, second.member_id, 1)
    [row] = await fetch(actor, "select role, status from member where id = $1", actor.member_id)
    assert (row["role"], row["status"]) == ("partner_admin", "active")


async def test_two_administrators_who_remove_each_other_at_once_leave_one(tenant: Tenant) -> None:
    first, second = tenant.customer, (await make_person(tenant.customer, Role.PARTNER_ADMIN)).actor

    async def remove(actor: Actor, other: UUID | None) -> bool:
        assert other is not None
        try:
            async with unit_of_work(actor) as session:
                await remove_member(session, actor, other, 1)
        except rules.LastAdmin:
            return False
        return True

    answers = await asyncio.gather(remove(first, second.member_id), remove(second, first.member_id))
    assert sorted(answers) == [False, True]


async def test_an_address_is_invited_once_and_belongs_once(tenant: Tenant) -> None:
    party, email = tenant.customer.party_id, new_email()
    await invite(tenant.customer, party, email)
    with pytest.raises(rules.AlreadyInvited):
        await invite(tenant.customer, party, email.upper())
    ann = await make_person(tenant.customer, Role.CLERK)
    with pytest.raises(rules.AlreadyMember):
        await invite(tenant.customer, party, ann.email)


async def test_a_new_link_ends_the_old_one(tenant: Tenant) -> None:
    member_id = await invite(tenant.customer, tenant.customer.party_id)
    old = (await links(tenant.customer, tenant.customer.party_id))[member_id]
    async with unit_of_work(tenant.customer) as session:
        await resend_invitation(session, tenant.customer, member_id)
    new = (await links(tenant.customer, tenant.customer.party_id))[member_id]
    assert new != old
    assert await identity.find_invitation(old.rpartition("/")[2]) is None
    assert await identity.find_invitation(new.rpartition("/")[2]) is not None


async def test_a_link_lasts_seven_days(tenant: Tenant) -> None:
    member_id = await invite(tenant.customer, tenant.customer.party_id)
    [row] = [
        row
        for row in await reads.invitations_of(
            tenant.customer, await reads.list_members(tenant.customer, limit=100, party_id=tenant.customer.party_id)
        )
        if row.member.id == member_id
    ]
    assert row.expires_at is not None
    assert timedelta(days=6, hours=23) < row.expires_at - clock.now() <= timedelta(days=7)


async def test_somebody_removed_can_be_invited_again_without_the_old_restriction(tenant: Tenant) -> None:
    ann, made = await make_person(tenant.customer, Role.CLERK), await make_contract(tenant)
    data = RestrictMember(restricted=True, contract_ids=[made.contract.id])
    async with unit_of_work(tenant.customer) as session:
        await restrict_member(session, tenant.customer, ann.member_id, 1, data)
    async with unit_of_work(tenant.customer) as session:
        await remove_member(session, tenant.customer, ann.member_id, 2)
    member_id = await invite(tenant.customer, tenant.customer.party_id, ann.email, Role.FINANCE)
    assert member_id == ann.member_id
    link = (await links(tenant.customer, tenant.customer.party_id))[member_id]
    assert (await signed(ann)).actor is None  # invited is not yet in
    await service_joining.join_as(await signed(ann), link.rpartition("/")[2])
    token = await identity.sign_in(ann.email, PASSWORD, "", "again")
    found = await identity.signed_in(token or "")
    assert found is not None
    assert found.actor is not None
    assert (found.actor.role, found.actor.contract_ids) == (Role.FINANCE, None)


async def test_administrators_are_not_restricted_and_the_restricted_do_not_become_administrators(
    tenant: Tenant,
) -> None:
    made, ann = await make_contract(tenant), await make_person(tenant.customer, Role.CLERK)
    boss = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    data = RestrictMember(restricted=True, contract_ids=[made.contract.id])
    with pytest.raises(rules.AdminRestricted):
        async with unit_of_work(tenant.customer) as session:
            await restrict_member(session, tenant.customer, boss.member_id, 1, data)
    async with unit_of_work(tenant.customer) as session:
        await restrict_member(session, tenant.customer, ann.member_id, 1, data)
    with pytest.raises(rules.AdminRestricted):
        async with unit_of_work(tenant.customer) as session:
            await change_role(session, tenant.customer, ann.member_id, 2, ChangeRole(role=Role.PARTNER_ADMIN))
    assert (await signed(ann)).actor == replace(ann.actor, role=Role.CLERK, contract_ids=frozenset({made.contract.id}))


async def test_colleagues_of_one_partner_are_kept_apart_and_a_restriction_can_be_lifted(tenant: Tenant) -> None:
    one, two = await make_contract(tenant), await make_contract(tenant)
    ann, eva = await make_person(tenant.customer, Role.CLERK), await make_person(tenant.customer, Role.CLERK)
    for person, made in ((ann, one), (eva, two)):
        data = RestrictMember(restricted=True, contract_ids=[made.contract.id])
        async with unit_of_work(tenant.customer) as session:
            await restrict_member(session, tenant.customer, person.member_id, 1, data)
    seen = [(await signed(person)).actor for person in (ann, eva)]
    assert [actor.contract_ids for actor in seen if actor] == [frozenset({m.contract.id}) for m in (one, two)]
    parties = await reads.list_parties(seen[0] or ann.actor, limit=10)
    assert [(party.id, party.contracts) for party in parties] == [(tenant.customer.party_id, 1)]
    async with unit_of_work(tenant.customer) as session:
        await restrict_member(session, tenant.customer, ann.member_id, 2, RestrictMember(restricted=False))
    free = (await signed(ann)).actor
    assert free is not None
    assert free.contract_ids is None


async def test_a_restriction_needs_something_to_see(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    with pytest.raises(rules.NothingChosen):
        async with unit_of_work(tenant.customer) as session:
            await restrict_member(session, tenant.customer, ann.member_id, 1, RestrictMember(restricted=True))
    assert (await signed(ann)).actor == ann.actor


async def test_an_old_version_is_refused(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with unit_of_work(tenant.customer) as session:
        await change_role(session, tenant.customer, ann.member_id, 1, ChangeRole(role=Role.VIEWER))
    for version in (1, 3):
        with pytest.raises(Stale):
            async with unit_of_work(tenant.customer) as session:
                await change_role(session, tenant.customer, ann.member_id, version, ChangeRole(role=Role.FINANCE))
    assert (await reads.get_member(tenant.customer, ann.member_id)).role is Role.VIEWER


@pytest.mark.parametrize("role", [Role.ADMIN, Role.PLANNER, Role.AUDITOR])
async def test_no_partner_gets_a_role_of_the_factory(tenant: Tenant, role: Role) -> None:
    for actor in (tenant.factory, tenant.customer):
        with pytest.raises(PortalError):
            await invite(actor, tenant.customer.party_id, role=role)
    assert await links(tenant.customer, tenant.customer.party_id) == {}


async def test_an_identity_row_without_a_live_member_opens_nothing(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    for place in (
        Place(tenant.id, tenant.customer.party_id, tenant.factory.scope, ann.member_id),  # the factory's scope claimed
        Place(tenant.id, tenant.supplier.party_id, tenant.customer.scope, ann.member_id),
        Place(uuid7(), tenant.customer.party_id, tenant.customer.scope, ann.member_id),
    ):
        assert await live_member(place) is None
