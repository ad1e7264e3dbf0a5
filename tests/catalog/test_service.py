"""The catalogue is the factory's alone; what contracts agreed on does not move with it."""

import pytest

from portal.catalog import reads, service
from portal.catalog.model import Item
from portal.catalog.service import ChangeItem, ItemCodeTaken, NewItem, NewPartNumber, PartNumberTaken, UnknownPartner
from portal.core.access import Role
from portal.core.db import read, unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.ids import uuid7
from portal.core.quantities import UnknownUnit
from portal.core.versions import Stale
from tests.contracts.makers import make_item
from tests.factories import Tenant, fetch, rows_of


async def test_an_item_is_created_changed_and_audited_and_no_partner_hears_of_it(tenant: Tenant) -> None:
    item = await make_item(tenant, "A100", revision="C")
    async with unit_of_work(tenant.factory) as session:
        await service.change_item(session, tenant.factory, item.id, ChangeItem(revision="D"), 1)

    (row,) = await fetch(tenant.factory, "select code, revision, version from item where id = $1", item.id)
    audit = await fetch(tenant.factory, "select action, data from audit where subject_id = $1 order by id", item.id)
    outbox = await fetch(tenant.factory, "select name from outbox where tenant_id = $1 order by id", tenant.id)
    assert tuple(row) == ("A100", "D", 2)
    assert [entry["action"] for entry in audit] == ["item.created", "item.changed"]
    assert [entry["name"] for entry in outbox] == ["ItemCreated", "ItemChanged"]
    assert await fetch(tenant.factory, "select 1 from timeline where subject_id = $1", item.id) == []


async def test_a_change_that_changes_nothing_is_no_version(tenant: Tenant) -> None:
    item = await make_item(tenant)
    async with unit_of_work(tenant.factory) as session:
        same = await service.change_item(session, tenant.factory, item.id, ChangeItem(description="Bearing housing"), 1)

    assert same.version == 1


async def test_the_second_item_with_a_code_and_an_unknown_unit_are_refused(tenant: Tenant) -> None:
    await make_item(tenant, "A100")
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(ItemCodeTaken):
            await service.create_item(session, tenant.factory, NewItem(code="A100", description="x", unit="H87"))
        with pytest.raises(UnknownUnit):
            await service.create_item(session, tenant.factory, NewItem(code="A101", description="x", unit="PCS"))

    assert (await fetch(tenant.factory, rows_of(Item), tenant.id))[0][0] == 1


async def test_a_stale_version_changes_nothing(tenant: Tenant) -> None:
    item = await make_item(tenant)
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(Stale):
            await service.change_item(session, tenant.factory, item.id, ChangeItem(revision="Z"), 7)

    assert (await fetch(tenant.factory, "select revision from item where id = $1", item.id))[0][0] == ""


async def test_to_partners_and_other_tenants_every_item_is_absent(tenant: Tenant) -> None:
    item = await make_item(tenant)
    for actor in (tenant.customer, tenant.supplier):
        for item_id in (item.id, uuid7()):
            async with unit_of_work(actor) as session:
                with pytest.raises(NotFound):
                    await service.get_item(session, actor, item_id)
                with pytest.raises(NotFound):
                    await service.change_item(session, actor, item_id, ChangeItem(revision="Z"))
        async with read(actor) as connection:
            with pytest.raises(NotFound):
                await reads.item_rows(connection, actor, "", "", 50)


@pytest.mark.parametrize("role", [Role.WAREHOUSE, Role.FINANCE, Role.AUDITOR, Role.VIEWER])
async def test_readers_of_the_factory_read_items_and_change_none(tenant: Tenant, role: Role) -> None:
    item = await make_item(tenant)
    reader = tenant.as_role(tenant.factory, role)
    async with unit_of_work(reader) as session:
        assert (await service.get_item(session, reader, item.id)).code == item.code
        with pytest.raises(Forbidden):
            await service.change_item(session, reader, item.id, ChangeItem(revision="Z"))
        with pytest.raises(Forbidden):
            await service.create_item(session, reader, NewItem(code="Z", description="Z", unit="H87"))

    assert (await fetch(tenant.factory, rows_of(Item), tenant.id))[0][0] == 1


async def test_a_partners_part_number_is_kept_and_forgotten(tenant: Tenant) -> None:
    item = await make_item(tenant)
    number = NewPartNumber(party_id=tenant.customer.party_id, part_no="XD-88120")
    async with unit_of_work(tenant.factory) as session:
        row = await service.add_part_number(session, tenant.factory, item.id, number, 1)
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(PartNumberTaken):
            await service.add_part_number(session, tenant.factory, item.id, number, 2)
        stranger = NewPartNumber(party_id=tenant.factory.party_id, part_no="X")
        with pytest.raises(UnknownPartner):
            await service.add_part_number(session, tenant.factory, item.id, stranger)

    async with read(tenant.factory) as connection:
        (shown,) = await reads.part_number_rows(connection, tenant.factory, item.id)
    assert (shown.party_name, shown.part_no) == ("Aurora", "XD-88120")
    assert await fetch(tenant.supplier, "select 1 from party_item where tenant_id = $1", tenant.id) == []

    async with unit_of_work(tenant.factory) as session:
        await service.remove_part_number(session, tenant.factory, item.id, row.id, 2)
    async with read(tenant.factory) as connection:
        assert await reads.part_number_rows(connection, tenant.factory, item.id) == []


async def test_items_are_found_by_the_beginning_of_a_code_or_part_number_and_page_without_gaps(
    tenant: Tenant,
) -> None:
    for n in range(7):
        await make_item(tenant, f"A{n}")
    last = await make_item(tenant, "B_1")
    number = NewPartNumber(party_id=tenant.customer.party_id, part_no="XD-88120")
    async with unit_of_work(tenant.factory) as session:
        await service.add_part_number(session, tenant.factory, last.id, number)

    async def codes(q: str, after: str = "", limit: int = 50) -> list[str]:
        async with read(tenant.factory) as connection:
            return [row.code for row in await reads.item_rows(connection, tenant.factory, q, after, limit)]

    assert await codes("a1") == ["A1"]
    assert len(await codes("housing")) == 8
    assert await codes("xd-8") == await codes("B_") == ["B_1"]
    assert await codes("%") == []
    assert await codes("", limit=3) == ["A0", "A1", "A2", "A3"]
    assert await codes("", "A2", 3) == ["A3", "A4", "A5", "A6"]
