"""The board of a wide contract."""

import time

from bench import data
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, calm, repeat
from bench.load import clients, request
from bench.serving import serving


async def board_500x26(databases: Databases) -> Result:
    """The board page of 500 contract lines over 26 weeks, from the request's first byte to the answer's last."""
    settings = await databases.work()
    path = f"/contracts/{data.WIDE_CONTRACT}/schedule?weeks={data.WIDE_WEEKS}"
    ask = request("GET", path, data.access(data.MEASURED, "factory").cookie)
    async with serving(settings) as app, clients(app.port, 1) as (client,):

        async def seconds() -> float:
            calm()
            begin = time.perf_counter()
            answer = await client.good(ask)
            taken = time.perf_counter() - begin
            cells = answer.body.count(b"/schedule-lines/")
            if cells < data.WIDE * data.WIDE_WEEKS:
                raise RuntimeError(f"the board shows {cells} deliveries of {data.WIDE * data.WIDE_WEEKS}")
            return taken

        figures = await repeat(seconds, 15)
        return alone("board_500x26", figures, app.peak_mb())


CASES = (Case("board_500x26", Target(most=0.3), board_500x26),)
