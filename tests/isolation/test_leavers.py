"""Ex-employees: what they kept is worth nothing from the next request on."""

from portal.accounts import service as people
from portal.accounts.service_keys import CreateKey, create_key
from portal.core.access import Permission, Role
from portal.core.db import unit_of_work
from tests.isolation.calls import Parts, send
from tests.isolation.things import contract, delivery, invited, shipment
from tests.isolation.world import Place, World


async def test_a_removed_person_keeps_no_session_no_key_and_no_link(world: World) -> None:
    company = world.company(Place.A)
    leaver = await world.hire("leaver", company, Role.PARTNER_ADMIN)
    assert leaver.actor is not None
    assert leaver.actor.member_id is not None
    async with unit_of_work(leaver.actor) as session:
        wanted = CreateKey(name="kept", scopes=[Permission.READ, Permission.RECEIVE])
        _key, token = await create_key(session, leaver.actor, wanted)
    bearer = {"authorization": f"Bearer {token}"}
    note, open_link = await shipment(world, Place.A), await invited(world, Place.A)
    pages = (f"/contracts/{(await contract(world, Place.A))['contract_id']}", f"/r/{note['token']}", "/", "/live")
    assert (await send(world.app, "GET", "/api/v1/me", Parts(), bearer)).status == 200
    assert (await send(world.app, "GET", pages[0], Parts(), leaver.headers)).status == 200

    async with unit_of_work(company) as session:
        await people.remove_member(session, company, leaver.actor.member_id, 1)

    assert (await send(world.app, "GET", "/api/v1/me", Parts(), bearer)).status == 401
    for page in pages:
        answer = await send(world.app, "GET", page, Parts(), leaver.headers)
        assert (answer.status, answer.place) in {(303, "/companies"), (303, "/sign-in"), (401, "")}, page
    form = Parts(form={"_csrf_token": leaver.form_token, f"received.{note['shipment_line_id']}": "40"})
    late = await send(world.app, "POST", f"/shipments/{note['shipment_id']}/receipts", form, leaver.headers)
    assert late.status in {303, 403}
    assert late.place in {"", "/companies", "/sign-in"}
    mine = await send(world.app, "GET", f"/invitations/{open_link['token']}", Parts(), leaver.headers)
    assert mine.status == 200, "a link that was sent to somebody else"
    join = Parts(form={"_csrf_token": leaver.form_token})
    taken = await send(world.app, "POST", f"/invitations/{open_link['token']}", join, leaver.headers)
    assert taken.status in {403, 422}, "cannot be taken by the one who left"


async def test_a_narrowed_role_counts_from_the_next_request(world: World) -> None:
    company = world.company(Place.A)
    clerk = await world.hire("clerk", company, Role.CLERK)
    assert clerk.actor is not None
    assert clerk.actor.member_id is not None
    note = await shipment(world, Place.A)
    async with unit_of_work(company) as session:
        viewer = people.ChangeRole(role=Role.VIEWER)
        await people.change_role(session, company, clerk.actor.member_id, 1, viewer)
    form = Parts(form={"_csrf_token": clerk.form_token, f"received.{note['shipment_line_id']}": "40"})
    answer = await send(world.app, "POST", f"/shipments/{note['shipment_id']}/receipts", form, clerk.headers)
    assert answer.status == 403


async def test_a_narrowed_sight_counts_from_the_next_request(world: World) -> None:
    company = world.company(Place.A)
    clerk = await world.hire("clerk", company, Role.CLERK)
    assert clerk.actor is not None
    assert clerk.actor.member_id is not None
    line = await delivery("confirmed")(world, Place.A)
    assert (await send(world.app, "GET", f"/schedule-lines/{line['line_id']}", Parts(), clerk.headers)).status == 200
    other = world.contracts[Place.A_OTHER].contract.id
    async with unit_of_work(company) as session:
        narrow = people.RestrictMember(restricted=True, contract_ids=[other])
        await people.restrict_member(session, company, clerk.actor.member_id, 1, narrow)
    assert (await send(world.app, "GET", f"/schedule-lines/{line['line_id']}", Parts(), clerk.headers)).status == 404
