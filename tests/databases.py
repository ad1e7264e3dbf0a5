"""One PostgreSQL and one Valkey for a whole test run, and databases on it made from one migrated template.

Tests connect as the application roles only: a suite that connects as owner or superuser proves nothing.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg

from portal.core.db import migrate
from portal.core.embedded import start_postgres, start_valkey
from portal.core.roles import FACTORY, IDENTITY, OWNER, PARTNER, ensure_roles, plain_dsn
from portal.core.settings import Settings

TEMPLATE = "portal_template"
# A test run that is lost with the machine is run again, so nothing waits for the disk. Crash drills start their own.
UNSAFE_AND_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300")
_PREFIX = "portal-tests-"


@dataclass(frozen=True)
class Server:
    """The addresses of the run's services, passed from the controlling process to its workers."""

    data: str
    superuser_url: str
    redis_url: str
    passwords: dict[str, str]

    def url(self, role: str, database: str) -> str:
        """The URL of one role on one of the run's databases."""
        host = self.superuser_url.partition("@")[2].partition("?")[2]
        return f"postgresql+asyncpg://{role}:{self.passwords[role]}@/{database}?{host}"

    def valkey(self, emptied: int = 0) -> str:
        """The URL of one of this worker's two databases on Valkey: its own, so that no other worker's bot speaks there.

        emptied: 1 for the one that tests may empty.
        """
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        return f"{self.redis_url}?db={worker % 8 * 2 + emptied}"

    def settings(self, database: str) -> Settings:
        """Complete settings for one of the run's databases."""
        return Settings(
            data=Path(self.data),
            database_url=self.url(OWNER, database),
            database_factory_url=self.url(FACTORY, database),
            database_partner_url=self.url(PARTNER, database),
            database_identity_url=self.url(IDENTITY, database),
            redis_url=self.valkey(),
            secret_key="a key that signs nothing but the forms of tests",
        )

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start the services in a temporary folder outside the project; stop them and remove it at the end."""
    _sweep()
    data = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    postgres = start_postgres(data, settings=UNSAFE_AND_FAST)
    try:
        valkey = start_valkey(data)
        try:
            yield Server(str(data), postgres.superuser_url, valkey.url, postgres.role_passwords())
        finally:
            valkey.stop()
    finally:
        postgres.stop()
        shutil.rmtree(data, ignore_errors=True)


def _sweep() -> None:
    """Remove what runs that were killed left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, PermissionError):
            continue


@asynccontextmanager
async def _admin(server: Server) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(plain_dsn(server.superuser_url))
    try:
        yield connection
    finally:
        await connection.close()


async def create_database(server: Server, name: str, *, migrated: bool = True) -> Settings:
    """A database of this name with the portal's roles; with the schema, unless a test migrates it itself."""
    async with _admin(server) as admin:
        if migrated:
            await _ensure_template(server, admin)
            await admin.execute(f"create database {name} template {TEMPLATE} owner {OWNER}")
    await ensure_roles(server.superuser_url, name, server.passwords)
    return server.settings(name)


async def drop_database(server: Server, name: str) -> None:
    """Remove a database, whoever is still connected."""
    async with _admin(server) as admin:
        await admin.execute(f"drop database if exists {name} with (force)")


async def _ensure_template(server: Server, admin: asyncpg.Connection) -> None:
    """Migrate once a run: the first worker does it, the others wait. A half-made template is made again."""
    await admin.execute("select pg_advisory_lock(hashtext('portal template'))")
    try:
        if await admin.fetchval("select datistemplate from pg_database where datname = $1", TEMPLATE):
            return
        await admin.execute(f"drop database if exists {TEMPLATE} with (force)")
        await ensure_roles(server.superuser_url, TEMPLATE, server.passwords)
        await migrate(server.url(OWNER, TEMPLATE))
        await admin.execute(f"alter database {TEMPLATE} is_template true allow_connections false")
    finally:
        await admin.execute("select pg_advisory_unlock(hashtext('portal template'))")
