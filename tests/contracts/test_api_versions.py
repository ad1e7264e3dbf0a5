"""Offers, versions, prices, files and templates over the interface, as a caller's program reads them."""

from datetime import timedelta
from typing import Any

from portal.contracts.evidence import digest
from portal.core.access import Role
from portal.core.settings import Settings
from tests.contracts.makers import make_proposed
from tests.contracts.test_api import BASE, calling, matching
from tests.contracts.versions import make_active
from tests.factories import Tenant, fetch, today

LESS: dict[str, Any] = {"lines": [{"line_no": 1, "foq": "480", "cadence": "week"}]}


async def test_a_proposal_is_countered_and_accepted_over_the_wire(tenant: Tenant, database: Settings) -> None:
    contract = await make_proposed(tenant)
    url = f"{BASE}/{contract.id}"
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as customer:
        seen = await customer.get(url)
        assert seen.json()["actions"] == ["accept", "counter", "decline"]
        stale = await customer.post(f"{url}/counter", json=LESS, headers={"if-match": '"1"'})
        assert (stale.status_code, stale.json()["type"].rpartition("/")[2]) == (412, "stale")
        wrong = {"lines": [{"line_no": 7, "foq": "1", "cadence": "week"}]}
        refused = await customer.post(f"{url}/counter", json=wrong, headers=matching(seen))
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "unknown-line")
        countered = await customer.post(f"{url}/counter", json=LESS, headers=matching(seen))
        assert (countered.json()["status"], countered.json()["actions"]) == ("countered", ["withdraw"])
        differing = await factory.get(f"{url}/versions/2/differences", params={"since": 1})
        assert [(row["field"], row["before"], row["after"]) for row in differing.json()] == [("foq", "600", "480")]
        accepted = await factory.post(f"{url}/accept", headers=matching(countered))
        assert accepted.json()["status"] == "accepted"
        (newest, _first) = (await customer.get(f"{url}/versions")).json()
        whole = (await customer.get(f"{url}/versions/2")).json()
    evidence = (newest["status"], newest["in_force"], newest["answered_via"], newest["answered_from"])
    assert evidence == ("agreed", True, "api", "127.0.0.1")
    assert digest(whole["content"]) == whole["sha256"] == newest["sha256"]


async def test_an_amendment_over_the_wire_carries_the_version_and_hides_prices(
    tenant: Tenant, database: Settings
) -> None:
    contract, day = await make_active(tenant), (today() + timedelta(days=9)).isoformat()
    url = f"{BASE}/{contract.id}"
    price = {"valid_from": day, "price": "11.875"}
    data = {"effective_from": day, "lines": [{"line_no": 1, "prices": [price]}], "note": "cheaper"}
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as customer:
        seen = await factory.get(url)
        missing = await factory.post(f"{url}/amendment", json=data)
        assert missing.status_code == 428
        headers = matching(seen) | {"idempotency-key": "amend-1"}
        offered = await factory.post(f"{url}/amendment", json=data, headers=headers)
        again = await factory.post(f"{url}/amendment", json=data, headers=headers)
        assert (offered.status_code, offered.json()) == (201, again.json())
        assert offered.json() == {
            "number": 2, "status": "proposed", "effective_from": day, "contract_version": contract.version + 1,
        }  # fmt: skip
        async with calling(database, tenant.customer, Role.CLERK) as clerk:
            hidden = await clerk.get(f"{url}/versions/2")
            assert '"11.875' not in hidden.text
            assert (await clerk.get(f"{url}/versions/2/differences", params={"since": 1})).json() == []
            denied = await clerk.post(f"{url}/amendment/accept", headers=matching(offered))
            assert denied.status_code == 403
        accepted = await customer.post(f"{url}/amendment/accept", headers=matching(offered))
        assert (accepted.status_code, accepted.json()["status"]) == (200, "agreed")
        line_id = seen.json()["lines"][0]["id"]
        now = await customer.get(f"{url}/lines/{line_id}/price", params={"day": today().isoformat()})
    assert now.json()["price"] == "12.500000"
    assert now.json()["sentence"].replace("\xa0", " ") == "The contract's price from 1 Jan 2026 on."
    rows = await fetch(tenant.customer, "select count(*) from contract_revision where contract_id = $1", contract.id)
    assert rows[0][0] == 2


async def test_files_notes_and_templates_over_the_wire(tenant: Tenant, database: Settings) -> None:
    contract = await make_proposed(tenant)
    url = f"{BASE}/{contract.id}"
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as customer:
        for name, internal in (("shared.txt", {}), ("ours.txt", {"internal": "true"})):
            sent = await factory.post(f"{url}/files", files={"file": (name, name.encode())}, data=internal)
            assert sent.status_code == 201, sent.text
        ours = {"file": ("ours too.txt", b"for the factory alone")}
        for unclear in ({"internal": "internal"}, {"internal": ""}, {"Internal": "true"}):
            sent = await factory.post(f"{url}/files", files=ours, data=unclear)
            assert (sent.status_code, [*unclear]) == (422, [sent.json()["errors"][0]["field"]])
        bare = await factory.post(f"{url}/files", data={"file": "no file"}, files={"internal": (None, "true")})
        assert (bare.status_code, bare.json()["errors"][0]["detail"][:22]) == (422, "A file belongs here: a")
        (theirs,) = (await customer.get(f"{url}/files")).json()
        content = await customer.get(f"{url}/files/{theirs['id']}")
        assert (theirs["name"], content.content) == ("shared.txt", b"shared.txt")
        assert (await customer.get(f"{url}/note")).status_code == 403
        assert (await factory.put(f"{url}/note", json={"note": "ours"})).json() == {"reference": "", "note": "ours"}
        template = (await factory.post(f"{url}/template", json={"name": "T"})).json()
        begun = {"party_id": str(tenant.customer.party_id), "direction": "sale", "valid_from": "2027-01-01"}
        made = await factory.post(f"/api/v1/contract-templates/{template['id']}/contracts", json=begun)
        assert (made.status_code, made.json()["status"]) == (201, "draft")
        assert (await factory.delete(f"/api/v1/contract-templates/{template['id']}")).status_code == 200
        assert (await factory.get("/api/v1/contract-templates")).json() == []
        rate = {"base": "EUR", "quote": "CNY", "day": "2026-11-27", "rate": "7.83"}
        kept = (await factory.put("/api/v1/exchange-rates", json=rate)).json()
        assert (kept["rate"], (await customer.get("/api/v1/exchange-rates")).status_code) == ("7.83", 403)
