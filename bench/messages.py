"""The portal's worker for measurements. `speed` is how many times as fast the chat service's clock runs: the pace is
kept by that clock."""

import asyncio
import os
import signal

import uvloop

from jobs.worker import work
from portal.core import db
from portal.core.log import configure_logging
from portal.core.settings import get_settings
from portal.notices.pacing import Pacer


async def run(speed: float) -> None:
    """Work until SIGTERM."""
    settings, stop = get_settings(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    db.configure(settings, settings.pool_size)
    try:
        await work(settings, stop, pacer=Pacer(str(settings.redis_url), speed))
    finally:
        await db.dispose()


if __name__ == "__main__":
    configure_logging(get_settings().log_format, "warning")
    uvloop.run(run(float(os.environ.get("BENCH_SPEED", "1"))))
