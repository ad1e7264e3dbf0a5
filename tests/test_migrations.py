"""Migrations make what the models say, keep the rows that are there, and go down without a trace."""

import asyncio
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from portal.approvals.inputs import Condition, Group, Op, Rules
from portal.approvals.model import ApprovalPoint
from portal.approvals.rules_checking import check_rules
from portal.changes.model import ChangeReason
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


async def test_migrations_go_up_with_rows_in_the_tables_and_down_without_a_trace(
    empty_database: Settings, database: Settings
) -> None:
    url = str(empty_database.database_url)
    await grow(url)
    grown = await shape(url)
    assert grown == await shape(str(database.database_url))  # as a database that was empty all the way
    assert {str(entry[1]) for entry in grown} >= set(models())
    await migrate(url, "base")
    assert {entry for entry in await shape(url) if "alembic_version" not in str(entry)} == set()


async def grow(url: str) -> None:
    """Up step by step in a database that is in use, and what each step made of the rows that were there before it."""
    await migrate(url, "0001")
    connection = await asyncpg.connect(asyncpg_dsn(url))
    one = {"tenant_id": TENANT, "party_id": TENANT}
    line = {"contract_id": row_id(5), "item_id": row_id(4), "band_below_percent": 20, "band_above_percent": 20}
    await put(connection, "tenant", tenant_id=TENANT, id=TENANT, factory_party_id=TENANT, language="en")
    await put(connection, "party", **one, id=TENANT, is_factory=True)
    await put(connection, "site", **one, id=row_id(2), code="W1", weekdays=[0, 1, 2])
    await put(
        connection, "site_day", **one, id=row_id(3), site_id=row_id(2), day=date(2026, 10, 1), name="National Day"
    )
    await put(connection, "item", tenant_id=TENANT, id=row_id(4))
    await put(connection, "contract", **one, id=row_id(5), direction="sale", kind="annual", status="active")
    for n, foq, cadence in ((6, None, None), (7, Decimal(600), "week"), (8, Decimal(600), "week"), (9, None, None)):
        await put(
            connection, "contract_line", **one, **line, id=row_id(n), line_no=n, foq=foq, cadence=cadence, pack_size=1,
            day_unit="calendar",
        )  # fmt: skip
    await put(
        connection, "contract_price", **one, id=row_id(10), contract_line_id=row_id(6), price=Decimal("2.5"),
        price_unit=1,
    )  # fmt: skip
    await put(
        connection, "schedule_line", **one, id=row_id(11), contract_id=row_id(5), contract_line_id=row_id(6),
        ordered_quantity=100, status="published", supply_state="unknown",
    )  # fmt: skip

    await migrate(url, "0004")
    await put(
        connection, "commitment_terms", **one, id=row_id(12), contract_id=row_id(5), assignment="requested",
        shortfall_carry="next", excess_carry="none", consequence="discuss", price_basis="receipt_date",
    )  # fmt: skip
    for n, of, cadence in ((13, 6, "month"), (14, 7, "week"), (15, 8, "custom")):
        await put(
            connection, "commitment_bucket", **one, id=row_id(n), contract_id=row_id(5), contract_line_id=row_id(of),
            cadence=cadence, period_start=date(2026, 11, 1), period_end=date(2026, 12, 1), floor=Decimal("9.5"),
            target=12, ceiling=14, price_basis="receipt_date",
        )  # fmt: skip

    await migrate(url, "0041")
    reasons = [("contains", "ma"), ("in", "demand"), ("in", "weather"), ("not_in", "weather")]
    parts = [{"fact": "reason", "op": kind, "values": [typed]} for kind, typed in reasons]
    group = {"join": "or", "of": [{"join": "and", "of": parts}]}
    rules = {"rules": [{"name": "R", "when": group, "then": {"kind": "refuse", "reason": "No"}}], "otherwise": None}
    await put(
        connection, "rule_set", tenant_id=TENANT, id=row_id(16), point="change", status="draft",
        content=json.dumps(rules), changed_at=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip

    await migrate(url)
    try:
        await the_same_in_new_columns(connection)
        await reasons_are_chosen(connection)
    finally:
        await connection.close()


async def the_same_in_new_columns(connection: asyncpg.Connection) -> None:
    """What was there has moved into the columns and tables that came later."""
    calendar = await connection.fetchrow("select code, weekdays, closed, extra, windows from site_calendar")
    assert calendar is not None
    assert tuple(calendar) == ("W1", [0, 1, 2], [date(2026, 10, 1)], [], "[]")
    kept = await connection.fetch("select line_no, typed_periods from contract_line order by line_no")
    said = {row[0]: json.loads(row[1]) if row[1] else None for row in kept}
    period = {"start": "2026-11-01", "end": "2026-12-01", "floor": "9.5", "target": "12", "ceiling": "14"}
    assert said == {
        6: {"cadence": "month", "periods": [period]},  # taken from history
        7: None,  # follows from its fixed quantity
        8: {"cadence": "custom", "periods": [period]},  # typed beside a fixed quantity
        9: None,  # a pure call-off
    }
    assert await connection.fetchval("select replaced_on = 'infinity' from commitment_terms")
    assert tuple(await connection.fetchrow("select tier, from_quantity, price from contract_price") or ()) == (
        *("all", 0, Decimal("2.5")),
    )
    assert tuple(await connection.fetchrow("select bucket_id, deemed, ordered_quantity from schedule_line") or ()) == (
        *(None, False, 100),
    )


async def reasons_are_chosen(connection: asyncpg.Connection) -> None:
    """Rules that were typed go on meaning what they meant, and can be meant."""
    rules = Rules.model_validate_json(await connection.fetchval("select content::text from rule_set"))
    check_rules(ApprovalPoint.CHANGE, rules)
    (inner,) = rules.rules[0].when.of
    assert isinstance(inner, Group)
    every = list(ChangeReason)
    assert [(part.op, part.values) for part in inner.of if isinstance(part, Condition)] == [
        (Op.ANY_OF, ["demand", "material"]),
        (Op.ANY_OF, ["demand"]),
        (Op.NONE_OF, every),
        (Op.ANY_OF, every),
    ]


def row_id(n: int) -> UUID:
    return UUID(int=n)


TENANT = row_id(1)
_ANYTHING = {"smallint": 0, "integer": 1, "numeric": 0, "boolean": False, "ARRAY": [], "jsonb": "{}"}


async def put(connection: asyncpg.Connection, table: str, **values: Any) -> None:
    """A row of the schema as it is now; what is not named and cannot be empty gets anything of its type."""
    query = (
        "select column_name, data_type from information_schema.columns"
        " where table_name = $1 and is_nullable = 'NO' and column_default is null"
    )
    for name, kind in await connection.fetch(query, table):
        values.setdefault(name, date(2026, 11, 1) if kind == "date" else _ANYTHING.get(kind, ""))
    marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await connection.execute(f"insert into {table} ({', '.join(values)}) values ({marks})", *values.values())


async def test_two_migrators_at_once_do_not_meet(empty_database: Settings) -> None:
    url = str(empty_database.database_url)
    await asyncio.gather(migrate(url), migrate(url))
    assert {entry[1] for entry in await shape(url) if entry[0] == "column"} == {*models(), "alembic_version"}
