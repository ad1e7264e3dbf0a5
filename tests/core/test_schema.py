"""The schema that a part finds at its start: its own, another, or one that is just being made."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from portal.core import schema
from portal.core.db import asyncpg_dsn
from portal.core.settings import Settings

SECONDS = 20.0
LOCKS = (
    "select count(*) from pg_locks where locktype = 'advisory' and granted = $1"
    " and database = (select oid from pg_database where datname = current_database())"
)


@pytest.fixture
async def owner(empty_database: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(asyncpg_dsn(str(empty_database.database_url)))
    yield connection
    await connection.close()


async def put_at(owner: asyncpg.Connection, revision: str) -> None:
    await owner.execute("create table alembic_version (version_num varchar(32) not null)")
    await owner.execute("insert into alembic_version values ($1)", revision)


def test_the_migrations_are_read_as_alembic_reads_them() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert schema.revisions() == {each.revision: each.down_revision for each in scripts.walk_revisions()}
    assert schema.newest() == scripts.get_current_head()


async def test_an_older_and_a_newer_schema_are_told_apart(owner: asyncpg.Connection, empty_database: Settings) -> None:
    url = str(empty_database.database_url)
    await put_at(owner, "0001")
    with pytest.raises(schema.SchemaError, match=r"The schema is at 0001, .* run `portal migrate`\.$"):
        await schema.require_newest_at_start(url)

    await owner.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(schema.SchemaError, match=r"at 9999, which a newer version .* Run the newer version"):
        await schema.require_newest_at_start(url)


async def test_a_part_waits_for_whoever_migrates(owner: asyncpg.Connection, empty_database: Settings) -> None:
    await owner.execute(f"select pg_advisory_lock({schema.MIGRATION_LOCK})")

    async with asyncio.timeout(SECONDS):
        starting = asyncio.create_task(schema.require_newest_at_start(str(empty_database.database_url)))
        while not await owner.fetchval(LOCKS, False):  # somebody waits
            assert not starting.done()
        await put_at(owner, schema.newest())
        await owner.execute(f"select pg_advisory_unlock({schema.MIGRATION_LOCK})")
        await starting

    assert await owner.fetchval(LOCKS, True) == 0  # it keeps none from whoever migrates next


async def test_a_database_that_is_away_stops_no_start(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await schema.require_newest_at_start("postgresql://portal_owner:secret@127.0.0.1:1/portal")
    assert "the schema could not be looked at" in caplog.text
    assert "secret" not in str([vars(record) for record in caplog.records])
