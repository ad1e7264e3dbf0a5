"""Signing in, staying signed in, and ceasing to be."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from portal.accounts import attempts, identity, passwords, service_joining
from portal.accounts.identity import form_token, signed_in
from portal.accounts.revocation import listen_for_revocations
from portal.accounts.service import RestrictMember, remove_member, restrict_member
from portal.accounts.tokens import hash_of
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import asyncpg_dsn, unit_of_work
from portal.core.errors import NotFound
from portal.core.settings import Settings
from tests.accounts.makers import PASSWORD, Person, make_person, new_email, signed
from tests.conftest import Choose
from tests.factories import Tenant, make_contract, make_tenant

PATIENCE = 30.0


async def as_identity(settings: Settings, statement: str, *values: object) -> list[asyncpg.Record]:
    """What is stored about people, read as the role that may."""
    connection = await asyncpg.connect(asyncpg_dsn(str(settings.database_identity_url)))
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
        return rows
    finally:
        await connection.close()


async def test_a_person_signs_in_and_acts_for_their_company(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    found = await signed(ann)
    assert found.actor is not None
    assert (found.actor.party_id, found.actor.role, found.user_name) == (
        tenant.customer.party_id,
        Role.CLERK,
        "Ann Weber",
    )
    assert (found.tenant_name, found.company_name, found.companies) == ("Hengyuan Precision", "Aurora", 1)


async def test_only_the_hash_of_a_session_is_stored(tenant: Tenant, database: Settings) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    rows = await as_identity(database, "select * from user_session where user_id = $1", ann.user_id)
    assert [row["token_hash"] for row in rows] == [hash_of(ann.token)]
    assert ann.token not in str(rows)


async def test_a_wrong_password_an_unknown_address_and_a_disabled_person_are_answered_alike(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    assert await identity.sign_in(ann.email, "not this one", "", "n1") is None
    assert await identity.sign_in(new_email(), PASSWORD, "", "n1") is None
    await service_joining.disable_user(ann.email)
    assert await identity.sign_in(ann.email, PASSWORD, "", "n1") is None


async def test_an_unknown_address_takes_as_long_as_a_known_one(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    loop = asyncio.get_running_loop()

    async def took(email: str, network: str) -> float:
        begun = loop.time()
        await identity.sign_in(email, "not this one", "", network)
        return loop.time() - begun

    known = sorted([await took(ann.email, f"k{n}") for n in range(7)])[3]
    unknown = sorted([await took(new_email(), f"u{n}") for n in range(7)])[3]
    assert 0.5 < unknown / known < 2


async def test_every_sign_in_has_a_new_token_and_what_came_before_is_worth_nothing(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    planted = "a token that an attacker chose"
    again = await identity.sign_in(ann.email, PASSWORD, "", "n1")
    assert again not in {None, ann.token, planted}
    assert await signed_in(planted) is None


async def test_a_token_is_worth_nothing_after_signing_out(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    await identity.sign_out(ann.token)
    assert await signed_in(ann.token) is None


async def test_a_session_ends_when_idle_and_after_its_longest_time(tenant: Tenant, database: Settings) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    idle = timedelta(minutes=database.session_idle_minutes + 1)
    await as_identity(
        database, "update user_session set seen_at = now() - $2::interval where user_id = $1", ann.user_id, idle
    )
    assert await signed_in(ann.token) is None
    await as_identity(
        database, "update user_session set seen_at = now(), expires_at = now() where user_id = $1", ann.user_id
    )
    assert await signed_in(ann.token) is None


async def test_a_removed_member_opens_nothing_any_more(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with unit_of_work(tenant.customer) as session:
        await remove_member(session, tenant.customer, ann.member_id, 1)
    left = await signed(ann)
    assert (left.actor, left.membership_id) == (None, None)
    assert await identity.companies_of(ann.user_id) == []


async def test_a_disabled_person_is_signed_out_everywhere(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    await service_joining.disable_user(ann.email)
    assert await signed_in(ann.token) is None


async def test_one_person_works_for_two_companies_and_switches_under_a_new_token(
    tenant: Tenant, database: Settings
) -> None:
    other = await make_tenant(str(database.database_url))
    ann = await make_person(tenant.customer, Role.CLERK)
    await make_person(other.supplier, Role.PARTNER_ADMIN, email=ann.email)
    token = await identity.sign_in(ann.email, PASSWORD, "", "n1")
    assert token is not None
    before = await signed_in(token)
    assert before is not None
    assert before.actor is None  # two companies: the person chooses

    companies = {
        company.live.company_name: company.membership_id for company in await identity.companies_of(ann.user_id)
    }
    chosen = await identity.choose_company(before, companies["Castings"])
    after = await signed_in(chosen)
    assert after is not None
    assert after.actor is not None
    assert (after.actor.tenant_id, after.actor.role) == (other.id, Role.PARTNER_ADMIN)
    assert await signed_in(token) is None
    assert before.form_token != after.form_token


async def test_nobody_chooses_a_company_that_is_not_theirs(tenant: Tenant) -> None:
    ann, ben = await make_person(tenant.customer, Role.CLERK), await make_person(tenant.supplier, Role.CLERK)
    [foreign] = await identity.companies_of(ben.user_id)
    with pytest.raises(NotFound):
        await identity.choose_company(await signed(ann), foreign.membership_id)
    assert (await signed(ann)).company_name == "Aurora"


async def test_form_tokens_fit_one_session_and_one_company(tenant: Tenant, choose: Choose) -> None:
    ann, ben = await make_person(tenant.customer, Role.CLERK), await make_person(tenant.customer, Role.CLERK)
    mine, other = await signed(ann), await signed(ben)
    tokens = {mine.form_token, other.form_token, form_token(replace(mine, membership_id=other.membership_id))}
    choose(secret_key="another key of more than enough signs")
    assert len(tokens | {form_token(mine)}) == 4


async def test_without_a_secret_no_token_is_derived(tenant: Tenant, choose: Choose) -> None:
    ann = await signed(await make_person(tenant.customer, Role.CLERK))
    choose(secret_key="")
    with pytest.raises(ValueError, match="PORTAL_SECRET_KEY"):
        form_token(ann)


async def test_a_new_password_ends_the_other_sessions(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    elsewhere = await identity.sign_in(ann.email, PASSWORD, "", "n1")
    assert elsewhere is not None
    await service_joining.change_password(await signed(ann), PASSWORD, "seven blue herons", "n1")
    assert await signed_in(elsewhere) is None
    assert await signed_in(ann.token) is not None
    assert await identity.sign_in(ann.email, PASSWORD, "", "n1") is None
    assert await identity.sign_in(ann.email, "seven blue herons", "", "n1") is not None


async def test_the_present_password_is_asked_before_a_new_one(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    with pytest.raises(service_joining.WrongPassword):
        await service_joining.change_password(await signed(ann), "guessed", "seven blue herons", "n1")
    assert await identity.sign_in(ann.email, PASSWORD, "", "n1") is not None


async def test_a_weaker_hash_is_renewed_at_the_next_sign_in(tenant: Tenant, database: Settings) -> None:
    from argon2 import PasswordHasher

    ann = await make_person(tenant.customer, Role.CLERK)
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    await as_identity(database, "update user_account set password_hash = $2 where id = $1", ann.user_id, old)
    assert await identity.sign_in(ann.email, PASSWORD, "", "n1") is not None
    user = await identity.find_user(ann.email)
    assert user is not None
    assert "m=47104,t=1,p=1" in user.password_hash
    assert await identity.sign_in(ann.email, PASSWORD, "", "n1") is not None


async def test_a_long_password_is_compared_to_its_last_character() -> None:
    long = "ü" * 127
    stored = await passwords.hashed(long + "a")
    assert await passwords.fits(stored, long + "a")
    assert not await passwords.fits(stored, long + "b")


async def test_a_hundred_wrong_guesses_are_cut_short_and_the_right_one_has_to_wait_too(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    network = f"203.0.113.{ann.user_id.int % 250}-{ann.user_id}"

    async def guess(n: int) -> str:
        try:
            return "no" if await identity.sign_in(ann.email, f"guess number {n}", "", network) is None else "in"
        except attempts.TooManyAttempts:
            return "wait"

    answers = await asyncio.gather(*(guess(n) for n in range(100)))
    assert answers.count("in") == 0
    assert 10 <= answers.count("no") <= 12  # two may be at the door together
    with pytest.raises(attempts.TooManyAttempts):
        await identity.sign_in(ann.email, PASSWORD, "", network)
    assert await identity.sign_in(ann.email, PASSWORD, "", "the person's own network") is not None


async def test_guessing_many_accounts_from_one_network_is_limited() -> None:
    network = new_email()
    for n in range(100):
        await attempts.failed(f"{n}{network}", network)
    with pytest.raises(attempts.TooManyAttempts):
        await attempts.check(new_email(), network)


async def test_guessing_one_account_from_many_networks_is_limited() -> None:
    account = new_email()
    for n in range(50):
        await attempts.failed(account, f"{account}{n}")
    with pytest.raises(attempts.TooManyAttempts):
        await attempts.check(account, f"{account} elsewhere")


def test_one_line_of_ipv6_counts_as_one_network() -> None:
    assert attempts.neighbourhood("2001:db8:1:2::1") == attempts.neighbourhood("2001:db8:1:2:ffff::9")
    assert attempts.neighbourhood("2001:db8:1:2::1") != attempts.neighbourhood("2001:db8:1:3::1")
    assert attempts.neighbourhood("192.0.2.7") == "192.0.2.7"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what a message of the database brings about."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


async def is_remembered(person: Person) -> bool:
    return await signed(person) is await signed(person)


async def is_out(person: Person) -> bool:
    return (await signed(person)).actor is None


async def is_not(person: Person, former: identity.Signed) -> bool:
    return await signed(person) is not former


async def test_a_process_that_listens_remembers_and_forgets_with_the_commit(tenant: Tenant, database: Settings) -> None:
    ann, ben = await make_person(tenant.customer, Role.CLERK), await make_person(tenant.customer, Role.CLERK)
    ears = asyncio.create_task(listen_for_revocations(str(database.database_factory_url)))
    try:
        await until(lambda: is_remembered(ann))
        remembered = await signed(ann), await signed(ben)
        assert remembered[0] is await signed(ann)
        async with unit_of_work(tenant.customer) as session:
            await remove_member(session, tenant.customer, ann.member_id, 1)
            assert await signed(ann) is remembered[0]  # not before the commit
        assert (await signed(ann)).actor is None
        assert await signed(ben) is remembered[1]
        await identity.sign_out(ben.token)
        assert await signed_in(ben.token) is None
    finally:
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)


async def test_another_process_hears_it_through_the_database(tenant: Tenant, database: Settings) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    ears = asyncio.create_task(listen_for_revocations(str(database.database_factory_url)))
    try:
        await until(lambda: is_remembered(ann))
        assert (await signed(ann)).actor is not None
        connection = await asyncpg.connect(asyncpg_dsn(str(database.database_partner_url)))
        async with connection.transaction():
            await connection.execute(f"set local app.tenant_id = '{tenant.id}'")
            await connection.execute(f"set local app.party_id = '{tenant.customer.party_id}'")
            await connection.execute("update member set status = 'removed' where id = $1", ann.member_id)
            await connection.execute("select pg_notify('session_revoked', $1)", str(ann.member_id))
        await connection.close()
        await until(lambda: is_out(ann))
    finally:
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)


async def test_a_process_that_cannot_hear_remembers_nobody(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    assert await signed(ann) is not await signed(ann)


async def test_losing_the_connection_forgets_everybody(tenant: Tenant, database: Settings) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    ears = asyncio.create_task(listen_for_revocations(str(database.database_factory_url)))
    try:
        await until(lambda: is_remembered(ann))
        remembered = await signed(ann)
        killer = await asyncpg.connect(asyncpg_dsn(str(database.database_factory_url)))
        await killer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where query ilike 'listen%' and pid <> pg_backend_pid() and datname = current_database()"
        )
        await killer.close()
        await until(lambda: is_not(ann, remembered))
    finally:
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)


async def test_a_colleague_is_restricted_to_one_contract_and_to_a_site(tenant: Tenant) -> None:
    ann: Person = await make_person(tenant.customer, Role.CLERK)
    mine, at_site = await make_contract(tenant), await make_contract(tenant)
    other = await make_contract(tenant)
    async with unit_of_work(tenant.factory) as session:
        line = await session.merge(at_site.line)
        line.ship_to_code = "SUZHOU"
    async with unit_of_work(tenant.customer) as session:
        data = RestrictMember(restricted=True, contract_ids=[mine.contract.id], ship_to_codes=["SUZHOU"])
        await restrict_member(session, tenant.customer, ann.member_id, 1, data)
    actor = (await signed(ann)).actor
    assert actor is not None
    assert actor.contract_ids == frozenset({mine.contract.id, at_site.contract.id})
    assert other.contract.id not in actor.contract_ids

    foreign = await make_contract(tenant, Direction.PURCHASE)
    async with unit_of_work(tenant.customer) as session:
        data = RestrictMember(restricted=True, contract_ids=[foreign.contract.id])
        with pytest.raises(NotFound):
            await restrict_member(session, tenant.customer, ann.member_id, 2, data)
        await session.rollback()
