"""Files, private notes, templates and rates: what each company sees of them, and the pages that show them."""

import re
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.contracts import service, service_files, service_notes, service_rates, service_templates
from portal.contracts.inputs import FromTemplate, SaveTemplate, SetRate, WriteNote
from portal.contracts.service_drafts import RestrictedWriter
from portal.contracts.service_files import FileThere
from portal.contracts.service_templates import TemplateNameTaken
from portal.core import files
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.files import AttachmentKind, Stored, attachment, disposition
from portal.core.ids import uuid7
from portal.core.settings import Settings, get_settings
from portal.web.today import SHOWN
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.makers import make_draft, make_item, make_proposed, new_line, step
from tests.contracts.versions import from_day, make_active, take, wanting
from tests.factories import Tenant, fetch, today


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    return create_app(database)


@asynccontextmanager
async def signed_in(app: Litestar, company: Actor) -> AsyncIterator[Browser]:
    person = await make_person(company, company.role, "Ann Weber")
    async with browsing(app, person.token) as browser:
        yield browser


# Files ---------------------------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7 drawing"


async def test_a_shared_file_is_everybodys_and_an_internal_one_the_factorys_alone(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    async with unit_of_work(tenant.factory) as session:
        shared = await service_files.add_file(session, tenant.factory, contract.id, "A100 图纸.pdf", PDF)
        secret = await service_files.add_file(session, tenant.factory, contract.id, "cost.pdf", PDF, internal=True)
    async with unit_of_work(tenant.customer) as session:
        own = await service_files.add_file(session, tenant.customer, contract.id, "signed.txt", b"agreed")
        with pytest.raises(Forbidden):
            await service_files.add_file(session, tenant.customer, contract.id, "x.pdf", PDF, internal=True)
        with pytest.raises(FileThere):
            await service_files.add_file(session, tenant.customer, contract.id, "again.pdf", PDF)

    async with unit_of_work(tenant.customer) as session:
        seen = await service_files.files_of(session, tenant.customer, contract.id)
        assert [file.name for file in seen] == ["A100 图纸.pdf", "signed.txt"]
        assert (await service_files.get_file(session, tenant.customer, contract.id, shared.id))[1] == PDF
        with pytest.raises(NotFound):
            await service_files.get_file(session, tenant.customer, contract.id, secret.id)
    query = "select id from contract_file where contract_id = $1 order by id"
    assert [row[0] for row in await fetch(tenant.customer, query, contract.id)] == [shared.id, own.id]
    assert await fetch(tenant.supplier, query, contract.id) == []
    verbs = "select count(*) from timeline where subject_id = $1 and verb = 'file_added'"
    assert (await fetch(tenant.customer, verbs, contract.id))[0][0] == 2  # the internal one left no trace there


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("virus.exe", b"MZ"),
        ("drawing.pdf", b"<html>"),
        ("photo.png", b"GIF89a"),
        ("sheet.xlsx", b"PK\x03\x04"),
        ("page.html", b"<script>"),
        ("text.txt", b"\xff\xfe\x00"),
        ("none", b"x"),
    ],
)
async def test_a_file_that_is_not_what_its_name_says_is_refused(tenant: Tenant, name: str, content: bytes) -> None:
    contract = await make_draft(tenant)
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(AttachmentKind):
            await service_files.add_file(session, tenant.factory, contract.id, name, content)
    rows = await fetch(tenant.factory, "select 1 from contract_file where contract_id = $1", contract.id)
    assert rows == []


def test_names_lose_paths_and_unseen_signs_and_downloads_carry_them_safely() -> None:
    assert attachment("..\\..\\etc/passwd\u202e\r\n.txt", b"x")[0] == "passwd.txt"
    assert attachment("a" * 300 + ".txt", b"x")[0] == "a" * 156 + ".txt"
    header = disposition('图纸"; filename=evil.html\r\n.pdf')
    assert "\r" not in header
    assert header.count('"') == 2
    assert header.startswith('attachment; filename="')


async def test_files_lie_in_the_store_that_the_operator_names(
    tmp_path: Path, chosen_environment: MutableMapping[str, str]
) -> None:
    chosen_environment["PORTAL_FILES_URL"] = tmp_path.as_uri() + "/bucket"
    get_settings.cache_clear()
    tenant_id, stored = uuid7(), Stored(PDF, "application/pdf")

    digest = await files.keep(tenant_id, stored)
    await files.keep(tenant_id, stored)

    assert await files.fetch(tenant_id, digest) == PDF
    assert (tmp_path / "bucket" / str(tenant_id) / digest).read_bytes() == PDF
    with pytest.raises(files.FileMissing):
        await files.fetch(tenant_id, "0" * 64)


