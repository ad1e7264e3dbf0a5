"""Templates: the terms and lines of a contract, kept to begin others from."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.evidence import read_back
from portal.contracts.inputs import (
    AgreedLine,
    FromTemplate,
    LineTerms,
    NewContract,
    NewLine,
    NewPrice,
    SaveTemplate,
    TradeTerms,
)
from portal.contracts.model import Contract, ContractTemplate
from portal.contracts.service import get_contract
from portal.contracts.service_commitments import agree_terms
from portal.contracts.service_drafts import RestrictedWriter, create_contract
from portal.contracts.service_versions import content_of
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.journal import Subject, record

logger = logging.getLogger(__name__)
KEPT = (*(set(TradeTerms.model_fields) - {"partner_reference", "valid_to"}), "currency", "time_zone")


class TemplateNameTaken(Conflict):
    code = "template-name-taken"
    text = N_("There already is a template called “{name}”. Enter another name, or remove that one first.")


async def save_template(session: AsyncSession, actor: Actor, contract_id: UUID, data: SaveTemplate) -> ContractTemplate:
    """Keep what a contract says now under a name. Later changes of the contract do not change the template."""
    _require(actor)
    contract = await get_contract(session, actor, contract_id)
    taken = select(ContractTemplate.id).where(
        ContractTemplate.tenant_id == actor.tenant_id, ContractTemplate.name == data.name
    )
    if (await session.exec(taken)).first() is not None:
        raise TemplateNameTaken(field="name", name=data.name)
    template = ContractTemplate(
        tenant_id=actor.tenant_id,
        id=uuid7(),
        name=data.name,
        content=await content_of(session, actor, contract),
        created_by=actor.name,
        created_at=clock.now(),
    )
    session.add(template)
    await session.flush()
    _recorded(session, actor, template, "saved")
    return template


async def list_templates(session: AsyncSession, actor: Actor) -> Sequence[ContractTemplate]:
    """All templates by name; none for those who cannot begin a contract."""
    if not (actor.is_factory and actor.may(Permission.EDIT_CONTRACTS) and actor.contract_ids is None):
        return []
    query = select(ContractTemplate).where(ContractTemplate.tenant_id == actor.tenant_id)
    return (await session.exec(query.order_by(col(ContractTemplate.name)))).all()


async def get_template(session: AsyncSession, actor: Actor, template_id: UUID) -> ContractTemplate:
    """One template. NotFound when absent or of another workspace."""
    _require(actor)
    template = await session.get(ContractTemplate, (actor.tenant_id, template_id))
    if template is None:
        raise NotFound
    return template


async def remove_template(session: AsyncSession, actor: Actor, template_id: UUID) -> None:
    """Take a template away; contracts begun from it stay as they are."""
    template = await get_template(session, actor, template_id)
    await session.delete(template)
    _recorded(session, actor, template, "removed")


async def draft_from(session: AsyncSession, actor: Actor, template_id: UUID, data: FromTemplate) -> Contract:
    """Begin a draft with the template's terms and lines. Its prices are those that the template had last."""
    template = await get_template(session, actor, template_id)
    contract = await create_contract(session, actor, filled(template, data))
    await agree_terms(session, contract, read_back(template.content))
    return contract


def filled(template: ContractTemplate, data: FromTemplate) -> NewContract:
    """The command that the template means for this partner and these days."""
    agreed = read_back(template.content)
    terms: dict[str, Any] = {name: getattr(agreed, name) for name in KEPT}
    lines = [_line(line, data.valid_from) for line in agreed.lines]
    return NewContract(**terms, **data.model_dump(), lines=lines)


def _line(line: AgreedLine, first: date) -> NewLine:
    terms = line.model_dump(include=set(LineTerms.model_fields) | {"item_code", "description", "revision", "unit"})
    return NewLine(**terms | {"cumulative_from": None}, prices=_prices(line.prices, first))


def _prices(prices: Sequence[NewPrice], first: date) -> list[NewPrice]:
    """The newest list price, or scale, from the new contract's first day on; prices of single orders stay behind."""
    listed = [price for price in prices if not price.order_no]
    newest = max((price.valid_from for price in listed), default=first)
    steps = {price.from_quantity: price for price in listed if price.valid_from == newest}
    return [price.model_copy(update={"valid_from": first}) for price in steps.values()]


def _require(actor: Actor) -> None:
    actor.require(Permission.EDIT_CONTRACTS)
    if actor.contract_ids is not None:  # a template may tell of a contract that they do not see
        raise RestrictedWriter


def _recorded(session: AsyncSession, actor: Actor, template: ContractTemplate, verb: str) -> None:
    what = Subject("contract_template", template.id, actor.party_id, shared=False)
    record(session, actor, what, verb, name=template.name)
    logger.info("contract template changed", extra={"template_id": str(template.id), "verb": verb})
