"""Custom fields told from the rows: what rules decide by them, who sees them, what cannot be removed."""

from decimal import Decimal
from typing import Any

import pytest

import portal.catalog.service_fields
import portal.contracts.effects
import portal.contracts.service_fields  # noqa: F401 - registers whose fields they are
from portal.app import create_app
from portal.approvals import service_fields, words
from portal.approvals.inputs import Condition, Op
from portal.approvals.model import ApprovalPoint
from portal.approvals.own import own_facts
from portal.approvals.rules_checking import WrongRules, read_exported
from portal.approvals.service import open_cases
from portal.approvals.service_sets import exported, get_draft, list_sets, write_draft
from portal.approvals.service_sets import rules_of as content_of
from portal.contracts.model import Contract
from portal.contracts.service import get_lines
from portal.core import i18n
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.i18n import Language
from portal.core.settings import Settings
from portal.core.versions import Stale
from portal.fields import service
from portal.fields.inputs import ChangeField, NewField, WriteValues
from portal.fields.model import CustomField, FieldKind, Holder
from portal.fields.rules import FieldRemoved, KeyTaken, WrongValue
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.approvals.makers import all_of, approvers, make_colleague, put_in_force, rules_of
from tests.contracts.makers import make_draft, make_item, make_proposed, new_line, step
from tests.factories import Tenant, fetch, unlike_a_quantity

CONTRACT = ApprovalPoint.CONTRACT
RISKY = all_of(Condition(fact="item.risk", op=Op.MORE, values=["5"]))


async def define(actor: Actor, key: str, kind: FieldKind, holder: Holder = Holder.ITEM, **more: Any) -> CustomField:
    data = NewField(holder=holder, key=key, label_zh=f"字段 {key}", label_en=f"Field {key}", kind=kind, **more)
    async with unit_of_work(actor) as session:
        return await service.create_field(session, actor, data)


async def write(actor: Actor, holder: Holder, holder_id: Any, version: int | None = None, **values: str) -> int:
    async with unit_of_work(actor) as session:
        found = await service.write_values(session, actor, holder, holder_id, WriteValues(values=values), version)
        return found.version


async def drafted(tenant: Tenant, risk: str) -> Contract:
    """A contract about an item of this risk."""
    code = f"A-{unlike_a_quantity()}"
    item = await make_item(tenant, code)
    await write(tenant.factory, Holder.ITEM, item.id, risk=risk)
    return await make_draft(tenant, Direction.SALE, new_line(code, target_quantity=Decimal(1000)))


async def test_a_contract_about_a_risky_item_waits_and_the_case_says_why(tenant: Tenant) -> None:
    sales = await make_colleague(tenant, Role.SALES)
    await define(tenant.factory, "risk", FieldKind.NUMBER, unit="pt")
    await put_in_force(tenant, rules_of((RISKY, approvers(Role.FINANCE))), CONTRACT)
    risky, calm = await drafted(tenant, "5.5"), await drafted(tenant, "5")
    for contract in (risky, calm):
        await step(sales, "propose", contract.id)
    states = await fetch(tenant.factory, "select id, status from contract where tenant_id = $1", tenant.id)
    assert dict(map(tuple, states)) == {risky.id: "draft", calm.id: "proposed"}
    async with unit_of_work(tenant.factory) as session:
        (case,) = await open_cases(session, tenant.factory, risky.id)
        own = await own_facts(session, tenant.factory)
    token = i18n.language.set(Language.EN)
    try:
        rows = words.fact_rows(case.point, case.facts, "CNY", own, prices=False)
        why = words.why(case.point, case.rule_no, case.rule, "CNY", own)
    finally:
        i18n.language.reset(token)
    assert ("Field risk", "5.5\u00a0pt") in rows
    assert "Field risk is more than 5\u00a0pt" in why


