"""The sealed document of a contract: made once, the same for everybody, and checked by what the database knows."""

import asyncio
import hashlib
from dataclasses import replace
from uuid import UUID

import pytest

from jobs.papers import seal
from jobs.subscribers import Occurrence
from portal.contracts.events import ContractAccepted
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import driver, read, unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.i18n import Language
from portal.core.ids import uuid7
from portal.paper.receipt_paper import ReceiptContent, receipt_document
from portal.paper.service import (
    BeingSealed,
    ContentMoved,
    NothingToSeal,
    contract_file,
    request_seal,
    seal_contract,
    sealed_documents,
)
from portal.paper.service_printing import note_file, receipt_file, release_file
from portal.paper.service_verify import FileTooLarge, NoFile, verify
from portal.shipments import reads
from portal.shipments.model import Problem
from tests.contracts.makers import events, history, make_draft, make_proposed
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.paper.forgeries import over_the_page, revised
from tests.paper.makers import make_accepted, sealed_pdf, system
from tests.paper.test_typesetting import said
from tests.shipments.makers import correct, counting, receive, sent

COUNT = "select count(*) from sealed_document"


async def test_an_acceptance_brings_the_sealed_document_in_every_language(tenant: Tenant) -> None:
    contract = await make_accepted(tenant, seal=False)
    told = Occurrence(uuid7(), contract.party_id, None, clock.now(), ContractAccepted(contract.id))
    await seal(system(tenant), told)
    async with unit_of_work(tenant.customer) as session:
        rows = await sealed_documents(session, tenant.customer, contract.id)
    assert [(row.version_no, row.language) for row in rows] == [(1, "en"), (1, "zh-CN")]
    assert await history(tenant.customer, contract.id) == [
        *(("created", 1), ("proposed", 2), ("accepted", 3), ("sealed", 3), ("sealed", 3))
    ]
    assert (await events(tenant, contract.id))[-2:] == ["DocumentSealed", "DocumentSealed"]


@pytest.mark.parametrize("direction", Direction)
async def test_both_companies_get_the_same_bytes_every_time(tenant: Tenant, direction: Direction) -> None:
    contract = await make_accepted(tenant, direction)
    partner = tenant.partner(direction)
    for language in Language:
        ours = await contract_file(tenant.factory, contract.id, language)
        theirs = await contract_file(partner, contract.id, language)
        again = await contract_file(partner, contract.id, language)
        assert ours == theirs == again
        assert hashlib.sha256(ours.content).hexdigest() == ours.digest
        assert ours.name == f"{contract.number}-v1-{language}.pdf"


async def test_two_jobs_at_once_make_one_document_a_language(tenant: Tenant) -> None:
    contract = await make_accepted(tenant, seal=False)
    await asyncio.gather(*(seal_contract(system(tenant), contract.id) for _ in range(2)))
    first = await contract_file(tenant.factory, contract.id, Language.EN)
    await seal_contract(system(tenant), contract.id)
    assert await contract_file(tenant.factory, contract.id, Language.EN) == first
    assert [tuple(row) for row in await fetch(tenant.factory, COUNT)] == [(2,)]


async def test_before_the_job_the_document_is_being_made_and_can_be_asked_for(tenant: Tenant) -> None:
    contract = await make_accepted(tenant, seal=False)
    with pytest.raises(BeingSealed):
        await contract_file(tenant.customer, contract.id, Language.EN)
    async with unit_of_work(tenant.customer) as session:
        await request_seal(session, tenant.customer, contract.id)
    assert (await events(tenant, contract.id))[-1] == "SealRequested"
    await seal_contract(system(tenant), contract.id)
    told = await events(tenant, contract.id)
    async with unit_of_work(tenant.customer) as session:
        await request_seal(session, tenant.customer, contract.id)  # nothing is missing any more
    assert await events(tenant, contract.id) == told


