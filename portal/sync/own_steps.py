"""Trying and applying: what a factory's own spreadsheet does, by what its rows become."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.journal import part
from portal.sync.own_contracts import make_contracts
from portal.sync.own_fields import Target
from portal.sync.own_opening import enter_openings
from portal.sync.own_rows import FileMapping, Grid
from portal.sync.own_schedule import call_rows_off
from portal.sync.own_work import Work


async def carried_out(session: AsyncSession, actor: Actor, grid: Grid, mapping: FileMapping) -> Work:
    """Do what the rows say; what is refused has changed nothing."""
    work = Work(actor, grid, mapping)
    if mapping.target is Target.CONTRACTS:
        await make_contracts(session, work)
    elif mapping.target is Target.OPENING:
        await enter_openings(session, work)
    else:
        await call_rows_off(session, work)
    return work


class _OnlyTried(Exception):
    """Undoes what was tried."""


async def tried(session: AsyncSession, actor: Actor, grid: Grid, mapping: FileMapping) -> Work:
    """What the rows would do, with all of it undone."""
    work: Work | None = None
    try:
        async with part(session):
            work = await carried_out(session, actor, grid, mapping)
            raise _OnlyTried
    except _OnlyTried:
        pass
    assert work is not None  # whatever else was raised has left this function
    return work
