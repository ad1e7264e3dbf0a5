"""The embedded services start anywhere, lose nothing, are shared by processes and leave nothing behind."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis import Redis

from portal.core import launch
from portal.core.embedded import Postgres, start_postgres, start_valkey
from portal.core.launch import Account, EmbeddedError
from portal.core.provision import Provision
from portal.core.roles import SUPERUSER, ensure_roles, plain_dsn
from portal.core.settings import get_settings

FAST = ("fsync=off",)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a fresh cluster, to be copied."""
    folder = tmp_path_factory.mktemp("cluster")
    start_postgres(folder, settings=FAST).stop()
    return folder


@pytest.fixture
def empty() -> Iterator[Path]:
    """A data folder where nothing was ever started, below folders that any user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="portal-embedded-"))
    yield folder
    elsewhere = folder / "elsewhere"
    if elsewhere.is_symlink():
        shutil.rmtree(elsewhere.readlink())
    shutil.rmtree(folder)


@pytest.fixture
def data(empty: Path, cluster: Path) -> Path:
    """A data folder whose cluster was made and stopped."""
    shutil.copytree(cluster / "pg", empty / "pg")
    shutil.copy(cluster / "passwords.json", empty)
    return empty


def ask(postgres: Postgres, sql: str) -> Any:
    """Run one statement as the superuser in a connection of its own."""
    return asyncio.run(ask_at(postgres.superuser_url, sql))


async def ask_at(url: str, sql: str) -> Any:
    connection = await asyncpg.connect(plain_dsn(url))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def ended(pid: int, seconds: float = 15) -> bool:
    """Whether the process ends within this time."""
    deadline = time.monotonic() + seconds
    while launch.is_program(pid, "") is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_what_was_committed_survives_kill_9(data: Path) -> None:
    postgres = start_postgres(data)
    ask(postgres, "create table kept (id int)")
    ask(postgres, "insert into kept select generate_series(1, 1000)")
    assert postgres.process is not None
    url = postgres.superuser_url

    postgres.process.kill()
    postgres.process.wait()
    assert not postgres.alive()
    again = start_postgres(data)

    assert ask(again, "select count(*) from kept") == 1000
    assert again.superuser_url == url  # pools that live on find the server at its old address
    again.stop()


def test_valkey_survives_kill_9(data: Path) -> None:
    valkey = start_valkey(data)
    client = Redis.from_url(valkey.url)
    client.set("kept", "yes")
    client.close()
    time.sleep(1.1)  # its journal is synced every second
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()

    again = start_valkey(data)
    client = Redis.from_url(again.url)

    assert client.get("kept") == b"yes"
    client.close()
    again.stop()


def test_a_second_start_attaches_and_leaves_the_server_to_its_starter(data: Path) -> None:
    first, valkey = start_postgres(data, settings=FAST), start_valkey(data)
    second, other = start_postgres(data), start_valkey(data)

    assert second.process is None
    assert other.process is None
    assert (second.superuser_url, other.url) == (first.superuser_url, valkey.url)
    second.stop()
    other.stop()
    assert first.alive()
    assert second.alive()
    assert ask(second, "show fsync") == "off"
    first.stop()
    valkey.stop()
    assert not second.alive()


def test_processes_that_start_together_share_one_server(empty: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from portal.core.embedded import start_postgres
        postgres = start_postgres(Path(sys.argv[1]))
        print("started" if postgres.process else "attached", flush=True)
        sys.stdin.read()
        postgres.stop()
    """
    processes = [_python(script, str(empty)) for _ in range(3)]
    lines = [process.stdout.readline().strip() for process in processes if process.stdout]
    for process in processes:
        process.communicate("")

    assert sorted(lines) == ["attached", "attached", "started"]
    assert [process.returncode for process in processes] == [0, 0, 0]


