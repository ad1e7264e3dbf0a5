"""Bringing a file in from the command line: read apart from us, checked whole, written in one transaction."""

import asyncio
from pathlib import Path

import asyncpg

from portal.accounts.service_companies import CreateTenant, TenantExists, create_tenant, find_tenant
from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.sync.child import read_in_child
from portal.sync.scms import parse
from portal.sync.scms_compare import Comparison, compare
from portal.sync.scms_file import SOURCE, ScmsFile
from portal.sync.scms_writer import RowsRefused, Tell, Written, write


class ChooseTenant(Invalid):
    code = "choose-tenant"
    text = N_("There are several workspaces. Name one with --tenant: {codes}.")


class UnknownTenant(Invalid):
    code = "unknown-tenant"
    text = N_("There is no workspace with the code “{wanted}”. Make it first, or leave --tenant out.")


async def read_scms(source: Path | bytes, filename: str) -> ScmsFile:
    """Read an SCMS delivery file in a process of its own. Raises Invalid when it is no table; bad rows are listed."""
    return await asyncio.to_thread(lambda: parse(read_in_child(source, filename)))


async def choose_tenant(owner_url: str, code: str | None) -> Actor | None:
    """The named workspace, or the only one; none when there is none yet. Raises ChooseTenant, UnknownTenant."""
    if code is not None:
        found = await find_tenant(owner_url, code)
        if found is None:
            raise UnknownTenant(field="tenant", wanted=code)
        return found
    connection = await asyncpg.connect(db.asyncpg_dsn(owner_url))
    try:
        rows = await connection.fetch("select code, tenant_id, factory_party_id from tenant order by code")
    finally:
        await connection.close()
    if len(rows) > 1:
        raise ChooseTenant(field="tenant", codes=", ".join(row["code"] for row in rows))
    return Actor.system(rows[0]["tenant_id"], rows[0]["factory_party_id"]) if rows else None


async def make_scms_tenant(owner_url: str, file: ScmsFile) -> Actor:
    """The workspace of the file's own factory. Several at once: one makes it, the others find it."""
    data = CreateTenant(code=SOURCE, name=file.factory.name, currency="USD")
    try:
        return await create_tenant(owner_url, data)
    except TenantExists:
        found = await find_tenant(owner_url, SOURCE)
        assert found  # the other one has committed
        return found


async def import_scms(owner_url: str, file: ScmsFile, code: str | None, tell: Tell | None = None) -> Written:
    """Write a parsed file into the chosen workspace. Raises RowsRefused, ChooseTenant or UnknownTenant."""
    if file.refused:
        raise RowsRefused(file.refused)
    actor = await choose_tenant(owner_url, code) or await make_scms_tenant(owner_url, file)
    async with db.unit_of_work(actor) as session:
        return await write(session, actor, file, tell=tell)


async def try_scms(owner_url: str, file: ScmsFile, code: str | None) -> Comparison:
    """What `import_scms` would do, without doing it."""
    actor = await choose_tenant(owner_url, code)
    if file.refused or actor is None:
        fresh = list(range(len(file.lines)))
        return Comparison(fresh, 0, {}, list(file.refused))
    async with db.read(actor) as connection:
        return await compare(connection, actor, file)
