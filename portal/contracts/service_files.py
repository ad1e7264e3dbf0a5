"""Files on a contract: rows under row-level security, bytes in the file store."""

import logging
from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import ContractFileAdded
from portal.contracts.model import ContractFile
from portal.contracts.service import get_contract, require_step, subject
from portal.core import clock, files
from portal.core.actor import Actor
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.i18n import N_
from portal.core.journal import emit, record

logger = logging.getLogger(__name__)
MOST_FILES = 50


class TooManyFiles(Invalid):
    code = "too-many-files"
    text = N_("A contract holds up to {most} files. Put several documents into one.")


class FileThere(Conflict):
    code = "file-there"
    text = N_("The same file is on this contract already, as “{name}”.")


async def add_file(
    session: AsyncSession, actor: Actor, contract_id: UUID, name: str, content: bytes, *, internal: bool = False
) -> ContractFile:
    """Keep a file on the contract, in any state of it. internal: the factory's own, the partner never sees it.

    A file is never changed or taken away: what was shared was shared.
    """
    require_step(actor, "attach")
    if internal and not actor.is_factory:
        raise Forbidden
    contract = await get_contract(session, actor, contract_id, lock=True)
    shown, stored = files.attachment(name, content)
    present = await files_of(session, actor, contract_id)
    if len(present) >= MOST_FILES:
        raise TooManyFiles(field="file", most=MOST_FILES)
    for file in present:
        if (file.digest, file.internal) == (stored.digest, internal):
            raise FileThere(field="file", name=file.name)
    await files.keep(actor.tenant_id, stored)
    file = ContractFile(
        tenant_id=contract.tenant_id,
        party_id=contract.party_id,
        contract_id=contract.id,
        name=shown,
        digest=stored.digest,
        content_type=stored.content_type,
        size=stored.size,
        internal=internal,
        added_by=actor.name,
        added_at=clock.now(),
    )
    session.add(file)
    what = replace(subject(contract), shared=not internal)
    record(session, actor, what, "file_added", name=shown, sha256=stored.digest)
    if not internal:
        emit(session, actor, contract.party_id, ContractFileAdded(contract.id))
    logger.info("file added to contract", extra={"contract_id": str(contract.id), "size": stored.size})
    return file


async def files_of(session: AsyncSession, actor: Actor, contract_id: UUID) -> Sequence[ContractFile]:
    """The files of a contract that the reader may see, the oldest first."""
    query = select(ContractFile).where(
        ContractFile.tenant_id == actor.tenant_id, ContractFile.contract_id == contract_id
    )
    if not actor.is_factory:
        query = query.where(col(ContractFile.internal).is_(False))
    return (await session.exec(query.order_by(col(ContractFile.id)))).all()


async def get_file(session: AsyncSession, actor: Actor, contract_id: UUID, file_id: UUID) -> tuple[ContractFile, bytes]:
    """One file with its bytes. Absent, foreign, hidden: NotFound."""
    await get_contract(session, actor, contract_id)
    for file in await files_of(session, actor, contract_id):
        if file.id == file_id:
            return file, await files.fetch(actor.tenant_id, file.digest)
    raise NotFound
