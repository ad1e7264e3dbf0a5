"""The fields that the factory defined, as facts: of the items, the partner, the contract and its lines."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.facts import Fact, FactKind
from portal.approvals.model import ApprovalPoint
from portal.core import db
from portal.core.actor import Actor
from portal.core.journal import Subject
from portal.fields.model import CustomField, FieldKind, Holder
from portal.fields.rules import choices_of
from portal.fields.service import list_fields
from portal.fields.words import ANSWERS

KINDS: dict[FieldKind, FactKind] = {
    FieldKind.TEXT: FactKind.TEXT,
    FieldKind.NUMBER: FactKind.NUMBER,
    FieldKind.DATE: FactKind.DATE,
    FieldKind.YES_NO: FactKind.CHOICE,
    FieldKind.CHOICE: FactKind.CHOICE,
}
AT_STATEMENT = (Holder.PARTNER,)


def holders_at(point: ApprovalPoint | None) -> tuple[Holder, ...]:
    """Whose fields are known at a point. A statement is about a partner's whole month, not about items."""
    return AT_STATEMENT if point is ApprovalPoint.STATEMENT else tuple(Holder)


async def own_facts(session: AsyncSession, actor: Actor, point: ApprovalPoint | None = None) -> tuple[Fact, ...]:
    """The own fields of a point as facts, also removed ones: they are for reading only. Nothing for a partner.

    point: none for all that there are, which is enough to read any case.
    """
    if not actor.is_factory:
        return ()
    holders = holders_at(point)
    fields = await list_fields(session, actor, removed=True)
    return tuple(fact_of(field) for field in fields if field.holder in holders)


def fact_of(field: CustomField) -> Fact:
    """item.hazard, with the administrator's words."""
    yes_no = field.kind is FieldKind.YES_NO
    choices = {choice.key: (choice.zh, choice.en) for choice in choices_of(field)}
    return Fact(
        f"{field.holder.value}.{field.key}",
        KINDS[field.kind],
        field.label_en,
        choices=ANSWERS if yes_no else None,
        own=(field.label_zh, field.label_en),
        own_choices=choices or None,
        unit=field.unit,
        removed=field.removed_at is not None,
    )


_VALUES = """
select v.holder, v.content from custom_values v
where v.tenant_id = $1 and (
    (v.holder = 'partner' and v.holder_id = $2) or (v.holder = 'contract' and v.holder_id = $3)
    or (v.holder = 'line' and v.holder_id in (select k.id from contract_line k
        where k.tenant_id = $1 and k.contract_id = $3 and k.item_code = any($4)))
    or (v.holder = 'item' and v.holder_id in (select i.id from item i where i.tenant_id = $1 and i.code = any($4))))"""


async def own_values(
    session: AsyncSession, actor: Actor, own: Sequence[Fact], about: Subject, items: str | Sequence[str] | None
) -> dict[str, list[Any]]:
    """What the fields hold for what is asked about: by fact, the values of all its items, each once."""
    offered = {fact.name for fact in own if not fact.removed}
    if not offered:
        return {}
    codes = [items] if isinstance(items, str) else list(items or ())
    contract: UUID | None = about.contract_id
    rows = await (await db.driver(session)).fetch(_VALUES, actor.tenant_id, about.party_id, contract, codes)
    found: dict[str, set[str]] = {}
    for holder, content in rows:
        for key, value in content.items():
            if (name := f"{holder}.{key}") in offered:
                found.setdefault(name, set()).add(value)
    return {name: sorted(values) for name, values in found.items()}
