"""Own and foreign in one request, the same press twice, and presses on what has changed meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.factories import fetch, today
from tests.isolation.calls import Parts, send
from tests.isolation.fingerprint import changed, fingerprint
from tests.isolation.matrix import signed
from tests.isolation.things import Ids, active, contract, delivery, draft, item, member, receipt, shipment
from tests.isolation.world import Place, Principal, World

Mix = Callable[[World], Awaitable[tuple[Principal, str, str, Parts]]]  # sender, method, path, what is sent
V1 = "/api/v1"


def program(world: World, name: str) -> Principal:
    return next(key for key in world.programs if key.name == name)


def browser(world: World, name: str) -> Principal:
    return next(person for person in world.browsers if person.name == name)


def lines(*seen: Ids) -> list[dict[str, Any]]:
    return [{"id": str(ids["line_id"]), "version": 1} for ids in seen]


async def confirm_own_and_foreign(world: World) -> tuple[Principal, str, str, Parts]:
    """The factory in its workspace and in another one; C's own line and A's."""
    mine, theirs = await delivery("proposed")(world, Place.C), await delivery("proposed")(world, Place.A)
    said = Parts(json={"lines": lines(mine, theirs)})
    return program(world, "supplier C's key"), "POST", f"{V1}/schedule-lines/confirm", said


async def confirm_across_workspaces(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await delivery("proposed")(world, Place.A), await delivery("proposed")(world, Place.ELSEWHERE)
    said = Parts(json={"lines": lines(mine, theirs)})
    return program(world, "factory admin's key"), "POST", f"{V1}/schedule-lines/confirm", said


async def tick_own_and_foreign(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await delivery("proposed")(world, Place.C), await delivery("proposed")(world, Place.B)
    said = Parts(form={"line": [f"{ids['line_id']}:1" for ids in (mine, theirs)]})
    return browser(world, "supplier C"), "POST", "/schedule-lines/confirm", said


async def ship_own_and_foreign(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await delivery("confirmed")(world, Place.C), await delivery("confirmed")(world, Place.A)
    entries = [{"line_id": str(ids["line_id"]), "quantity": "40"} for ids in (mine, theirs)]
    return program(world, "supplier C's key"), "POST", f"{V1}/shipments", Parts(json={"number": "X", "lines": entries})


async def ship_for_two_companies(world: World) -> tuple[Principal, str, str, Parts]:
    """One paper for A and B would show each what the other gets."""
    mine, theirs = await delivery("confirmed")(world, Place.A), await delivery("confirmed")(world, Place.B)
    entries = [{"line_id": str(ids["line_id"]), "quantity": "40"} for ids in (mine, theirs)]
    said = Parts(json={"number": "X", "lines": entries})
    return program(world, "factory admin's key"), "POST", f"{V1}/shipments", said


async def receive_own_and_foreign(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await shipment(world, Place.A), await shipment(world, Place.B)
    entries = [{"shipment_line_id": str(ids["shipment_line_id"]), "good": "40"} for ids in (mine, theirs)]
    path = f"{V1}/shipments/{mine['shipment_id']}/receipts"
    return program(world, "customer A's key"), "POST", path, Parts(json={"lines": entries}, version=1)


async def count_a_foreign_line_on_an_own_note(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await shipment(world, Place.A), await shipment(world, Place.A_OTHER)
    said = Parts(form={f"received.{theirs['shipment_line_id']}": "40"})
    return browser(world, "restricted clerk of A"), "POST", f"/shipments/{mine['shipment_id']}/receipts", said


async def photo_of_another_receipt(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await receipt(world, Place.A), await receipt(world, Place.B)
    path = f"{V1}/receipts/{mine['receipt_id']}/photos/{theirs['photo_id']}"
    return program(world, "customer A's key"), "GET", path, Parts()


async def price_on_another_contracts_line(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await draft(world, Place.A), await draft(world, Place.B)
    path = f"{V1}/contracts/{mine['contract_id']}/lines/{theirs['line_id']}/prices"
    said = Parts(json={"valid_from": "2027-01-01", "price": "1"}, version=mine["version"])
    return program(world, "factory admin's key"), "POST", path, said


async def line_of_another_contract(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await draft(world, Place.A), await draft(world, Place.B)
    path = f"{V1}/contracts/{mine['contract_id']}/lines/{theirs['line_id']}"
    return program(world, "factory admin's key"), "DELETE", path, Parts(version=mine["version"])


async def price_of_another_line(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await draft(world, Place.A), await draft(world, Place.B)
    path = f"{V1}/contracts/{mine['contract_id']}/lines/{mine['line_id']}/prices/{theirs['price_id']}"
    return program(world, "factory admin's key"), "DELETE", path, Parts(version=mine["version"])


async def call_off_another_contracts_line(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await active(world, Place.A), await active(world, Place.B)
    said = {"contract_line_id": str(theirs["line_id"]), "quantity": "40", "due_date": today().isoformat()}
    path = f"{V1}/contracts/{mine['contract_id']}/schedule-lines"
    return program(world, "factory admin's key"), "POST", path, Parts(json=said)


async def restrict_to_own_and_foreign(world: World) -> tuple[Principal, str, str, Parts]:
    """Whether a contract exists must not be learnt by restricting a colleague to it."""
    mine, theirs = await member(world, Place.A), await contract(world, Place.B)
    both = [str(mine["contract_id"]), str(theirs["contract_id"])]
    said = Parts(form={"version": 1, "restricted": "true", "contract_ids": both})
    return browser(world, "customer A"), "POST", f"/people/{mine['member_id']}/restriction", said


async def restrict_a_partners_member_to_another_partners_contract(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await member(world, Place.A), await contract(world, Place.B)
    said = Parts(form={"version": 1, "restricted": "true", "contract_ids": [str(theirs["contract_id"])]})
    return browser(world, "factory admin"), "POST", f"/people/{mine['member_id']}/restriction", said


async def number_of_a_company_elsewhere(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await item(world, Place.A), await item(world, Place.ELSEWHERE)
    said = Parts(json={"party_id": str(theirs["party_id"]), "part_no": "X"}, version=mine["version"])
    return program(world, "factory admin's key"), "POST", f"{V1}/items/{mine['item_id']}/part-numbers", said


async def part_number_of_another_item(world: World) -> tuple[Principal, str, str, Parts]:
    mine, theirs = await item(world, Place.A), await item(world, Place.B)
    path = f"{V1}/items/{mine['item_id']}/part-numbers/{theirs['part_number_id']}"
    return program(world, "factory admin's key"), "DELETE", path, Parts(version=mine["version"])


async def contract_for_a_company_elsewhere(world: World) -> tuple[Principal, str, str, Parts]:
    party = world.company(Place.ELSEWHERE).party_id
    said = {"party_id": str(party), "direction": "sale", "currency": "CNY", "valid_from": "2026-01-01"}
    return program(world, "factory admin's key"), "POST", f"{V1}/contracts", Parts(json=said)


MIXES: tuple[Mix, ...] = (
    confirm_own_and_foreign,
    confirm_across_workspaces,
    tick_own_and_foreign,
    ship_own_and_foreign,
    ship_for_two_companies,
    receive_own_and_foreign,
    count_a_foreign_line_on_an_own_note,
    photo_of_another_receipt,
    price_on_another_contracts_line,
    line_of_another_contract,
    price_of_another_line,
    call_off_another_contracts_line,
    restrict_to_own_and_foreign,
    restrict_a_partners_member_to_another_partners_contract,
    number_of_a_company_elsewhere,
    part_number_of_another_item,
    contract_for_a_company_elsewhere,
)


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: str(mix.__name__))
async def test_own_and_foreign_in_one_request_are_refused_whole(world: World, mix: Mix) -> None:
    sender, method, path, parts = await mix(world)
    before = await fingerprint(world.owner)
    answer = await send(world.app, method, path, signed(parts, sender), sender.headers)
    assert answer.status in {404, 422}, (answer.status, answer.text[-300:])
    assert changed(before, await fingerprint(world.owner)) == {}


# --- twice, and too late ----------------------------------------------------------------------------------------------


async def test_a_double_click_confirms_once(world: World) -> None:
    line = await delivery("proposed")(world, Place.C)
    sender = browser(world, "supplier C")
    said = Parts(form={"version": 1, "quantity": "40", "delivery_date": line["due"]})
    path = f"/schedule-lines/{line['line_id']}/confirm"
    answers = await asyncio.gather(
        *(send(world.app, "POST", path, signed(said, sender), sender.headers) for _ in range(8))
    )
    assert sorted(answer.status for answer in answers) == [303] + [409] * 7
    query = "select count(*), sum(quantity) from confirmation where line_id = $1"
    for reader in (world.company(Place.C), world.companies[Place.C].factory):
        ((count, total),) = await fetch(reader, query, line["line_id"])
        assert (count, int(total)) == (1, 40)


async def test_two_tabs_ship_and_receive_once(world: World) -> None:
    note = await shipment(world, Place.A)
    sender = browser(world, "customer A")
    said = Parts(form={"version": 1, f"received.{note['shipment_line_id']}": "40"})
    path = f"/shipments/{note['shipment_id']}/receipts"
    answers = [await send(world.app, "POST", path, signed(said, sender), sender.headers) for _tab in range(2)]
    assert [answer.status for answer in answers] == [303, 409]
    query = "select count(*) from receipt where shipment_id = $1"
    for reader in (world.company(Place.A), world.companies[Place.A].factory):
        assert (await fetch(reader, query, note["shipment_id"]))[0][0] == 1


@pytest.mark.parametrize("step", ["confirm", "reject", "supply"])
async def test_an_old_button_after_a_change_is_refused_and_says_so(world: World, step: str) -> None:
    """The version shown must be the version answered."""
    line = await delivery("proposed")(world, Place.C)
    await world.owner.execute(
        "update schedule_line set ordered_quantity = 9000, version = 2 where id = $1", line["line_id"]
    )
    sender = browser(world, "supplier C")
    said = {
        "confirm": {"quantity": "40", "delivery_date": line["due"]},
        "reject": {"reason": "capacity"},
        "supply": {"state": "secured"},
    }[step]
    before = await fingerprint(world.owner)
    path = f"/schedule-lines/{line['line_id']}/{step}"
    answer = await send(world.app, "POST", path, signed(Parts(form={"version": 1, **said}), sender), sender.headers)
    assert answer.status == 409
    key = program(world, "supplier C's key")
    over = Parts(json={"splits": []} if step == "confirm" else said, version=1)
    answer = await send(world.app, "POST", f"{V1}{path}", over, key.headers)
    assert answer.status == 412
    assert changed(before, await fingerprint(world.owner)) == {}


async def test_a_key_of_one_company_is_not_replayed_to_another(world: World) -> None:
    """The same Idempotency-Key from another company is another request, and gets nothing of the first one's answer."""
    twice = {"idempotency-key": "one and the same"}
    mine, theirs = await delivery("proposed")(world, Place.C), await delivery("proposed")(world, Place.A)
    first = Parts(json={"splits": []}, version=1, headers=twice)
    path = f"{V1}/schedule-lines/{{}}/confirm"
    supplier, factory = program(world, "supplier C's key"), program(world, "factory admin's key")
    done = await send(world.app, "POST", path.format(mine["line_id"]), first, supplier.headers)
    other = await send(world.app, "POST", path.format(theirs["line_id"]), first, factory.headers)
    spied = await send(
        world.app, "POST", path.format(mine["line_id"]), first, program(world, "customer B's key").headers
    )
    assert (done.status, other.status) == (200, 200)
    assert "idempotency-replayed" not in other.headers
    assert spied.status in {403, 404}
    assert str(mine["line_id"]) not in spied.text
