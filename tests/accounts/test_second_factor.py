"""The second factor of a person: set up, used once, throttled, removed; and signing in with it, as a browser does."""

import asyncio
from typing import Any

import pytest
from litestar import Litestar

from portal.accounts import identity, rules_factor, second_factor, service_factor
from portal.accounts.attempts import TooManyAttempts
from portal.accounts.rules_factor import CodeMissing, CodeUsed, CodeWrong, FactorMissing, FactorThere, Proof
from portal.accounts.service_joining import WrongPassword
from portal.core import db
from portal.core.access import Role
from portal.core.errors import NotFound
from tests.accounts.browser import browsing, text_of
from tests.accounts.factors import enrolled, shown, used, wrong
from tests.accounts.makers import PASSWORD, Person, make_person, new_email, signed
from tests.accounts.test_cli import portal
from tests.conftest import Choose
from tests.factories import Tenant, fetch

ROWS = """
select (select to_jsonb(f) - 'secret' from user_factor f where user_id = $1) as factor,
    (select count(*) from user_recovery_code where user_id = $1 and used_at is null) as codes,
    (select count(*) from user_session where user_id = $1) as sessions"""


async def rows(person: Person) -> tuple[Any, ...]:
    """What is stored of the person's factor, codes and sessions."""
    async with db.identity_work() as session:
        row = await (await db.driver(session)).fetchrow(ROWS, person.user_id)
    assert row is not None
    return tuple(row)


