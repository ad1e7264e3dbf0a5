"""The portal's own chat window: what was said, pressed and shown, and the updates by which its bot learns of it.

Updates have the form in which Telegram sends them, so that one engine reads both. A message is stored before its
update: should the second step fail, the person gets an error and says it again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import updates
from portal.accounts.chats import ChatName
from portal.accounts.identity import Signed
from portal.accounts.model_chats import ChatBot, ChatMessageKind
from portal.accounts.service_chats import open_window
from portal.core import clock, db, files, journal
from portal.core.actor import Actor
from portal.core.db import Driver, unit_of_work
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.files import Stored
from portal.core.i18n import N_
from portal.core.ids import uuid7

SHOWN = 60  # messages of the window; older ones stay stored
LONGEST = 2000  # characters that a person can say at once


class NothingSaid(Invalid):
    code = "nothing-said"
    text = N_("Write a message or add a photo.")


class SaidTooLong(Invalid):
    code = "said-too-long"
    text = N_("A message holds up to {most} characters. Shorten it.")


class ButtonGone(Conflict):
    code = "button-gone"
    text = N_("This button is not there any more. The message shows the current state.")


class Entry(Struct, frozen=True):
    """One message of the window."""

    id: UUID
    no: int
    kind: str
    text: str
    rows: list[list[dict[str, str]]]  # buttons: text, data or url, style
    photo: str
    at: datetime
    edited_at: datetime | None
    answer: str  # the bot's short answer to the last press of a button of this message


_ENTRIES = """
select * from (
    select m.id, m.no, m.kind, m.text, coalesce(m.buttons -> 'rows', '[]'::jsonb), m.photo, m.at, m.edited_at,
        coalesce((select p.text from chat_message p where p.tenant_id = $1 and p.answer_to = m.id and p.kind = 'pressed'
            order by p.id desc limit 1), '') as answer
    from chat_message m
    where m.tenant_id = $1 and m.party_id = $2 and m.chat_id = $3 and m.kind <> 'pressed' and m.gone_at is null
    order by m.no desc limit $4) newest
order by no"""


async def entries(connection: Driver, actor: Actor, row_id: UUID) -> list[Entry]:
    """The newest messages of one's own window, in their order."""
    rows = await connection.fetch(_ENTRIES, actor.tenant_id, actor.party_id, row_id, SHOWN)
    return [Entry(*row) for row in rows]


async def newest(connection: Driver, actor: Actor, row_id: UUID) -> str:
    """Changes whenever the window shows something else."""
    row = await connection.fetchrow(
        "select count(*), max(greatest(at, edited_at)) from chat_message where tenant_id = $1 and chat_id = $2",
        *(actor.tenant_id, row_id),
    )
    assert row is not None
    return f"{row[0]} {row[1]}"


# --- what the person does ---------------------------------------------------------------------------------------------


async def say(signed: Signed, text: str, photo: Stored | None = None) -> None:
    """The person says something, or sends a photo with or without words. Raises NothingSaid or SaidTooLong."""
    text = text.strip()
    if not text and photo is None:
        raise NothingSaid(field="text")
    if len(text) > LONGEST:
        raise SaidTooLong(field="text", most=LONGEST)
    row_id, chat = await open_window(signed)
    actor = _actor(signed)
    if photo is not None:
        await files.keep(actor.tenant_id, photo)
    digest = photo.digest if photo else ""
    async with unit_of_work(actor) as session:
        no = await add(session, actor, row_id, ChatMessageKind.SAID, text, photo=digest)
    message = _head(no, chat) | {"from": _person(chat, signed)}
    if photo is None:
        message["text"] = text
    else:
        file_id = f"{actor.tenant_id}.{digest}"
        message |= {"photo": [{"file_id": file_id, "file_unique_id": digest[:32], "width": 1, "height": 1}]}
        message |= {"caption": text} if text else {}
    await updates.store(ChatBot.PORTAL, no, chat.chat_id, {"update_id": no, "message": message})


async def press(signed: Signed, message_id: UUID, data: str) -> None:
    """The person presses a button that the message has now. Raises ButtonGone, NotFound."""
    row_id, chat = await open_window(signed)
    actor = _actor(signed)
    async with unit_of_work(actor) as session:
        found = await message_of(await db.driver(session), actor, row_id, message_id)
        if data not in {button.get("data") for row in found.rows for button in row}:
            raise ButtonGone
        no = await add(session, actor, row_id, ChatMessageKind.PRESSED, "", answer_to=message_id)
    query = {
        "id": f"{chat.chat_id}.{no}",
        "from": _person(chat, signed),
        "chat_instance": str(chat.chat_id),
        "message": _head(found.no, chat) | {"text": found.text or "-", "from": BOT},
        "data": data,
    }
    await updates.store(ChatBot.PORTAL, no, chat.chat_id, {"update_id": no, "callback_query": query})


