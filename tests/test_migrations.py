"""Migrations make what the models say, go down without a trace, and up again to the same."""

import asyncio
from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from portal.core.db import asyncpg_dsn, migrate
from portal.core.settings import Settings
from tests.test_catalogue import OURS, models


async def test_the_models_and_the_migrated_schema_are_the_same(database: Settings) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    engine = create_async_engine(str(database.database_url))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_checks_in_the_models_and_in_the_schema_are_the_same(database: Settings) -> None:
    said = {
        f"{table.name}.{constraint.name}"
        for table in SQLModel.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    query = (
        "select k.conrelid::regclass::text || '.' || k.conname from pg_constraint k"
        f" join pg_class c on c.oid = k.conrelid where k.contype = 'c' and {OURS}"
    )
    connection = await asyncpg.connect(asyncpg_dsn(str(database.database_url)))
    kept = {row[0] for row in await connection.fetch(query)}
    await connection.close()
    assert set(map(short, said)) == set(map(short, kept))


def short(name: str) -> str:
    """The check's own name, without what the naming convention puts before it."""
    return name.replace(f"ck_{name.partition('.')[0]}_", "", 1)


SHAPE = (
    "select 'column', table_name::text, column_name::text, data_type::text, coalesce(column_default, '')"
    " from information_schema.columns where table_schema = 'public'",
    "select 'policy', tablename::text, policyname::text, roles::text, coalesce(qual, '') || coalesce(with_check, '')"
    " from pg_policies",
    "select 'right', c.relname::text, coalesce(c.relacl::text, ''), coalesce((select"
    " string_agg(attname || attacl::text, ',' order by attnum)"
    f" from pg_attribute where attrelid = c.oid), ''), '' from pg_class c where {OURS}"
    " and relkind in ('r', 'v', 'm')",
    "select 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), '' from pg_constraint"
    " where connamespace = 'public'::regnamespace",
    "select 'index', tablename::text, indexname::text, indexdef, '' from pg_indexes where schemaname = 'public'",
    "select 'function', proname::text, coalesce(proacl::text, ''), prosrc, coalesce(proconfig::text, '') from pg_proc"
    " where pronamespace = 'public'::regnamespace",
)


async def shape(url: str) -> set[tuple[Any, ...]]:
    """Everything a migration makes, as text."""
    connection = await asyncpg.connect(asyncpg_dsn(url))
    try:
        return {tuple(row) for query in SHAPE for row in await connection.fetch(query)}
    finally:
        await connection.close()


async def test_migrations_go_up_down_and_up_to_the_same_schema(empty_database: Settings) -> None:
    url = str(empty_database.database_url)
    await migrate(url)
    first = await shape(url)
    await migrate(url, "base")
    nothing = {entry for entry in await shape(url) if "alembic_version" not in str(entry)}
    await migrate(url)

    assert nothing == set()
    assert await shape(url) == first
    assert {str(entry[1]) for entry in first} >= set(models())


async def test_two_migrators_at_once_do_not_meet(empty_database: Settings) -> None:
    url = str(empty_database.database_url)
    await asyncio.gather(migrate(url), migrate(url))
    assert {entry[1] for entry in await shape(url) if entry[0] == "column"} == {*models(), "alembic_version"}
