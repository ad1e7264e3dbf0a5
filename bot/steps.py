"""Forms that are half filled in a chat. They live half an hour; what is decided lives in the database alone."""

from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message

from portal.core import files
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.files import Stored
from portal.core.i18n import N_

LASTS = timedelta(minutes=30)
MOST_PHOTOS = 6  # of one form


class TooManyChatPhotos(Invalid):
    code = "too-many-chat-photos"
    text = N_("{most} photos are enough here. Finish with a button, or open the page to add more.")


class Steps(StatesGroup):
    """What the next words or photos belong to."""

    counting = State()  # quantities of a delivery note, in its order
    photographing = State()  # photos of what was counted
    describing = State()  # a problem in words or photos
    typing_day = State()  # a day that no button offers
    countering = State()  # a day or a quantity of a counter-offer
    wishing = State()  # a day or a quantity of a change
    asked = State()  # what a sentence about a change left open


async def begin(state: FSMContext, step: State, kind: str, object_id: UUID, **data: Any) -> None:
    """Wait for words or photos about this object; a form that was open is given up."""
    await state.set_state(step)
    await state.set_data({"kind": kind, "id": str(object_id), "photos": [], "note": "", **data})


async def collected(state: FSMContext, object_id: UUID) -> tuple[str, list[Stored]]:
    """What was said and photographed for this object, read back from the store; nothing of another one."""
    data = await state.get_data()
    if data.get("id") != str(object_id):
        return "", []
    tenant = UUID(data["tenant"]) if "tenant" in data else None
    photos = [
        Stored(await files.fetch(tenant, digest), "image/jpeg") for digest in data["photos"] if tenant is not None
    ]
    return data["note"], photos


async def add_photo(state: FSMContext, actor: Actor, bot: Bot, message: Message) -> int:
    """Draw the photo anew and keep it beside the form. Returns how many there are. The network is asked here, outside
    of any transaction."""
    data = await state.get_data()
    if len(data["photos"]) >= MOST_PHOTOS:
        raise TooManyChatPhotos(most=MOST_PHOTOS)
    photo = await files.drawn_anew(await content(bot, message))
    digest = await files.keep(actor.tenant_id, photo)
    photos = list(dict.fromkeys([*data["photos"], digest]))
    note = " ".join(filter(None, (data["note"], (message.caption or "").strip())))[:500]
    await state.update_data(photos=photos, tenant=str(actor.tenant_id), note=note)
    return len(photos)


async def content(bot: Bot, message: Message) -> bytes:
    """The bytes of a message's photo, or of a picture sent as a file."""
    source = message.photo[-1] if message.photo else message.document
    if source is None:
        raise NotFound
    if (source.file_size or 0) > files.PICTURE_MB * 1024 * 1024:
        raise files.TooLarge(size=(source.file_size or 0) // (1024 * 1024), most=files.PICTURE_MB)
    target = BytesIO()
    await bot.download(source, destination=target)
    return target.getvalue()
