"""What the tests of shipping and receiving share: a note on the way, its count, and the sums after it."""

import io
import struct
import zlib
from decimal import Decimal
from typing import Any

from PIL import ExifTags, Image

from portal.core import files as store
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.files import Stored
from portal.core.ids import uuid7
from portal.schedules.model import ScheduleLine
from portal.shipments import service, service_receipts
from portal.shipments.counting import CountedLine, Receive
from portal.shipments.model import Photo, Problem, Receipt, ReceiptLine, Shipment, ShipmentLine
from portal.shipments.service import NewShipment, ShippedLine
from tests.factories import Tenant, fetch, rows_of

D = Decimal
Sent = tuple[Shipment, list[ShipmentLine]]


async def sent(tenant: Tenant, *lines: tuple[ScheduleLine, int], direction: Direction = Direction.PURCHASE) -> Sent:
    """A delivery note on the way, with its lines."""
    actor = tenant.factory if direction is Direction.SALE else tenant.supplier
    shipped = [ShippedLine(line_id=line.id, quantity=D(quantity)) for line, quantity in lines]
    async with unit_of_work(actor) as session:
        shipment = await service.ship(session, actor, NewShipment(number=f"ASN-{uuid7()}", lines=shipped))
    async with unit_of_work(actor) as session:
        return shipment, await service.lines_of(session, actor, shipment.id)


def counting(line: ShipmentLine, good: int, problem: Problem | None = None) -> Receive:
    """One line counted."""
    return Receive(lines=[CountedLine(shipment_line_id=line.id, good=D(good), problem=problem)])


async def receive(actor: Actor, shipment: Shipment, data: Receive, *photos: Stored, version: int = 1) -> Receipt:
    async with unit_of_work(actor) as session:
        return await service_receipts.receive(session, actor, shipment.id, version, data, photos)


async def correct(actor: Actor, receipt: Receipt, data: Receive) -> Receipt:
    async with unit_of_work(actor) as session:
        return await service_receipts.correct_receipt(session, actor, receipt.id, data)


SUMS = (
    "select shipped_quantity, received_quantity, rejected_quantity, status, close_reason, last_received_on"
    " from schedule_line where id = $1"
)
LINES = "select counted, accepted, rejected, short, problem from receipt_line where tenant_id = $1 and receipt_id = $2"


async def sums(actor: Actor, line: ScheduleLine) -> tuple[Any, ...]:
    """Shipped, accepted, rejected, status and close reason as this company reads them."""
    return tuple((await fetch(actor, SUMS, line.id))[0])[:5]


async def in_transit(actor: Actor, line: ScheduleLine) -> Decimal:
    """Shipped less counted less recorded as short, from the documents in force (I03)."""
    rows = await fetch(
        actor,
        "select coalesce(sum(rl.counted + rl.short), 0) from receipt_line rl"
        " join receipt r on r.tenant_id = rl.tenant_id and r.id = rl.receipt_id"
        " where rl.schedule_line_id = $1 and not exists (select 1 from receipt n where n.tenant_id = r.tenant_id"
        " and n.party_id = r.party_id and n.corrects_id = r.id)",
        line.id,
    )
    total: Decimal = (await sums(actor, line))[0] - rows[0][0]
    return total


async def nothing_was_received(tenant: Tenant, shipment: Shipment, *lines: ScheduleLine) -> bool:
    """No document, no sum, and the shipment is as it was."""
    counts = [(await fetch(tenant.factory, rows_of(model), tenant.id))[0][0] for model in (Receipt, ReceiptLine, Photo)]
    (head,) = await fetch(tenant.factory, "select status, version from shipment where id = $1", shipment.id)
    received = [(await sums(tenant.factory, line))[1:3] for line in lines]
    kept = list(store.folder(tenant.id).glob("*"))
    return counts == [0, 0, 0] and tuple(head) == ("sent", 1) and not kept and all(r == (0, 0) for r in received)


def photo(size: tuple[int, int] = (2400, 1800), kind: str = "JPEG") -> bytes:
    """A picture with the time and the place where it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.DateTime] = "2026:11:24 07:42:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    target = io.BytesIO()
    Image.new("RGB", size, "tan").save(target, kind, exif=exif.tobytes())
    return target.getvalue()


def png_bomb() -> bytes:
    """A few bytes that would unpack to ten gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
