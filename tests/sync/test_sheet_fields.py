"""Custom fields in the workbook of contracts: written at once, and never told to a partner."""

from typing import Any

import portal.contracts.service_fields  # noqa: F401 - registers whose fields they are
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.i18n import Language, speaking
from portal.fields.inputs import Choice, NewField, WriteValues
from portal.fields.model import FieldKind, Holder
from portal.fields.service import create_field, write_values
from tests.contracts.versions import make_active
from tests.factories import Tenant, fetch
from tests.sync.books import append, applied, edited, exported, sent, state, write

SHEET = "Custom fields"
KEPT = "select holder, content from custom_values where tenant_id = $1 order by holder"


async def define(actor: Actor, holder: Holder, key: str, kind: FieldKind, **more: Any) -> None:
    async with unit_of_work(actor) as session:
        said = NewField(holder=holder, key=key, label_zh="字段", label_en=f"Field {key}", kind=kind, **more)
        await create_field(session, actor, said)


async def kept(tenant: Tenant) -> list[tuple[str, dict[str, str]]]:
    return [(row[0], dict(row[1])) for row in await fetch(tenant.factory, KEPT, tenant.id)]


async def test_fields_of_contracts_and_lines_go_out_and_come_back(tenant: Tenant) -> None:
    factory = tenant.factory
    contract = await make_active(tenant)
    unasked = await state(tenant)
    classes = [Choice(key="none", zh="无", en="None"), Choice(key="acid", zh="腐蚀品", en="Acid")]
    await define(factory, Holder.CONTRACT, "since", FieldKind.DATE)
    await define(factory, Holder.LINE, "hazard", FieldKind.CHOICE, choices=classes)
    await define(factory, Holder.LINE, "weight", FieldKind.NUMBER, unit="kg")
    for lang in Language:
        with speaking(lang):
            as_it_came = edited(await exported(factory, contract))
        _, found = await sent(factory, as_it_came)
        assert (found.changes, found.conflicts, found.refused, found.unknown) == ([], [], [], [])

    book = edited(
        await exported(factory, contract),
        write(SHEET, 2, "Value", "2026-01-31"),
        write(SHEET, 3, "Value", "Acid"),
        write(SHEET, 4, "Value", "heavy"),
        append(SHEET, Contract=contract.number, Value="more"),
    )
    run_id, found = await sent(factory, book)
    assert [(change.field, change.after) for change in found.changes] == [("value", "2026-01-31"), ("value", "acid")]
    assert [(refused.row, refused.column) for refused in found.refused] == [(4, "value"), (5, "")]
    assert "a number below a million millions" in found.refused[0].sentence
    assert (found.offers, found.drafts, found.fields, found.contracts) == (0, 0, 1, 1)
    assert await kept(tenant) == []
    await applied(factory, run_id)
    assert await kept(tenant) == [("contract", {"since": "2026-01-31"}), ("line", {"hazard": "acid"})]

    async with unit_of_work(factory) as session:  # a colleague, since the download
        said = WriteValues(values={"since": "2026-02-28"})
        await write_values(session, factory, Holder.CONTRACT, contract.id, said)
    again = edited(await exported(factory, contract), write(SHEET, 2, "Value", ""))
    _, both = await sent(factory, book)
    assert [(each.before, each.after) for each in both.conflicts] == [("2026-02-28", "2026-01-31")]
    run_id, _ = await sent(factory, again)
    await applied(factory, run_id)
    assert await kept(tenant) == [("contract", {}), ("line", {"hazard": "acid"})]
    assert (await state(tenant))[:6] == unasked[:6]  # nothing was offered, nothing told
