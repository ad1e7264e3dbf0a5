"""Import runs: a file is kept, read and checked by a job, looked at by a person, and written by a job.

A run goes waiting -> reading -> previewed -> applying -> applied, or to refused. Its steps can run twice: each one asks
for the status that it begins from, and what an import writes it writes once.
"""

import logging
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db, files
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver, read, unit_of_work
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.files import Stored
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.journal import Subject, emit, record
from portal.core.model import ImportRun
from portal.sync.child import REFUSALS
from portal.sync.events import ImportRequested
from portal.sync.findings import Refusal, Remark, shortened
from portal.sync.scms_compare import compare
from portal.sync.scms_figures import Figures, figures
from portal.sync.scms_file import SOURCE, ScmsFile
from portal.sync.scms_writer import RowsRefused, Written, write
from portal.sync.service import read_scms

logger = logging.getLogger(__name__)
EXAMPLES = 3  # rows shown of one remark
LISTED = [SOURCE, "own_files"]  # what the page of imports lists; workbooks of contracts have their own
WORKING = ("waiting", "reading", "applying")  # a job has the run


class NotReady(Conflict):
    code = "import-not-ready"
    text = N_("This import is “{status}” and cannot be applied now. Look at its state, or send the file again.")


class EmptyUpload(Invalid):
    code = "empty-upload"
    text = N_("Choose a file that is not empty.")


class Remarked(msgspec.Struct, frozen=True):
    """One remark on so many rows, with the first of them."""

    code: str
    column: str
    count: int
    rows: list[int]
    cells: list[str]


class Stopped(msgspec.Struct, frozen=True):
    """Why a file could not be read at all."""

    code: str
    data: dict[str, Any] = {}

    @property
    def sentence(self) -> str:
        return str(REFUSALS[self.code](**self.data)) if self.code in REFUSALS else str(Invalid())


class Outcome(msgspec.Struct, frozen=True):
    """What a run has found so far; stored with it."""

    figures: dict[str, Any] = {}
    fresh: int = 0  # deliveries that are new
    known: int = 0  # deliveries that are here
    changed: int = 0  # rows of the database written
    remarks: list[Remarked] = []
    refused: list[Refusal] = []
    stopped: Stopped | None = None


class RunRow(msgspec.Struct, frozen=True):
    """One run of the list, newest first."""

    id: UUID
    kind: str
    filename: str
    status: str
    rows: int
    done: int
    created_at: Any
    finished_at: Any
    who: str | None


# --- commands of people -----------------------------------------------------------------------------------------------


async def request_import(session: AsyncSession, actor: Actor, filename: str, content: bytes) -> ImportRun:
    """Keep an uploaded file and ask for it to be read. Nothing of it is opened here."""
    actor.require(Permission.RUN_IMPORTS)
    if not content:
        raise EmptyUpload(field="file")
    digest = await files.keep(actor.tenant_id, Stored(content, "application/octet-stream"))
    name = filename.replace("\\", "/").rpartition("/")[2].strip()[:200] or "file"
    run = ImportRun(
        id=uuid7(), tenant_id=actor.tenant_id, kind=SOURCE, filename=name, digest=digest, created_by=actor.member_id
    )
    session.add(run)
    _told(session, actor, run, "requested")
    return run


async def request_apply(session: AsyncSession, actor: Actor, run_id: UUID) -> ImportRun:
    """Ask for a previewed file to be written. Raises NotReady unless it was read without refusals and waits."""
    actor.require(Permission.RUN_IMPORTS)
    run = await get_run(session, actor, run_id, lock=True)
    if run.status != "previewed":
        raise NotReady(status=run.status)
    run.status, run.done = "applying", 0
    _told(session, actor, run, "confirmed")
    return run


def _told(session: AsyncSession, actor: Actor, run: ImportRun, verb: str) -> None:
    record(session, actor, _subject(actor, run.id), verb, file=run.filename, digest=run.digest)
    emit(session, actor, actor.party_id, ImportRequested(run.id))
    logger.info("import moved on", extra={"run_id": str(run.id), "verb": verb})


def _subject(actor: Actor, run_id: UUID) -> Subject:
    return Subject("import_run", run_id, actor.party_id, shared=False)


# --- reading ----------------------------------------------------------------------------------------------------------


async def get_run(session: AsyncSession, actor: Actor, run_id: UUID, *, lock: bool = False) -> ImportRun:
    """One run of the factory. Raises NotFound; to partners there is nothing here."""
    if not actor.is_factory:
        raise NotFound
    query = select(ImportRun).where(
        ImportRun.tenant_id == actor.tenant_id, ImportRun.id == run_id, ImportRun.kind == SOURCE
    )
    run = (await session.exec(query.with_for_update() if lock else query)).one_or_none()
    if run is None:
        raise NotFound
    return run


def outcome_of(run: ImportRun) -> Outcome:
    """What the run has found, as it was stored."""
    return msgspec.convert(run.result, Outcome)