async def test_a_field_that_rules_look_at_stays_and_a_removed_one_is_refused_in_rules(tenant: Tenant) -> None:
    admin = tenant.factory
    field = await define(admin, "risk", FieldKind.NUMBER)
    await put_in_force(tenant, rules_of((RISKY, approvers(Role.FINANCE))), CONTRACT)
    with pytest.raises(service_fields.FieldInUse):
        async with unit_of_work(admin) as session:
            await service_fields.remove(session, admin, field.id, field.version)
    rows = await fetch(admin, "select removed_at, version from custom_field where tenant_id = $1", tenant.id)
    assert [tuple(row) for row in rows] == [(None, 1)]

    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE))), CONTRACT)
    async with unit_of_work(admin) as session:
        await service_fields.remove(session, admin, field.id, field.version)
    async with unit_of_work(admin) as session:
        old = next(each for each in await list_sets(session, admin, CONTRACT) if each.number == 1)
        file, own = exported(old).model_dump(mode="json"), await own_facts(session, admin, CONTRACT)
        assert "Field risk" in words.condition(CONTRACT, content_of(old).rules[0], "CNY", own)
    with pytest.raises(WrongRules) as refused:
        read_exported(file, CONTRACT, own)
    assert "was removed" in str(refused.value)
    with pytest.raises(WrongRules):
        async with unit_of_work(admin) as session:
            await write_draft(session, admin, CONTRACT, rules_of((RISKY, approvers(Role.FINANCE))))
    async with unit_of_work(admin) as session:
        assert await get_draft(session, admin, CONTRACT) is None
    for wanted, again in (
        (KeyTaken, define(admin, "risk", FieldKind.TEXT)),
        (FieldRemoved, rename(admin, field)),
    ):
        with pytest.raises(wanted):
            await again


async def rename(actor: Actor, field: CustomField) -> None:
    async with unit_of_work(actor) as session:
        await service.change_field(session, actor, field.id, ChangeField(label_en="Danger"))


async def test_values_are_the_factorys_and_a_refused_writing_changes_nothing(tenant: Tenant) -> None:
    admin, warehouse = tenant.factory, await make_colleague(tenant, Role.WAREHOUSE)
    await define(admin, "since", FieldKind.DATE, Holder.CONTRACT)
    await define(admin, "audited", FieldKind.YES_NO, Holder.PARTNER)
    contract = await make_draft(tenant, Direction.SALE)
    assert await write(admin, Holder.CONTRACT, contract.id, 0, since="2026-01-31") == 1
    assert await write(admin, Holder.PARTNER, tenant.customer.party_id, 0, audited="yes") == 1
    await define(admin, "mould", FieldKind.TEXT, Holder.LINE)
    async with unit_of_work(admin) as session:
        (line,) = await get_lines(session, admin, contract.id)
    assert await write(admin, Holder.LINE, line.id, 0, mould="M-7") == 1
    for actor in (tenant.customer, tenant.supplier):
        with pytest.raises(NotFound):
            await write(actor, Holder.LINE, line.id, 1, mould="M-8")
    refusals: list[tuple[type[Exception], Actor, int, str]] = [
        (WrongValue, admin, 1, "soon"),
        (Stale, admin, 0, "2026-02-28"),
        (Forbidden, warehouse, 1, "2026-02-28"),
        (NotFound, tenant.customer, 1, "2026-02-28"),
    ]
    for wanted, actor, version, typed in refusals:
        with pytest.raises(wanted):
            await write(actor, Holder.CONTRACT, contract.id, version, since=typed)
    with pytest.raises(NotFound):  # the factory's own company is no partner
        await write(admin, Holder.PARTNER, admin.party_id, audited="no")
    seen = "select holder, content, version from custom_values where tenant_id = $1 order by holder"
    rows = [tuple(row) for row in await fetch(admin, seen, tenant.id)]
    assert rows == [
        ("contract", {"since": "2026-01-31"}, 1),
        ("line", {"mould": "M-7"}, 1),
        ("partner", {"audited": "yes"}, 1),
    ]
    deeds = "select data from audit where tenant_id = $1 and action like '%fields_written'"
    written = [dict(data) for (data,) in await fetch(admin, deeds, tenant.id)]
    assert ({"since": ""}, {"since": "2026-01-31"}) in [
        (data["values_before"], data["values_after"]) for data in written
    ]
    told = "select count(*) from timeline where tenant_id = $1 and verb = 'fields_written'"
    assert [tuple(row) for row in await fetch(tenant.customer, told, tenant.id)] == [(0,)]


