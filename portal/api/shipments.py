"""Delivery notes and receipts over the interface."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import paging
from portal.core.actor import Actor, Direction
from portal.core.db import driver, read
from portal.core.files import Stored, drawn_anew
from portal.parameters import FromPath, FromQuery, JSONBody, MultipartBody
from portal.schedules.reads import Happening, history
from portal.shipments import files, reads, service, service_receipts
from portal.shipments.counting import Receive
from portal.shipments.model import Photo, Receipt, Shipment, ShipmentStatus
from portal.shipments.reads import CountedRow, NoteLine, ReceiptRow, ShipmentFilter, ShipmentRow, View
from portal.shipments.service import NewShipment, Transport


def _as_list(sent: Any) -> Any:
    """One part of a name comes alone, several come as a list."""
    return [sent] if isinstance(sent, UploadFile) else sent


class AddPhotos(BaseModel):
    """Pictures, each as a multipart part named `file`: JPEG, PNG or WebP."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: Annotated[list[UploadFile], BeforeValidator(_as_list)]


class ShipmentOut(Struct):
    """A delivery note with its lines, its receipts, and what this company may do with it now."""

    shipment: ShipmentRow
    lines: list[NoteLine]
    receipts: list[ReceiptRow]
    actions: list[str]


class ShipmentState(Struct):
    """What a delivery note became."""

    id: UUID
    number: Annotated[str, Meta(examples=["ASN-20261124-07"])]
    status: ShipmentStatus
    version: int
    actions: list[str]


class PhotoOut(Struct):
    """A photo of a receipt; its bytes are under `/receipts/{receipt_id}/photos/{id}`."""

    id: UUID
    content_type: Annotated[str, Meta(examples=["image/jpeg"])]
    size: int
    sha256: str


class ReceiptOut(Struct):
    """A receipt with its lines and photos."""

    receipt: ReceiptRow
    lines: list[CountedRow]
    photos: list[PhotoOut]


class ReceiptState(Struct):
    """The receipt that was posted."""

    id: UUID
    number: Annotated[str, Meta(examples=["R-552"])]
    shipment_id: UUID
    received_on: date
    corrects_id: UUID | None


def state(shipment: Shipment, actor: Actor, status_code: int = HTTP_200_OK) -> Response[ShipmentState]:
    """The delivery note after a command, with its new version as ETag."""
    actions = service.actions(actor, shipment.status, shipment.direction)
    body = ShipmentState(shipment.id, shipment.number, shipment.status, shipment.version, actions)
    headers = {"ETag": f'"{shipment.version}"', "Location": f"/api/v1/shipments/{shipment.id}"}
    return Response(body, status_code=status_code, headers=headers)


def posted(receipt: Receipt) -> Response[ReceiptState]:
    """The new receipt and where it is."""
    body = ReceiptState(receipt.id, receipt.number, receipt.shipment_id, receipt.received_on, receipt.corrects_id)
    return Response(body, status_code=HTTP_201_CREATED, headers={"Location": f"/api/v1/receipts/{receipt.id}"})


def photo_out(photo: Photo) -> PhotoOut:
    """A photo as the interface names it."""
    return PhotoOut(photo.id, photo.content_type, photo.size, photo.digest)


async def pictures(data: AddPhotos, check: Callable[[Sequence[UploadFile]], None] = files.check_number) -> list[Stored]:
    """The pictures that were sent, drawn anew. Raises what `check` raises for too many."""
    check(data.file)
    return [await drawn_anew(await each.read(), "file") for each in data.file]


