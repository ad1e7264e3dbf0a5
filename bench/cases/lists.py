"""A page of 50 lines out of a million, as HTML and as JSON, and how its slowest answers grow with the data."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle, islice
from random import Random
from statistics import median, quantiles
from urllib.parse import urlencode

from bench import data
from bench.databases import Databases
from bench.harness import Case, Result, Target, alternate, calm, costs
from bench.load import Answer, Client, burst, clients, request
from bench.serving import Application, serving
from portal.core import paging

CLIENTS = 8
PLACES = 400  # pages are asked for all over the list
SAMPLES = 2000  # for a p99
RUNS = 60  # short ones by turns: a neighbour slows both sides alike, and its bursts spoil a few, not the median
Key = tuple[str, str]  # due date and id of the line before the page


async def list_page_1m(databases: Databases) -> Result:
    """The list's page: processor seconds of the application per request."""
    return await _list(databases, "list_page_1m", 128)


async def list_json_1m(databases: Databases) -> Result:
    """The same lines from the interface."""
    return await _list(databases, "list_json_1m", 256)


async def _list(databases: Databases, name: str, count: int) -> Result:
    settings = await databases.million()
    keys = await _keys(databases, "bench_million")
    case, ceiling = (
        (_pages(keys), _bare(keys, "page")) if name == "list_page_1m" else (_json(keys), _bare(keys, "lines"))
    )
    async with serving(settings) as app, clients(app.port, CLIENTS) as fleet:
        await _check_same(fleet[0], case[0], ceiling[0])

        async def cost(requests: Sequence[bytes]) -> float:
            calm()
            before = app.cpu_seconds()
            await burst(fleet, list(islice(cycle(requests), count)))
            return (app.cpu_seconds() - before) / count

        figures = await alternate(lambda: cost(case), lambda: cost(ceiling), RUNS)
        return costs(name, "CPU s", *figures, app.peak_mb())


async def list_growth(databases: Databases) -> Result:
    """The slowest hundredth of `list_json` at a million lines beside that at ten thousand, one client."""
    large, small = await databases.million(), await databases.ten_thousand()
    many, few = _json(await _keys(databases, "bench_million")), _json(await _keys(databases, "bench_ten_thousand"))
    async with serving(large) as first, serving(small) as second:
        figures = await alternate(lambda: _p99(first, many), lambda: _p99(second, few))
        peak = first.peak_mb()
    p99, reference = median(figures[0]), median(figures[1])
    return Result("list_growth", "s", p99, reference, p99 / reference, peak, figures[0], p99)


async def _p99(app: Application, requests: Sequence[bytes]) -> float:
    calm()
    async with clients(app.port, 1) as fleet:
        times = await burst(fleet, list(islice(cycle(requests), SAMPLES)))
    return quantiles(times, n=100)[98]


async def _keys(databases: Databases, name: str) -> list[Key]:
    """Where pages begin: lines all over the measured tenant from last week on, each with a full page behind it."""
    connection = await databases.superuser(name)
    try:
        rows = await connection.fetch(
            "select due_date, id from schedule_line where tenant_id = $1 and due_date >= $2 order by due_date, id",
            *(data.access(data.MEASURED, "factory").tenant_id, databases.monday - timedelta(days=7)),
        )
    finally:
        await connection.close()
    places = Random(500).choices(rows[:-51], k=PLACES)
    return [(row["due_date"].isoformat(), str(row["id"])) for row in places]


def _pages(keys: Sequence[Key]) -> list[bytes]:
    who = data.access(data.MEASURED, "factory")
    return [request("GET", f"/schedules?cursor={paging.encode(*key)}", who.cookie) for key in keys]


def _json(keys: Sequence[Key]) -> list[bytes]:
    who = data.access(data.MEASURED, "factory")
    return [request("GET", f"/api/v1/schedule-lines?cursor={paging.encode(*key)}", who.key) for key in keys]


def _bare(keys: Sequence[Key], path: str) -> list[bytes]:
    return [request("GET", f"/bench/{path}?" + urlencode({"due": due, "id": line}), {}) for due, line in keys]


async def _check_same(client: Client, case: bytes, ceiling: bytes) -> None:
    """The comparison is worth something only while both give the same rows in the same words."""
    one, other = _rows(await client.good(case)), _rows(await client.good(ceiling))
    if one != other:
        raise RuntimeError("the case and its ceiling answer different rows")


def _rows(answer: Answer) -> object:
    if answer.body.startswith(b"{"):
        return answer.json()["items"]
    begin, end = answer.body.index(b"<tbody>"), answer.body.index(b"</tbody>")
    return answer.body[begin:end]


CASES = (
    Case("list_page_1m", Target(least_ratio=0.8), list_page_1m),
    Case("list_json_1m", Target(least_ratio=0.6), list_json_1m),
    Case("list_growth", Target(most_ratio=1.5), list_growth),
)
