"""Completing the settings at start: what the operator did not name is run here, from the wheels.

The result goes into the environment of this process, where `get_settings()` and the child processes find it.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from portal.core.embedded import Postgres, Valkey, start_postgres, start_valkey, write_private
from portal.core.launch import keep_sockets, locked, prepared
from portal.core.roles import OWNER, ensure_roles
from portal.core.settings import ROLES_WITH_URL, Settings, get_settings, variable

DATABASE = "portal"


@dataclass
class Provision:
    """What runs for this process. `settings` is complete: every URL and the secret key are there."""

    settings: Settings
    postgres: Postgres | None = None
    valkey: Valkey | None = None
    made: list[str] = field(default_factory=list)  # roles and databases that were missing

    def mend(self) -> list[str]:
        """Start embedded services that died, or were another process's that ended; their addresses stay. Returns their
        names."""
        mended = []
        for server in (self.postgres, self.valkey):
            if server is not None and not server.alive():
                keep_sockets(self.settings.data, server.socket.parent)
        if self.postgres is not None and not self.postgres.alive():
            self.postgres = start_postgres(self.settings.data)
            mended.append("PostgreSQL")
        if self.valkey is not None and not self.valkey.alive():
            self.valkey = start_valkey(self.settings.data)
            mended.append("Valkey")
        return mended

    def stop(self) -> None:
        """Stop what this process started."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()


@contextlib.contextmanager
def provisioned() -> Iterator[Provision]:
    """Start or attach to the embedded services that the settings leave to us; stop at the end what we started.

    From here SIGTERM runs the clean-up that Ctrl-C runs. Not before: in the midst of an import it would be reported
    as that module's error. Raises SettingsError, EmbeddedError or RolesError, each with a sentence for the operator.
    """
    provision = Provision(get_settings())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        stack.callback(provision.stop)
        if provision.settings.database_url is None:
            stack.enter_context(_environment(_own_database(provision)))
        if provision.settings.redis_url is None:
            provision.valkey = start_valkey(provision.settings.data)
            stack.enter_context(_environment({"redis_url": provision.valkey.url}))
        if provision.settings.secret_key is None:
            stack.enter_context(_environment({"secret_key": kept_secret_key(provision.settings.data)}))
        provision.settings = get_settings()
        yield provision


def make_operator_roles(settings: Settings) -> list[str]:
    """On the operator's own server: make the application roles that are missing, with their URLs' passwords."""
    assert settings.database_url is not None
    urls = {f"portal_{role}": getattr(settings, f"database_{role}_url") for role in ROLES_WITH_URL}
    passwords = {role: unquote(urlsplit(url).password or "") for role, url in urls.items()}
    database = unquote(urlsplit(settings.database_url).path.lstrip("/"))
    return asyncio.run(ensure_roles(settings.database_url, database, passwords))


def kept_secret_key(data: Path) -> str:
    """The key that signs forms and links, made once and kept readable by the owner alone."""
    path = prepared(data) / "secret_key"
    with locked(data):
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()


def _own_database(provision: Provision) -> dict[str, str]:
    postgres = provision.postgres = start_postgres(provision.settings.data)
    provision.made = asyncio.run(ensure_roles(postgres.superuser_url, DATABASE, postgres.role_passwords()))
    return {
        "database_url": postgres.url(OWNER, DATABASE),
        **{f"database_{role}_url": postgres.url(f"portal_{role}", DATABASE) for role in ROLES_WITH_URL},
    }


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Complete the settings for this process and its children, and take it back at the end."""
    os.environ.update({variable(name): value for name, value in values.items()})
    get_settings.cache_clear()
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(variable(name), None)
        get_settings.cache_clear()