class ShipmentController(Controller):
    path = "/shipments"
    tags = ("Shipments",)

    @get()
    async def list_shipments(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        view: FromQuery[View] = View.ALL,
        search: FromQuery[str] = "",
        direction: FromQuery[Direction | None] = None,
        contract_id: FromQuery[UUID | None] = None,
    ) -> paging.PageOf[ShipmentRow]:
        """Delivery notes, newest first. `view`: all, on_the_way, received or withdrawn. `search`: a delivery note or
        order number."""
        paging.check_limit(limit)
        after = paging.decode(cursor, date.fromisoformat, UUID) if cursor else None
        wanted = ShipmentFilter(view, search, direction, contract_id)
        async with read(actor) as connection:
            rows = await reads.list_shipments(connection, actor, wanted, after, limit)
        more = paging.encode(rows[limit - 1].shipped_on, rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)

    @post(status_code=HTTP_201_CREATED)
    async def ship(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[NewShipment]
    ) -> Response[ShipmentState]:
        """Announce what is on the way: one delivery note of one company over one or more schedule lines, all or none.
        The number is unique per company, direction and year."""
        return state(await service.ship(session, actor, data), actor, HTTP_201_CREATED)

    @get("/{shipment_id:uuid}")
    async def get_shipment(self, actor: NamedDependency[Actor], shipment_id: FromPath[UUID]) -> Response[ShipmentOut]:
        """One delivery note; its ETag is the version that writes carry as If-Match."""
        async with read(actor) as connection:
            row = await reads.get_shipment(connection, actor, shipment_id)
            lines = await reads.note_lines(connection, actor, shipment_id)
            receipts = await reads.list_receipts(connection, actor, None, paging.LIMIT, shipment_id)
        actions = service.actions(actor, ShipmentStatus(row.status), Direction(row.direction))
        return Response(ShipmentOut(row, lines, receipts, actions), headers={"ETag": f'"{row.version}"'})

    @get("/{shipment_id:uuid}/history")
    async def history(self, actor: NamedDependency[Actor], shipment_id: FromPath[UUID]) -> list[Happening]:
        """What happened to the delivery note, newest first: who, when, by which way."""
        async with read(actor) as connection:
            await reads.get_shipment(connection, actor, shipment_id)
            return await history(connection, actor, shipment_id)

    @post("/{shipment_id:uuid}/transport", status_code=HTTP_200_OK)
    async def change_transport(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        shipment_id: FromPath[UUID],
        data: JSONBody[Transport],
    ) -> Response[ShipmentState]:
        """Say anew how the goods travel and when they are expected, while nothing of them was counted. All four are
        written: what is left out is emptied."""
        return state(await service.change_transport(session, actor, shipment_id, expected, data), actor)

    @post("/{shipment_id:uuid}/withdraw", status_code=HTTP_200_OK)
    async def withdraw(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        shipment_id: FromPath[UUID],
    ) -> Response[ShipmentState]:
        """Take a delivery note back before anything of it was received. Its number stays used."""
        return state(await service.withdraw(session, actor, shipment_id, expected), actor)

    @post("/{shipment_id:uuid}/receipts", status_code=HTTP_201_CREATED)
    async def receive(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        shipment_id: FromPath[UUID],
        data: JSONBody[Receive],
    ) -> Response[ReceiptState]:
        """Post what arrived. Without lines everything arrived as announced; lines left out wait for another receipt.
        If-Match carries the version of the delivery note."""
        return posted(await service_receipts.receive(session, actor, shipment_id, expected, data))


class ReceiptController(Controller):
    path = "/receipts"
    tags = ("Receipts",)

    @get()
    async def list_receipts(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        shipment_id: FromQuery[UUID | None] = None,
    ) -> paging.PageOf[ReceiptRow]:
        """Posted receipts, newest first. One that was corrected names its successor in `replaced_by` and counts in no
        sum."""
        paging.check_limit(limit)
        after = paging.decode(cursor, date.fromisoformat, UUID) if cursor else None
        async with read(actor) as connection:
            rows = await reads.list_receipts(connection, actor, after, limit, shipment_id)
        more = paging.encode(rows[limit - 1].received_on, rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)

    @get("/{receipt_id:uuid}")
    async def get_receipt(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], receipt_id: FromPath[UUID]
    ) -> ReceiptOut:
        """One receipt with its lines and photos."""
        connection = await driver(session)
        row = await reads.get_receipt(connection, actor, receipt_id)
        lines = await reads.counted_rows(connection, actor, receipt_id)
        photos = await files.of_receipt(session, actor, receipt_id)
        return ReceiptOut(row, lines, [photo_out(photo) for photo in photos])

    @post("/{receipt_id:uuid}/correct", status_code=HTTP_201_CREATED)
    async def correct(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        receipt_id: FromPath[UUID],
        data: JSONBody[Receive],
    ) -> Response[ReceiptState]:
        """Replace a receipt of the own company within 15 minutes. Lines left out stay as they were counted."""
        return posted(await service_receipts.correct_receipt(session, actor, receipt_id, data))

    @post("/{receipt_id:uuid}/photos", status_code=HTTP_201_CREATED)
    async def add_photos(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        receipt_id: FromPath[UUID],
        data: MultipartBody[AddPhotos],
    ) -> list[PhotoOut]:
        """Add pictures (JPEG, PNG or WebP) as multipart/form-data, each in a field named `file`, within the 15 minutes
        in which the receipt can be corrected. They are drawn anew; the same picture twice is one. The answer lists
        all photos of the receipt."""
        await service_receipts.add_photos(session, actor, receipt_id, await pictures(data))
        return [photo_out(photo) for photo in await files.of_receipt(session, actor, receipt_id)]

    @get("/{receipt_id:uuid}/photos/{photo_id:uuid}", media_type="image/jpeg")
    async def photo(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        receipt_id: FromPath[UUID],
        photo_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The bytes of one photo."""
        photo = await files.get_photo(session, actor, photo_id, receipt_id)
        return Response(await files.content(actor, photo), media_type=photo.content_type)


ROUTES: list[Any] = [ShipmentController, ReceiptController]
