"""Own fields: defined by the administrator, filled by whoever keeps the items, partners and contracts with their lines.

Which rules use a field is known above: `approvals.service_fields.remove` looks first.
"""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.service import lock_names
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.ids import uuid7
from portal.core.journal import Subject, record
from portal.core.versions import check_version
from portal.fields.holders import find
from portal.fields.inputs import MOST_FIELDS, ChangeField, NewField, WriteValues
from portal.fields.model import CustomField, CustomValues, Holder
from portal.fields.rules import (
    FieldRemoved,
    KeyTaken,
    TooManyFields,
    check_choices,
    check_unit,
    checked_values,
    choices_of,
)

logger = logging.getLogger(__name__)


class Filled(Struct, frozen=True):
    """What the fields of one document hold. version 0: nobody has written any yet."""

    name: str  # of the document, as people call it
    fields: Sequence[CustomField]
    content: dict[str, str]
    version: int


# --- definitions ------------------------------------------------------------------------------------------------------


async def list_fields(
    session: AsyncSession, actor: Actor, holder: Holder | None = None, *, removed: bool = False
) -> Sequence[CustomField]:
    """The fields in the order in which they were defined. removed: also those that are kept for the record only."""
    if not actor.is_factory:
        raise NotFound
    query = select(CustomField).where(CustomField.tenant_id == actor.tenant_id)
    if holder is not None:
        query = query.where(CustomField.holder == holder)
    if not removed:
        query = query.where(col(CustomField.removed_at).is_(None))
    return (await session.exec(query.order_by(col(CustomField.holder), col(CustomField.id)))).all()


