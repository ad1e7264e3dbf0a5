"""Contracts out to a workbook and back: what was exported is kept, so that an upload is merged with what others changed
meanwhile. An upload is tried and shown first; nothing is applied until somebody says so.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.core import clock, files
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.files import Stored, clean_name
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.journal import Subject, record
from portal.core.model import ImportRun
from portal.sync.rules_sheets import flat
from portal.sync.service_runs import EmptyUpload, NotReady
from portal.sync.sheet_book import OutRow, write_book
from portal.sync.sheet_columns import CONTRACT_SHEETS, Sheet
from portal.sync.sheet_commands import standing
from portal.sync.sheet_runs import MOST_ROWS, read_upload, rows_left, taken, tried
from portal.sync.sheet_work import KIND, Base, Exported, Found, carried_out, read_base

logger = logging.getLogger(__name__)
MOST = 100  # contracts in one workbook


class TooManyContracts(Invalid):
    code = "too-many-contracts"
    text = N_("A workbook holds at most {most} contracts. Narrow the list, then export it.")


class WorkbookTooLong(Invalid):
    code = "workbook-too-long"
    text = N_("One sheet of the workbook would have {rows} rows, and at most {most} come back. Narrow the list.")


def may_use(actor: Actor) -> bool:
    """The factory's writers of contracts, who see prices."""
    return actor.is_factory and actor.may(Permission.EDIT_CONTRACTS) and actor.may(Permission.SEE_PRICES)


def _require(actor: Actor) -> None:
    actor.require(Permission.EDIT_CONTRACTS)
    actor.require(Permission.SEE_PRICES)


# Out ------------------------------------------------------------------------------------------------------------------


async def export(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> bytes:
    """The contracts as a workbook in the reader's language."""
    _require(actor)
    if len(ids) > MOST:
        raise TooManyContracts(most=MOST)
    contracts: dict[str, Exported] = {}
    for contract_id in ids:
        contract = await get_contract(session, actor, contract_id)
        contracts[str(contract_id)] = Exported(contract.version, await standing(session, actor, contract))
    base = Stored(msgspec.json.encode(Base(KIND, contracts), order="sorted"), "application/json")
    digest = await files.keep(actor.tenant_id, base)
    rows: dict[Sheet, list[OutRow]] = {sheet: [] for sheet in CONTRACT_SHEETS}
    for contract_id_, exported in contracts.items():
        for sheet, found in flat(exported.content, contract_id_).items():
            rows[sheet] += [OutRow(key, str(exported.version), values) for key, values in found.items()]
    if (longest := max(map(len, rows.values()))) > MOST_ROWS:
        raise WorkbookTooLong(rows=longest, most=MOST_ROWS)
    return await asyncio.to_thread(write_book, rows, digest)


# In -------------------------------------------------------------------------------------------------------------------


async def upload(session: AsyncSession, actor: Actor, filename: str, content: bytes, effective_from: date) -> ImportRun:
    """Read a workbook, try what it says, undo that and keep what was found for the user to look at.

    effective_from: the day from which changes of contracts in force are offered.
    """
    _require(actor)
    if not content:
        raise EmptyUpload(field="file")
    book = await read_upload(content, filename, CONTRACT_SHEETS)
    await read_base(actor, book.export)
    digest = await files.keep(actor.tenant_id, Stored(content, "application/octet-stream"))
    run = ImportRun(
        id=uuid7(),
        tenant_id=actor.tenant_id,
        kind=KIND,
        filename=clean_name(filename) or "file",
        digest=digest,
        status="previewed",
        rows=len(book.rows),
        created_by=actor.member_id,
    )
    found = await tried(session, lambda: carried_out(session, actor, book, effective_from, {}))
    run.result = msgspec.to_builtins(found)
    session.add(run)
    record(session, actor, _subject(actor, run), "previewed", file=run.filename, digest=digest)
    return run


async def apply(session: AsyncSession, actor: Actor, run_id: UUID, mine: Iterable[int] = ()) -> ImportRun:
    """Apply the good rows of an upload, and those of its conflicts that the user took (their places in the list).

    Everything is merged anew with what the contracts say now; what somebody changed since the preview is not run over.
    """
    _require(actor)
    run = await get_run(session, actor, run_id, lock=True)
    if run.status != "previewed":
        raise NotReady(status=run.status)
    before = found_of(run)
    book = await read_upload(await files.fetch(actor.tenant_id, run.digest), run.filename, CONTRACT_SHEETS)
    found = await carried_out(session, actor, book, before.effective_from, taken(before, mine))
    run.result, run.status, run.finished_at = msgspec.to_builtins(found), "applied", clock.now()
    run.done = len(found.changes)
    record(session, actor, _subject(actor, run), "applied", changes=len(found.changes), refused=len(found.refused))
    logger.info("contract workbook applied", extra={"run_id": str(run.id), "changes": len(found.changes)})
    return run


async def get_run(session: AsyncSession, actor: Actor, run_id: UUID, *, lock: bool = False) -> ImportRun:
    """One upload. Raises NotFound; a colleague restricted to some contracts finds the own ones only."""
    if not actor.is_factory:
        raise NotFound
    query = select(ImportRun).where(
        ImportRun.tenant_id == actor.tenant_id, ImportRun.id == run_id, ImportRun.kind == KIND
    )
    if actor.contract_ids is not None:
        query = query.where(ImportRun.created_by == actor.member_id)
    run = (await session.exec(query.with_for_update() if lock else query)).one_or_none()
    if run is None:
        raise NotFound
    _require(actor)
    return run


def found_of(run: ImportRun) -> Found:
    """What the run has found, as it was stored."""
    return msgspec.convert(run.result, Found)


async def left_over(session: AsyncSession, actor: Actor, run_id: UUID) -> bytes:
    """The rows that were not applied as a workbook with the reasons, to be mended and sent again."""
    run = await get_run(session, actor, run_id)
    found = found_of(run)
    book = await read_upload(await files.fetch(actor.tenant_id, run.digest), run.filename, CONTRACT_SHEETS)
    return await rows_left(book, found, CONTRACT_SHEETS)


def _subject(actor: Actor, run: ImportRun) -> Subject:
    return Subject("import_run", run.id, actor.party_id, shared=False)