def test_a_clean_stop_leaves_no_process_and_no_socket(data: Path) -> None:
    postgres, valkey = start_postgres(data, settings=FAST), start_valkey(data)
    assert postgres.process is not None
    assert valkey.process is not None

    postgres.stop()
    valkey.stop()
    postgres.stop()  # once more does no harm

    assert (postgres.process.returncode, valkey.process.returncode) == (0, 0)
    assert not postgres.socket.parent.exists()
    assert not (data / "pg" / "postmaster.pid").exists()
    assert "database system is shut down" in (data / "postgres.log").read_text(encoding="utf-8")


def test_sockets_and_passwords_are_closed_to_others(empty: Path) -> None:
    data = empty / "new"
    postgres, valkey = start_postgres(data, settings=FAST), start_valkey(data)

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert postgres.socket.parent == valkey.socket.parent
    assert mode(postgres.socket.parent) == 0o700
    assert mode(data / "passwords.json") == 0o600
    assert mode(data) == 0o700
    assert ask(postgres, "show listen_addresses") == ""
    assert ask(postgres, "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'") == 0
    passwords = json.loads((data / "passwords.json").read_text(encoding="utf-8"))
    assert len(set(passwords.values())) == len(passwords)
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(plain_dsn(postgres.superuser_url), password="guess"))
    postgres.stop()
    valkey.stop()


def test_a_deep_data_folder_still_gets_short_sockets(empty: Path) -> None:
    deep = empty / ("very-long-name-" * 6) / ("and-longer-" * 6)

    postgres = start_postgres(deep, settings=FAST)

    assert len(os.fsencode(postgres.socket)) < launch.SOCKET_PATH_LIMIT
    assert ask(postgres, "select 1") == 1
    postgres.stop()


def test_a_lock_file_whose_pid_was_given_to_another_program_does_not_block(data: Path) -> None:
    """After a restart of the machine or of a container the old pid often belongs to something else."""
    postgres = start_postgres(data, settings=FAST)
    pid_file = data / "pg" / "postmaster.pid"
    lines = pid_file.read_text(encoding="utf-8").splitlines()
    postgres.stop()
    other = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n", encoding="utf-8")

        again = start_postgres(data, settings=FAST)

        assert ask(again, "select 1") == 1
        again.stop()
    finally:
        other.kill()
        other.wait()


def test_a_half_made_cluster_is_made_again(empty: Path) -> None:
    (empty / "pg.new").mkdir()
    (empty / "pg.new" / "PG_VERSION").write_text("18\n", encoding="utf-8")

    postgres = start_postgres(empty, settings=FAST)

    assert ask(postgres, "select 1") == 1
    postgres.stop()