async def test_a_draft_is_not_sealed_and_says_so(tenant: Tenant) -> None:
    draft, proposed = await make_draft(tenant), await make_proposed(tenant)
    for contract in (draft, proposed):
        file = await contract_file(tenant.factory, contract.id, Language.EN)
        assert file.name == f"{contract.number}-draft-en.pdf"
        assert b"/ByteRange" not in file.content
        with pytest.raises(NothingToSeal):
            await seal_contract(system(tenant), contract.id)
        async with unit_of_work(tenant.factory) as session:
            with pytest.raises(NothingToSeal):
                await request_seal(session, tenant.factory, contract.id)
    assert [tuple(row) for row in await fetch(tenant.factory, COUNT)] == [(0,)]
    assert "SealRequested" not in await events(tenant, draft.id)
    with pytest.raises(NotFound):
        await contract_file(tenant.customer, draft.id, Language.EN)


async def test_a_content_that_moved_is_not_sealed(tenant: Tenant) -> None:
    contract = await make_accepted(tenant, seal=False)
    await move(tenant, contract.id)
    with pytest.raises(ContentMoved):
        await seal_contract(system(tenant), contract.id)
    assert [tuple(row) for row in await fetch(tenant.factory, COUNT)] == [(0,)]


async def move(tenant: Tenant, contract_id: object) -> None:
    """Change the agreed text behind everybody's back, as a careless statement might."""
    async with unit_of_work(tenant.factory) as session:
        connection = await driver(session)
        await connection.execute("update contract set title = 'moved' where id = $1", contract_id)


async def test_nobody_else_gets_it(tenant: Tenant) -> None:
    contract = await make_accepted(tenant)
    clerk = tenant.as_role(tenant.customer, Role.CLERK)
    elsewhere = replace(tenant.customer, contract_ids=frozenset({uuid7()}))
    for actor, refusal in ((tenant.supplier, NotFound), (elsewhere, NotFound), (clerk, Forbidden)):
        with pytest.raises(refusal):
            await contract_file(actor, contract.id, Language.EN)
    assert [tuple(row) for row in await fetch(tenant.supplier, COUNT)] == [(0,)]


# --- checking a copy --------------------------------------------------------------------------------------------------


async def copy_of(tenant: Tenant, actor: Actor) -> tuple[object, bytes]:
    contract = await make_accepted(tenant)
    return contract.id, (await contract_file(actor, contract.id, Language.ZH)).content


async def test_a_copy_is_genuine_for_both_companies(tenant: Tenant) -> None:
    contract_id, copy = await copy_of(tenant, tenant.customer)
    for actor in (tenant.factory, tenant.customer):
        verdict = await verify(actor, copy)
        assert verdict.genuine
        assert verdict.issued is not None
        assert (verdict.issued.contract_id, verdict.issued.language) == (contract_id, "zh-CN")


async def test_another_company_learns_nothing_of_whose_document_it_is(tenant: Tenant) -> None:
    _, copy = await copy_of(tenant, tenant.customer)
    verdict = await verify(tenant.supplier, copy)
    assert verdict.valid
    assert verdict.issued is None
    assert not verdict.genuine


async def test_an_altered_copy_is_refused(tenant: Tenant) -> None:
    _, copy = await copy_of(tenant, tenant.customer)
    verdict = await verify(tenant.customer, revised(copy, over_the_page))
    assert not verdict.valid
    assert [fact.name for fact in verdict.facts if not fact.good] == ["whole"]


async def test_a_seal_of_another_portal_is_not_ours(tenant: Tenant) -> None:
    await make_accepted(tenant)
    verdict = await verify(tenant.customer, await asyncio.to_thread(sealed_pdf))
    assert [(fact.name, fact.good) for fact in verdict.facts] == [
        *(("intact", True), ("whole", True), ("signer", False), ("time", True))
    ]


async def test_a_genuine_copy_whose_contract_moved_says_so(tenant: Tenant) -> None:
    contract_id, copy = await copy_of(tenant, tenant.customer)
    await move(tenant, contract_id)
    verdict = await verify(tenant.customer, copy)
    assert verdict.valid
    assert verdict.issued is not None
    assert not verdict.issued.content_unchanged
    assert not verdict.genuine


