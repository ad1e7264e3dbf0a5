"""A contract's first months through the interface, as a program would do it."""

import time
from datetime import timedelta
from typing import Any

from bench import data
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, calm, repeat
from bench.load import Answer, Client, clients, request
from bench.serving import serving

PARTS = 50
PERIODS = 12
PAGE = 200  # the most that the interface lists at once


async def contract_600(databases: Databases) -> Result:
    """A contract with 50 lines made, agreed, 12 weeks generated, published, and all 600 deliveries confirmed."""
    settings = await databases.work()
    async with serving(settings) as app, clients(app.port, 1) as (client,):

        async def seconds() -> float:
            calm()
            begin = time.perf_counter()
            await _months(client, databases)
            return time.perf_counter() - begin

        figures = await repeat(seconds)
        return alone("contract_600", figures, app.peak_mb())


async def _months(client: Client, databases: Databases) -> None:
    buyer, seller = Caller(client, "factory"), Caller(client, 1)
    first = databases.monday + timedelta(days=7)
    contract = (await buyer.post("/contracts", _contract(databases))).json()
    path = f"/contracts/{contract['id']}"
    version = contract["version"]
    for who, step in ((buyer, "propose"), (seller, "accept"), (buyer, "activate")):
        version = (await who.post(f"{path}/{step}", version=version)).json()["version"]
    made = await buyer.post(f"{path}/schedule-lines/generate", {"until": str(first + timedelta(weeks=PERIODS))})
    if made.json()["lines"] != PARTS * PERIODS:
        raise RuntimeError(f"{made.json()['lines']} lines were generated")
    state = await buyer.get(path)
    await buyer.post(f"{path}/releases", {"note": "first"}, version=state.json()["version"])
    lines = await _lines(seller, contract["id"])
    answers = (await seller.post("/schedule-lines/confirm", {"lines": lines})).json()
    if {answer["status"] for answer in answers} != {"confirmed"} or len(answers) != PARTS * PERIODS:
        raise RuntimeError("not all lines were confirmed")


def _contract(databases: Databases) -> dict[str, Any]:
    first = databases.monday + timedelta(days=7)
    price = {"valid_from": str(first), "price": "12.50"}
    line = {"foq": "600", "cadence": "week", "pack_size": "40", "over_percent": "10", "prices": [price]}
    return {
        "party_id": str(data.access(data.MEASURED, 1).party_id),
        "direction": "purchase",
        "currency": "CNY",
        "valid_from": str(first),
        "valid_to": str(first + timedelta(weeks=PERIODS)),
        "lines": [line | {"item_code": f"A{1000 + n}"} for n in range(PARTS)],
    }


async def _lines(seller: "Caller", contract_id: str) -> list[dict[str, Any]]:
    """The contract's lines with their versions, page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await seller.get(f"/schedule-lines?contract_id={contract_id}&limit={PAGE}{cursor}")).json()
        found += [{"id": item["id"], "version": item["version"]} for item in page["items"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


class Caller:
    """One company's program."""

    def __init__(self, client: Client, party: str | int) -> None:
        self._client = client
        self._key = data.access(data.MEASURED, party).key

    async def get(self, path: str) -> Answer:
        return await self._client.good(request("GET", f"/api/v1{path}", self._key))

    async def post(self, path: str, body: Any = None, version: int | None = None) -> Answer:
        headers = self._key | ({} if version is None else {"if-match": f'"{version}"'})
        return await self._client.good(request("POST", f"/api/v1{path}", headers, body))


CASES = (Case("contract_600", Target(most=0.5), contract_600),)
