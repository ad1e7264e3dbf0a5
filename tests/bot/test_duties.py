"""Escalation to a deputy: the card that takes the answer over, whom that tells, and that nobody is asked any more."""

from datetime import timedelta
from uuid import UUID

import pytest

from portal.core import clock, db
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.errors import Forbidden
from portal.core.i18n import Language
from portal.notices import rules, service_duties
from portal.notices.channels import Channel
from portal.notices.model import Kind
from portal.notices.rules import WrongTelephone
from portal.notices.service_duties import CannotAnswer, HandOver, NothingToTakeOver
from portal.schedules.service import ConfirmLine, confirm_line
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.bot.makers import House
from tests.bot.test_notices import channels, pass_on  # noqa: F401 - a fixture
from tests.bot.test_words import missing
from tests.factories import Tenant, fetch
from tests.notices.channel import MemoryChat
from tests.notices.conftest import Post
from tests.notices.test_compose import published
from tests.notices.test_planning import line_of
from tests.notices.test_reminding import ask_until, planned

PHONE = "+49 711 5550 1234"


async def overdue(tenant: Tenant) -> UUID:
    """A release whose answer was due an hour ago."""
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    await ask_until(tenant, clock.now() - timedelta(hours=1))
    return made.contract.id


async def duties(actor: Actor) -> list[UUID]:
    return [row[0] for row in await fetch(actor, "select member_id from duty where tenant_id = $1", actor.tenant_id)]


async def histories(*companies: Actor) -> list[list[str]]:
    """What each of them reads of the demand for the answer."""
    query = "select verb from timeline where tenant_id = $1 and subject = 'reminder' order by id"
    return [[row[0] for row in await fetch(each, query, each.tenant_id)] for each in companies]


async def test_the_deputy_takes_over_and_nobody_is_asked_any_further(
    house: House,
    tenant: Tenant,
    channels: dict[str, Channel],  # noqa: F811
) -> None:
    lena = await house.linked(tenant.supplier, name="Lena")
    ben = await house.linked(tenant.supplier, language=Language.ZH, name="Ben")
    post = Post(tenant, MemoryChat())
    kinds = {Kind.DIGEST: "off", Kind.TO_CONFIRM: "off"}  # one message a second is as many as a chat gets
    await post.awake(ben.actor, kinds=kinds)
    await post.awake(lena.actor, kinds=kinds, deputy_id=ben.person.member_id)
    async with db.unit_of_work(lena.actor) as session:
        await (await db.driver(session)).execute(
            "update preference set phone = $2 where member_id = $1", lena.person.member_id, PHONE
        )
    contract_id = await overdue(tenant)
    await post.time_passes(clock.now())
    await pass_on(tenant, channels)

    card = await ben.phone.wait_for("您是代理人")
    assert f"同事电话：{PHONE}" in card.text
    assert "Lena" not in card.text
    assert missing(card.text) == []
    assert card.labels[:2] == ["确认 1 笔交付", "由我处理"]
    answer = await ben.phone.press("由我处理", message=card.id)
    await house.quiet()
    await pass_on(tenant, channels)

    assert answer.text == "现在由您答复。已告知您的同事，不再继续催办。"
    told = await lena.phone.wait_for("A colleague answers release 1 for you")
    assert "Ben" not in told.text
    assert told.labels[0] == "Confirm 1 delivery"  # who comes back may still answer
    assert (await ben.phone.message(card.id)).labels[0] == "确认 1 笔交付"
    await post.time_passes(clock.now() + timedelta(hours=5))
    assert [level for level, key in await planned(tenant.supplier, Kind.OVERDUE) if level == 3] == []
    assert await duties(tenant.supplier) == [ben.person.member_id]
    assert await duties(tenant.factory) == []  # who stands in is the seller's own affair
    assert await histories(tenant.factory, tenant.supplier) == [["escalated", "taken_over"]] * 2
    page = f"/contracts/{contract_id}/releases/1"
    texts = []
    for company, role in ((tenant.supplier, Role.CLERK), (tenant.factory, Role.PLANNER)):
        person = await make_person(company, role)
        async with browsing(house.app, person.token) as browser:
            texts.append(text_of(await browser.open(page)))
    assert [PHONE in text for text in texts] == [True, False]


async def test_the_page_and_a_program_hand_over_and_others_are_refused(house: House, tenant: Tenant) -> None:
    contract_id = await overdue(tenant)
    clerk = await make_person(tenant.supplier, Role.CLERK)
    viewer = await make_person(tenant.supplier, Role.VIEWER)
    async with browsing(house.app, viewer.token) as browser:
        assert (await browser.send(f"/contracts/{contract_id}/releases/1/take-over")).status_code == 403
    for member_id in (viewer.member_id, tenant.factory.member_id):
        assert member_id is not None
        with pytest.raises(CannotAnswer):
            async with db.unit_of_work(tenant.supplier) as session:
                await service_duties.hand_over(session, tenant.supplier, contract_id, 1, HandOver(member_id=member_id))
    with pytest.raises(Forbidden):
        async with db.unit_of_work(tenant.factory) as session:
            await service_duties.take_over(session, tenant.factory, contract_id, 1)
    assert await duties(tenant.supplier) == []
    assert await histories(tenant.factory) == [[]]

    async with browsing(house.app, clerk.token) as browser:
        assert "Take over" in (await browser.open(f"/contracts/{contract_id}/releases/1")).text
        for _ in range(2):  # twice changes nothing
            await browser.send(f"/contracts/{contract_id}/releases/1/take-over")
    assert await duties(tenant.supplier) == [clerk.member_id]
    assert await histories(tenant.factory) == [["taken_over"]]

    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, await line_of(tenant, contract_id), None, ConfirmLine())
    with pytest.raises(NothingToTakeOver):
        async with db.unit_of_work(tenant.supplier) as session:
            await service_duties.take_over(session, tenant.supplier, contract_id, 1)
    assert await duties(tenant.supplier) == [clerk.member_id]


@pytest.mark.parametrize("typed", ["call me", "12", "+49 abc", "1" * 30, "+"])
def test_what_is_no_telephone_is_refused(typed: str) -> None:
    with pytest.raises(WrongTelephone):
        rules.telephone(typed, "phone")


@pytest.mark.parametrize(
    ("typed", "kept"), [("", ""), (" +86  21 5555 0123 ", "+86 21 5555 0123"), ("0711/5550-12", "0711/5550-12")]
)
def test_a_telephone_is_kept_as_it_is_dialled(typed: str, kept: str) -> None:
    assert rules.telephone(typed, "phone") == kept
