"""Workbooks of answers and commits that come back: tried and shown first, applied when somebody says so.

Either company sends them: the seller its own, the factory those of a supplier who answered elsewhere. What a workbook
was made from says which of the two it is.
"""

import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, files
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.files import Stored, clean_name
from portal.core.ids import uuid7
from portal.core.journal import Subject, record
from portal.sync import sheet_answers, sheet_commits
from portal.sync.model import BookKind, BookStatus, SheetRun
from portal.sync.service_runs import EmptyUpload, NotReady
from portal.sync.sheet_bases import AnswersBase, FoundAnswers, FoundCommits, read_base
from portal.sync.sheet_book import Book
from portal.sync.sheet_columns import Sheet
from portal.sync.sheet_runs import read_upload, rows_left, taken, tried

logger = logging.getLogger(__name__)
SHEETS = (Sheet.ANSWERS, Sheet.COMMITS)
Found = FoundAnswers | FoundCommits


async def upload(session: AsyncSession, actor: Actor, filename: str, content: bytes) -> SheetRun:
    """Read a workbook, try what it says, undo that and keep what was found for the user to look at."""
    if not content:
        raise EmptyUpload(field="file")
    book = await read_upload(content, filename, SHEETS)
    base = await read_base(actor, book.export)
    run = SheetRun(
        tenant_id=actor.tenant_id,
        id=uuid7(),
        party_id=actor.party_id,
        kind=BookKind.ANSWERS if isinstance(base, AnswersBase) else BookKind.COMMITS,
        filename=clean_name(filename) or "file",
        digest=await files.keep(actor.tenant_id, Stored(content, "application/octet-stream")),
        rows=len(book.rows),
        created_by=actor.member_id,
        created_at=clock.now(),
    )
    found = await tried(session, lambda: _carried_out(session, actor, book, {}))
    run.result = msgspec.to_builtins(found)
    session.add(run)
    record(session, actor, _subject(run), "previewed", file=run.filename)
    return run


async def apply(session: AsyncSession, actor: Actor, run_id: UUID, mine: Iterable[int] = ()) -> SheetRun:
    """Apply the good rows, and of the conflicts those that the user took (their places in the list).

    Everything is compared anew with what holds now; what changed since the preview is not run over.
    """
    run = await get_run(session, actor, run_id, lock=True)
    if run.status is not BookStatus.PREVIEWED:
        raise NotReady(status=run.status)
    book = await read_upload(await files.fetch(actor.tenant_id, run.digest), run.filename, SHEETS)
    found = await _carried_out(session, actor, book, taken(found_of(run), mine))
    run.result, run.status, run.finished_at = msgspec.to_builtins(found), BookStatus.APPLIED, clock.now()
    run.done = len(found.changes)
    session.add(run)
    record(session, actor, _subject(run), "applied", changes=run.done, refused=len(found.refused))
    logger.info("workbook applied", extra={"run_id": str(run.id), "kind": run.kind, "changes": run.done})
    return run


async def _carried_out(session: AsyncSession, actor: Actor, book: Book, chosen: Mapping[tuple[str, str], str]) -> Found:
    base = await read_base(actor, book.export)
    if isinstance(base, AnswersBase):
        return await sheet_answers.carried_out(session, actor, book, base, chosen)
    return await sheet_commits.carried_out(session, actor, book, base, chosen)


async def get_run(session: AsyncSession, actor: Actor, run_id: UUID, *, lock: bool = False) -> SheetRun:
    """One upload of the own company. A colleague restricted to some contracts finds the own ones only. NotFound."""
    query = select(SheetRun).where(
        SheetRun.tenant_id == actor.tenant_id, SheetRun.party_id == actor.party_id, SheetRun.id == run_id
    )
    if actor.contract_ids is not None:
        query = query.where(SheetRun.created_by == actor.member_id)
    run = (await session.exec(query.with_for_update() if lock else query)).one_or_none()
    if run is None:
        raise NotFound
    sheet_answers.require_either(actor)
    return run


def found_of(run: SheetRun) -> Found:
    """What the run has found, as it was stored."""
    if run.kind == BookKind.ANSWERS:
        return msgspec.convert(run.result, FoundAnswers)
    return msgspec.convert(run.result, FoundCommits)


async def left_over(session: AsyncSession, actor: Actor, run_id: UUID) -> bytes:
    """The rows that were not applied as a workbook with the reasons, to be mended and sent again."""
    run = await get_run(session, actor, run_id)
    book = await read_upload(await files.fetch(actor.tenant_id, run.digest), run.filename, SHEETS)
    return await rows_left(book, found_of(run), [Sheet.ANSWERS if run.kind == BookKind.ANSWERS else Sheet.COMMITS])


def _subject(run: SheetRun) -> Subject:
    return Subject("sheet_run", run.id, run.party_id, shared=False)
