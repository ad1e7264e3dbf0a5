"""The run's own PostgreSQL under `<PORTAL_DATA>/bench`, with the portal's own settings, and databases filled for cases.

The large one is kept between runs as long as the schema, the data's text and the week stay the same.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import asyncpg

from bench import data
from portal.core import clock
from portal.core.calendars import local_today
from portal.core.db import migrate
from portal.core.embedded import Postgres, start_postgres, start_valkey
from portal.core.roles import FACTORY, IDENTITY, OWNER, PARTNER, ensure_roles, plain_dsn
from portal.core.schema import MIGRATIONS
from portal.core.settings import Settings, get_settings

Fill = Callable[[asyncpg.Connection, date], Awaitable[None]]
SECRET = "a key that signs nothing but the forms of measurements"


@dataclass(frozen=True)
class Databases:
    """The server and what is on it."""

    folder: Path
    postgres: Postgres
    redis_url: str
    monday: date  # of this week; all due dates are made around it

    async def million(self) -> Settings:
        """50 tenants of 20,000 schedule lines each, their rows interleaved on disk."""
        return await self._kept("bench_million", lambda c, day: data.fill(c, day, data.MILLION))

    async def ten_thousand(self) -> Settings:
        """The same 50 tenants with 200 lines each."""
        return await self._kept("bench_ten_thousand", lambda c, day: data.fill(c, day, data.TEN_THOUSAND))

    async def wide_million(self) -> Settings:
        """One tenant of a million schedule lines, and in it the contract of 500 lines x 26 weeks."""
        return await self._kept("bench_wide_million", data.fill_wide_million)

    async def work(self) -> Settings:
        """A fresh database for cases that write: a few tenants, one with a contract of 500 lines x 26 weeks."""
        await self._drop("bench_work")
        return await self._make("bench_work", data.fill_work)

    async def empty(self) -> Settings:
        """A fresh database with the schema and no tenant."""
        await self._drop("bench_empty")
        return await self._make("bench_empty", None)

    async def copy_of_empty(self, name: str) -> Settings:
        """`empty` again under another name, in a moment."""
        await self._drop(name)
        admin = await self.superuser()
        try:
            await admin.execute(f"create database {name} template bench_empty owner {OWNER}")
        finally:
            await admin.close()
        await ensure_roles(self.postgres.superuser_url, name, self.postgres.role_passwords())
        return self._settings(name)

    async def _kept(self, name: str, fill: Fill) -> Settings:
        mark = self._mark()
        admin = await self.superuser()
        try:
            found = await admin.fetchval(
                "select shobj_description(oid, 'pg_database') from pg_database where datname = $1", name
            )
        finally:
            await admin.close()
        if found != mark:
            print(f"filling {name}, once a week ...", flush=True)
            await self._drop(name)
            await self._make(name, fill)
            connection = await self.superuser(name)
            try:
                await connection.execute(f"comment on database {name} is '{mark}'")
            finally:
                await connection.close()
        settings = self._settings(name)
        await self._wake(name)
        return settings

    async def _make(self, name: str, fill: Fill | None) -> Settings:
        await ensure_roles(self.postgres.superuser_url, name, self.postgres.role_passwords())
        settings = self._settings(name)
        await migrate(str(settings.database_url))
        if fill is None:
            return settings
        connection = await self.superuser(name)
        try:
            # The rows are consistent by construction; checking a million foreign keys would only take time.
            await connection.execute("set session_replication_role = replica; set work_mem = '256MB'")
            await fill(connection, self.monday)
            await connection.execute("vacuum analyze")
            await connection.execute("checkpoint")
        finally:
            await connection.close()
        return settings

    async def _wake(self, name: str) -> None:
        """Kept sign-ins must not have gone idle; what autovacuum would do in the middle is done now."""
        connection = await self.superuser(name)
        try:
            await connection.execute("update user_session set seen_at = now(), expires_at = now() + interval '9 days'")
            await connection.execute("vacuum analyze")
        finally:
            await connection.close()

    async def _drop(self, name: str) -> None:
        admin = await self.superuser()
        try:
            await admin.execute(f"drop database if exists {name} with (force)")
        finally:
            await admin.close()

    async def superuser(self, name: str = "postgres") -> asyncpg.Connection:
        """For filling and tidying up; never for what is measured."""
        return await asyncpg.connect(plain_dsn(self.postgres.superuser_url), database=name)

    def _settings(self, name: str) -> Settings:
        return Settings(
            data=self.folder,
            database_url=self.postgres.url(OWNER, name),
            database_factory_url=self.postgres.url(FACTORY, name),
            database_partner_url=self.postgres.url(PARTNER, name),
            database_identity_url=self.postgres.url(IDENTITY, name),
            redis_url=self.redis_url,
            secret_key=SECRET,
        )

    def _mark(self) -> str:
        """Changes when the kept data must be made anew."""
        digest = hashlib.sha256(self.monday.isoformat().encode())
        for path in (*sorted(MIGRATIONS.glob("versions/*.py")), Path(data.__file__)):
            digest.update(path.read_bytes())
        return digest.hexdigest()


@contextmanager
def running() -> Iterator[Databases]:
    """Start the run's services; stop them at the end and keep their data."""
    folder = get_settings().data / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    today = local_today(clock.now(), data.ZONE)
    postgres = start_postgres(folder)
    try:
        valkey = start_valkey(folder)
        try:
            yield Databases(folder, postgres, valkey.url, today - timedelta(days=today.weekday()))
        finally:
            valkey.stop()
    finally:
        postgres.stop()