async def test_an_administrator_defines_a_list_fills_it_and_builds_a_rule_about_it_in_pages(
    database: Settings, tenant: Tenant
) -> None:
    app, item = create_app(database), await make_item(tenant, "A100")
    admin = await make_person(tenant.factory, Role.ADMIN)
    customer = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    said = {"holder": "item", "key": "hazard", "label_zh": "危险等级", "label_en": "Hazard class", "kind": "choice"}
    values = f"/fields/item/{item.id}"
    contract = await make_proposed(tenant, Direction.SALE)
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
    of_line = f"/fields/line/{line.id}"
    async with browsing(app, admin.token) as browser:
        await browser.open("/fields")
        wrong = await browser.send("/fields", **said, unit="", choices="acid, Acid")
        assert (wrong.status_code, "“acid, Acid” is not a value of a list" in text_of(wrong)) == (422, True)
        made = await browser.send("/fields", **said, unit="", choices="none | 无 | None\nacid | 腐蚀品 | Acid")
        assert made.status_code == 303
        assert "item.hazard · None, Acid" in text_of(await browser.open("/fields"))
        said |= {"holder": "line", "key": "mould", "label_zh": "模具", "label_en": "Mould", "kind": "text"}
        assert (await browser.send("/fields", **said, unit="", choices="")).status_code == 303
        long = await browser.send(of_line, version="0", **{"f.mould": "M" * 301})
        assert (long.status_code, "at most 300 characters" in text_of(long)) == (422, True)
        saved = await browser.send(of_line, version="0", **{"f.mould": "M-7"})
        assert saved.headers["location"] == f"/contracts/{contract.id}#line-fields"
        assert "Mould M-7" in text_of(await browser.open(f"/contracts/{contract.id}"))
        bad = await browser.send(values, version="0", **{"f.hazard": "bomb"})
        assert (bad.status_code, "one of the values of the list" in text_of(bad)) == (422, True)
        assert (await browser.send(values, version="0", **{"f.hazard": "acid"})).status_code == 303
        assert "Hazard class Acid" in text_of(await browser.open(f"/items/{item.id}")).replace("\n", " ")
        await browser.send("/rules/change/draft", version="0", do="begin")
        row = {"c0.group": "0", "c0.fact": "item.hazard", "g0.join": "and", "join": "or", "name": "Acid"}
        form = await browser.send("/rules/change/rule", version="1", do="approver", **row)
        assert 'name="c0.is.acid"' in form.text
        rule = {**row, "c0.op": "in", "c0.is.acid": "yes", "kind": "refuse", "reason": "Not by us", "do": "save"}
        assert (await browser.send("/rules/change/rule", version="1", **rule)).status_code == 303
        assert "If Hazard class is Acid" in text_of(await browser.open("/rules/change"))
        field_id = (await fetch(tenant.factory, "select id from custom_field where tenant_id = $1", tenant.id))[0][0]
        kept = await browser.send(f"/fields/{field_id}/remove", version="1")
        assert (kept.status_code, "looks at this field" in text_of(kept)) == (409, True)
    async with browsing(app, customer.token) as theirs:
        paths = ("/fields", values, of_line)
        assert [(await theirs.open(path)).status_code for path in paths] == [404, 404, 404]
        assert "M-7" not in (await theirs.open(f"/contracts/{contract.id}")).text
