"""The database roles and what each may do at most. Policies and grants on tables come with the migrations.

portal_owner      owns the database and the tables, migrates, passes policies; serves nobody
portal_factory    serves the factory's own people     portal_partner   serves customers and suppliers
portal_identity   sign-in tables only                 portal_backup    reads everything, for dumps
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import asyncpg

from portal.core.settings import DRIVER, StartError

SUPERUSER = "postgres"
OWNER, FACTORY, PARTNER, IDENTITY, BACKUP = (
    "portal_owner",
    "portal_factory",
    "portal_partner",
    "portal_identity",
    "portal_backup",
)
ROLES = (OWNER, FACTORY, PARTNER, IDENTITY, BACKUP)
SERVING_ROLES = (FACTORY, PARTNER, IDENTITY)
GRANTED = (*SERVING_ROLES, BACKUP)  # named by the migrations; the owner of an operator's server has a name of its own
_BYPASSING = {OWNER, BACKUP}

# Minor releases that close the planner leaks around row-level security (CVE-2025-8713).
_FIRST_SAFE_MINOR = {15: 14, 16: 10, 17: 6}


class RolesError(StartError):
    """The roles or the server are not as they must be; the text says what to do."""


@dataclass(frozen=True)
class RoleState:
    """The attributes of one role that decide whether policies hold for it."""

    name: str
    superuser: bool
    bypasses: bool
    creates: bool  # roles or databases

    def wrong(self) -> bool:
        """Whether the role may do more or less than it must."""
        return self.superuser or self.creates or self.bypasses != (self.name in _BYPASSING)


def plain_dsn(url: str) -> str:
    """The driver's own form of an SQLAlchemy URL."""
    return url.replace(DRIVER, "postgresql", 1)


def too_old(version: int) -> str | None:
    """Why a server of this `server_version_num` is refused, or None."""
    major, minor = divmod(version, 10000)
    if major < min(_FIRST_SAFE_MINOR):
        return f"PostgreSQL {major} is too old; 15 or later is needed."
    if minor < _FIRST_SAFE_MINOR.get(major, 0):
        return f"PostgreSQL {major}.{minor} leaks rows past policies; install {major}.{_FIRST_SAFE_MINOR[major]}."
    return None


async def connect(url: str) -> asyncpg.Connection:
    """A bare connection. Raises RolesError, which names the server but not the password, when nobody answers."""
    where = urlsplit(url)
    server = f"{where.hostname or unquote(where.query)}{where.path} as {where.username}"
    try:
        return await asyncpg.connect(plain_dsn(url), timeout=10)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise RolesError(f"PostgreSQL does not let us in ({server}): {error or type(error).__name__}.") from error


async def role_states(connection: asyncpg.Connection) -> dict[str, RoleState]:
    """The portal's roles that exist on this server."""
    rows = await connection.fetch(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole or rolcreatedb or rolreplication as creates "
        "from pg_roles where rolname = any($1)",
        ROLES,
    )
    return {row[0]: RoleState(*row) for row in rows}


async def ensure_roles(admin_url: str, database: str, passwords: Mapping[str, str]) -> list[str]:
    """Make the roles and the database that are missing and mend wrong attributes; safe to repeat.

    admin_url: a superuser (embedded server), or the operator's owner, who needs CREATEROLE for missing roles.
    passwords: by role, used only for roles that are made; a role without one cannot sign in until it gets one.
    Returns the names of what was made or mended. Raises RolesError.
    """
    admin = await connect(admin_url)
    try:
        if reason := too_old(await admin.fetchval("select current_setting('server_version_num')::int")):
            raise RolesError(reason)
        # Two processes that start together take turns.
        await admin.execute("select pg_advisory_lock(hashtext('portal roles'))")
        superuser: bool = await admin.fetchval("select rolsuper from pg_roles where rolname = current_user")
        done = await _roles(admin, passwords, superuser=superuser)
        done += await _database(admin, database)
        await _privileges(plain_dsn(admin_url), database, superuser=superuser)
    except asyncpg.InsufficientPrivilegeError as error:
        raise RolesError(_by_hand(str(error), passwords)) from error
    finally:
        await admin.close()
    return done


async def _roles(admin: asyncpg.Connection, passwords: Mapping[str, str], *, superuser: bool) -> list[str]:
    states, done = await role_states(admin), []
    current: str = await admin.fetchval("select current_user")
    for name in ROLES if superuser else GRANTED:
        state = states.get(name)
        if state is None:
            await _run(admin, f"create role %I login password %L {_attributes(name)}", name, passwords.get(name))
        elif state.wrong() and name != current:
            await _run(admin, f"alter role %I {_attributes(name)}", name)
        else:
            continue
        done.append(name)
    return done


def _attributes(name: str) -> str:
    bypass = "bypassrls" if name in _BYPASSING else "nobypassrls"
    return f"nosuperuser nocreatedb nocreaterole noreplication {bypass}"


async def _run(connection: asyncpg.Connection, statement: str, *values: str | None) -> None:
    """Run a statement that takes no parameters, with names (%I) and texts (%L) quoted by the server."""
    marks = ", ".join(f"${number}::text" for number in range(1, len(values) + 1))
    await connection.execute(await connection.fetchval(f"select format($q${statement}$q$, {marks})", *values))


async def _database(admin: asyncpg.Connection, database: str) -> list[str]:
    if await admin.fetchval("select true from pg_database where datname = $1", database):
        return []
    await _run(admin, "create database %I owner %I", database, OWNER)
    return [database]


async def _privileges(admin_dsn: str, database: str, *, superuser: bool) -> None:
    """Who may connect, make temporary tables (bulk loads) and read everything (dumps). Only the owner makes tables."""
    connection = await asyncpg.connect(admin_dsn, database=database)
    try:
        owner = OWNER if superuser else await connection.fetchval("select current_user")
        present = await role_states(connection)
        await _run(connection, "revoke all on database %I from public", database)
        for role in present:
            await _run(connection, "grant connect on database %I to %I", database, role)
        await _run(connection, "grant temporary on database %I to %I", database, FACTORY)
        await connection.execute("revoke create on schema public from public")
        if BACKUP in present:
            await _readable(connection, owner)
        if superuser:
            await _run(connection, "alter role %I set default_transaction_read_only = on", BACKUP)
    finally:
        await connection.close()


async def _readable(connection: asyncpg.Connection, owner: str) -> None:
    """The dump role reads every table and sequence, those of later migrations too."""
    for kind in ("tables", "sequences"):
        default = f"alter default privileges for role %I in schema public grant select on {kind} to %I"
        await _run(connection, default, owner, BACKUP)
        await _run(connection, f"grant select on all {kind} in schema public to %I", BACKUP)


def _by_hand(reason: str, passwords: Mapping[str, str]) -> str:
    statements = [
        f"create role {name} {'login password ' + repr('...') if name in passwords else 'nologin'} {_attributes(name)};"
        for name in GRANTED
    ]
    return "\n".join(
        [
            f"The owner of PORTAL_DATABASE_URL may not make the roles ({reason}). Give it CREATEROLE and BYPASSRLS,",
            "or run as a superuser, with the passwords of the three URLs:",
            *statements,
        ]
    )