def test_servers_end_with_a_parent_that_is_killed(data: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from portal.core.embedded import start_postgres, start_valkey
        postgres, valkey = start_postgres(Path(sys.argv[1])), start_valkey(Path(sys.argv[1]))
        print(postgres.process.pid, valkey.process.pid, flush=True)
        sys.stdin.read()
    """
    parent = _python(script, str(data))
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    assert [ended(pid) for pid in pids] == [True, True]
    again = start_postgres(data, settings=FAST)
    assert ask(again, "select 1") == 1
    again.stop()


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    with pytest.raises(EmbeddedError, match="unrecognized configuration parameter"):
        start_postgres(data, settings=["no_such_setting=1"])


def test_an_ordinary_user_needs_nothing(empty: Path) -> None:
    """When the tests run as root, a forked child becomes `nobody`; otherwise we are an ordinary user already."""
    ordinary = Account.nobody() if os.geteuid() == 0 else Account.self()
    folder = empty / "ordinary"
    folder.mkdir(mode=0o700)
    empty.chmod(0o755)
    os.chown(folder, ordinary.uid, ordinary.gid)

    def live() -> str:
        postgres, valkey = start_postgres(folder, settings=FAST), start_valkey(folder)
        asyncio.run(ensure_roles(postgres.superuser_url, "portal", postgres.role_passwords()))
        assert postgres.process is not None
        postgres.process.kill()
        postgres.process.wait()
        postgres = start_postgres(folder)
        user = asyncio.run(ask_at(postgres.url("portal_partner", "portal"), "select current_user"))
        postgres.stop()
        valkey.stop()
        return f"{user} in {sorted(path.name for path in folder.iterdir())}"

    said = in_child(ordinary, live)

    files = ["lock", "passwords.json", "pg", "postgres.log", "valkey", "valkey.log"]
    assert said == f"portal_partner in {files}"
    assert (folder / "pg").stat().st_uid == ordinary.uid != 0


def test_a_folder_that_cannot_be_written_is_refused_with_a_sentence(empty: Path) -> None:
    ordinary = Account.nobody() if os.geteuid() == 0 else Account.self()  # root may write everywhere
    folder = empty / "closed"
    folder.mkdir(mode=0o500)
    os.chown(folder, ordinary.uid, -1)
    empty.chmod(0o711)

    def refused() -> str:
        with pytest.raises(EmbeddedError) as error:
            launch.prepared(folder)
        return str(error.value)

    assert in_child(ordinary, refused) == (
        f"The data folder {folder} cannot be written. Allow it, or set PORTAL_DATA to another one."
    )
    assert list(folder.iterdir()) == []


@pytest.mark.root
def test_a_folder_of_another_user_is_refused_with_a_sentence(empty: Path) -> None:
    os.chown(empty, Account.nobody().uid, -1)

    with pytest.raises(EmbeddedError, match=r"belongs to nobody\. Run as that user, or set PORTAL_DATA"):
        start_postgres(empty)


@pytest.mark.root
def test_root_runs_postgres_in_a_user_namespace_and_keeps_its_files(empty: Path) -> None:
    postgres = start_postgres(empty, settings=FAST, as_root=["namespace"])
    assert postgres.process is not None

    uid_map = Path(f"/proc/{postgres.process.pid}/uid_map").read_text(encoding="utf-8").split()

    assert uid_map == ["1000", "0", "1"]
    assert (empty / "pg").stat().st_uid == 0
    assert ask(postgres, "select current_user") == SUPERUSER
    postgres.stop()


@pytest.mark.root
def test_root_without_namespaces_becomes_nobody(empty: Path) -> None:
    postgres = start_postgres(empty, settings=FAST, as_root=["nobody"])
    ask(postgres, "create table kept (id int)")
    assert postgres.process is not None
    owner = Path(f"/proc/{postgres.process.pid}").stat().st_uid
    postgres.stop()

    again = start_postgres(empty, settings=FAST)  # the place is remembered
    assert ask(again, "select count(*) from kept") == 0
    again.stop()

    assert pwd.getpwuid(owner).pw_name == "nobody"
    assert (empty / "pg").resolve().stat().st_uid == owner


@pytest.mark.root
def test_root_with_no_way_gets_a_sentence(empty: Path) -> None:
    with pytest.raises(EmbeddedError, match="PostgreSQL does not run as root"):
        start_postgres(empty, as_root=[])


def _python(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process of its own that lives until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def in_child(account: Account, work: Callable[[], str]) -> str:
    """What `work` returns, or its traceback, when run as another user in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if account.uid != os.geteuid():
                os.setgroups([])
                os.setgid(account.gid)
                os.setuid(account.uid)
            said = work()
        except BaseException:  # noqa: BLE001 - the parent shows it
            said = traceback.format_exc()
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def test_who_shares_a_service_keeps_its_address_when_the_starter_ends(empty: Path) -> None:
    """Two portals on one data folder: the second goes on where its own processes look for the services."""
    first, first_queue = start_postgres(empty, settings=FAST), start_valkey(empty)
    settings = get_settings().model_copy(update={"data": empty})
    second = Provision(settings, start_postgres(empty), start_valkey(empty))
    addresses = [server.socket for server in (second.postgres, second.valkey) if server]
    first_queue.stop()
    first.stop()
    assert not (empty / "run").is_symlink()

    try:
        assert second.mend() == ["PostgreSQL", "Valkey"]
        assert [server.socket for server in (second.postgres, second.valkey) if server] == addresses
        assert all(map(launch.answers, addresses))
    finally:
        second.stop()
