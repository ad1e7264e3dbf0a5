"""Items and the part numbers that partners have for them. The factory's alone: to partners there is nothing here."""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Party
from portal.catalog.events import ItemChanged, ItemCreated
from portal.catalog.model import Item, PartyItem
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.quantities import check_unit
from portal.core.versions import check_version

logger = logging.getLogger(__name__)


class ItemCodeTaken(Conflict):
    code = "item-code-taken"
    text = N_("There is already an item with the code “{item_code}”. Choose another code, or edit that item.")


class PartNumberTaken(Conflict):
    code = "part-number-taken"
    text = N_("The partner already has the part number “{part_no}” for this item.")


class UnknownPartner(Invalid):
    code = "unknown-partner"
    text = N_("Choose a customer or supplier of this workspace.")


class NewItem(Input):
    """An item to be added to the catalogue."""

    code: str = Field(min_length=1, max_length=60, examples=["A100"])
    description: str = Field(min_length=1, max_length=300, examples=["Bearing housing"])
    revision: str = Field(default="", max_length=20, examples=["C"])
    unit: str = Field(min_length=1, max_length=3, examples=["H87"], description="UN/ECE Recommendation 20 or 21 code")
    category: str = Field(default="", max_length=80, examples=["Castings"])


class ChangeItem(Input):
    """What changes; a field left out stays. Contract lines keep the description and revision they agreed on."""

    description: str | None = Field(default=None, min_length=1, max_length=300, examples=["Bearing housing, coated"])
    revision: str | None = Field(default=None, max_length=20, examples=["D"])
    unit: str | None = Field(default=None, min_length=1, max_length=3, examples=["H87"])
    category: str | None = Field(default=None, max_length=80, examples=["Castings"])


class NewPartNumber(Input):
    """What one partner calls the item."""

    party_id: UUID
    part_no: str = Field(min_length=1, max_length=60, examples=["AD-88120"])


async def get_item(
    session: AsyncSession, actor: Actor, item_id: UUID, *, lock: bool = False, version: int | None = None
) -> Item:
    """One item. NotFound to partners as for an absent one; Stale when another version was seen."""
    require_factory(actor)
    query = select(Item).where(Item.tenant_id == actor.tenant_id, Item.id == item_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    item = (await session.exec(query)).one_or_none()
    if item is None:
        raise NotFound
    if version is not None:
        check_version(version, item.version)
    return item


def require_factory(actor: Actor) -> None:
    """Raise NotFound for partners: the catalogue does not exist for them."""
    if not actor.is_factory:
        raise NotFound


async def items_by_code(session: AsyncSession, actor: Actor, codes: Iterable[str]) -> dict[str, Item]:
    """The items with these codes; one that is absent is left out."""
    query = select(Item).where(Item.tenant_id == actor.tenant_id, col(Item.code).in_(set(codes)))
    return {item.code: item for item in (await session.exec(query)).all()}


async def part_numbers_of(
    session: AsyncSession, actor: Actor, party_id: UUID, item_ids: Iterable[UUID]
) -> dict[UUID, str]:
    """The partner's part number of each item that it has one for; of several, the first added."""
    query = (
        select(PartyItem.item_id, PartyItem.part_no)
        .where(
            PartyItem.tenant_id == actor.tenant_id,
            PartyItem.party_id == party_id,
            col(PartyItem.item_id).in_(set(item_ids)),
        )
        .order_by(col(PartyItem.id).desc())
    )
    return dict((await session.exec(query)).all())


async def create_item(session: AsyncSession, actor: Actor, data: NewItem) -> Item:
    """Add an item."""
    require_factory(actor)
    actor.require(Permission.MANAGE_MASTER_DATA)
    check_unit(data.unit)
    values = {"tenant_id": actor.tenant_id, "id": uuid7(), "version": 1, **data.model_dump()}
    new = insert(Item).values(values).on_conflict_do_nothing().returning(Item)
    item: Item | None = (await session.exec(new)).scalar_one_or_none()
    if item is None:
        raise ItemCodeTaken(field="code", item_code=data.code)
    record(session, actor, subject(item, actor), "created", item_code=item.code)
    emit(session, actor, actor.party_id, ItemCreated(item.id))
    logger.info("item created", extra={"item_id": str(item.id)})
    return item


async def change_item(
    session: AsyncSession, actor: Actor, item_id: UUID, data: ChangeItem, version: int | None = None
) -> Item:
    """Change an item. What contracts agreed on stays as it was agreed."""
    require_factory(actor)
    actor.require(Permission.MANAGE_MASTER_DATA)
    item = await get_item(session, actor, item_id, lock=True, version=version)
    changes: dict[str, Any] = {
        name: value for name, value in data.model_dump(exclude_none=True).items() if value != getattr(item, name)
    }
    check_unit(changes.get("unit", item.unit))
    if not changes:
        return item
    before = {name: getattr(item, name) for name in changes}
    item.sqlmodel_update(changes)
    item.version += 1
    record(session, actor, subject(item, actor), "changed", before=before, after=changes)
    emit(session, actor, actor.party_id, ItemChanged(item.id))
    logger.info("item changed", extra={"item_id": str(item.id)})
    return item


async def add_part_number(
    session: AsyncSession, actor: Actor, item_id: UUID, data: NewPartNumber, version: int | None = None
) -> PartyItem:
    """Note what a partner calls the item; contract lines written from now on carry it."""
    require_factory(actor)
    actor.require(Permission.MANAGE_MASTER_DATA)
    item = await get_item(session, actor, item_id, lock=True, version=version)
    await _check_partner(session, actor, data.party_id)
    values = {"tenant_id": actor.tenant_id, "id": uuid7(), "item_id": item.id, **data.model_dump()}
    new = insert(PartyItem).values(values).on_conflict_do_nothing().returning(PartyItem)
    added: PartyItem | None = (await session.exec(new)).scalar_one_or_none()
    if added is None:
        raise PartNumberTaken(field="part_no", part_no=data.part_no)
    item.version += 1
    record(session, actor, subject(item, actor), "part_number_added", partner=added.party_id, part_no=added.part_no)
    return added


async def remove_part_number(
    session: AsyncSession, actor: Actor, item_id: UUID, part_number_id: UUID, version: int | None = None
) -> Item:
    """Forget one part number; contract lines keep the one they agreed on."""
    require_factory(actor)
    actor.require(Permission.MANAGE_MASTER_DATA)
    item = await get_item(session, actor, item_id, lock=True, version=version)
    query = select(PartyItem).where(
        PartyItem.tenant_id == actor.tenant_id, PartyItem.item_id == item.id, PartyItem.id == part_number_id
    )
    row = (await session.exec(query)).one_or_none()
    if row is None:
        raise NotFound
    await session.delete(row)
    item.version += 1
    record(session, actor, subject(item, actor), "part_number_removed", partner=row.party_id, part_no=row.part_no)
    return item


async def _check_partner(session: AsyncSession, actor: Actor, party_id: UUID) -> None:
    query = select(Party.id).where(
        Party.tenant_id == actor.tenant_id, Party.id == party_id, col(Party.is_factory).is_(False)
    )
    if (await session.exec(query)).one_or_none() is None:
        raise UnknownPartner(field="party_id")


def subject(item: Item, actor: Actor) -> Subject:
    """The item as the journal names it: audited, never in a partner's history."""
    return Subject("item", item.id, actor.party_id, item.version, shared=False)
