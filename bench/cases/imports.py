"""Bringing a large file in, beside a bare COPY of the rows that come of it."""

import asyncio
import json
import sys
import time
from pathlib import Path

import asyncpg

from bench.databases import Databases
from bench.harness import Case, Result, Target, alternate, calm, rates
from bench.serving import ROOT, environment
from portal.core.settings import Settings

LINES = 100_000
RUNS = 5  # each moves half a million rows


async def import_scms(databases: Databases) -> Result:
    """Lines a second of the import, the published set repeated to 100,000 lines, from the file to the last commit."""
    source = databases.folder / f"scms-{LINES}.csv"
    if not source.exists():
        _write_file(source)
    copies = databases.folder / "copies"
    copies.mkdir(exist_ok=True)
    peaks: list[float] = []

    async def imported() -> float:
        settings = await databases.copy_of_empty("bench_import")
        told = await _import(settings, source)
        if told["lines"] != LINES:
            raise RuntimeError(f"{told['lines']} lines were imported")
        peaks.append(told["peak_mb"])
        await _save(databases, copies)
        return LINES / told["seconds"]

    async def copied() -> float:
        await databases.copy_of_empty("bench_copy")
        return LINES / await _copy(databases, copies)

    await databases.empty()
    await imported()  # the ceiling needs its rows before it can go first
    figures = await alternate(imported, copied, RUNS)
    return rates("import_scms", "/s", *figures, max(peaks))


def _write_file(path: Path) -> None:
    from portal.sync.scms_demo import bundled_table, repeat, write_csv

    write_csv(repeat(bundled_table(), LINES), path)


async def _import(settings: Settings, source: Path) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.importing", str(source)),
        env=environment(settings, 1),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the import failed")
    told: dict[str, float] = json.loads(said)
    return told


async def _save(databases: Databases, folder: Path) -> None:
    """Every row that the import wrote, one file a table, as COPY gives it."""
    connection = await databases.superuser("bench_import")
    try:
        for table in await _tables(connection):
            await connection.copy_from_table(table, output=folder / table)
    finally:
        await connection.close()


async def _copy(databases: Databases, folder: Path) -> float:
    """Seconds to COPY the rows into the same tables with the same indexes, in one transaction.

    As superuser and without the foreign keys' checks: what no import can be spared, the ceiling is.
    """
    connection = await databases.superuser("bench_copy")
    try:
        await connection.execute("set session_replication_role = replica")
        tables = await _tables(connection)
        calm()
        begin = time.perf_counter()
        async with connection.transaction():
            for table in tables:
                await connection.copy_to_table(table, source=folder / table)
        return time.perf_counter() - begin
    finally:
        await connection.close()


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        " and relname <> 'alembic_version' order by relname"
    )
    return [row[0] for row in rows]


CASES = (Case("import_scms", Target(least_ratio=0.25), import_scms),)
