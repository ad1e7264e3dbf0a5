"""Connections. Row-level security is set here and nowhere else.

Three pools, one per application role. A transaction begins with one message that opens it and names the company:
`BEGIN; SET LOCAL app.tenant_id ...; SET LOCAL app.party_id ...`. Without it every table shows no row.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, PoolProxiedConnection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.util.concurrency import await_only
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import journal, schema
from portal.core.actor import Actor, Scope
from portal.core.schema import MIGRATION_LOCK, MIGRATIONS, SchemaError
from portal.core.settings import DRIVER, Settings

logger = logging.getLogger(__name__)
IDENTITY = "identity"
_engines: dict[str, AsyncEngine] = {}
_sessions: dict[str, async_sessionmaker[AsyncSession]] = {}
_resting: dict[str, deque[PoolProxiedConnection]] = {}
REST_ONE_IN = 4  # of so many connections of a pool
Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def configure(settings: Settings, pool_size: int = 8) -> None:
    """Open the pools for the settings' three application roles. Call once per process, before the first request."""
    urls = {
        Scope.FACTORY: settings.database_factory_url,
        Scope.PARTNER: settings.database_partner_url,
        IDENTITY: settings.database_identity_url,
    }
    for name, url in urls.items():
        engine = _engine(str(url), pool_size)
        _resting[name] = deque(maxlen=pool_size // REST_ONE_IN)
        _engines[name] = engine
        _sessions[name] = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


async def dispose() -> None:
    """Close all pools."""
    for name, engine in _engines.items():
        for pooled in _resting.pop(name):
            pooled.close()
        await engine.dispose()
    _engines.clear()
    _sessions.clear()


AWAY = (
    OSError,  # no connection, or lost in the middle; TimeoutError is one
    asyncpg.InterfaceError,  # the connection is closed
    asyncpg.InternalClientError,  # the server's last word came in while the connection lay in the pool
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # starting, stopping, or an administrator ended the connection
    asyncpg.TooManyConnectionsError,
    PoolTimeout,
)


def is_away(error: BaseException | None) -> bool:
    """Whether an error, or the one below it, says that the database cannot be reached now rather than what is wrong."""
    while error is not None:
        if isinstance(error, AWAY):
            return True
        error = getattr(error, "orig", None) or error.__cause__
    return False


async def failing_pools() -> list[str]:
    """The roles whose database does not answer within two seconds."""

    async def answers(name: str) -> bool:
        try:
            async with asyncio.timeout(2), _sessions[name]() as session, session.begin():
                await session.connection()
        except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError):
            return False
        return True

    names = [*Scope, IDENTITY]
    return [name for name, good in zip(names, await asyncio.gather(*map(answers, names)), strict=True) if not good]


def engine_of(url: str, **options: Any) -> AsyncEngine:
    """An engine whose connections the driver opens from the URL itself: sslmode, sslrootcert, target_session_attrs and
    the others of PostgreSQL's own programs hold here as they hold there. SQLAlchemy would hand them on as unknown."""

    async def connect() -> Driver:
        connection: Driver = await asyncpg.connect(asyncpg_dsn(url))
        return connection

    return create_async_engine(f"{DRIVER}://", async_creator=connect, **options)


def _engine(url: str, pool_size: int) -> AsyncEngine:
    """A pool whose driver stays in autocommit: our own BEGIN carries the scope in the same message."""
    engine = engine_of(
        url, isolation_level="AUTOCOMMIT", pool_size=pool_size, max_overflow=0, pool_reset_on_return=None
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: DBAPIConnection, record: object, proxy: object) -> None:
        if cast(Driver, connection.driver_connection).is_closed():
            raise DisconnectionError  # the server restarted meanwhile; the pool opens a new one, at no round trip

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        scope = connection.get_execution_options().get("scope", "")
        try:
            await_only(_driver(connection).execute("BEGIN;" + scope))
        except BaseException:
            connection.invalidate()  # the server may have ended it while it lay in the pool
            raise

    @event.listens_for(engine.sync_engine, "commit")
    def commit(connection: Connection) -> None:
        await_only(_driver(connection).execute("COMMIT"))

    @event.listens_for(engine.sync_engine, "rollback")
    def rollback(connection: Connection) -> None:
        if connection.invalidated:
            return
        try:
            await_only(_driver(connection).execute("ROLLBACK"))
        except Exception as error:  # noqa: BLE001 - the server ends the transaction with the connection
            connection.invalidate()
            logger.warning("a transaction ended with its connection", extra={"error": type(error).__name__})
        except BaseException:
            connection.invalidate()  # never hand a transaction that may be open to the next request
            raise

    return engine


def _driver(connection: Connection) -> Driver:
    return cast(Driver, cast(DBAPIConnection, connection.connection).driver_connection)


def scope_sql(actor: Actor) -> str:
    """The settings that the policies read. Typed UUIDs only, never a string from outside."""
    return _scope_sql(actor.tenant_id.int, actor.party_id.int)