async def test_setting_up_counts_from_the_first_right_code_and_ends_other_sessions(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    elsewhere = await identity.sign_in(ann.email, PASSWORD, "", ann.email)
    assert elsewhere is not None
    with pytest.raises(WrongPassword):
        await service_factor.begin(await signed(ann), "not this one", ann.email)
    assert (await rows(ann))[0] is None
    made = await service_factor.begin(await signed(ann), PASSWORD, ann.email)
    assert await identity.signed_in(elsewhere) is not None
    before = await rows(ann)
    for typed, refusal in ((wrong(made.secret), CodeWrong), (" ", CodeMissing)):
        with pytest.raises(refusal):
            await service_factor.confirm(await signed(ann), typed)
    assert await rows(ann) == before
    assert await second_factor.state(ann.user_id) == second_factor.State(None, 0)

    codes = await service_factor.confirm(await signed(ann), shown(made.secret))
    assert (await second_factor.state(ann.user_id)).codes_left == len(codes) == 10
    assert await identity.signed_in(elsewhere) is None
    assert await identity.signed_in(ann.token) is not None
    with pytest.raises(FactorThere):
        await service_factor.begin(await signed(ann), PASSWORD, ann.email)
    with pytest.raises(CodeUsed):
        await second_factor.prove(ann.user_id, shown(made.secret))
    told = await fetch(tenant.factory, "select action, data::text from audit where subject_id = $1", ann.member_id)
    assert [tuple(row) for row in told] == [("member.factor_set_up", "{}")]


async def test_of_many_at_once_one_uses_a_code(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    secret, codes = await enrolled(ann)
    for code, proof in ((shown(secret, 1), Proof.CODE), (codes[0], Proof.RECOVERY)):
        tries = [second_factor.prove(ann.user_id, code) for _ in range(4)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(map(str, map(type, answers))) == sorted([str(Proof), *[str(CodeUsed)] * 3])
        assert proof in answers
        await second_factor.prove(ann.user_id, codes[5 if proof is Proof.CODE else 6])  # the count begins anew


async def test_five_wrong_codes_close_the_door_for_right_ones_too(tenant: Tenant) -> None:
    ann, ben = [await make_person(tenant.customer, Role.CLERK) for _ in range(2)]
    (secret, codes), (other, _codes) = await enrolled(ann), await enrolled(ben)
    before = await rows(ann)
    tries = [second_factor.prove(ann.user_id, wrong(secret)) for _ in range(8)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(answer, CodeWrong) for answer in answers].count(True) == 5
    assert [isinstance(answer, TooManyAttempts) for answer in answers].count(True) == 3
    for right in (shown(secret, 1), codes[0]):
        with pytest.raises(TooManyAttempts):
            await second_factor.prove(ann.user_id, right)
    assert await rows(ann) == before
    with pytest.raises(CodeWrong):
        await second_factor.prove(ben.user_id, codes[0])
    assert await second_factor.prove(ben.user_id, shown(other, 1)) is Proof.CODE


async def test_the_secret_is_closed_at_rest_and_recovery_codes_outlive_another_key(
    tenant: Tenant, choose: Choose
) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    secret, codes = await enrolled(ann)
    async with db.identity_work() as session:
        connection = await db.driver(session)
        stored = await connection.fetchval("select secret from user_factor where user_id = $1", ann.user_id)
        hashes = await connection.fetch("select code_hash from user_recovery_code where user_id = $1", ann.user_id)
    assert secret.encode() not in stored
    assert not {row[0] for row in hashes} & set(codes)
    choose(secret_key="another key of more than enough signs")
    with pytest.raises(second_factor.FactorUnreadable):
        await second_factor.prove(ann.user_id, shown(secret, 1))
    assert await second_factor.prove(ann.user_id, codes[0]) is Proof.RECOVERY


async def test_it_is_removed_with_a_code_or_the_password_and_with_neither_stays(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    secret, _codes = await enrolled(ann)
    before = await rows(ann)
    for password, code, refusal in (
        ("", "", CodeMissing),
        ("not this one", "", WrongPassword),
        ("", wrong(secret), CodeWrong),
        ("", used(secret), CodeUsed),
    ):
        with pytest.raises(refusal):
            await service_factor.remove(await signed(ann), password, code, ann.email)
    assert await rows(ann) == before
    anew = await service_factor.renew_codes(await signed(ann), shown(secret, 1))
    with pytest.raises(CodeWrong):
        await second_factor.prove(ann.user_id, _codes[0])
    await service_factor.remove(await signed(ann), "", anew[0], ann.email)
    assert (await rows(ann))[:2] == (None, 0)
    with pytest.raises(FactorMissing):
        await service_factor.remove(await signed(ann), PASSWORD, "", ann.email)
    assert await identity.sign_in(ann.email, PASSWORD, "", ann.email) is not None


async def test_the_operator_removes_it_and_sessions_end(tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    await enrolled(ann)
    done = portal("user", "second-factor", ann.email, "--remove")
    assert (done.returncode, "password alone" in done.stdout) == (0, True), done.stderr
    assert await rows(ann) == (None, 0, 0)
    with pytest.raises(NotFound):
        await service_factor.remove_by_operator(new_email())
    told = await fetch(tenant.factory, "select action from audit where subject_id = $1 order by id", ann.member_id)
    assert [row["action"] for row in told] == ["member.factor_set_up", "member.factor_removed"]


# --- in pages ---------------------------------------------------------------------------------------------------------


async def test_a_person_sets_it_up_in_pages_and_signs_in_with_it(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with browsing(app, ann.token) as browser:
        assert "Present password" in text_of(await browser.open("/profile/second-factor?next=/contracts"))
        refused = await browser.send("/profile/second-factor", password="not this one")
        assert (refused.status_code, "This is not your present password." in text_of(refused)) == (422, True)
        begun = await browser.send("/profile/second-factor", password=PASSWORD, next="/contracts")
        assert begun.headers["location"] == "/profile/second-factor/set-up?next=%2Fcontracts"
        page = await browser.open(begun.headers["location"])
        secret = (await second_factor.begun(ann.user_id, ann.email)).secret
        assert rules_factor.in_fours(secret) in text_of(page)
        assert 'src="data:image/svg+xml' in page.text
        refused = await browser.send("/profile/second-factor/set-up", code=wrong(secret), next="/contracts")
        assert (refused.status_code, "This code is not right." in text_of(refused)) == (422, True)
        done = await browser.send("/profile/second-factor/set-up", code=shown(secret), next="/contracts")
        assert (done.status_code, done.text.count("<code>"), 'href="/contracts"' in done.text) == (200, 10, True)
        assert "10 recovery codes are left." in text_of(await browser.open("/profile/second-factor"))
        assert (await browser.open("/profile/second-factor/set-up")).status_code == 303

    async with browsing(app, address="203.0.113.77") as browser:
        half = await browser.send("/sign-in", email=ann.email, password=PASSWORD, next="/sites")
        assert (half.status_code, half.headers["location"]) == (303, "/sign-in/code?next=%2Fsites")
        assert browser.session is None
        assert (await browser.open("/profile")).status_code == 303
        assert "Your password is right." in text_of(await browser.open(half.headers["location"]))
        before = await rows(ann)
        for typed, sentence in (
            (wrong(secret), "This code is not right."),
            (used(secret), "This code was used already"),
            ("", "Type the six digits"),
        ):
            refused = await browser.send("/sign-in/code", code=typed, next="/sites")
            assert (refused.status_code, sentence in text_of(refused), browser.session) == (422, True, None)
        assert await rows(ann) == before
        entered = await browser.send("/sign-in/code", code=shown(secret, 1), next="/sites")
        assert (entered.status_code, entered.headers["location"]) == (303, "/sites")
        assert (await browser.open("/profile")).status_code == 200


async def test_nobody_reaches_the_code_without_the_password(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    _secret, codes = await enrolled(ann)
    user = await identity.find_user(ann.email)
    assert user is not None
    carried = second_factor.half_way(user)
    assert await second_factor.who_is_half_way(carried) == ann.user_id
    who, until, mac = carried.split(".")
    forged = ("", "x", f"{who}.{until}", f"{who}.{int(until) + 1}.{mac}", f"{who}.1.{mac}", f"é.{until}.{mac}")
    for cookie in (*forged, f"{who}.{until}.{'0' * 64}", f"{who}.{'9' * 40}.{mac}"):
        assert await second_factor.who_is_half_way(cookie) is None
    async with browsing(app) as browser:
        browser.client.cookies.set("half-way", f"{who}.{until}.{'0' * 64}", domain="portal.example")
        for answer in (await browser.open("/sign-in/code"), await browser.send("/sign-in/code", code=codes[0])):
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F")
    await identity.replace_password(ann.user_id, "$argon2id$another")
    assert await second_factor.who_is_half_way(carried) is None
    assert (await second_factor.state(ann.user_id)).codes_left == 10
