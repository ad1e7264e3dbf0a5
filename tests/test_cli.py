"""The `portal` command as an operator meets it."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from portal.core.db import asyncpg_dsn
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


async def test_a_backup_comes_back_elsewhere(tmp_path: Path, own_database: Settings, empty_database: Settings) -> None:
    here = own_server(own_database) | {"PORTAL_DATA": str(tmp_path / "here")}
    there = own_server(empty_database) | {"PORTAL_DATA": str(tmp_path / "there")}
    made = ("tenant", "create", "weida", "--name", "Weida", "--admin", "a@weida.example", "--admin-name", "Ann")
    assert portal(*made, env=here).returncode == 0
    (tmp_path / "here" / "files" / "of-weida").mkdir(parents=True)
    (tmp_path / "here" / "files" / "of-weida" / "digest").write_bytes(b"a photo")
    folder = str(tmp_path / "backup")

    saved = portal("backup", folder, env=here)
    again = portal("backup", folder, env=here)
    restored = portal("restore", folder, env=there)
    checked = portal("check", env=there)
    known = portal(*made, env=there)
    twice = portal("restore", folder, env=there)

    assert (saved.returncode, again.returncode) == (0, 2), saved.stderr
    assert saved.stdout == f"{folder} holds the database, the files, the secret key.\n"
    assert "is there already" in again.stderr
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    assert (restored.returncode, checked.stdout) == (0, "All invariants hold.\n"), restored.stderr
    assert (tmp_path / "there" / "files" / "of-weida" / "digest").read_bytes() == b"a photo"
    assert (tmp_path / "there" / "secret_key").read_text() == (tmp_path / "here" / "secret_key").read_text()
    assert (known.returncode, "already" in known.stderr) == (2, True), known.stderr
    assert (twice.returncode, "holds a portal already" in twice.stderr) == (2, True), twice.stderr
    for said in (saved, again, restored, twice):
        assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("serve",),
        ("worker",),
        ("bot",),
        ("contracts", "suggest-targets", "w"),
        ("tenant", "create", "w", "--name=W", "--admin=a@w.example", "--admin-name=A"),
    ],
)
def test_a_schema_that_is_not_there_is_said_with_what_to_run(
    command: tuple[str, ...], empty_database: Settings
) -> None:
    done = portal(*command, env=own_server(empty_database))

    assert done.returncode == 2
    assert done.stderr.startswith("portal: The schema is at nothing, the newest is"), done.stderr
    assert done.stderr.endswith("run `portal migrate`.\n")


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "check"])
async def test_a_schema_that_a_newer_version_made_is_left_alone(command: str, own_database: Settings) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(str(own_database.database_url)))
    await connection.execute("update alembic_version set version_num = '9999'")

    done = portal(command, env=own_server(own_database))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("portal: The schema is at 9999, which a newer version of the portal made"), (
        done.stderr
    )
    assert "Traceback" not in done.stderr
    assert await connection.fetchval("select version_num from alembic_version") == "9999"
    await connection.close()


def test_a_folder_that_is_no_backup_changes_nothing(tmp_path: Path, empty_database: Settings) -> None:
    (tmp_path / "photos").mkdir()
    env = own_server(empty_database) | {"PORTAL_DATA": str(tmp_path / "data")}

    done = portal("restore", str(tmp_path / "photos"), env=env)

    assert (done.returncode, "holds no database.dump" in done.stderr) == (2, True), done.stderr
    assert "The schema is at nothing" in portal("doctor", env=env).stdout


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
