"""Starting a server program as a child that cannot outlive us, under an account that PostgreSQL accepts.

PostgreSQL refuses to run as root. Root therefore starts it inside a user namespace, where the same files belong to
an ordinary user; where namespaces are forbidden, it becomes the owner of the data or `nobody`.
"""

import contextlib
import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.core.settings import StartError

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
SOCKET_PATH_LIMIT = 100  # bytes; Linux allows 107, macOS 103

_libc = ctypes.CDLL(None, use_errno=True)


class EmbeddedError(StartError):
    """An embedded service cannot run here; the text says why and what to do."""


@dataclass(frozen=True)
class Account:
    """Under whom a server runs: ourselves, ourselves in a user namespace, or another user of this machine."""

    uid: int
    gid: int
    namespace: bool = False

    @classmethod
    def self(cls, *, namespace: bool = False) -> "Account":
        return cls(os.geteuid(), os.getegid(), namespace)

    @classmethod
    def owner(cls, path: Path) -> "Account":
        info = path.stat()
        return cls(info.st_uid, info.st_gid)

    @classmethod
    def nobody(cls) -> "Account":
        entry = pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid)

    def enter(self, death_signal: signal.Signals) -> Callable[[], None]:
        """What the child does between fork and exec. The death signal comes last: a change of user clears it."""
        parent = os.getpid()

        def become() -> None:
            if self.namespace:
                _enter_namespace()
            elif self.uid != os.geteuid():
                os.setgroups([])
                os.setgid(self.gid)
                os.setuid(self.uid)
            die_with_parent(parent, death_signal)

        return become


def _enter_namespace() -> None:
    """Root inside sees itself as user 1000; outside, the files stay root's."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - the least work after a fork
            file.write(text)


def die_with_parent(parent: int, death_signal: signal.Signals) -> None:
    """Called in a forked child: Linux sends it this signal when the parent ends, however it ends."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def can_run(account: Account, program: Path, folder: Path) -> bool:
    """Whether this account exists here, may write to the folder and execute the program."""
    script = 'test -w "$1" && exec "$2" --version'
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", script, "sh", folder, program],
            cwd="/",
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            preexec_fn=account.enter(signal.SIGKILL),
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def server_environment() -> dict[str, str]:
    """Nothing of ours leaks into a server: no secrets, no locale, no PG* variables."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def run_tool(account: Account, command: Sequence[str | Path]) -> None:
    """Run a short program such as initdb under the account; raise EmbeddedError with its words if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env=server_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=account.enter(signal.SIGKILL),
        check=False,
    )
    if done.returncode:
        raise EmbeddedError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()}")


def start_server(
    account: Account, command: Sequence[str | Path], *, log: Path, death_signal: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start a long-running server in a session of its own, so that Ctrl-C reaches only us."""
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedError("Start embedded services from the main thread: they end with the thread that forked them.")
    _rotate(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd="/",
            env=server_environment(),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=account.enter(death_signal),
        )


def stop_server(process: subprocess.Popen[bytes], signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ask with each signal in turn and wait that many seconds for it; kill what is still there."""
    for number, seconds in (*signals, (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def tail(log: Path, lines: int = 5) -> str:
    """The last words of a server that would not start."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    return ""


def _rotate(log: Path, limit: int = 10_000_000) -> None:
    if log.exists() and log.stat().st_size > limit:
        log.replace(log.with_suffix(".log.1"))


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """One process at a time starts or stops the services of a data folder."""
    with (data / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def prepared(data: Path) -> Path:
    """The data folder, made if absent, for its owner alone. One user runs it: mixed owners lock each other out."""
    data = data.absolute()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = data.stat().st_uid
    except OSError as error:
        raise EmbeddedError(f"The data folder {data} cannot be made: {error.strerror}. Set PORTAL_DATA.") from error
    if owner != os.geteuid():
        raise EmbeddedError(
            f"The data folder {data} belongs to {_user_name(owner)}. Run as that user, or set PORTAL_DATA to a folder "
            f"of {_user_name(os.geteuid())}."
        )
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedError(f"The data folder {data} cannot be written. Allow it, or set PORTAL_DATA to another one.")
    return data


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def socket_folder(data: Path, account: Account | None = None) -> Path:
    """The folder of the sockets: 0700 and with a short name, because socket paths are limited to about 100 bytes.

    It is found through the link `run` in the data folder. A folder that was lost (restart of the machine) or that
    is not ours is replaced. account: who must be able to make a socket in it, if not this process's user.
    """
    link = data / "run"
    ours = {os.geteuid(), Account.nobody().uid} if os.geteuid() == 0 else {os.geteuid()}
    if not (link.is_symlink() and _is_private(link.readlink(), ours)):
        link.unlink(missing_ok=True)
        base = tempfile.gettempdir()
        if len(os.fsencode(base)) > SOCKET_PATH_LIMIT - 50:
            base = "/tmp"  # noqa: S108 - mkdtemp makes an unguessable 0700 folder inside
        link.symlink_to(tempfile.mkdtemp(prefix="portal-run-", dir=base))
    folder = link.readlink()
    if account is not None and folder.stat().st_uid != account.uid:
        os.chown(folder, account.uid, -1)
    return folder


def keep_sockets(data: Path, folder: Path) -> None:
    """Make the folder of the sockets again where the last service took it along: others know the addresses in it."""
    link = data / "run"
    with contextlib.suppress(OSError):
        if not link.is_symlink():
            folder.mkdir(mode=0o700)
            link.symlink_to(folder)


def _is_private(folder: Path, owners: set[int]) -> bool:
    try:
        info = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and stat.S_IMODE(info.st_mode) == 0o700 and info.st_uid in owners


def forget_sockets(data: Path) -> None:
    """Remove the folder of the sockets once the last service has left it, with what killed ones left in it."""
    link = data / "run"
    with contextlib.suppress(OSError):
        folder = link.readlink()
        for path in folder.iterdir():
            if path.is_socket() and not answers(path):
                path.unlink()
        folder.rmdir()
        link.unlink()


def answers(path: Path) -> bool:
    """Whether somebody listens on this Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def wait_until(ready: Callable[[int], bool], process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Poll `ready(pid)` until true; False when the process ended or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready(process.pid):
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    return False


def is_program(pid: int, name: str) -> bool | None:
    """Whether this pid runs the named program; None when nothing lives there (a zombie does not)."""
    if Path("/proc/self/stat").exists():
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        command, _, rest = text.partition("(")[2].rpartition(")")
        return None if rest.split()[0] == "Z" else command.startswith(name)
    shown = subprocess.run(["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return Path(shown.stdout.strip()).name.startswith(name) if shown.returncode == 0 else None


def place_elsewhere(data: Path, account: Account) -> Path:
    """A folder outside the data folder that another user can reach, remembered by the link `elsewhere`."""
    link = data / "elsewhere"
    if not (link.is_symlink() and _is_private(link.readlink(), {account.uid})):
        link.unlink(missing_ok=True)
        base = "/var/tmp" if Path("/var/tmp").is_dir() else None  # noqa: S108 - as above; survives a restart
        folder = tempfile.mkdtemp(prefix="portal-data-", dir=base)
        os.chown(folder, account.uid, account.gid)
        link.symlink_to(folder)
    return link.readlink()


def copy_folders(sources: Sequence[Path], target: Path, account: Account) -> None:
    """Copies of folders side by side in `target`, readable by the account; made once and whole."""
    if target.exists():
        return
    unfinished = target.with_name(target.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for source in sources:
        shutil.copytree(source, unfinished / source.name, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    unfinished.rename(target)
