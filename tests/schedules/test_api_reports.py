"""Warnings and chats over the interface: opened, pictured, ended by whose they are; read back by the other company."""

from portal.accounts import service_chats
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.settings import Settings
from portal.shipments.counting import Receive
from tests.accounts.makers import make_person, signed
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.schedules.test_api import calling
from tests.shipments.makers import photo, receive, sent

V1 = "/api/v1"
SEEN = {"if-match": '"1"'}
PROBLEM = {"kind": "problem", "reason": "quality", "note": "cracks", "urgency": "line_stop"}
STATE = "select r.status, l.supply_state from line_report r join schedule_line l on l.id = r.line_id where r.id = $1"


async def test_a_warning_is_opened_pictured_and_taken_back(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="confirmed")
    address = f"{V1}/schedule-lines/{line.id}/reports"
    async with calling(database, tenant.supplier) as supplier, calling(database, tenant.factory) as factory:
        assert (
            await factory.post(address, json=PROBLEM, headers=SEEN)
        ).status_code == 409  # the buyer warns of nothing
        stale = await supplier.post(address, json=PROBLEM, headers={"if-match": '"7"'})
        unsaid = await supplier.post(address, json={"kind": "late", "reason": "material"}, headers=SEEN)
        assert (stale.status_code, unsaid.status_code) == (412, 422)
        assert (await factory.get(address)).json() == []
        opened = await supplier.post(address, json=PROBLEM, headers=SEEN)
        assert (opened.status_code, opened.json()["number"]) == (201, "W-1"), opened.text
        report = opened.json()["id"]

        pictures = f"{V1}/line-reports/{report}/photos"
        file = {"file": ("a.jpg", photo((60, 40)), "image/jpeg")}
        refused = [
            await factory.post(pictures, files=file),
            await supplier.post(pictures, files={"file": ("a.jpg", b"no picture", "image/jpeg")}),
            await supplier.post(pictures, files={"other": file["file"]}),
            await supplier.post(pictures, files=[("file", file["file"])] * 7),
        ]
        assert [answer.status_code for answer in refused] == [409, 422, 422, 422]
        for _ in range(2):  # the same picture twice is one
            added = await supplier.post(pictures, files=file)
            assert added.status_code == 201, added.text
        (seen_by_buyer,) = (await factory.get(address)).json()
        assert len(seen_by_buyer["photos"]) == 1
        image = await factory.get(f"{pictures}/{seen_by_buyer['photos'][0]}")
        assert (image.status_code, image.content[:2]) == (200, b"\xff\xd8")

        ended = f"{V1}/line-reports/{report}/close"
        assert (await factory.post(ended)).status_code == 409
        assert tuple((await fetch(tenant.factory, STATE, report))[0]) == ("open", "at_risk")
        assert (await supplier.post(ended)).json()["status"] == "closed"
        assert tuple((await fetch(tenant.factory, STATE, report))[0]) == ("closed", "unknown")
        late = await supplier.post(pictures, files={"file": ("b.jpg", photo((50, 40)), "image/jpeg")})
        assert late.status_code == 409
    assert len(await fetch(tenant.factory, "select 1 from line_report_photo where report_id = $1", report)) == 1


async def test_a_complete_receipt_settles_a_warning(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="confirmed")
    address = f"{V1}/schedule-lines/{line.id}/reports"
    async with calling(database, tenant.supplier) as supplier, calling(database, tenant.factory) as factory:
        await supplier.post(address, json=PROBLEM, headers=SEEN)
        shipment, _ = await sent(tenant, (line, 800))
        await receive(tenant.factory, shipment, Receive())
        for reader in (supplier, factory):
            (report,) = (await reader.get(address)).json()
            assert (report["status"], report["number"]) == ("closed", "W-1")
        assert (await supplier.post(f"{V1}/line-reports/{report['id']}/close")).status_code == 409


async def test_chats_are_seen_and_ended_by_those_who_manage_people(tenant: Tenant, database: Settings) -> None:
    person = await make_person(tenant.supplier, Role.CLERK, "Ben")
    row_id, _chat = await service_chats.open_window(await signed(person))
    alive = "select unbound_at is null from chat where id = $1"
    async with calling(database, tenant.supplier) as supplier, calling(database, tenant.factory) as factory:
        assert [row["member_name"] for row in (await supplier.get(f"{V1}/chats")).json()] == ["Ben"]
        assert (await factory.get(f"{V1}/chats")).json() == []
        assert (await factory.post(f"{V1}/chats/{row_id}/end")).status_code == 404
        assert (await fetch(tenant.supplier, alive, row_id))[0][0]
        for _ in range(2):
            assert (await supplier.post(f"{V1}/chats/{row_id}/end")).status_code == 200
        assert not (await fetch(tenant.supplier, alive, row_id))[0][0]
        assert (await supplier.get(f"{V1}/chats")).json() == []
