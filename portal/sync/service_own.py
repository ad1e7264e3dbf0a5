"""A factory's own spreadsheet: kept, mapped, tried and shown, applied row by row, and taken back as a whole.

A run goes mapping -> previewed -> applied -> undone. Nothing is written before somebody applies it.
"""

import asyncio
import logging
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Tenant
from portal.contracts.service_discard import DraftInUse, discard_draft
from portal.core import clock, files
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.files import Stored, clean_name
from portal.core.i18n import N_, _
from portal.core.ids import uuid7
from portal.core.journal import Subject, record
from portal.core.model import ImportRun
from portal.schedules.service_discard import discard_lines
from portal.shipments.service_opening import withdraw_opening
from portal.sync.child import read_grid_in_child
from portal.sync.model import ImportMapping
from portal.sync.own_fields import BY_NAME, Target, fitting, header_row, suggest
from portal.sync.own_rows import FileMapping, Grid, grid_of, lacking
from portal.sync.own_steps import carried_out, tried
from portal.sync.own_values import DayOrder, Marks
from portal.sync.own_work import Made, OwnFound
from portal.sync.service_runs import EmptyUpload, NotReady
from portal.sync.table import MB, Limits

logger = logging.getLogger(__name__)
KIND = "own_files"
LIMITS = Limits(file_bytes=8 * MB, unpacked_bytes=48 * MB, rows=2_000, columns=80, cells=160_000)
NEEDS = {
    Target.CONTRACTS: (Permission.EDIT_CONTRACTS, Permission.SEE_PRICES),
    Target.SCHEDULE: (Permission.PUBLISH_SCHEDULES,),
    Target.OPENING: (Permission.EDIT_CONTRACTS,),
}
NAMED = 5  # documents named in a refusal


class NotMapped(Invalid):
    code = "not-mapped"
    text = N_("Say which column holds: {fields}.")


class LineNotMapped(Invalid):
    code = "line-not-mapped"
    text = N_("Map a column to “Line” or to “Item code”, so that each row finds its contract line.")


class AlreadyApplied(Conflict):
    code = "file-already-applied"
    text = N_("This file was applied before, as “{filename}”. Undo that import first, or send a file with other rows.")


class ActedOn(Conflict):
    code = "import-acted-on"
    text = N_("Somebody has worked on this since, so the import stays: {documents}. Nothing was taken back.")


def may_use(actor: Actor) -> bool:
    return actor.is_factory and actor.may(Permission.RUN_IMPORTS)


def _require(actor: Actor, target: Target) -> None:
    for permission in (Permission.RUN_IMPORTS, *NEEDS[target]):
        actor.require(permission)


# In -------------------------------------------------------------------------------------------------------------------


async def upload(session: AsyncSession, actor: Actor, target: Target, filename: str, content: bytes) -> ImportRun:
    """Keep a file, find its heading and suggest what its columns hold: as a saved mapping says that fits, else by
    their headings."""
    _require(actor, target)
    if not content:
        raise EmptyUpload(field="file")
    grid = await _read(content, filename)
    found = await _suggested(session, actor, target, grid)
    run = ImportRun(
        id=uuid7(),
        tenant_id=actor.tenant_id,
        kind=KIND,
        filename=clean_name(filename) or "file",
        digest=await files.keep(actor.tenant_id, Stored(content, "application/octet-stream")),
        status="mapping",
        rows=max(len(grid.rows) - grid.at(found.mapping.header) - 1, 0),
        result=msgspec.to_builtins(found),
        created_by=actor.member_id,
    )
    session.add(run)
    record(session, actor, _subject(actor, run), "requested", file=run.filename, digest=run.digest)
    return run


async def _suggested(session: AsyncSession, actor: Actor, target: Target, grid: Grid) -> OwnFound:
    header = grid.numbers[header_row(target, grid.rows)]
    headings = grid.header(header)
    tenant = await session.get_one(Tenant, (actor.tenant_id, actor.tenant_id))
    plain = FileMapping(target, header, suggest(target, headings), currency=tenant.currency)
    for saved in await mappings(session, actor, target):
        if columns := fitting(target, headings, saved.headings):
            options = _options(saved)
            return OwnFound(target, msgspec.structs.replace(plain, columns=columns, **options), headings, saved.name)
    return OwnFound(target, plain, headings)


def _options(saved: ImportMapping) -> dict[str, Any]:
    said = saved.options
    return {
        "days": DayOrder(said["days"]),
        "marks": Marks(said["marks"]),
        "fill_down": bool(said["fill_down"]),
        "direction": str(said["direction"]),
        "currency": str(said["currency"]),
    }


