"""From the contract to the receipt, told from all sides: what each company does, and what the others then see."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from portal.core.actor import Direction
from portal.core.settings import Settings
from tests.contracts.makers import make_item
from tests.factories import Tenant, fetch, today
from tests.schedules.test_api import calling

CONTRACTS, LINES, SHIPMENTS = "/api/v1/contracts", "/api/v1/schedule-lines", "/api/v1/shipments"


def seen(answer: httpx.Response) -> dict[str, str]:
    """The version just read, as the next write carries it."""
    assert answer.is_success, answer.text
    return {"if-match": answer.headers["etag"]}


def contract_body(tenant: Tenant, direction: Direction) -> dict[str, Any]:
    line = {"item_code": "A100", "foq": "800", "cadence": "week", "pack_size": "40", "ship_to_code": "WUX"}
    return {
        "party_id": str(tenant.partner(direction).party_id),
        "direction": direction.value,
        "currency": "CNY",
        "valid_from": today().isoformat(),
        "lines": [line | {"prices": [{"valid_from": today().isoformat(), "price": "12.5"}]}],
    }


@pytest.mark.parametrize("direction", list(Direction))
async def test_from_the_contract_to_the_receipt(tenant: Tenant, database: Settings, direction: Direction) -> None:
    await make_item(tenant, "A100")
    partner_actor = tenant.partner(direction)
    stranger_actor = tenant.supplier if direction is Direction.SALE else tenant.customer
    async with (
        calling(database, tenant.factory) as factory,
        calling(database, partner_actor) as partner,
        calling(database, stranger_actor) as stranger,
    ):
        seller, buyer = (factory, partner) if direction is Direction.SALE else (partner, factory)
        contract = await agree(factory, partner, contract_body(tenant, direction))
        await release(factory, contract)

        waiting = (await seller.get(LINES, params={"view": "to_confirm", "contract_id": contract})).json()["items"]
        assert waiting, "the firm zone of the first release asks the seller"
        chosen = [{"id": line["id"], "version": line["version"]} for line in waiting]
        confirmed = await seller.post(f"{LINES}/confirm", json={"lines": chosen})
        assert {line["status"] for line in confirmed.json()} == {"confirmed"}

        first = waiting[0]["id"]
        note = {"number": "ASN-1", "lines": [{"line_id": first, "quantity": "800"}]}
        shipped = await seller.post(SHIPMENTS, json=note)
        receipts = f"{SHIPMENTS}/{shipped.json()['id']}/receipts"
        lines = (await buyer.get(f"{SHIPMENTS}/{shipped.json()['id']}")).json()["lines"]
        count = {"lines": [{"shipment_line_id": lines[0]["id"], "good": "760", "problem": "not_on_truck"}]}
        received = await buyer.post(receipts, json=count, headers=seen(shipped))
        assert received.status_code == 201, received.text

        both = [(await side.get(f"{LINES}/{first}")).json() for side in (seller, buyer)]
        figures = [
            {key: Decimal(line["line"][f"{key}_quantity"]) for key in ("confirmed", "shipped", "received")}
            for line in both
        ]
        assert figures == [{"confirmed": 800, "shipped": 800, "received": 760}] * 2
        histories = [
            [(entry["verb"], entry["version"]) for entry in (await side.get(f"{LINES}/{first}/history")).json()]
            for side in (seller, buyer)
        ]
        assert histories[0] == histories[1]
        assert {"asked", "confirmed", "shipped", "received"} <= {verb for verb, _ in histories[0]}

        for path in (f"{CONTRACTS}/{contract}", f"{LINES}/{first}", f"{SHIPMENTS}/{shipped.json()['id']}"):
            assert (await stranger.get(path)).status_code == 404
        assert (await stranger.get(LINES)).json()["items"] == []
    await proven_for_the_factory(tenant, first)


async def agree(factory: httpx.AsyncClient, partner: httpx.AsyncClient, body: dict[str, Any]) -> str:
    """Drafted and proposed by the factory, accepted by the partner, made active. Returns the contract's id."""
    made = await factory.post(CONTRACTS, json=body)
    url = f"{CONTRACTS}/{made.json()['id']}"
    proposed = await factory.post(f"{url}/propose", headers=seen(made))
    accepted = await partner.post(f"{url}/accept", headers=seen(proposed))
    assert (await factory.post(f"{url}/activate", headers=seen(accepted))).is_success
    contract_id: str = made.json()["id"]
    return contract_id


async def release(factory: httpx.AsyncClient, contract: str) -> None:
    """Half a year of deliveries from the fixed quantity, told as release 1."""
    generated = await factory.post(f"{CONTRACTS}/{contract}/schedule-lines/generate", json={})
    assert generated.json()["lines"] >= 25
    now = await factory.get(f"{CONTRACTS}/{contract}")
    published = await factory.post(f"{CONTRACTS}/{contract}/releases", json={}, headers=seen(now))
    assert published.json()["number"] == 1


async def proven_for_the_factory(tenant: Tenant, line_id: str) -> None:
    """Audit and outbox carry each deed once, with the transaction of its history."""
    history = await fetch(
        tenant.factory, "select verb, transaction from timeline where subject_id = $1 order by id", line_id
    )
    audit = await fetch(
        tenant.factory, "select action, transaction from audit where subject_id = $1 order by id", line_id
    )
    assert [(f"schedule_line.{row['verb']}", row["transaction"]) for row in history] == [tuple(row) for row in audit]
    told = await fetch(
        tenant.factory, "select name from outbox where data->>'line_id' = $1 and name = 'LineConfirmed'", line_id
    )
    assert len(told) == 1
