"""Photos of a receipt: rows under row-level security, bytes in the file store."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import files
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.files import Stored
from portal.core.i18n import N_
from portal.shipments.model import Photo, Receipt, ReceiptLine
from portal.shipments.service import seen

MOST_PHOTOS = 60  # of one receipt; the page offers six a line


class TooManyPhotos(Invalid):
    code = "too-many-photos"
    text = N_("A receipt holds up to {most} photos. Leave some out.")


async def attach(session: AsyncSession, actor: Actor, receipt: Receipt, photos: Sequence[Stored]) -> None:
    """Keep the bytes and hang them on the receipt; the same picture twice is one."""
    for photo in {photo.digest: photo for photo in photos}.values():
        await files.keep(actor.tenant_id, photo)
        session.add(_photo(receipt, photo.digest, photo.content_type, photo.size))


async def copy(session: AsyncSession, actor: Actor, former: Receipt, receipt: Receipt) -> None:
    """A correction keeps the pictures of the receipt that it replaces."""
    for photo in await of_receipt(session, actor, former.id):
        session.add(_photo(receipt, photo.digest, photo.content_type, photo.size))


def check_number(photos: Sequence[object]) -> None:
    """Raise TooManyPhotos."""
    if len(photos) > MOST_PHOTOS:
        raise TooManyPhotos(field="photos", most=MOST_PHOTOS)


async def of_receipt(session: AsyncSession, actor: Actor, receipt_id: UUID) -> list[Photo]:
    """The photos of a receipt. A colleague who does not see all its lines sees none: a picture shows the whole load."""
    lines = select(ReceiptLine.contract_id).where(
        col(ReceiptLine.tenant_id) == actor.tenant_id, col(ReceiptLine.receipt_id) == receipt_id
    )
    if not all(seen(actor, contract_id) for contract_id in (await session.exec(lines)).all()):
        return []
    query = select(Photo).where(col(Photo.tenant_id) == actor.tenant_id, col(Photo.receipt_id) == receipt_id)
    return list((await session.exec(query.order_by(col(Photo.id)))).all())


async def get_photo(session: AsyncSession, actor: Actor, photo_id: UUID, receipt_id: UUID | None = None) -> Photo:
    """One photo, of a given receipt if one is named. Absent, foreign and hidden: NotFound."""
    photo = await session.get(Photo, (actor.tenant_id, photo_id))
    if photo is None or receipt_id not in (None, photo.receipt_id):
        raise NotFound
    if photo not in await of_receipt(session, actor, photo.receipt_id):
        raise NotFound
    return photo


async def content(actor: Actor, photo: Photo) -> bytes:
    """The bytes of a photo."""
    return await files.fetch(actor.tenant_id, photo.digest)


def _photo(receipt: Receipt, digest: str, content_type: str, size: int) -> Photo:
    return Photo(
        tenant_id=receipt.tenant_id,
        party_id=receipt.party_id,
        receipt_id=receipt.id,
        digest=digest,
        content_type=content_type,
        size=size,
    )
