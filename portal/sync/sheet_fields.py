"""The sheet of custom fields: what the factory keeps about a contract and its lines. No partner is asked about it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace
from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.evidence import Content
from portal.contracts.model import Contract, ContractLine
from portal.contracts.service import get_lines
from portal.core.actor import Actor
from portal.core.errors import PortalError
from portal.core.i18n import _
from portal.core.journal import part
from portal.fields import words
from portal.fields.inputs import WriteValues
from portal.fields.model import CustomField, Holder
from portal.fields.rules import WANTED, checked_value
from portal.fields.service import kept_values, list_fields, write_values
from portal.sync.rules_sheets import NoSuchLine, RowPlan, RowSaid
from portal.sync.sheet_columns import Sheet, folded

Refusal = tuple[RowPlan, PortalError | ValidationError]


async def with_fields(session: AsyncSession, actor: Actor, contract: Contract, content: Content) -> Content:
    """The content with what the fields of the contract and of its lines hold, one row a field."""
    of_contract = await list_fields(session, actor, Holder.CONTRACT)
    of_lines = await list_fields(session, actor, Holder.LINE)
    if not of_contract and not of_lines:
        return content
    lines = await get_lines(session, actor, contract.id)
    kept = await kept_values(session, actor, Holder.CONTRACT, [contract.id])
    kept |= await kept_values(session, actor, Holder.LINE, [line.id for line in lines])
    rows = [_row(field, None, kept.get(contract.id)) for field in of_contract]
    rows += [_row(field, line, kept.get(line.id)) for line in lines for field in of_lines]
    return content | {"fields": rows}


def _row(field: CustomField, line: ContractLine | None, kept: tuple[Mapping[str, str], int] | None) -> Content:
    """One field as a row of the sheet; of the contract itself without a line."""
    return {
        "key": f"{line.line_no if line else 0}:{field.key}",
        "line_no": line.line_no if line else None,
        "item_code": line.item_code if line else "",
        "name": field.key,
        "label": words.label(field),
        "wanted": wanted(field),
        "value": kept[0].get(field.key, "") if kept else "",
        "unit": field.unit,
    }


def wanted(field: CustomField) -> str:
    """What can be written: of a list its keys with their names, else in words."""
    return ", ".join(f"{key} ({name})" for key, name in words.options(field)) or _(WANTED[field.kind])


async def as_kept(session: AsyncSession, actor: Actor, rows: Sequence[RowSaid]) -> list[RowSaid]:
    """The rows, values of fields in the form in which they are kept; what does not fit stays as it was typed."""
    if not any(said.sheet is Sheet.FIELDS for said in rows):
        return list(rows)
    known = {(field.holder, field.key): field for field in await list_fields(session, actor)}
    return [_as_kept(said, known) if said.sheet is Sheet.FIELDS else said for said in rows]


def _as_kept(said: RowSaid, known: Mapping[tuple[Holder, str], CustomField]) -> RowSaid:
    _contract, line_no, key = [*said.key.split(":"), "", ""][:3]
    field = known.get((Holder.CONTRACT if line_no == "0" else Holder.LINE, key))
    typed = said.cells.get("value", "").strip()
    if field is None or not typed:
        return said
    try:
        value = checked_value(field, chosen(field, typed))
    except PortalError:  # told when it is written
        return said
    return replace(said, cells=said.cells | {"value": value})


def chosen(field: CustomField, typed: str) -> str:
    """A value of a list may be written by its name too; anything else stays as it was typed."""
    said = folded(typed)
    found = [key for key, name in words.options(field) if said in (folded(key), folded(name))]
    return found[0] if len(found) == 1 else typed


async def write_fields(
    session: AsyncSession, actor: Actor, contract: Contract, plans: Sequence[RowPlan]
) -> list[Refusal]:
    """Do what the rows of one contract's fields say. Returns the rows that were refused; they have changed nothing."""
    if not plans:
        return []
    refused: list[Refusal] = []
    whose = {str(line.line_no): line.id for line in await get_lines(session, actor, contract.id)}
    by_holder: dict[tuple[Holder, UUID], list[RowPlan]] = defaultdict(list)
    for plan in plans:
        number = plan.theirs["line_no"]
        if number and number not in whose:
            refused.append((plan, NoSuchLine(field="line_no")))
        else:
            whom = (Holder.LINE, whose[number]) if number else (Holder.CONTRACT, contract.id)
            by_holder[whom].append(plan)
    for (holder, holder_id), rows in sorted(by_holder.items()):
        refused += await _write(session, actor, holder, holder_id, rows)
    return refused


async def _write(
    session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID, rows: Sequence[RowPlan]
) -> list[Refusal]:
    """One document: what is refused by name leaves, and the rest is tried again."""
    left, refused = list(rows), list[Refusal]()
    fields = {field.key: field for field in await list_fields(session, actor, holder)}
    while left:
        kept = (await kept_values(session, actor, holder, [holder_id])).get(holder_id, ({}, 0))[0]
        said = {plan.theirs["name"]: plan.values["value"] for plan in left}
        values = {key: text for key, text in kept.items() if key in fields} | said
        try:
            async with part(session):
                await write_values(session, actor, holder, holder_id, WriteValues(values=values))
        except (PortalError, ValidationError) as error:
            named = getattr(error, "field", None)
            guilty = [plan for plan in left if plan.theirs["name"] == named] or left
            if isinstance(error, PortalError):
                error.field = "value"
            refused += [(plan, error) for plan in guilty]
            left = [plan for plan in left if plan not in guilty]
            continue
        break
    return refused
