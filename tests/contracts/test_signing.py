"""Accepting with a one-time code, where the workspace asks for it. What is refused leaves everything as it was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from portal.accounts.model import Acceptance
from portal.accounts.rules_factor import CodeMissing, CodeUsed, CodeWrong, FactorMissing
from portal.accounts.service_acceptance import SetAcceptance, asks_for_code, set_acceptance
from portal.app import create_app
from portal.approvals.service import Decision
from portal.contracts.rules_life import OwnProposal, PeopleAccept
from portal.core.access import Role
from portal.core.actor import Channel
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden
from portal.core.i18n import Language, speaking
from portal.core.settings import Settings
from portal.notices.compose import card_for
from portal.paper.agreed import agreed
from portal.paper.contract_paper import contract_document
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.factors import enrolled, shown, used, wrong
from tests.accounts.makers import Person, make_person
from tests.approvals.makers import all_of, approvers, make_colleague, put_in_force, rules_of
from tests.contracts.makers import make_proposed, step
from tests.contracts.test_api import BASE, calling, matching
from tests.contracts.test_approval import CONTRACT, answer, waiting
from tests.contracts.versions import from_day, make_active, take
from tests.factories import Tenant, fetch, today

STORED = """
select c.status, c.version, r.status, r.answered_via, r.answered_with,
    (select count(*) from timeline t where t.subject_id = c.id),
    (select count(*) from outbox o where o.data->>'contract_id' = c.id::text)
from contract c join contract_revision r on r.contract_id = c.id where c.id = $1 order by r.number desc limit 1"""


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    """The application over this worker's database."""
    return create_app(database)


@asynccontextmanager
async def at_a_browser(app: Litestar, person: Person) -> AsyncIterator[Browser]:
    async with browsing(app, person.token) as browser:
        yield browser


async def ask_for(tenant: Tenant, acceptance: Acceptance = Acceptance.ONE_TIME_CODE) -> None:
    async with unit_of_work(tenant.factory) as session:
        await set_acceptance(session, tenant.factory, SetAcceptance(acceptance=acceptance))


async def stored(tenant: Tenant, contract_id: UUID) -> tuple[Any, ...]:
    """The contract, its newest offer, and how much was noted and told of it."""
    (row,) = await fetch(tenant.factory, STORED, contract_id)
    return tuple(row)


async def test_the_factorys_administrators_decide_and_everybody_can_read_it(tenant: Tenant, database: Settings) -> None:
    planner = replace(tenant.factory, role=Role.PLANNER)
    for actor in (tenant.customer, planner):
        async with unit_of_work(actor) as session:
            with pytest.raises(Forbidden):
                await set_acceptance(session, actor, SetAcceptance(acceptance=Acceptance.ONE_TIME_CODE))
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as customer:
        assert (await customer.get("/api/v1/acceptance")).json() == {"acceptance": "password"}
        assert (await customer.put("/api/v1/acceptance", json={"acceptance": "one_time_code"})).status_code == 403
        assert (await factory.put("/api/v1/acceptance", json={"acceptance": "one_time_code"})).status_code == 200
        assert (await customer.get("/api/v1/acceptance")).json() == {"acceptance": "one_time_code"}
    told = await fetch(tenant.factory, "select data from audit where action = 'tenant.edited'")
    assert [row["data"] for row in told] == [{"acceptance": "one_time_code"}]


async def test_a_key_a_chat_and_a_person_without_the_right_code_accept_nothing(
    tenant: Tenant, database: Settings
) -> None:
    contract, person = await make_proposed(tenant), await make_person(tenant.customer, Role.PARTNER_ADMIN)
    await ask_for(tenant)
    ann, before = person.actor, await stored(tenant, contract.id)
    async with unit_of_work(ann) as session:
        card = await card_for(session, ann, "contract", contract.id, "")
    assert card.deadline == "Please accept or decline it on its page. Accepting asks for a one-time code."
    async with calling(database, tenant.customer) as customer:
        seen = await customer.get(f"{BASE}/{contract.id}")
        refused = await customer.post(f"{BASE}/{contract.id}/accept", headers=matching(seen))
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "people-accept")
    for channel in (Channel.CHAT, Channel.API, Channel.FILE):
        with pytest.raises(PeopleAccept):
            await step(ann.via(channel), "accept", contract.id, code="123456")
    with pytest.raises(FactorMissing):
        await step(ann, "accept", contract.id, code="123456")
    secret, codes = await enrolled(person)
    tries = (("", CodeMissing), (wrong(secret), CodeWrong), (used(secret), CodeUsed))
    for code, refusal in tries:
        with pytest.raises(refusal):
            await step(ann, "accept", contract.id, code=code)
    with pytest.raises(OwnProposal):
        await step(tenant.factory, "accept", contract.id, code=codes[0])
    assert await stored(tenant, contract.id) == before

    await step(ann, "accept", contract.id, code=codes[0])
    assert (await stored(tenant, contract.id))[:5] == ("accepted", 3, "agreed", "page", "recovery_code")
    await ask_for(tenant, Acceptance.PASSWORD)
    async with unit_of_work(tenant.customer) as session:
        assert not await asks_for_code(session, tenant.customer)


