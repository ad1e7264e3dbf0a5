"""Workspaces, companies and places."""

from dataclasses import replace
from datetime import date

import pytest

from portal.accounts import reads, rules
from portal.accounts.model import ChatDetail
from portal.accounts.service import InviteMember
from portal.accounts.service_calendars import SetDay, clear_day, set_days
from portal.accounts.service_companies import (
    CreateParty,
    CreateSite,
    CreateTenant,
    EditParty,
    EditSite,
    TenantExists,
    create_party,
    create_site,
    create_tenant,
    edit_party,
    edit_site,
    find_tenant,
)
from portal.accounts.service_joining import add_member
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.calendars import UnknownTimeZone
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.settings import Settings
from tests.accounts.makers import PASSWORD, new_email
from tests.factories import Tenant, fetch, make_contract

WUXI = CreateSite(code="WUXI-3", name="Gate 3", country="China", time_zone="Asia/Shanghai")


async def test_a_new_workspace_has_a_factory_and_a_first_administrator(database: Settings) -> None:
    code = "w" + new_email()[1:9]
    factory = await create_tenant(str(database.database_url), CreateTenant(code=code, name="Hengyuan", country="China"))
    member_id = await add_member(
        factory, factory.party_id, InviteMember(email=new_email(), name="Lena Vogt", role=Role.ADMIN), PASSWORD
    )
    party = await reads.get_party(factory, factory.party_id)
    assert (party.name, party.is_factory, party.members) == ("Hengyuan", True, 1)
    assert (await reads.get_member(factory, member_id)).role is Role.ADMIN
    assert await find_tenant(str(database.database_url), code) == factory
    (tenant,) = await fetch(factory, "select chat_detail from tenant where tenant_id = $1", factory.tenant_id)
    assert tenant["chat_detail"] == ChatDetail.NUMBER_ONLY
    with pytest.raises(TenantExists):
        await create_tenant(str(database.database_url), CreateTenant(code=code, name="Other"))
    audit = await fetch(factory, "select action from audit where tenant_id = $1 order by id", factory.tenant_id)
    assert [row[0] for row in audit] == ["tenant.created", "member.joined"]


@pytest.mark.parametrize(
    ("zone", "country", "detail"),
    [
        ("Asia/Shanghai", "", ChatDetail.NUMBER_ONLY),
        ("Asia/Urumqi", "Germany", ChatDetail.NUMBER_ONLY),
        ("UTC", " china", ChatDetail.NUMBER_ONLY),
        ("UTC", "中国", ChatDetail.NUMBER_ONLY),
        ("Asia/Hong_Kong", "Hong Kong", ChatDetail.FULL),
        ("Europe/Berlin", "Germany", ChatDetail.FULL),
        ("UTC", "", ChatDetail.FULL),
    ],
)
def test_a_factory_in_mainland_china_sends_numbers_only(zone: str, country: str, detail: ChatDetail) -> None:
    assert rules.chat_detail(zone, country) is detail


async def test_the_factory_adds_and_edits_a_partner(tenant: Tenant) -> None:
    async with unit_of_work(tenant.factory) as session:
        party = await create_party(session, tenant.factory, CreateParty(code="NEW", name="New Ltd", is_supplier=True))
    async with unit_of_work(tenant.factory) as session:
        await edit_party(session, tenant.factory, party.id, 1, EditParty(name="New Limited", is_customer=True))
    row = await reads.get_party(tenant.factory, party.id)
    assert (row.name, row.is_customer, row.is_supplier, row.version) == ("New Limited", True, True, 2)
    outbox = await fetch(tenant.factory, "select name from outbox where party_id = $1", party.id)
    assert [row[0] for row in outbox] == ["PartyCreated"]


async def test_a_code_is_taken_once_in_the_workspace(tenant: Tenant) -> None:
    with pytest.raises(rules.CodeTaken):
        async with unit_of_work(tenant.factory) as session:
            await create_party(session, tenant.factory, CreateParty(code="C", name="Twin", is_customer=True))
    with pytest.raises(rules.NeitherCustomerNorSupplier):
        async with unit_of_work(tenant.factory) as session:
            await create_party(session, tenant.factory, CreateParty(code="N", name="Neither"))
    assert len(await reads.list_parties(tenant.factory, limit=10)) == 3


async def test_a_partner_sees_itself_and_nobody_else(tenant: Tenant) -> None:
    for actor in (tenant.customer, tenant.supplier):
        assert [party.id for party in await reads.list_parties(actor, limit=10)] == [actor.party_id]
        for foreign in (tenant.factory.party_id, tenant.customer.party_id, tenant.supplier.party_id):
            if foreign != actor.party_id:
                with pytest.raises(NotFound):
                    await reads.get_party(actor, foreign)


async def test_a_partner_changes_no_master_data(tenant: Tenant) -> None:
    actor = tenant.customer
    for command in (
        lambda session: create_party(session, actor, CreateParty(code="X", name="X", is_customer=True)),
        lambda session: edit_party(session, actor, actor.party_id, 1, EditParty(name="X")),
        lambda session: create_site(session, actor, actor.party_id, WUXI),
    ):
        with pytest.raises(Forbidden):
            async with unit_of_work(actor) as session:
                await command(session)
    assert (await reads.get_party(actor, actor.party_id)).name == "Aurora"
    assert await reads.list_sites(actor, limit=10) == []


