"""`portal doctor`: where each setting comes from, and whether what the portal depends on is as it must be."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import asyncpg

from portal.core import schema
from portal.core.health import MOST_WAITING
from portal.core.roles import SERVING_ROLES, RolesError, connect, role_states, too_old
from portal.core.settings import PREFIX, ROLES_WITH_URL, Settings, is_secret, variable

_TEST_VARIABLES = {"PORTAL_REQUIRE_BROWSER"}


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    text: str


@dataclass(frozen=True)
class SettingLine:
    """One setting as an operator may see it: secrets masked."""

    variable: str
    value: str
    source: str  # environment, file ..., default, embedded


def setting_lines(settings: Settings) -> Iterator[SettingLine]:
    """Every setting with its value and where it came from, as read before anything was completed."""
    for name in Settings.model_fields:
        value, source = getattr(settings, name), _source(name)
        if value in (None, ""):
            shown = "-"
        elif is_secret(name):
            shown = _masked(str(value))
        else:
            shown = str(value)
        if source == "default" and value is None and is_secret(name):
            source = "embedded"
        yield SettingLine(variable(name), shown, source)


def _source(name: str) -> str:
    if os.environ.get(variable(name)):
        return "environment"
    path = os.environ.get(f"{variable(name)}_FILE") if is_secret(name) else None
    return f"file {path}" if path else "default"


def _masked(value: str) -> str:
    """A URL without its password; of other secrets only that they are there."""
    parts = urlsplit(value)
    if not parts.scheme:
        return "***"
    where = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}:***@" if parts.password else ""
    return f"{parts.scheme}://{user}{where}{parts.path}"


def environment_findings(settings: Settings) -> Iterator[Finding]:
    """What the environment alone shows."""
    known = {variable(name) for name in Settings.model_fields}
    known |= {f"{variable(name)}_FILE" for name in Settings.model_fields if is_secret(name)} | _TEST_VARIABLES
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            yield Finding(Level.WARNING, f"{name} is set, but the portal knows no such setting.")
    if not settings.tls and urlsplit(settings.base_url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        yield Finding(Level.WARNING, "PORTAL_BASE_URL is not https, so passwords and sign-ins travel in the clear.")
    if settings.database_url and not settings.secret_key:
        yield Finding(Level.WARNING, "PORTAL_SECRET_KEY is not set: each machine makes its own and they must agree.")


async def bot_findings(settings: Settings) -> list[Finding]:
    """Whether the bots keep up, and what has been given up."""
    if settings.telegram_mode == "webhook" and settings.telegram_token and not settings.tls:
        text = "PORTAL_TELEGRAM_MODE is webhook, but PORTAL_BASE_URL is not https: Telegram calls no such address."
        return [Finding(Level.WARNING, text)]
    try:
        connection = await connect(str(settings.database_identity_url))
    except RolesError:
        return []  # said already where the roles sign in
    try:
        waiting: int = await connection.fetchval("select count(*) from bot_update where done_at is null")
        failed: int = await connection.fetchval(
            "select count(*) from bot_update where last_error <> '' and done_at is not null"
        )
    except asyncpg.UndefinedTableError:
        return []  # the schema is old, which is said already
    finally:
        await connection.close()
    findings = [_fine(f"{waiting} messages wait for the bot")]
    if waiting > MOST_WAITING:
        findings = [Finding(Level.WARNING, f"{waiting} messages wait for the bot; is `portal bot` running?")]
    if failed:
        findings.append(Finding(Level.WARNING, f"{failed} messages to the bot were given up in the last days."))
    return findings


async def examine(settings: Settings) -> list[Finding]:
    """Ask the database and the queue. `settings` must be complete (see `core.provision`)."""
    try:
        findings = await _owner_findings(str(settings.database_url))
    except RolesError as error:
        findings = [Finding(Level.WRONG, str(error))]
    for role in ROLES_WITH_URL:
        findings.append(await _sign_in(f"portal_{role}", getattr(settings, f"database_{role}_url")))
    findings.append(await _mail(settings.smtp_url))
    findings.append(await _redis(str(settings.redis_url)))
    findings += await bot_findings(settings)
    return findings


async def _owner_findings(owner_url: str) -> list[Finding]:
    connection = await connect(owner_url)
    try:
        server: int = await connection.fetchval("select current_setting('server_version_num')::int")
        states = await role_states(connection)
        current, bypasses = await connection.fetchrow(
            "select rolname, rolbypassrls or rolsuper from pg_roles where rolname = current_user"
        )
        stored = await schema.stored_in(connection)
    finally:
        await connection.close()
    reason = too_old(server)
    findings = [Finding(Level.WRONG, reason) if reason else _fine(f"PostgreSQL {server // 10000}.{server % 10000}")]
    if not bypasses:
        findings.append(Finding(Level.WRONG, f"The owner {current} lacks BYPASSRLS: migrations would see no rows."))
    for role in SERVING_ROLES:
        if role not in states:
            findings.append(Finding(Level.WRONG, f"Role {role} is missing; `portal migrate` makes it."))
        elif states[role].wrong():
            findings.append(Finding(Level.WRONG, f"Role {role} may pass policies or make roles; take that from it."))
    findings.append(_migration(stored))
    return findings


def _migration(stored: str | None) -> Finding:
    if said := schema.wrong(stored):
        return Finding(Level.WRONG, said)
    return _fine(f"the schema is at its newest migration, {stored}")


async def _sign_in(role: str, url: str) -> Finding:
    try:
        connection = await connect(url)
    except RolesError as error:
        return Finding(Level.WRONG, str(error))
    try:
        if await connection.fetchval("select current_user = $1::text", role):
            return _fine(f"{role} signs in")
        return Finding(Level.WRONG, f"The URL for {role} signs in as somebody else.")
    finally:
        await connection.close()


async def _mail(url: str | None) -> Finding:
    """Whether somebody answers at the mail server's door; nothing is sent."""
    if not url:
        text = "PORTAL_SMTP_URL is not set, so there is no mail: no notices, invitations or password links."
        return Finding(Level.WARNING, text)
    parts = urlsplit(url)
    port = parts.port or (465 if parts.scheme == "smtps" else 25)
    try:
        async with asyncio.timeout(5):
            _reader, writer = await asyncio.open_connection(parts.hostname, port)
        writer.close()
    except (OSError, TimeoutError) as error:
        return Finding(Level.WRONG, f"The mail server {parts.hostname}:{port} does not answer: {error!r}.")
    return _fine("the mail server answers")


async def _redis(url: str) -> Finding:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        return Finding(Level.WRONG, f"Valkey does not answer: {error}.")
    finally:
        await client.aclose()
    return _fine("Valkey answers")


def _fine(text: str) -> Finding:
    return Finding(Level.OK, text)
