"""The `portal` command as an operator meets it."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from portal.core.settings import Settings, variable


def portal(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with these PORTAL_ settings and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", *arguments],
        env={**clean, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def own_server(settings: Settings) -> dict[str, str]:
    """The environment of an operator who has a server."""
    names = (
        "data",
        "database_url",
        "database_factory_url",
        "database_partner_url",
        "database_identity_url",
        "redis_url",
    )
    return {variable(name): str(getattr(settings, name)) for name in names}


def test_nothing_set_is_enough_to_migrate(tmp_path: Path) -> None:
    done = portal("migrate", env={"PORTAL_DATA": str(tmp_path)})

    assert (done.returncode, done.stdout) == (0, "The schema is at its newest migration.\n"), done.stderr
    assert not (tmp_path / "run").is_symlink()  # stopped and gone


def test_an_operators_server_is_migrated_and_found_healthy(empty_database: Settings) -> None:
    env = own_server(empty_database)

    before = portal("doctor", env=env)
    migrated = portal("migrate", env=env)
    after = portal("doctor", env=env)

    assert before.returncode == 1
    assert "The schema is at nothing" in before.stdout
    assert migrated.returncode == 0, migrated.stderr
    assert after.returncode == 0, after.stdout
    assert "ok       portal_partner signs in" in after.stdout
    for url in (str(empty_database.database_url), str(empty_database.database_partner_url)):
        assert url.split("@")[0].rpartition(":")[2] not in after.stdout  # no password


def test_incomplete_settings_are_refused_with_a_sentence(tmp_path: Path) -> None:
    url = "postgresql://portal_owner:pw@127.0.0.1:1/portal"

    done = portal("migrate", env={"PORTAL_DATA": str(tmp_path), "PORTAL_DATABASE_URL": url})

    assert done.returncode == 2
    assert done.stderr.startswith("portal: PORTAL_DATABASE_URL is set, so PORTAL_DATABASE_FACTORY_URL and")
    assert "Traceback" not in done.stderr


def test_a_server_that_does_not_answer_is_named(tmp_path: Path, empty_database: Settings) -> None:
    env = own_server(empty_database) | {"PORTAL_DATABASE_URL": "postgresql://portal_owner:pw@127.0.0.1:1/portal"}

    done = portal("migrate", env=env)

    assert done.returncode == 2
    assert done.stderr.startswith("portal: PostgreSQL does not let us in (127.0.0.1/portal as portal_owner)")


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_taken_port_is_said_before_anything_starts(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        done = portal(command, "--port", str(port), env={"PORTAL_DATA": str(tmp_path)})

    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert list(tmp_path.iterdir()) == []