async def test_a_contract_is_accepted_with_a_code_in_pages_and_its_document_says_so(
    tenant: Tenant, app: Litestar
) -> None:
    contract, person = await make_proposed(tenant), await make_person(tenant.customer, Role.PARTNER_ADMIN)
    here = f"/contracts/{contract.id}"
    admin = await make_person(tenant.factory, Role.ADMIN)
    async with at_a_browser(app, admin) as factory:
        assert "Accepting contracts" in text_of(await factory.open("/people"))
        saved = await factory.send("/people/acceptance", acceptance="one_time_code")
        assert saved.headers["location"] == "/people?done=acceptance"
    async with at_a_browser(app, person) as customer:
        page = await customer.open(here)
        assert f'href="/profile/second-factor?next={here}"' in page.text
        assert f'action="{here}/accept"' not in page.text
        before = await stored(tenant, contract.id)
        refused = await customer.send(f"{here}/accept", version="2", code="123456")
        assert (refused.status_code, "You have no second factor yet." in text_of(refused)) == (422, True)
        secret, codes = await enrolled(person)
        assert 'name="code"' in (await customer.open(here)).text
        for code, sentence in ((wrong(secret), "This code is not right."), (used(secret), "This code was used")):
            refused = await customer.send(f"{here}/accept", version="2", code=code)
            assert (refused.status_code, sentence in text_of(refused)) == (422, True)
        stale = await customer.send(f"{here}/accept", version="1", code=codes[0])
        assert stale.status_code == 409
        assert await stored(tenant, contract.id) == before
        done = await customer.send(f"{here}/accept", version="2", code=shown(secret, 1))
        assert (done.status_code, done.headers["location"]) == (303, here)
        versions = text_of(await customer.open(f"{here}/versions"))
    assert "Signed in with password and one-time code." in versions
    assert (await stored(tenant, contract.id))[:5] == ("accepted", 3, "agreed", "page", "code")
    async with unit_of_work(tenant.customer) as session:
        text = await agreed(session, tenant.customer, contract.id)
    for language, words in (
        (Language.EN, "on the portal's page, signed in with password and one-time code"),
        (Language.ZH, "凭密码和一次性验证码登录后在平台页面上操作"),
    ):
        with speaking(language):
            assert words in repr(contract_document(text, language, "https://portal.example/verify"))


async def test_an_amendment_asks_for_a_code_too(tenant: Tenant, app: Litestar) -> None:
    contract = await make_active(tenant)
    made = await take(tenant.factory, "amend", contract, from_day(today() + timedelta(days=40), 700))
    person = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    secret, codes = await enrolled(person)
    await ask_for(tenant)
    before, here = await stored(tenant, contract.id), f"/contracts/{contract.id}"
    with pytest.raises(OwnProposal):
        await take(tenant.factory, "accept_amendment", contract, code=codes[0])
    with pytest.raises(PeopleAccept):
        await take(person.actor.via(Channel.API), "accept_amendment", contract)
    async with at_a_browser(app, person) as customer:
        page = await customer.open(f"{here}/versions")
        assert 'name="code"' in page.text
        for code in ("", used(secret)):
            refused = await customer.send(f"{here}/amendment/accept", version=str(before[1]), code=code)
            assert (refused.status_code, "Comparison" in text_of(refused)) == (422, True)
        assert await stored(tenant, contract.id) == before
        done = await customer.send(f"{here}/amendment/accept", version=str(before[1]), code=shown(secret, 1))
        assert done.status_code == 303
    (row,) = await fetch(tenant.factory, "select status, answered_with from contract_revision where id = $1", made.id)
    assert tuple(row) == ("agreed", "code")


async def test_the_code_is_asked_when_the_word_is_given_and_kept_while_colleagues_approve(tenant: Tenant) -> None:
    finance = await make_colleague(tenant, Role.FINANCE)
    contract = await make_active(tenant)
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE))), CONTRACT)
    await take(tenant.customer, "amend", contract, from_day(today() + timedelta(days=40), 9000))
    person = await make_person(tenant.factory, Role.ADMIN)
    _secret, codes = await enrolled(person)
    await ask_for(tenant)
    with pytest.raises(CodeMissing):
        await take(person.actor, "accept_amendment", contract)
    assert await waiting(tenant, contract) == []
    await take(person.actor, "accept_amendment", contract, code=codes[0])
    (case,) = await waiting(tenant, contract)
    assert codes[0] not in str(case.data)
    await answer(finance, case, Decision.APPROVE)
    assert (await stored(tenant, contract.id))[2:5] == ("agreed", "page", "recovery_code")