async def test_a_file_is_sent_and_fetched_in_pages(tenant: Tenant, app: Litestar) -> None:
    contract = await make_proposed(tenant)
    here = f"/contracts/{contract.id}"
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        await factory.open(here)
        sent = {"_csrf_token": factory.form_token}
        upload = {"file": ("A100 图纸.pdf", PDF, "text/html")}
        assert (await factory.client.post(f"{here}/files", data=sent, files=upload)).status_code == 303
        wrong = await factory.client.post(f"{here}/files", data=sent, files={"file": ("a.exe", b"MZ")})
        assert (wrong.status_code, "Only these files can be attached" in text_of(wrong)) == (422, True)
        page = await customer.open(here)
        link = re.search(rf'href="({here}/files/[^"]+)"', page.text)
        assert link is not None
        fetched = await customer.open(link.group(1))
    assert (fetched.content, fetched.headers["content-type"]) == (PDF, "application/pdf")
    assert fetched.headers["content-disposition"].startswith("attachment;")
    assert fetched.headers["x-content-type-options"] == "nosniff"


# The private note ----------------------------------------------------------------------------------------------------


async def test_the_private_note_is_written_in_pages_and_the_partner_never_learns_of_it(
    tenant: Tenant, app: Litestar
) -> None:
    contract = await make_proposed(tenant, Direction.PURCHASE)
    here = f"/contracts/{contract.id}"
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.supplier) as supplier:
        await factory.open(f"{here}/note")
        for words in ("for Aurora", "for Aurora, urgent"):
            done = await factory.send(f"{here}/note", reference="AD-1", note=words)
            assert done.status_code == 303
        assert "for Aurora, urgent" in text_of(await factory.open(here))
        too_long = await factory.send(f"{here}/note", reference="A" * 61, note="x")
        assert too_long.status_code == 422
        theirs = await supplier.open(here)
        assert "Aurora" not in theirs.text
        assert "note" not in text_of(theirs).lower()
        assert (await supplier.open(f"{here}/note")).status_code == 403
    async with unit_of_work(tenant.supplier) as session:
        with pytest.raises(Forbidden):
            await service_notes.write_note(session, tenant.supplier, contract.id, WriteNote(note="mine"))
    verbs = await fetch(tenant.supplier, "select verb from timeline where subject_id = $1 order by id", contract.id)
    assert [row[0] for row in verbs] == ["created", "proposed"]


# Templates -----------------------------------------------------------------------------------------------------------


async def test_a_draft_begins_from_a_template_with_its_terms_lines_and_newest_prices(tenant: Tenant) -> None:
    await make_item(tenant, "A100")
    contract = await make_draft(tenant, Direction.SALE, new_line("A100"), payment_terms="30 days net", notice_days=90)
    async with unit_of_work(tenant.factory) as session:
        template = await service_templates.save_template(
            session, tenant.factory, contract.id, SaveTemplate(name="Weekly")
        )
        with pytest.raises(TemplateNameTaken):
            await service_templates.save_template(session, tenant.factory, contract.id, SaveTemplate(name="Weekly"))
    first = date(2027, 1, 1)
    data = FromTemplate(party_id=tenant.supplier.party_id, direction=Direction.PURCHASE, valid_from=first)
    async with unit_of_work(tenant.factory) as session:
        made = await service_templates.draft_from(session, tenant.factory, template.id, data)
        (line,) = await service.get_lines(session, tenant.factory, made.id)
        prices = await service.get_prices(session, tenant.factory, made.id)

    assert (made.party_id, made.payment_terms, made.notice_days) == (tenant.supplier.party_id, "30 days net", 90)
    assert (line.item_code, line.foq, line.pack_size) == ("A100", Decimal(600), Decimal(40))
    assert [(price.valid_from, price.price) for price in prices[line.id]] == [(first, Decimal("12.5"))]
    async with unit_of_work(tenant.factory) as session:
        await service_templates.remove_template(session, tenant.factory, template.id)
        assert await service_templates.list_templates(session, tenant.factory) == []
        with pytest.raises(NotFound):
            await service_templates.get_template(session, tenant.factory, template.id)


