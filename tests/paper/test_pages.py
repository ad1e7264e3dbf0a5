"""Documents in pages and over the interface, as both companies meet them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from litestar import Litestar

from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.i18n import Language
from portal.core.settings import Settings
from portal.paper.service import contract_file
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.makers import events, make_proposed
from tests.contracts.test_api import calling
from tests.factories import Tenant, fetch, make_contract, today
from tests.paper.forgeries import over_the_page, revised
from tests.paper.makers import make_accepted


@asynccontextmanager
async def signed_in(app: Litestar, company: Actor, role: Role | None = None) -> AsyncIterator[Browser]:
    """Somebody of this company at their browser."""
    person = await make_person(company, role or company.role, "Ann Weber")
    async with browsing(app, person.token) as browser:
        yield browser


async def check(browser: Browser, content: bytes) -> Any:
    """Send a file to the page that checks copies."""
    await browser.open("/verify")
    form = {"_csrf_token": browser.form_token}
    return await browser.client.post("/verify", data=form, files={"file": ("copy.pdf", content)})


# --- the contract's card ----------------------------------------------------------------------------------------------


async def test_a_draft_offers_drafts_and_an_accepted_contract_its_sealed_documents(
    app: Litestar, tenant: Tenant
) -> None:
    proposed, accepted = await make_proposed(tenant), await make_accepted(tenant)
    async with signed_in(app, tenant.customer) as customer:
        before = text_of(await customer.open(f"/contracts/{proposed.id}"))
        after = await customer.open(f"/contracts/{accepted.id}")
        file = await customer.client.get(f"/contracts/{accepted.id}/contract.pdf?language=zh-CN")
    assert "Draft, not sealed" in before
    assert "The PDF with its seal is made once the contract is accepted." in before
    assert "Version 1, sealed on" in text_of(after)
    assert "Sealed PDF made" in text_of(after)
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"] == f'attachment; filename="{accepted.number}-v1-zh-CN.pdf"'
    assert file.content == (await contract_file(tenant.factory, accepted.id, Language.ZH)).content


async def test_the_pages_language_is_the_documents_unless_another_is_asked_for(app: Litestar, tenant: Tenant) -> None:
    accepted = await make_accepted(tenant)
    async with signed_in(app, tenant.customer) as customer:
        plain = await customer.client.get(f"/contracts/{accepted.id}/contract.pdf")
        strange = await customer.client.get(f"/contracts/{accepted.id}/contract.pdf?language=fr")
    assert plain.headers["content-disposition"].endswith('-en.pdf"')
    assert strange.status_code in (400, 404, 422)


async def test_who_sees_no_prices_sees_no_documents(app: Litestar, tenant: Tenant) -> None:
    accepted = await make_accepted(tenant)
    async with signed_in(app, tenant.customer, Role.CLERK) as clerk:
        page = await clerk.open(f"/contracts/{accepted.id}")
        refused = await clerk.open(f"/contracts/{accepted.id}/contract.pdf")
    assert "contract.pdf" not in page.text
    assert refused.status_code == 403


async def test_a_missing_document_can_be_asked_for_on_the_page(app: Litestar, tenant: Tenant) -> None:
    accepted = await make_accepted(tenant, seal=False)
    async with signed_in(app, tenant.customer) as customer:
        page = text_of(await customer.open(f"/contracts/{accepted.id}"))
        waiting = await customer.client.get(f"/contracts/{accepted.id}/contract.pdf")
        await customer.open(f"/contracts/{accepted.id}")
        sent = await customer.send(f"/contracts/{accepted.id}/seal")
    assert "Make the sealed PDF" in page
    assert waiting.status_code == 503
    assert "The sealed document is being made. Open it again in a moment." in text_of(waiting)
    assert sent.status_code == 303
    assert (await events(tenant, accepted.id))[-1] == "SealRequested"


# --- checking ---------------------------------------------------------------------------------------------------------


async def test_the_page_says_four_facts_and_which_document_it_is(app: Litestar, tenant: Tenant) -> None:
    accepted = await make_accepted(tenant)
    copy = (await contract_file(tenant.customer, accepted.id, Language.EN)).content
    async with signed_in(app, tenant.customer) as customer:
        good = await check(customer, copy)
        bad = await check(customer, revised(copy, over_the_page))
    assert good.status_code == bad.status_code == 200
    for sentence in (
        "This is the document that the portal sealed, unaltered.",
        "Nothing in the sealed content was altered since it was sealed.",
        "The seal covers the file from its first byte to its last; nothing was added.",
        "a key of this portal.",
        "no timestamp authority attests it.",
        "its content is what the database holds for this version.",
        accepted.number,
    ):
        assert sentence in text_of(good), sentence
    assert f'href="/contracts/{accepted.id}"' in good.text
    assert "Do not rely on this file" in text_of(bad)
    assert "Something was added or cut off after the sealing" in text_of(bad)
    assert f'href="/contracts/{accepted.id}"' not in bad.text


async def test_a_check_without_a_file_says_what_is_missing(app: Litestar, tenant: Tenant) -> None:
    async with signed_in(app, tenant.customer) as customer:
        await customer.open("/verify")
        answer = await customer.send("/verify")
    assert answer.status_code == 422
    assert "Choose the PDF file that you want to check." in text_of(answer)


async def test_the_certificate_can_be_taken_to_another_program(app: Litestar, tenant: Tenant) -> None:
    await make_accepted(tenant)
    ((print_, der),) = await fetch(tenant.factory, "select fingerprint, certificate from seal_key")
    async with signed_in(app, tenant.customer) as customer:
        page = await customer.open("/verify")
        pem = await customer.client.get("/verify/certificates.pem")
    assert print_ in page.text
    assert pem.text.startswith("-----BEGIN CERTIFICATE-----")
    import ssl

    assert ssl.PEM_cert_to_DER_cert(pem.text) == der


# --- the interface ----------------------------------------------------------------------------------------------------


async def test_a_program_fetches_and_checks_documents(database: Settings, tenant: Tenant) -> None:
    accepted = await make_accepted(tenant)
    async with calling(database, tenant.customer) as client:
        listed = (await client.get(f"/api/v1/contracts/{accepted.id}/documents")).json()
        file = await client.get(f"/api/v1/contracts/{accepted.id}/contract.pdf?language=zh-CN")
        verdict = (await client.post("/api/v1/verify", files={"file": ("copy.pdf", file.content)})).json()
        (certificate,) = (await client.get("/api/v1/seal-certificates")).json()
        nothing = await client.post("/api/v1/verify", files={"file": ("copy.pdf", b"")})
    chinese = listed[1]
    assert file.headers["etag"] == f'"{chinese["sha256"]}"'
    assert verdict["genuine"]
    assert [fact["name"] for fact in verdict["facts"]] == ["intact", "whole", "signer", "time"]
    assert verdict["file_sha256"] == chinese["sha256"]
    assert verdict["issued"]["content_sha256"] == chinese["content_sha256"]
    assert certificate["sha256"] == chinese["certificate_sha256"]
    assert (nothing.status_code, nothing.json()["type"].rsplit("/")[-1]) == (422, "no-file")


async def test_a_program_asks_for_a_missing_document_once(database: Settings, tenant: Tenant) -> None:
    accepted, proposed = await make_accepted(tenant, seal=False), await make_proposed(tenant)
    key = {"idempotency-key": "seal it"}
    async with calling(database, tenant.customer) as client:
        waiting = await client.get(f"/api/v1/contracts/{accepted.id}/contract.pdf")
        answers = [await client.post(f"/api/v1/contracts/{accepted.id}/documents", headers=key) for _ in range(2)]
        refused = await client.post(f"/api/v1/contracts/{proposed.id}/documents")
    assert (waiting.status_code, waiting.json()["type"].rsplit("/")[-1]) == (503, "being-sealed")
    assert [answer.status_code for answer in answers] == [202, 202]
    assert (await events(tenant, accepted.id)).count("SealRequested") == 1
    assert (refused.status_code, refused.json()["type"].rsplit("/")[-1]) == (409, "nothing-to-seal")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_a_release_is_printed_with_what_changed(database: Settings, tenant: Tenant, language: str) -> None:
    made = await make_contract(tenant)
    order = CallOff(contract_line_id=made.line.id, quantity=Decimal(800), due_date=today())
    for _ in range(2):
        async with unit_of_work(tenant.factory) as session:
            await call_off(session, tenant.factory, made.contract.id, order)
            await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    async with calling(database, tenant.customer) as client:
        file = await client.get(f"/api/v1/contracts/{made.contract.id}/releases/2/release.pdf?language={language}")
        absent = await client.get(f"/api/v1/contracts/{made.contract.id}/releases/3/release.pdf")
    assert file.content.startswith(b"%PDF")
    assert absent.status_code == 404


@pytest.mark.parametrize("number", [0, 2**31, 10**30])
async def test_a_number_that_no_release_and_no_version_has_is_not_found(
    database: Settings, tenant: Tenant, number: int
) -> None:
    made = await make_contract(tenant)
    base = f"/api/v1/contracts/{made.contract.id}"
    async with calling(database, tenant.customer) as client:
        answers = [
            (await client.get(f"{base}/{path}")).status_code
            for path in (f"releases/{number}", f"releases/{number}/release.pdf", f"contract.pdf?version={number}")
        ]
    assert answers == [404, 404, 404]
