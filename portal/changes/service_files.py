"""Files on a change request: rows under row-level security, bytes in the file store."""

import logging
from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes.model import ChangeFile
from portal.changes.service import get_change, subject
from portal.contracts.service_files import FileThere
from portal.core import clock, files
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.i18n import N_
from portal.core.journal import record

logger = logging.getLogger(__name__)
MOST_FILES = 10


class TooManyChangeFiles(Invalid):
    code = "too-many-change-files"
    text = N_("A change request holds up to {most} files. Put several documents into one.")


async def add_file(session: AsyncSession, actor: Actor, change_id: UUID, name: str, content: bytes) -> ChangeFile:
    """Keep a file on the request. What was shared was shared: it is never changed or taken away."""
    actor.require(Permission.REQUEST_CHANGES)
    change = await get_change(session, actor, change_id, lock=True)
    shown, stored = files.attachment(name, content)
    present = await _files_of(session, actor, change_id)
    if len(present) >= MOST_FILES:
        raise TooManyChangeFiles(field="file", most=MOST_FILES)
    for file in present:
        if file.digest == stored.digest:
            raise FileThere(field="file", name=file.name)
    await files.keep(actor.tenant_id, stored)
    file = ChangeFile(
        tenant_id=change.tenant_id,
        party_id=change.party_id,
        change_id=change.id,
        name=shown,
        digest=stored.digest,
        content_type=stored.content_type,
        size=stored.size,
        added_scope=actor.scope,
        added_by=actor.name,
        added_at=clock.now(),
    )
    session.add(file)
    record(session, actor, subject(change), "file_added", name=shown, sha256=stored.digest)
    logger.info("file added to change request", extra={"change_id": str(change.id), "size": stored.size})
    return file


async def get_file(session: AsyncSession, actor: Actor, change_id: UUID, file_id: UUID) -> tuple[ChangeFile, bytes]:
    """One file with its bytes. Absent, foreign, hidden: NotFound."""
    await get_change(session, actor, change_id)
    for file in await _files_of(session, actor, change_id):
        if file.id == file_id:
            return file, await files.fetch(actor.tenant_id, file.digest)
    raise NotFound


async def _files_of(session: AsyncSession, actor: Actor, change_id: UUID) -> Sequence[ChangeFile]:
    query = select(ChangeFile).where(ChangeFile.tenant_id == actor.tenant_id, ChangeFile.change_id == change_id)
    return (await session.exec(query.order_by(col(ChangeFile.id)))).all()
