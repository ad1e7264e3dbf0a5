"""`portal up`, the whole of it: everything in one terminal, nothing set, and kill -9 at every part."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from portal.core import launch

SECONDS = 40.0


class Portal:
    """A running `portal up` with its own data folder and port."""

    def __init__(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.data = data
        self.log = data / "up.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        with self.log.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portal.cli", "up", "--port", str(self.port)],
                env={**clean, "PORTAL_DATA": str(data)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def answers(self, path: str) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def children(self) -> dict[str, int]:
        """The processes that `up` started, by what they run."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
                command = (stat.parent / "cmdline").read_text(encoding="utf-8").split("\0")
                name = (stat.parent / "comm").read_text(encoding="utf-8").strip()
            except OSError:
                continue
            if parent == self.process.pid and command[0]:
                found[command[-2] if "portal.cli" in command else name] = int(stat.parent.name)
        return found


def wait(until: Callable[[], bool], portal: Portal) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline, portal.said()
        assert portal.process.poll() is None, portal.said()
        time.sleep(0.05)


@pytest.fixture
def portals(tmp_path: Path) -> Iterator[Callable[[], Portal]]:
    """Starts `portal up` over one data folder, as often as asked; what still runs at the end is stopped."""
    started: list[Portal] = []

    def start() -> Portal:
        started.append(Portal(tmp_path))
        wait(lambda: started[-1].answers("/readyz"), started[-1])
        return started[-1]

    yield start
    for portal in started:
        if portal.process.poll() is None:
            portal.process.terminate()
        portal.process.wait(20)


def test_it_lives_through_kill_9_and_stops_clean(portals: Callable[[], Portal]) -> None:
    portal = portals()
    lives_through_kill_9_of_every_part(portal)
    nothing_outlives_it(portal)
    stops_clean(portals())


def lives_through_kill_9_of_every_part(portal: Portal) -> None:
    parts = portal.children()
    assert sorted(parts) == ["bot", "postgres", "serve", "valkey-server", "worker"]
    for name in parts:
        wait(lambda name=name: name in portal.children(), portal)  # type: ignore[misc]
        pid = portal.children()[name]
        os.kill(pid, signal.SIGKILL)
        wait(lambda name=name, pid=pid: portal.children().get(name, pid) != pid, portal)  # type: ignore[misc]
        wait(lambda: portal.answers("/readyz"), portal)

    assert sorted(portal.children()) == sorted(parts)
    assert "PostgreSQL had ended and was started again" in portal.said()


def nothing_outlives_it(portal: Portal) -> None:
    pids = portal.children().values()

    portal.process.kill()
    portal.process.wait()

    deadline = time.monotonic() + 20
    while any(launch.is_program(pid, "") is not None for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [launch.is_program(pid, "") for pid in pids] == [None] * 5


def stops_clean(portal: Portal) -> None:
    pids = portal.children().values()
    began = time.monotonic()

    portal.process.send_signal(signal.SIGINT)

    assert portal.process.wait(20) == 0, portal.said()
    assert time.monotonic() - began < 8
    assert [launch.is_program(pid, "") for pid in pids] == [None] * 5
    assert not (portal.data / "run").is_symlink()
    assert "Traceback" not in portal.said()


def test_a_part_that_is_stopped_while_it_imports_says_nothing() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "portal.cli", "bot"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as bot:
        assert bot.stderr is not None
        assert any("aiogram.enums" in line for line in bot.stderr), "aiogram is no longer imported"

        bot.send_signal(signal.SIGTERM)

        rest = bot.stderr.read()
    assert "Traceback" not in rest
    assert bot.returncode == -signal.SIGTERM
