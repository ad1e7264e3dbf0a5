"""`portal backup` and `portal restore`: what a portal cannot do without, as one folder.

    database.dump    pg_dump's own format, as the owner, who passes the policies
    files/           what was uploaded, where it lies under PORTAL_DATA
    secret_key       where PORTAL_DATA keeps one: without it sealed keys and second factors cannot be opened

Bytes are stored before the row that names them, so files copied after the dump hold all that it names. Valkey is not
in it: it only rings bells.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from portal.core.embedded import bin_dir, write_private
from portal.core.roles import connect, plain_dsn
from portal.core.settings import Settings, StartError

DUMP, FILES, KEY = "database.dump", "files", "secret_key"
TLS = {"require", "verify-ca", "verify-full"}


class BackupError(StartError):
    """Nothing was written, or nothing was restored; the text says why and what to do."""


def back_up(settings: Settings, folder: Path) -> list[str]:
    """Write a backup into a folder that is not there yet, whole or not at all. Returns what is in it, in words.

    settings: complete, as `core.provision` makes them. Raises BackupError.
    """
    if folder.exists():
        raise BackupError(f"{folder} is there already. Name a folder that is not, such as one with today's date.")
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(mode=0o700, parents=True)
        _run("pg_dump", settings, "--format=custom", f"--file={unfinished / DUMP}")
        said = ["the database", _copied_files(settings, unfinished)]
        if (settings.data / KEY).exists():
            write_private(unfinished / KEY, (settings.data / KEY).read_text(encoding="utf-8"))
            said.append("the secret key")
        unfinished.rename(folder)
    except OSError as error:
        raise BackupError(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return said


def _copied_files(settings: Settings, target: Path) -> str:
    if settings.files_url:
        return f"no files, which lie in {settings.files_url}"
    if (settings.data / FILES).exists():
        shutil.copytree(settings.data / FILES, target / FILES)
    return "the files"


def take_key(data: Path, folder: Path) -> None:
    """Before anything makes a secret key of its own: put the one of a backup in its place. Raises BackupError."""
    if not (folder / DUMP).is_file():
        raise BackupError(f"{folder} holds no {DUMP}, so it is no backup that `portal backup` made.")
    if not (folder / KEY).exists():
        return
    key = (folder / KEY).read_text(encoding="utf-8")
    if not (data / KEY).exists():
        write_private(data / KEY, key)
    elif (data / KEY).read_text(encoding="utf-8") != key:
        raise BackupError(f"{data} has a secret key of its own. Restore into a PORTAL_DATA that is empty.")


async def require_empty(settings: Settings) -> None:
    """Raise BackupError where the database already holds a portal."""
    connection = await connect(str(settings.database_url))
    try:
        if await connection.fetchval("select to_regclass('public.alembic_version') is not null"):
            raise BackupError("The database holds a portal already. Restore into one that is empty.")
    finally:
        await connection.close()


def restore(settings: Settings, folder: Path) -> None:
    """Read a backup into an empty database, all of it or nothing, and the files into their place. Raises BackupError.

    Default privileges name the owner of the server that was dumped, so `core.roles` sets them anew.
    """
    listed = _run("pg_restore", None, "--list", str(folder / DUMP))
    kept = "".join(f"{line}\n" for line in listed.splitlines() if " DEFAULT ACL " not in line)
    _run("pg_restore", settings, "--no-owner", "--single-transaction", "--exit-on-error", "--use-list=/dev/stdin",
         str(folder / DUMP), told=kept)  # fmt: skip
    if not settings.files_url and (folder / FILES).exists():
        shutil.copytree(folder / FILES, settings.data / FILES, dirs_exist_ok=True)


def _run(program: str, settings: Settings | None, *arguments: str, told: str = "") -> str:
    """One of PostgreSQL's programs, as the owner. The password goes where `ps` does not show it."""
    reached = _reached(str(settings.database_url)) if settings else {}
    done = subprocess.run(
        [_found(program, reached), *((f"--dbname={reached['dsn']}",) if reached else ()), *arguments],
        env={"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": reached.get("password", "")},
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _found(program: str, reached: Mapping[str, str]) -> str:
    """The wheel's, which is new enough; it speaks no TLS, so where that is asked for the one that is installed here."""
    installed = shutil.which(program) if reached.get("sslmode") in TLS else None
    return installed or str(bin_dir() / program)


def _reached(url: str) -> Mapping[str, str]:
    parts = urlsplit(plain_dsn(url))
    user, _, where = parts.netloc.rpartition("@")
    return {
        "dsn": parts._replace(netloc=f"{user.partition(':')[0]}@{where}").geturl(),
        "password": unquote(parts.password or ""),
        "sslmode": next(iter(parse_qs(parts.query).get("sslmode", ())), ""),
    }