@lru_cache(4096)
def _scope_sql(tenant: int, party: int) -> str:
    return f"SET LOCAL app.tenant_id='{UUID(int=tenant)}';SET LOCAL app.party_id='{UUID(int=party)}'"


@asynccontextmanager
async def unit_of_work(actor: Actor) -> AsyncIterator[AsyncSession]:
    """One transaction in the actor's scope. Commits at the end, with the journal; rolls back on error."""
    async with _sessions[actor.scope]() as session:
        async with session.begin():
            await _open(session, scope_sql(actor))
            yield session
            bells = await journal.write(session)
        await journal.ring(bells)


@asynccontextmanager
async def identity_work() -> AsyncIterator[AsyncSession]:
    """One transaction on the tables that recognise people and keys. Only `accounts/identity.py` opens it."""
    async with _sessions[IDENTITY]() as session, session.begin():
        await _open(session, "")
        yield session


async def _open(session: AsyncSession, scope: str) -> None:
    """Begin on a pooled connection, and keep its driver where `driver` and the journal find it without asking again."""
    connection = await session.connection(execution_options={"scope": scope})
    session.info["driver"] = _driver(cast(Connection, connection.sync_connection))


def read(actor: Actor) -> AbstractAsyncContextManager[Driver]:
    """The bare driver in a read-only transaction of the actor's scope: for hot lists, closed before rendering."""
    return _bare(actor, "BEGIN READ ONLY;")


def statements(actor: Actor, *, durable: bool = True) -> AbstractAsyncContextManager[Driver]:
    """The bare driver in a transaction of the actor's scope, for the machinery's own rows: what it writes has no
    history. Commits at the end; rolls back on error.

    durable: False where a crash of the database may forget the last moment, because it is then done again.
    """
    return _bare(actor, "BEGIN;" if durable else "BEGIN;SET LOCAL synchronous_commit=off;")


@asynccontextmanager
async def _bare(actor: Actor, begin: str) -> AsyncIterator[Driver]:
    pooled = _rested(actor.scope) or await _engines[actor.scope].raw_connection()
    connection = cast(Driver, pooled.driver_connection)
    ended = False
    try:
        await connection.execute(begin + scope_sql(actor))
        try:
            yield connection
        except Exception:
            await connection.execute("ROLLBACK")
            ended = True
            raise
        await connection.execute("COMMIT")
        ended = True
    finally:
        if not ended:
            pooled.invalidate()  # never hand a transaction that may be open to the next request
        _give_back(actor.scope, pooled)


# SQLAlchemy's pool hands out through a greenlet, whose stack the system maps and unmaps: that costs a read as much as
# its BEGIN and COMMIT. So a few connections of a pool go from one read to the next without going back.


def _rested(scope: Scope) -> PoolProxiedConnection | None:
    """A connection that the last read left, if the server has not closed it meanwhile."""
    while _resting[scope]:
        pooled = _resting[scope].pop()
        if not cast(Driver, pooled.driver_connection).is_closed():
            return pooled
        pooled.invalidate()
        pooled.close()
    return None


def _give_back(scope: Scope, pooled: PoolProxiedConnection) -> None:
    resting = _resting.get(scope)
    if resting is not None and pooled.is_valid and len(resting) < (resting.maxlen or 0):
        resting.append(pooled)
    else:
        pooled.close()


async def driver(session: AsyncSession) -> Driver:
    """The session's own driver connection, inside its transaction: for commands that write by statements."""
    return cast(Driver, session.info["driver"])


def to_json(value: Any) -> str:
    """Text for a jsonb parameter of a driver statement; ids and dates as strings."""
    return json.dumps(value, default=str, ensure_ascii=False)


def asyncpg_dsn(url: str) -> str:
    """SQLAlchemy's URL as the bare driver reads it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


# --- migrations -------------------------------------------------------------------------------------------------------


async def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring the schema to a revision as its owner. Two migrators at once: the second waits and finds nothing to do.

    Raises SchemaError when that cannot be, or when a newer version of the portal has been here.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")

    def run(step: Callable[[Config, str], None]) -> Callable[[Connection], None]:
        def on(connection: Connection) -> None:
            config.attributes["connection"] = connection
            step(config, revision)

        return on

    step = command.downgrade if revision == "base" else command.upgrade
    engine = engine_of(owner_url)
    try:
        async with engine.connect() as guard, engine.begin() as connection:
            await guard.exec_driver_sql(f"select pg_advisory_lock({MIGRATION_LOCK})")
            raw = await guard.get_raw_connection()
            if newer := schema.from_newer(await schema.stored_in(cast(Driver, raw.driver_connection))):
                raise SchemaError(newer)
            await connection.run_sync(run(step))
    except DBAPIError as error:
        logger.debug("a migration failed", exc_info=error)
        raise SchemaError(
            f"The schema cannot be brought to its newest migration: {error.orig}. Mend that, or wait for whoever holds "
            "a lock, and run it again."
        ) from error
    finally:
        await engine.dispose()