BOT = {"id": 2, "is_bot": True, "first_name": "Calloff"}


def _head(no: int, chat: ChatName) -> dict[str, Any]:
    return {
        "message_id": no,
        "date": int(clock.now().timestamp()),
        "chat": {"id": chat.chat_id, "type": "private", "first_name": chat.name},
    }


def _person(chat: ChatName, signed: Signed) -> dict[str, Any]:
    return {"id": chat.chat_id, "is_bot": False, "first_name": signed.user_name}


def _actor(signed: Signed) -> Actor:
    assert signed.actor is not None
    return signed.actor


async def photo_of(signed: Signed, digest: str) -> bytes:
    """A picture of one's own window. Raises NotFound."""
    row_id, _chat = await open_window(signed)
    actor = _actor(signed)
    async with db.read(actor) as connection:
        if not await connection.fetchval(
            "select exists (select 1 from chat_message where tenant_id = $1 and chat_id = $2 and photo = $3)",
            *(actor.tenant_id, row_id, digest),
        ):
            raise NotFound
    return await files.fetch(actor.tenant_id, digest)


# --- what the bot does ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One message as it stands."""

    id: UUID
    no: int
    text: str
    rows: list[list[dict[str, str]]]


_FIND = """
select id, no, text, coalesce(buttons -> 'rows', '[]'::jsonb) from chat_message
where tenant_id = $1 and party_id = $2 and chat_id = $3 and ({what}) and kind = 'shown' and gone_at is null"""


async def message_of(connection: Driver, actor: Actor, row_id: UUID, message: UUID | int) -> Found:
    """One message of the bot, by its id or number. Raises NotFound."""
    what = "id = $4" if isinstance(message, UUID) else "no = $4"
    row = await connection.fetchrow(_FIND.format(what=what), actor.tenant_id, actor.party_id, row_id, message)
    if row is None:
        raise NotFound
    return Found(*row)


_ADD = """
insert into chat_message (tenant_id, id, party_id, chat_id, kind, text, buttons, photo, answer_to, at)
values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, clock_timestamp()) returning no"""


async def add(
    session: AsyncSession,
    actor: Actor,
    row_id: UUID,
    kind: ChatMessageKind,
    text: str,
    *,
    rows: list[list[dict[str, str]]] | None = None,
    photo: str = "",
    answer_to: UUID | None = None,
) -> int:
    """Store a message and wake the open window. Returns its number."""
    connection = await db.driver(session)
    buttons = db.to_json({"rows": rows or []})
    values = (actor.tenant_id, uuid7(), actor.party_id, row_id, kind.value, text, buttons, photo, answer_to)
    no: int = await connection.fetchval(_ADD, *values)
    journal.wake(session, actor)
    return no


async def change(
    session: AsyncSession, actor: Actor, found: Found, text: str | None, rows: list[list[dict[str, str]]]
) -> bool:
    """Edit a message in place. False: it shows that already."""
    new = found.text if text is None else text
    if (new, rows) == (found.text, found.rows):
        return False
    connection = await db.driver(session)
    await connection.execute(
        "update chat_message set text = $3, buttons = $4::jsonb, edited_at = clock_timestamp()"
        " where tenant_id = $1 and id = $2",
        *(actor.tenant_id, found.id, new, db.to_json({"rows": rows})),
    )
    journal.wake(session, actor)
    return True


async def answer(session: AsyncSession, actor: Actor, row_id: UUID, press_no: int, text: str) -> None:
    """The short answer to a press, shown under the message that has the button."""
    connection = await db.driver(session)
    await connection.execute(
        "update chat_message set text = $5, edited_at = clock_timestamp()"
        " where tenant_id = $1 and party_id = $2 and chat_id = $3 and no = $4 and kind = 'pressed'",
        *(actor.tenant_id, actor.party_id, row_id, press_no, text[:LONGEST]),
    )
    journal.wake(session, actor)


async def remove(session: AsyncSession, actor: Actor, found: Found) -> None:
    """Take a message out of the window."""
    connection = await db.driver(session)
    await connection.execute(
        "update chat_message set gone_at = clock_timestamp() where tenant_id = $1 and id = $2",
        *(actor.tenant_id, found.id),
    )
    journal.wake(session, actor)
