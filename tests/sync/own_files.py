"""A factory's own spreadsheets, in the shapes in which they really come, and how a person brings one in."""

import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from openpyxl import Workbook

from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.sync import service_own
from portal.sync.own_fields import Target
from portal.sync.own_work import OwnFound


def gb_csv(*rows: Sequence[str], mark: str = ",") -> bytes:
    """As Excel in China saves a CSV: GB18030, CRLF."""
    return "".join(mark.join(f'"{cell}"' if mark in cell else cell for cell in row) + "\r\n" for row in rows).encode(
        "gb18030"
    )


def book(*rows: Sequence[Any], merged: Sequence[str] = ()) -> bytes:
    """A workbook with typed cells and merged ones."""
    made = Workbook()
    page = made.active
    assert page is not None
    for row in rows:
        page.append(list(row))
    for cells in merged:
        page.merge_cells(cells)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


async def brought(actor: Actor, target: Target, content: bytes, name: str = "own.csv") -> tuple[UUID, OwnFound]:
    """Uploaded; the run with what is suggested."""
    async with unit_of_work(actor) as session:
        run = await service_own.upload(session, actor, target, name, content)
        return run.id, service_own.found_of(run)


async def mapped(actor: Actor, run_id: UUID, found: OwnFound, save_as: str = "", **changes: Any) -> OwnFound:
    """Tried with the suggested mapping, changed."""
    async with unit_of_work(actor) as session:
        run = await service_own.map_columns(session, actor, run_id, replace(found.mapping, **changes), save_as)
        return service_own.found_of(run)


async def done(actor: Actor, run_id: UUID) -> OwnFound:
    async with unit_of_work(actor) as session:
        return service_own.found_of(await service_own.apply(session, actor, run_id))


async def undone(actor: Actor, run_id: UUID) -> None:
    async with unit_of_work(actor) as session:
        await service_own.undo(session, actor, run_id)