async def mappings(session: AsyncSession, actor: Actor, target: Target | None = None) -> list[ImportMapping]:
    """The saved mappings, the newest first."""
    actor.require(Permission.RUN_IMPORTS)
    query = select(ImportMapping).where(ImportMapping.tenant_id == actor.tenant_id)
    if target is not None:
        query = query.where(ImportMapping.target == target.value)
    return list((await session.exec(query.order_by(col(ImportMapping.id).desc()))).all())


# Mapping --------------------------------------------------------------------------------------------------------------


async def map_columns(
    session: AsyncSession, actor: Actor, run_id: UUID, mapping: FileMapping, save_as: str = ""
) -> ImportRun:
    """Say what the columns hold, and try the file with it; nothing is written of it."""
    run = await get_run(session, actor, run_id, lock=True)
    before = found_of(run)
    _require(actor, before.target)
    if run.status not in ("mapping", "previewed"):
        raise NotReady(status=run.status)
    mapping = msgspec.structs.replace(mapping, target=before.target)
    grid = await read_grid(actor, run)
    check_mapping(mapping, grid)
    work = await tried(session, actor, grid, mapping)
    if save_as:
        await _save(session, actor, mapping, grid, save_as)
    run.result = msgspec.to_builtins(work.found(save_as or before.saved))
    run.status, run.rows = "previewed", work.count
    record(session, actor, _subject(actor, run), "previewed", file=run.filename, refused=len(work.refused))
    return run


def check_mapping(mapping: FileMapping, grid: Grid) -> None:
    """Raise NotMapped or LineNotMapped. Fields and columns that are not there say nothing."""
    width = len(grid.header(mapping.header))
    columns = {name: at for name, at in mapping.columns.items() if name in BY_NAME[mapping.target] and at < width}
    if missing := lacking(mapping.target, columns):
        raise NotMapped(field="columns", fields=", ".join(_(label) for label in missing))
    if mapping.target is not Target.CONTRACTS and not {"line_no", "item_code"} & set(columns):
        raise LineNotMapped(field="columns")


async def _save(session: AsyncSession, actor: Actor, mapping: FileMapping, grid: Grid, name: str) -> None:
    """Keep the mapping under a name; one that is there is written anew."""
    query = select(ImportMapping).where(
        ImportMapping.tenant_id == actor.tenant_id,
        ImportMapping.target == mapping.target.value,
        ImportMapping.name == name,
    )
    saved = (await session.exec(query.with_for_update())).one_or_none()
    if saved is None:
        saved = ImportMapping(tenant_id=actor.tenant_id, target=mapping.target.value, name=name, version=0)
        session.add(saved)
    header = grid.header(mapping.header)
    saved.headings = {field: header[at] for field, at in mapping.columns.items() if at < len(header)}
    plain = msgspec.to_builtins(mapping)
    saved.options = {key: plain[key] for key in ("days", "marks", "fill_down", "direction", "currency")}
    saved.version += 1
    await session.flush()
    record(session, actor, Subject("import_mapping", saved.id, actor.party_id, shared=False), "saved", name=name)


async def forget_mapping(session: AsyncSession, actor: Actor, mapping_id: UUID) -> None:
    """Throw a saved mapping away. Imports that used it stay."""
    actor.require(Permission.RUN_IMPORTS)
    query = select(ImportMapping).where(ImportMapping.tenant_id == actor.tenant_id, ImportMapping.id == mapping_id)
    saved = (await session.exec(query)).one_or_none()
    if saved is None:
        raise NotFound
    subject = Subject("import_mapping", saved.id, actor.party_id, shared=False)
    record(session, actor, subject, "removed", name=saved.name)
    await session.delete(saved)


class UnknownMapping(Invalid):
    code = "unknown-mapping"
    text = N_("There is no saved mapping “{wanted}” whose headings all stand in this file.")


async def use_mapping(session: AsyncSession, actor: Actor, run: ImportRun, name: str) -> FileMapping:
    """A saved mapping by its name, in the columns of this file."""
    found = found_of(run)
    headings = (await read_grid(actor, run)).header(found.mapping.header)
    for saved in await mappings(session, actor, found.target):
        if saved.name == name and (columns := fitting(found.target, headings, saved.headings)):
            return msgspec.structs.replace(found.mapping, columns=columns, **_options(saved))
    raise UnknownMapping(field="mapping", wanted=name)


# Applying and undoing -------------------------------------------------------------------------------------------------