async def test_templates_are_for_those_who_may_begin_any_contract(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    narrow = replace(tenant.factory, contract_ids=frozenset({contract.id}))
    for actor, refusal in (
        (narrow, RestrictedWriter),
        (tenant.as_role(tenant.factory, Role.VIEWER), Forbidden),
        (tenant.customer, Forbidden),
    ):
        async with unit_of_work(actor) as session:
            with pytest.raises(refusal):
                await service_templates.save_template(session, actor, contract.id, SaveTemplate(name="T"))
            assert await service_templates.list_templates(session, actor) == []
    assert await fetch(tenant.factory, "select 1 from contract_template where tenant_id = $1", tenant.id) == []


# Rates ---------------------------------------------------------------------------------------------------------------


async def test_a_contract_in_another_currency_shows_its_value_at_a_dated_rate_to_the_factory_alone(
    tenant: Tenant, app: Litestar
) -> None:
    await make_item(tenant, "A100")
    contract = await make_draft(
        tenant, Direction.SALE, new_line("A100", target_quantity=Decimal(1_000)), currency="EUR"
    )
    await step(tenant.factory, "propose", contract.id)
    here = f"/contracts/{contract.id}"
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        await factory.open(here)
        assert "no rate to CNY yet" in text_of(await factory.open(here))
        await factory.open("/contracts/rates")
        said = {"base": "eur", "quote": "CNY", "day": today().isoformat()}
        for value in ("7.80", "8"):
            assert (await factory.send("/contracts/rates", **said, rate=value)).status_code == 303
        assert (await factory.send("/contracts/rates", **said | {"quote": "EUR"}, rate="1")).status_code == 422
        words = text_of(await factory.open(here)).replace("\xa0", " ")
        assert "EUR 12,500.00 · CNY 100,000.00 at the rate of" in words
        theirs = text_of(await customer.open(here)).replace("\xa0", " ")
        assert ("EUR 12,500.00" in theirs, "100,000.00" in theirs) == (True, False)
        assert (await customer.open("/contracts/rates")).status_code == 403
    async with unit_of_work(tenant.customer) as session:
        with pytest.raises(Forbidden):
            await service_rates.set_rate(
                session, tenant.customer, SetRate(base="EUR", quote="CNY", day=today(), rate=Decimal(1))
            )
    assert await fetch(tenant.factory, "select rate from exchange_rate where tenant_id = $1", tenant.id) == [(8,)]


# Offers in pages -----------------------------------------------------------------------------------------------------


async def test_a_counter_offer_is_made_compared_and_accepted_in_pages(tenant: Tenant, app: Litestar) -> None:
    contract = await make_proposed(tenant)
    here = f"/contracts/{contract.id}"
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        form = await customer.open(f"{here}/counter")
        assert 'name="foq.1" type="text" value="600"' in form.text
        stood = {"version": "2", "foq.1": "600", "price.1": "12.5", "payment_terms": ""}
        nothing = await customer.send(f"{here}/counter", **stood)
        assert (nothing.status_code, "This offer changes nothing" in text_of(nothing)) == (422, True)
        wrong = await customer.send(f"{here}/counter", **stood | {"foq.1": "many"})
        assert "“many” is not a number" in text_of(wrong)
        assert 'value="many"' in wrong.text
        sent = await customer.send(
            f"{here}/counter", **stood | {"foq.1": "480", "price.1": "12.1", "payment_terms": "30 days net"}
        )
        assert (sent.status_code, sent.headers["location"]) == (303, f"{here}/versions")
        seen = text_of(await factory.open(f"{here}/versions")).replace("\xa0", " ")
        assert "Fixed order quantity 600 pcs 480 pcs" in seen
        assert "Payment terms – 30 days net" in seen
        assert "CNY 12.10" in seen
        assert "sent a counter-offer" in text_of(await factory.open(here))
        assert (await factory.send(f"{here}/accept", version="3")).status_code == 303
        after = text_of(await customer.open(here)).replace("\xa0", " ")
    assert "480 pcs a week" in after
    assert "The content is unchanged since." in after


async def test_an_amendment_is_offered_and_answered_in_pages_and_prices_stay_with_those_who_see_them(
    tenant: Tenant, app: Litestar
) -> None:
    contract = await make_proposed(tenant)
    await step(tenant.customer, "accept", contract.id)
    await step(tenant.factory, "activate", contract.id)
    here, day = f"/contracts/{contract.id}", today() + timedelta(days=20)
    clerk = tenant.as_role(tenant.customer, Role.CLERK)
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        await factory.open(f"{here}/amend")
        typed = {"version": "4", "effective_from": day.isoformat(), "foq.1": "720", "price.1": "11.9"}
        assert (await factory.send(f"{here}/amend", **typed)).status_code == 303
        shown = await customer.open(f"{here}/versions")
        assert "Accept amendment" in text_of(shown)
        assert "11.90" in shown.text
        async with signed_in(app, clerk) as reader:
            theirs = await reader.open(f"{here}/versions")
            assert ("720" in theirs.text, "11.9" in theirs.text) == (True, False)
            assert "Accept amendment" not in text_of(theirs)
        answered = await customer.send(f"{here}/amendment/accept", version="5")
        assert answered.status_code == 303
        words = text_of(await customer.open(here)).replace("\xa0", " ")
    assert "Version 1 is in force since" in words
    assert "Version 2 follows on" in words
    query = "select answered_from from contract_revision where contract_id = $1 and number = 2"
    assert [row[0] for row in await fetch(tenant.factory, query, contract.id)] == ["203.0.113.9"]


async def test_today_names_what_waits_for_an_answer_and_what_ends_soon(tenant: Tenant, app: Litestar) -> None:
    contract = await make_active(tenant, valid_to=today() + timedelta(days=50))
    other = await make_active(tenant, valid_to=today() + timedelta(days=50), notice_days=30)
    await take(tenant.customer, "amend", contract, from_day(today() + timedelta(days=2), 640))
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        page = text_of(await factory.open("/")).replace("\xa0", " ")
        theirs = text_of(await customer.open("/"))
        assert f"Contracts to answer 1 {contract.number}" in page
        soon = page.partition("Contracts ending soon")[2]
        assert (contract.number in soon, other.number in soon) == (True, False)
        assert "Contracts to answer" not in theirs
        assert "Contracts ending soon" not in theirs
        await factory.send(f"/contracts/{contract.id}/amendment/counter", version="5", **{"foq.1": "620"},
                           effective_from=(today() + timedelta(days=3)).isoformat())  # fmt: skip
        assert "Contracts to answer" in text_of(await customer.open("/"))
        assert "Contracts to answer" not in text_of(await factory.open("/"))


async def test_today_counts_every_contract_that_ends_soon_and_names_the_first_to_end(
    tenant: Tenant, app: Litestar
) -> None:
    made = [await make_active(tenant, valid_to=today() + timedelta(days=50 - n)) for n in range(SHOWN + 1)]
    later = await make_active(tenant, valid_to=today() + timedelta(days=400))
    async with signed_in(app, tenant.factory) as factory:
        soon = text_of(await factory.open("/")).partition("Contracts ending soon")[2]
        assert soon.split()[0] == str(len(made))
        places = [soon.index(contract.number) for contract in reversed(made[1:])]
        assert places == sorted(places)
        assert made[0].number not in soon  # the last to end stands behind the link
        assert "All in the list" in soon
        listed = text_of(await factory.open("/contracts?status=ending")).partition("Contract Partner")[2]
        assert ([each.number in listed for each in made], later.number in listed) == ([True] * len(made), False)


async def test_today_leads_to_the_page_on_which_a_counter_offer_is_answered(tenant: Tenant, app: Litestar) -> None:
    contract = await make_proposed(tenant)
    await step(tenant.customer, "counter", contract.id, data=wanting(480))
    async with signed_in(app, tenant.factory) as factory:
        page = (await factory.open("/")).text
        href = re.search(r'href="([^"]+)"[^>]*>Review', page)
        assert href
        assert "Accept contract" in text_of(await factory.open(href[1]))


async def test_suspension_and_termination_say_why_in_pages(tenant: Tenant, app: Litestar) -> None:
    contract = await make_proposed(tenant)
    await step(tenant.customer, "accept", contract.id)
    await step(tenant.factory, "activate", contract.id)
    here = f"/contracts/{contract.id}"
    async with signed_in(app, tenant.factory) as factory, signed_in(app, tenant.customer) as customer:
        await factory.open(here)
        assert (await factory.send(f"{here}/suspend", version="4", reason="The furnace is rebuilt.")).status_code == 303
        words = text_of(await customer.open(here))
        assert "Nothing new is called off until the contract is resumed. The furnace is rebuilt." in words
        assert (await customer.send(f"{here}/resume", version="5")).status_code == 403
        assert (await factory.send(f"{here}/resume", version="5")).status_code == 303
        ending = {"version": "6", "reason": "We close.", "last_day": (today() + timedelta(days=9)).isoformat()}
        await customer.open(here)
        assert (await customer.send(f"{here}/terminate", **ending)).status_code == 303
        assert "Terminated: the last day is" in text_of(await factory.open(here))
        late = await factory.send(f"{here}/terminate", **ending | {"version": "7", "last_day": "2020-01-01"})
        assert late.status_code == 422