async def test_names_stand_in_the_order_of_the_alphabet_whatever_their_capitals(tenant: Tenant) -> None:
    names = ["ASPEN", "abbott", "Aurora Works", "zeta", "ZENITH"]
    async with unit_of_work(tenant.factory) as session:
        for n, name in enumerate(names):
            await create_party(session, tenant.factory, CreateParty(code=f"P{n}", name=name, is_customer=True))
    seen: list[str] = []
    after = None
    while rows := await reads.list_parties(tenant.factory, limit=2, after=after):
        seen += [row.name for row in rows]
        after = (rows[-1].name, rows[-1].id)
    assert [name for name in seen if name in names] == ["abbott", "ASPEN", "Aurora Works", "ZENITH", "zeta"]


async def test_companies_come_in_pages_and_are_found_by_name_or_code(tenant: Tenant) -> None:
    async with unit_of_work(tenant.factory) as session:
        for n in range(5):
            await create_party(session, tenant.factory, CreateParty(code=f"P{n}", name="Same name", is_customer=True))
    seen, after = [], None
    while rows := await reads.list_parties(tenant.factory, limit=2, after=after):
        seen += [row.id for row in rows]
        after = (rows[-1].name, rows[-1].id)
    assert len(seen) == len(set(seen)) == 8
    assert [row.code for row in await reads.list_parties(tenant.factory, limit=9, find="same")] == [
        f"P{n}" for n in range(5)
    ]
    assert [row.name for row in await reads.list_parties(tenant.factory, limit=9, find="p3")] == ["Same name"]
    assert await reads.list_parties(tenant.factory, limit=9, find="%") == []


async def test_a_member_restricted_to_a_contract_sees_its_company_only(tenant: Tenant) -> None:
    made = await make_contract(tenant)
    buyer = replace(tenant.factory, role=Role.BUYER, contract_ids=frozenset({made.contract.id}))
    names = [party.name for party in await reads.list_parties(buyer, limit=10)]
    assert names == ["Aurora", "Hengyuan"]
    with pytest.raises(NotFound):
        await reads.get_party(buyer, tenant.supplier.party_id)
    with pytest.raises(Forbidden):
        async with unit_of_work(buyer) as session:
            await create_party(session, buyer, CreateParty(code="Z", name="Z", is_customer=True))


async def make_site(actor: Actor, party: Actor, data: CreateSite = WUXI) -> reads.SiteRow:
    async with unit_of_work(actor) as session:
        site = await create_site(session, actor, party.party_id, data)
    return (await reads.get_site(actor, site.id))[0]


async def test_a_site_has_a_zone_working_days_and_days_out_of_pattern(tenant: Tenant) -> None:
    site = await make_site(tenant.factory, tenant.factory)
    holiday = SetDay(day=date(2026, 10, 1), working=False, name="National Day")
    make_up = SetDay(day=date(2026, 10, 10), working=True)
    async with unit_of_work(tenant.factory) as session:
        await set_days(session, tenant.factory, site.id, [holiday, make_up])
    async with unit_of_work(tenant.factory) as session:
        await edit_site(session, tenant.factory, site.id, 2, EditSite(weekdays=[5, 0, 0, 9]))
    row, days = await reads.get_site(tenant.factory, site.id)
    assert (row.weekdays, row.version) == ([0, 5], 3)
    assert [(item.day, item.working, item.name) for item in days] == [
        (date(2026, 10, 1), False, "National Day"),
        (date(2026, 10, 10), True, ""),
    ]
    async with unit_of_work(tenant.factory) as session:
        await clear_day(session, tenant.factory, site.id, date(2026, 10, 1))
    assert len((await reads.get_site(tenant.factory, site.id))[1]) == 1
    with pytest.raises(NotFound):
        async with unit_of_work(tenant.factory) as session:
            await clear_day(session, tenant.factory, site.id, date(2026, 10, 1))


async def test_what_a_site_cannot_be_is_refused(tenant: Tenant) -> None:
    await make_site(tenant.factory, tenant.factory)
    refused = {
        UnknownTimeZone: WUXI.model_copy(update={"code": "A", "time_zone": "Asia/Nowhere"}),
        rules.NoWorkingWeekday: WUXI.model_copy(update={"code": "A", "weekdays": [7]}),
        rules.CodeTaken: WUXI,
        rules.NameMissing: WUXI.model_copy(update={"code": "A", "name": "  "}),
    }
    for error, data in refused.items():
        with pytest.raises(error):
            await make_site(tenant.factory, tenant.factory, data)
    assert len(await reads.list_sites(tenant.factory, limit=10)) == 1


async def test_a_partner_reads_its_own_sites_only(tenant: Tenant) -> None:
    own = await make_site(tenant.factory, tenant.customer)
    foreign = await make_site(tenant.factory, tenant.supplier)
    assert [site.id for site in await reads.list_sites(tenant.customer, limit=10)] == [own.id]
    with pytest.raises(NotFound):
        await reads.get_site(tenant.customer, foreign.id)
    assert len(await reads.list_sites(tenant.factory, limit=10)) == 2