_RUNS = """
select r.id, r.kind, r.filename, r.status, r.rows, r.done, r.created_at, r.finished_at, m.name
from import_run r left join member m on m.tenant_id = r.tenant_id and m.id = r.created_by
where r.tenant_id = $1 and r.kind = any($5) and ($2::timestamptz is null or (r.created_at, r.id) < ($2, $3))
order by r.created_at desc, r.id desc limit $4"""


async def list_runs(connection: Driver, actor: Actor, after: tuple[Any, UUID] | None, limit: int) -> list[RunRow]:
    """The runs, newest first, one more than `limit` where there are more."""
    actor.require(Permission.RUN_IMPORTS)
    when, run_id = after or (None, None)
    rows = await connection.fetch(_RUNS, actor.tenant_id, when, run_id, limit + 1, LISTED)
    return [RunRow(*row) for row in rows]


# --- what the job does ------------------------------------------------------------------------------------------------


async def go_on(system: Actor, run_id: UUID) -> None:
    """Take the run's next step. Safe to run twice."""
    async with unit_of_work(system) as session:
        run = await get_run(session, system, run_id, lock=True)
        if run.status == "waiting":
            run.status = "reading"
        status, filename, digest = run.status, run.filename, run.digest
    if status == "reading":
        await _read(system, run_id, filename, digest)
    elif status == "applying":
        await _apply(system, run_id, filename, digest)


async def _read(system: Actor, run_id: UUID, filename: str, digest: str) -> None:
    """Read and check the file and keep what was found for the preview."""
    file = await _file(system, run_id, filename, digest, "reading")
    if file is None:
        return
    refused = list(file.refused)
    fresh, known = 0, 0
    if not refused:
        async with read(system) as connection:
            found = await compare(connection, system, file)
        refused, fresh, known = found.refused, len(found.fresh), found.known
    outcome = Outcome(
        figures=plain_figures(figures(file)),
        fresh=fresh,
        known=known,
        remarks=[_remarked(remark) for remark in file.remarks],
        refused=refused,
    )
    await _finish(system, run_id, "reading", "refused" if refused else "previewed", outcome, rows=file.rows)


async def _file(system: Actor, run_id: UUID, filename: str, digest: str, status: str) -> ScmsFile | None:
    """The kept file, parsed; one that cannot be read ends the run."""
    try:
        return await read_scms(await files.fetch(system.tenant_id, digest), filename)
    except Invalid as error:
        plain = {key: value if isinstance(value, int) else str(value) for key, value in error.data.items()}
        await _finish(system, run_id, status, "refused", Outcome(stopped=Stopped(error.code, plain)))
        return None


async def _apply(system: Actor, run_id: UUID, filename: str, digest: str) -> None:
    """Write the file. Its rows and the run's end are one transaction; the bar moves in others."""

    async def tell(done: int) -> None:
        async with unit_of_work(system) as beside:
            connection = await db.driver(beside)
            await connection.execute(
                "update import_run set done = $3 where tenant_id = $1 and id = $2 and status = 'applying'",
                *(system.tenant_id, run_id, done),
            )

    file = await _file(system, run_id, filename, digest, "applying")
    if file is None:
        return
    try:
        async with unit_of_work(system) as session:
            written = await write(session, system, file, run_id, tell)
            await _store_applied(session, system, run_id, file, written)
    except RowsRefused as error:
        outcome = Outcome(figures=plain_figures(figures(file)), refused=error.refused)
        await _finish(system, run_id, "applying", "refused", outcome, rows=file.rows)


async def _store_applied(session: AsyncSession, system: Actor, run_id: UUID, file: ScmsFile, written: Written) -> None:
    run = await get_run(session, system, run_id, lock=True)
    if run.status != "applying":
        return  # another try was here first, and this one has written nothing
    before = outcome_of(run)
    after = msgspec.structs.replace(
        before,
        figures=plain_figures(figures(file, written.changed)),
        fresh=written.fresh,
        known=written.known,
        changed=written.changed,
    )
    run.result = msgspec.to_builtins(after)
    run.status, run.rows, run.done, run.finished_at = "applied", file.rows, file.rows, clock.now()


async def _finish(system: Actor, run_id: UUID, before: str, status: str, outcome: Outcome, rows: int = 0) -> None:
    """Store what a step found, unless another try did."""
    async with unit_of_work(system) as session:
        run = await get_run(session, system, run_id, lock=True)
        if run.status != before:
            return
        run.status, run.rows, run.result = status, rows, msgspec.to_builtins(outcome)
        if status == "refused":
            run.finished_at = clock.now()
        record(session, system, _subject(system, run_id), status, rows=rows, refused=len(outcome.refused))


def plain_figures(found: Figures) -> dict[str, Any]:
    """The figures as they are stored: amounts as text."""
    return {**found, "value_usd": str(found["value_usd"])}


def _remarked(remark: Remark) -> Remarked:
    cells = [shortened(cell) for cell in remark.cells[:EXAMPLES]]
    return Remarked(remark.code, remark.column, len(remark.rows), remark.rows[:EXAMPLES], cells)