async def apply(session: AsyncSession, actor: Actor, run_id: UUID) -> ImportRun:
    """Make drafts of the good rows, against what holds now. The others come back with their reasons."""
    run = await get_run(session, actor, run_id, lock=True)
    before = found_of(run)
    _require(actor, before.target)
    if run.status != "previewed":
        raise NotReady(status=run.status)
    await _check_new(session, actor, run)
    work = await carried_out(session, actor, await read_grid(actor, run), before.mapping)
    found = work.found(before.saved)
    run.result, run.status, run.finished_at = msgspec.to_builtins(found), "applied", clock.now()
    run.done = found.good
    record(session, actor, _subject(actor, run), "applied", made=len(found.made), refused=len(found.refused))
    logger.info("own file applied", extra={"run_id": str(run.id), "made": len(found.made)})
    return run


async def _check_new(session: AsyncSession, actor: Actor, run: ImportRun) -> None:
    """Raise AlreadyApplied when the very same file is in force."""
    query = select(ImportRun).where(
        ImportRun.tenant_id == actor.tenant_id,
        ImportRun.kind == KIND,
        ImportRun.digest == run.digest,
        ImportRun.status == "applied",
    )
    for former in (await session.exec(query)).all():
        if found_of(former).target is found_of(run).target:
            raise AlreadyApplied(filename=former.filename)


async def undo(session: AsyncSession, actor: Actor, run_id: UUID) -> ImportRun:
    """Take an import back as a whole. Raises ActedOn with the documents that somebody has worked on since."""
    run = await get_run(session, actor, run_id, lock=True)
    found = found_of(run)
    _require(actor, found.target)
    if run.status != "applied":
        raise NotReady(status=run.status)
    acted = []
    lines = {made.id: made for made in found.made if made.kind == "schedule_line"}
    gone = await discard_lines(session, actor, list(lines)) if lines else set()
    acted += [made.label for made in lines.values() if made.id not in gone]
    for made in found.made:
        if made.kind == "contract":
            try:
                await discard_draft(session, actor, made.id, made.version)
            except (DraftInUse, NotFound):
                acted.append(made.label)
        if made.kind == "opening" and not await _taken_back(session, actor, made):
            acted.append(made.label)
    if acted:
        more = f" (+{len(acted) - NAMED})" if len(acted) > NAMED else ""
        raise ActedOn(documents=", ".join(acted[:NAMED]) + more)
    run.status, run.finished_at = "undone", clock.now()
    record(session, actor, _subject(actor, run), "undone", made=len(found.made))
    logger.info("own file undone", extra={"run_id": str(run.id), "made": len(found.made)})
    return run


async def _taken_back(session: AsyncSession, actor: Actor, made: Made) -> bool:
    """Withdraw opening balances that still wait as they were entered."""
    assert made.parent is not None
    try:
        await withdraw_opening(session, actor, made.parent, made.version, made.id)
    except (Conflict, NotFound):
        return False
    return True


# Reading --------------------------------------------------------------------------------------------------------------


async def get_run(session: AsyncSession, actor: Actor, run_id: UUID, *, lock: bool = False) -> ImportRun:
    """One upload of the factory. Raises NotFound; to partners there is nothing here."""
    if not actor.is_factory:
        raise NotFound
    query = select(ImportRun).where(
        ImportRun.tenant_id == actor.tenant_id, ImportRun.id == run_id, ImportRun.kind == KIND
    )
    run = (await session.exec(query.with_for_update() if lock else query)).one_or_none()
    if run is None:
        raise NotFound
    actor.require(Permission.RUN_IMPORTS)
    return run


def found_of(run: ImportRun) -> OwnFound:
    """What the run has found, as it was stored."""
    return msgspec.convert(run.result, OwnFound)


async def read_grid(actor: Actor, run: ImportRun) -> Grid:
    """The kept file, as rows of text."""
    return await _read(await files.fetch(actor.tenant_id, run.digest), run.filename)


async def _read(content: bytes, filename: str) -> Grid:
    try:
        return grid_of(await asyncio.to_thread(read_grid_in_child, content, filename, LIMITS))
    except Invalid as error:
        error.field = "file"
        raise


def left_over(grid: Grid, found: OwnFound) -> tuple[list[str], list[list[str]]]:
    """The rows that were not applied, as they stand in the file, each with its reasons behind it."""
    reasons: dict[int, list[str]] = {}
    for each in found.refused:
        where = f"{each.column}: " if each.column else ""
        reasons.setdefault(each.row, []).append(f"{where}{each.reason} {each.told}".strip())
    head = [*grid.header(found.mapping.header), _("Reason")]
    rows = [[*cells, " ".join(reasons[row])] for row, cells in grid.below(found.mapping.header) if row in reasons]
    return head, rows


def _subject(actor: Actor, run: ImportRun) -> Subject:
    return Subject("import_run", run.id, actor.party_id, shared=False)
