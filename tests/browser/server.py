"""The portal in a process of its own."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from portal.core.settings import Settings, variable

BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STARTING = 120  # seconds of patience


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(settings: Settings | None = None) -> AsyncIterator[str]:
    """Serve these settings, or those that the environment names, at an address of its own."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    given = {name: getattr(settings, name) for name in Settings.model_fields} if settings else {}
    named = {variable(name): "" if value is None else str(value) for name, value in given.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "--factory", "portal.app:create_app", "--port", str(port)),
        *("--log-level", "warning", "--timeout-graceful-shutdown", "1"),
        env=os.environ | named | {"PORTAL_PORT": str(port), "PORTAL_BASE_URL": base},
    )
    try:
        await _answers(base, process)
        yield base
    finally:
        process.terminate()
        await process.wait()


async def _answers(base: str, process: Any) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(STARTING * 10):
            assert process.returncode is None, "the portal did not start"
            try:
                if (await client.get(f"{base}/healthz")).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError("the portal did not answer")
