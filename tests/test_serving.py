"""The web server in two processes: both answer, neither is missed, and what one revokes the other does not believe."""

import http.client
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.accounts import revocation
from portal.core import launch
from portal.core.settings import Settings

SECONDS = 40.0


class Web:
    """`portal serve` on a port of its own, with two processes behind it."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        environ = os.environ | {"PORTAL_PORT": str(self.port), "PORTAL_WORKERS": "2"}
        self._opened: list[http.client.HTTPConnection] = []
        self.process = subprocess.Popen([sys.executable, "-m", "portal.cli", "serve"], env=environ)

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]

    def open(self) -> http.client.HTTPConnection:
        """A connection of its own, to whichever process gets it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        self._opened.append(connection)
        connection.connect()
        return connection

    def close(self) -> None:
        for connection in self._opened:
            connection.close()
        self.process.kill()
        self.process.wait()

    def listening(self) -> int:
        """How many of its sockets take connections: one for each process that has started."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text("ascii").splitlines()]
        return sum(row[1].endswith(f":{self.port:04X}") and row[3] == "0A" for row in rows[1:])


def ask(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sockets(pid: int) -> int:
    """How many sockets a process has open."""
    links = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()]
    return sum(link.startswith("socket:") for link in links)


@pytest.fixture
def web(database: Settings) -> Iterator[Web]:
    running = Web()
    wait(lambda: running.listening() == 2)
    yield running
    running.close()


def test_both_answer_and_one_that_is_killed_is_replaced_before_anybody_notices(web: Web) -> None:
    before = web.children()
    had = [sockets(pid) for pid in before]
    connections = [web.open() for _ in range(40)]
    assert [ask(each, "/healthz") for each in connections] == [200] * 40
    assert all(sockets(pid) > count for pid, count in zip(before, had, strict=True))

    os.kill(before[0], signal.SIGKILL)

    assert [ask(web.open(), "/healthz") for _ in range(40)] == [200] * 40
    wait(lambda: len(web.children()) == 2)
    assert before[0] not in web.children()
    assert before[1] in web.children()


def test_head_leaves_the_connection_to_the_next_request(web: Web) -> None:
    connection = web.open()
    connection.request("HEAD", "/healthz")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("content-length"), answer.read()) == (200, "15", b"")
    assert ask(connection, "/healthz") == 200


def test_it_stops_clean(web: Web) -> None:
    children = web.children()

    web.process.terminate()

    assert web.process.wait(10) == 143
    assert [launch.is_program(pid, "") for pid in children] == [None, None]


def test_nothing_outlives_the_first_process_and_the_port_is_free(web: Web) -> None:
    children = web.children()

    web.process.kill()
    web.process.wait()

    wait(lambda: [launch.is_program(pid, "") for pid in children] == [None, None])
    socket.create_server(("127.0.0.1", web.port)).close()


def test_an_application_that_cannot_start_is_not_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = f"""
        from portal.core.serving import serve
        from portal.core.settings import Settings

        async def app(scope, receive, send):
            print("begun", flush=True)
            await send({{"type": "lifespan.startup.failed"}})

        serve(lambda: app, Settings(port={port}, workers=2))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 3
    assert done.stdout.count("begun") <= 2


def test_what_one_process_revokes_another_that_has_not_heard_of_it_does_not_believe() -> None:
    with revocation._ears_open():
        cache: revocation.Recognised[str] = revocation.Recognised()
        cache.remember("token", "Mei", ("her id",), cache.mark())
        assert cache.get("token") == "Mei"

        fork = multiprocessing.get_context("fork").Process(target=revocation._forgetting("her id"), args=(None,))
        fork.start()
        fork.join()

        assert cache.get("token") is None
        cache.remember("token", "Mei", ("her id",), cache.mark())
        assert cache.get("token") == "Mei"
