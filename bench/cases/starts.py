"""How soon the portal answers after it was started."""

import time

from bench import machine
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, repeat
from bench.serving import environment, free_port, healthy, start, stop


async def cold_start(databases: Databases) -> Result:
    """`portal serve` from its start to the first 200 of /healthz, with database and queue running."""
    settings = await databases.ten_thousand()
    log_path = databases.folder / "start.log"
    peaks: list[float] = []

    async def seconds() -> float:
        port = free_port()
        with log_path.open("ab") as log:
            begin = time.perf_counter()
            process = start(["-m", "portal.cli", "serve"], environment(settings, port), log.fileno())
        try:
            await healthy(process, port, log_path)
            taken = time.perf_counter() - begin
            peaks.append(machine.peak_mb(process.pid))
            return taken
        finally:
            await stop(process)

    return alone("cold_start", await repeat(seconds, 5), max(peaks))


CASES = (Case("cold_start", Target(most=3), cold_start),)