def bomb() -> bytes:
    """A small file that unpacks to two gigabytes, where a reader must look: in the table of objects."""
    import zlib

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(2048)) + packer.flush()
    head = b"%%PDF-1.7\n1 0 obj\n<</Type/XRef/Size 9/W[1 2 1]/Root 2 0 R/Filter/FlateDecode/Length %d>>stream\n"
    return head % len(packed) + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n", "This is not a PDF file."),
        (b"%PDF-1.7\n" + b"[" * 100_000, "This PDF is damaged"),
        (bomb(), "This PDF is damaged"),
    ],
    ids=["picture", "brackets", "bomb"],
)
async def test_what_is_no_document_gets_a_verdict_too(tenant: Tenant, content: bytes, said: str) -> None:
    verdict = await verify(tenant.customer, content)
    assert not verdict.valid
    assert {fact.sentence[: len(said)] for fact in verdict.facts} == {said}


async def test_an_upload_without_a_file_or_beyond_all_measure_is_refused(tenant: Tenant) -> None:
    with pytest.raises(NoFile):
        await verify(tenant.customer, b"")
    with pytest.raises(FileTooLarge):
        await verify(tenant.customer, b"%PDF" + bytes(21 * 1024 * 1024))


# --- printed ----------------------------------------------------------------------------------------------------------


async def test_a_delivery_note_is_printed_for_both_sides_and_nobody_else(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant), [40])
    shipment, _lines = await sent(tenant, (line, 40), direction=Direction.SALE)
    for actor in (tenant.factory, tenant.customer):
        assert (await note_file(actor, shipment.id, Language.ZH)).content.startswith(b"%PDF")
    with pytest.raises(NotFound):
        await note_file(tenant.supplier, shipment.id, Language.ZH)


async def test_a_receipt_is_printed_for_both_sides_and_nobody_else(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant), [40])
    shipment, (shipped,) = await sent(tenant, (line, 40), direction=Direction.SALE)
    receipt = await receive(tenant.customer, shipment, counting(shipped, 35, Problem.DAMAGED))
    for actor in (tenant.factory, tenant.customer):
        assert (await receipt_file(actor, receipt.id, Language.ZH)).content.startswith(b"%PDF")
    with pytest.raises(NotFound):
        await receipt_file(tenant.supplier, receipt.id, Language.ZH)


async def test_a_printed_receipt_says_what_was_turned_back_and_that_a_correction_replaced_it(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant), [40])
    shipment, (shipped,) = await sent(tenant, (line, 40), direction=Direction.SALE)
    first = await receive(tenant.customer, shipment, counting(shipped, 40))
    second = await correct(tenant.customer, first, counting(shipped, 35, Problem.DAMAGED))
    printed = [await printed_receipt(tenant.customer, receipt.id) for receipt in (first, second)]
    assert ["已更正" in text for text in printed] == [True, False]
    assert ["拒收 5 件 · 货物破损" in text for text in printed] == [False, True]
    assert all(shipment.number in text and "40 件" in text for text in printed)


async def printed_receipt(actor: Actor, receipt_id: UUID) -> str:
    """Every text of the Chinese document."""
    async with read(actor) as connection:
        row = await reads.get_receipt(connection, actor, receipt_id)
        shipment = await reads.get_shipment(connection, actor, row.shipment_id)
        lines = await reads.counted_rows(connection, actor, receipt_id)
    content = ReceiptContent(row, shipment, lines, 0, "Factory", actor.time_zone)
    return said(receipt_document(content, Language.ZH)).replace("\xa0", " ")


async def test_a_release_that_is_not_there_is_not_printed(tenant: Tenant) -> None:
    made = await make_contract(tenant)
    with pytest.raises(NotFound):
        await release_file(tenant.factory, made.contract.id, 1, Language.EN)
