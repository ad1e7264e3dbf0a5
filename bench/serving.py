"""The application in processes of its own, as `portal serve` runs it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.load import HOST, clients, request
from portal.core.launch import die_with_parent
from portal.core.settings import Settings, variable

START_SECONDS = 60.0
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Application:
    """A running server."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        return machine.cpu_seconds(self.pid)

    def peak_mb(self) -> float:
        return machine.peak_mb(self.pid)


def environment(settings: Settings, port: int) -> dict[str, str]:
    """The settings as a child process reads them; nothing of our own environment's PORTAL_ variables."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    fields = {name: getattr(settings, name) for name in Settings.model_fields}
    given = {variable(name): str(value) for name, value in fields.items() if value is not None}
    return own | given | {variable("port"): str(port), variable("base_url"): f"http://{HOST}:{port}"}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Application]:
    """The portal with the ceilings, ready to answer; its peak of memory counts from here."""
    port = free_port()
    with (settings.data / "application.log").open("ab") as log:
        process = start(["-m", "bench.application"], environment(settings, port), log.fileno())
    try:
        await healthy(process, port, settings.data / "application.log")
        machine.forget_peak(process.pid)
        yield Application(process.pid, port)
    finally:
        await stop(process)


def start(arguments: Sequence[str], environ: dict[str, str], log: int) -> "subprocess.Popen[bytes]":
    """A Python process in the project's folder that ends with us."""
    parent = os.getpid()
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environ,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM),
    )


async def healthy(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait for the first 200 of /healthz, asking a hundred times a second."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the application ended at its start; see {log}")
        try:
            async with clients(port, 1) as (client,):
                if (await client.send(request("GET", "/healthz", {}))).status == 200:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.01)
    raise RuntimeError(f"the application did not answer within {START_SECONDS:g} s; see {log}")


async def stop(process: "subprocess.Popen[bytes]") -> None:
    """End it and wait."""
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, 15)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)
