"""Which migration a database is at, and whether this version of the portal was written for it."""

import logging
import re
from functools import cache
from pathlib import Path

import asyncpg

from portal.core.roles import RolesError, connect
from portal.core.settings import StartError

logger = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).parent.parent / "migrations"
MIGRATION_LOCK = 0x0CA110FF  # an advisory lock, held by whoever migrates
_LINK = re.compile(r'^(?:down_)?revision\b.*= (?:None|"(\w+)")$', re.MULTILINE)


class SchemaError(StartError):
    """The schema is not as it must be; the text says why and what to do."""


@cache
def revisions() -> dict[str, str | None]:
    """Every migration of this version of the portal, with the one before it.

    Read from the text of the files: Alembic imports all of them, and itself, for which no start has the time.
    """
    texts = (path.read_text("utf-8") for path in (MIGRATIONS / "versions").glob("*.py"))
    links = [_LINK.findall(text) for text in texts]
    return {revision: before or None for revision, before in links}


def newest() -> str:
    """The migration on which no other builds."""
    (revision,) = revisions().keys() - revisions().values()
    return revision


def wrong(stored: str | None) -> str | None:
    """What to do about a schema that this version of the portal does not fit; None where it fits."""
    if stored == newest():
        return None
    return (
        from_newer(stored) or f"The schema is at {stored or 'nothing'}, the newest is {newest()}; run `portal migrate`."
    )


def from_newer(stored: str | None) -> str | None:
    """The same where no migration helps, because a newer version of the portal has been here."""
    if stored is None or stored in revisions():
        return None
    return (
        f"The schema is at {stored}, which a newer version of the portal made; this one knows it up to {newest()}. "
        "Run the newer version, or restore a backup from before it."
    )


async def stored_in(connection: asyncpg.Connection) -> str | None:
    """The migration that a database is at; None before the first."""
    if not await connection.fetchval("select to_regclass('public.alembic_version') is not null"):
        return None
    stored: str | None = await connection.fetchval("select version_num from public.alembic_version")
    return stored


async def require_newest(connection: asyncpg.Connection) -> None:
    """Raise SchemaError unless the database, asked as its owner, is at the newest migration."""
    if said := wrong(await stored_in(connection)):
        raise SchemaError(said)


async def require_newest_at_start(owner_url: str) -> None:
    """The same before a part starts that does not migrate. While another process migrates it waits.

    A database that lets nobody in now is no reason not to start: requests are answered 503 until it does.
    """
    try:
        connection = await connect(owner_url)
    except RolesError as error:
        logger.warning("the schema could not be looked at", extra={"reason": str(error)})
        return
    try:
        if not await connection.fetchval("select pg_try_advisory_xact_lock_shared($1)", MIGRATION_LOCK):
            logger.info("another process migrates the schema; waiting for it")
            await connection.execute(f"select pg_advisory_xact_lock_shared({MIGRATION_LOCK})")
        await require_newest(connection)
    finally:
        await connection.close()
