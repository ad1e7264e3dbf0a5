"""What every command that starts something does first: the port, the roles, the schema."""

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING

from portal.core.settings import SettingsError, get_settings, variable

if TYPE_CHECKING:
    from portal.core.provision import Provision


PARTS = (("web", "serve"), ("worker", "worker"), ("bot", "bot"))
"""The programs that make up a portal: their names and their commands."""


def make_roles(provision: "Provision") -> None:
    """The roles that are missing. On the embedded server they are there already."""
    from portal.core.provision import make_operator_roles

    if provision.postgres is None:
        make_operator_roles(provision.settings)


def prepare_database(provision: "Provision") -> None:
    """Roles, then schema."""
    from portal.core.db import migrate as migrate_schema

    make_roles(provision)
    asyncio.run(migrate_schema(str(provision.settings.database_url)))


def require_schema(provision: "Provision") -> None:
    """For what does not migrate: the schema is the one it was written for, or SchemaError says what to run."""
    from portal.core.schema import require_newest_at_start

    asyncio.run(require_newest_at_start(str(provision.settings.database_url)))


def choose_port(port: int | None) -> None:
    """A port given on the command line stands above PORTAL_PORT, here and in the child processes."""
    if port is not None:
        os.environ[variable("port")] = str(port)
        get_settings.cache_clear()


def require_free_port() -> None:
    """Say so at once when another program has the port, before anything is started."""
    settings = get_settings()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                mend = "Stop the other program" if error.errno == errno.EADDRINUSE else "Ask the system to allow it"
                mend += ", or choose another port with --port."
            else:
                mend = f"{variable('host')} must be an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::."
            raise SettingsError(
                f"Port {settings.port} on {settings.host} cannot be used: {error.strerror}. {mend}"
            ) from error