async def get_field(
    session: AsyncSession, actor: Actor, field_id: UUID, *, lock: bool = False, version: int | None = None
) -> CustomField:
    """One field. NotFound when absent; Stale when another version was seen."""
    if not actor.is_factory:
        raise NotFound
    query = select(CustomField).where(CustomField.tenant_id == actor.tenant_id, CustomField.id == field_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise NotFound
    if version is not None:
        check_version(version, found.version)
    return found


async def create_field(session: AsyncSession, actor: Actor, data: NewField) -> CustomField:
    """Define a field. Raises KeyTaken, TooManyFields, ChoicesNeeded, ChoicesUnwanted or UnitUnwanted."""
    require(actor)
    check_choices(data.kind, data.choices)
    check_unit(data.kind, data.unit)
    await lock_fields(session, actor)
    known = await list_fields(session, actor, data.holder, removed=True)
    if any(field.key == data.key for field in known):
        raise KeyTaken(field="key", taken=data.key)
    if sum(field.removed_at is None for field in known) >= MOST_FIELDS:
        raise TooManyFields(most=MOST_FIELDS)
    plain = data.model_dump(mode="json")
    choices = plain.pop("choices")
    details = {"choices": choices} if choices else {}
    field = CustomField(tenant_id=actor.tenant_id, id=uuid7(), details=details, **{**plain, "kind": data.kind})
    field.holder = data.holder
    session.add(field)
    await session.flush()
    _recorded(session, actor, field, "created")
    return field


async def change_field(
    session: AsyncSession, actor: Actor, field_id: UUID, data: ChangeField, version: int | None = None
) -> CustomField:
    """Rename a field, its unit or its choices; add choices. Raises Stale, FieldRemoved or ChoiceMissing."""
    field = await changeable(session, actor, field_id, version)
    if data.choices is not None:
        check_choices(field.kind, data.choices, [choice.key for choice in choices_of(field)])
    check_unit(field.kind, data.unit or "")
    changes: dict[str, Any] = data.model_dump(exclude_none=True)
    if "choices" in changes:
        chosen = changes.pop("choices")
        changes |= {"details": {"choices": chosen}} if chosen else {}
    field.sqlmodel_update(changes)
    field.version += 1
    _recorded(session, actor, field, "edited")
    return field


async def remove_field(session: AsyncSession, actor: Actor, field: CustomField) -> None:
    """Take a locked field away: it is not shown, filled or offered any more. What was decided by it stays readable."""
    field.removed_at = clock.now()
    field.version += 1
    _recorded(session, actor, field, "removed")


async def changeable(session: AsyncSession, actor: Actor, field_id: UUID, version: int | None) -> CustomField:
    """A locked field that is not removed. Raises Stale or FieldRemoved."""
    require(actor)
    await lock_fields(session, actor)
    field = await get_field(session, actor, field_id, lock=True)
    if field.removed_at is not None:
        raise FieldRemoved
    if version is not None:
        check_version(version, field.version)
    return field


async def lock_fields(session: AsyncSession, actor: Actor) -> None:
    """One at a time changes fields, or writes rules that name them."""
    await lock_names(session, "custom fields", actor.tenant_id)


def require(actor: Actor) -> None:
    """Raise NotFound for a partner, Forbidden for a colleague without the right to define fields."""
    if not actor.is_factory:
        raise NotFound
    actor.require(Permission.MANAGE_RULES)


def _recorded(session: AsyncSession, actor: Actor, field: CustomField, verb: str) -> None:
    what = Subject("custom_field", field.id, actor.party_id, field.version, shared=False)
    record(session, actor, what, verb, field=_named(field), key=f"{field.holder.value}.{field.key}")
    logger.info("custom field moved on", extra={"field_id": str(field.id), "verb": verb})


def _named(field: CustomField) -> dict[str, str]:
    """As the audit names it in the reader's language."""
    return {"zh": field.label_zh, "en": field.label_en}


# --- values -----------------------------------------------------------------------------------------------------------


async def values_of(session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID) -> Filled:
    """What the fields of one document hold. NotFound as for the document itself."""
    _subject, name = await find(session, actor, holder, holder_id)
    return await _filled(session, actor, holder, holder_id, name)


async def kept_values(
    session: AsyncSession, actor: Actor, holder: Holder, ids: Sequence[UUID]
) -> dict[UUID, tuple[dict[str, str], int]]:
    """What the fields of many documents hold, and the version of it; of those of which anything was ever written."""
    query = select(CustomValues).where(
        CustomValues.tenant_id == actor.tenant_id,
        CustomValues.holder == holder,
        col(CustomValues.holder_id).in_(ids),
    )
    rows = (await session.exec(query.execution_options(populate_existing=True))).all()
    return {row.holder_id: (dict(row.content), row.version) for row in rows}


async def write_values(
    session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID, data: WriteValues, version: int | None = None
) -> Filled:
    """Write the fields of one document anew. Raises Stale, UnknownField or WrongValue at the field."""
    what, name = await find(session, actor, holder, holder_id, write=True)
    await lock_names(session, "custom values", actor.tenant_id, holder_id)
    before = await _filled(session, actor, holder, holder_id, name)
    if version is not None:
        check_version(version, before.version)
    content = checked_values(before.fields, data.values)
    if content == before.content:
        return before
    row = await _row(session, actor, holder, holder_id)
    if row is None:
        row = CustomValues(tenant_id=actor.tenant_id, id=uuid7(), holder=holder, holder_id=holder_id, version=0)
        session.add(row)
    row.content = content
    row.version += 1
    await session.flush()
    different = sorted(key for key in {*before.content, *content} if before.content.get(key) != content.get(key))
    was, now = ({key: kept.get(key, "") for key in different} for kept in (before.content, content))
    named = [_named(field) for field in before.fields if field.key in different]
    record(session, actor, what, "fields_written", fields=named, values_before=was, values_after=now)
    return Filled(name, before.fields, content, row.version)


async def _filled(session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID, name: str) -> Filled:
    fields = await list_fields(session, actor, holder)
    row = await _row(session, actor, holder, holder_id)
    known = {field.key for field in fields}
    content = {key: text for key, text in row.content.items() if key in known} if row else {}
    return Filled(name, fields, content, row.version if row else 0)


async def _row(session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID) -> CustomValues | None:
    query = (
        select(CustomValues)
        .where(
            CustomValues.tenant_id == actor.tenant_id,
            CustomValues.holder == holder,
            CustomValues.holder_id == holder_id,
        )
        .execution_options(populate_existing=True)
    )
    return (await session.exec(query)).one_or_none()
