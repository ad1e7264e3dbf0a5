"""Delivery notes, receipts and releases on paper: made on demand from what the reader may see, never sealed."""

from uuid import UUID

from portal.core.actor import Actor
from portal.core.db import Driver, read, unit_of_work
from portal.core.files import Stored
from portal.core.i18n import Language
from portal.core.settings import get_settings
from portal.paper.document import Document
from portal.paper.note_paper import NoteContent, note_document
from portal.paper.receipt_paper import ReceiptContent, receipt_document
from portal.paper.release_paper import ReleaseContent, release_document
from portal.paper.service import PDF, File, safe_name
from portal.paper.typesetting import pdf_of
from portal.schedules import reads_board, reads_releases
from portal.shipments import files, reads


async def note_file(actor: Actor, shipment_id: UUID, language: Language) -> File:
    """A delivery note as PDF, with the code that opens its receipt. Raises NotFound."""
    async with read(actor) as connection:
        row = await reads.get_shipment(connection, actor, shipment_id)
        lines = await reads.note_lines(connection, actor, shipment_id)
        token = await reads.scan_token(connection, actor, shipment_id)
        factory, _zone = await _tenant(connection, actor)
    address = f"{get_settings().base_url}/r/{token}"
    return await _file(note_document(NoteContent(row, lines, factory, address), language), row.number, language)


async def receipt_file(actor: Actor, receipt_id: UUID, language: Language) -> File:
    """A posted receipt as PDF, with what was turned back and why. Raises NotFound."""
    async with read(actor) as connection:
        row = await reads.get_receipt(connection, actor, receipt_id)
        shipment = await reads.get_shipment(connection, actor, row.shipment_id)
        lines = await reads.counted_rows(connection, actor, receipt_id)
        factory, _zone = await _tenant(connection, actor)
    async with unit_of_work(actor) as session:
        photos = len(await files.of_receipt(session, actor, receipt_id))
    content = ReceiptContent(row, shipment, lines, photos, factory, actor.time_zone)
    return await _file(receipt_document(content, language), row.number, language)


async def release_file(actor: Actor, contract_id: UUID, number: int, language: Language) -> File:
    """A release as PDF, each delivery beside what it was in the release before. Raises NotFound."""
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        found = await reads_releases.compared(connection, actor, contract_id, number)
        factory, zone = await _tenant(connection, actor)
    content = ReleaseContent(head, found, factory, zone)
    return await _file(release_document(content, language), f"{head.number}-release-{number}", language)


async def _tenant(connection: Driver, actor: Actor) -> tuple[str, str]:
    """The factory's name and its clock."""
    row = await connection.fetchrow("select name, time_zone from tenant where tenant_id = $1", actor.tenant_id)
    assert row is not None  # whoever acts acts in a tenant
    return row["name"], row["time_zone"]


async def _file(document: Document, name: str, language: Language) -> File:
    made = Stored(await pdf_of(document), PDF)
    return File(made.content, safe_name(name, language), made.digest)
