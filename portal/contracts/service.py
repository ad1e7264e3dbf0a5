"""Contracts as others find them: who may see which, one contract with its lines and prices, the price of a day."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Contract, ContractLine, ContractNote, ContractPrice, ContractStatus
from portal.contracts.rules_life import contract_actions, offered_by_factory
from portal.contracts.rules_prices import PriceFound, price_on
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.core.journal import Subject
from portal.core.versions import check_version

Prices = dict[UUID, list[ContractPrice]]  # by contract line, oldest first

# What the factory alone does. Every other step can be taken by either company, as far as the state table allows.
WRITTEN = frozenset({"propose", "activate", "complete"})


def may_step(actor: Actor, action: str) -> bool:
    """Whether this reader's role may take the step, whatever the state."""
    if actor.is_factory:
        return actor.may(Permission.EDIT_CONTRACTS)
    return action not in WRITTEN and actor.may(Permission.ACCEPT_CONTRACTS)


def require_step(actor: Actor, action: str) -> None:
    """Raise Forbidden unless the role may take the step."""
    if not may_step(actor, action):
        raise Forbidden


def visible(actor: Actor) -> ColumnElement[bool]:
    """Which contracts this colleague may see: the company's own, for a restricted one those named.

    A draft is its writer's alone, and only the factory writes: partners see a contract from its proposal on. Taking
    the proposal back, or changing the text after a refusal, clears `proposed_at` and hides it again.
    """
    seen: list[ColumnElement[bool]] = [col(Contract.tenant_id) == actor.tenant_id]
    if not actor.is_factory:
        seen += [col(Contract.party_id) == actor.party_id, col(Contract.proposed_at).is_not(None)]
    if actor.contract_ids is not None:
        seen.append(col(Contract.id).in_(actor.contract_ids))
    return and_(*seen)


async def get_contract(
    session: AsyncSession, actor: Actor, contract_id: UUID, *, lock: bool = False, version: int | None = None
) -> Contract:
    """One contract. NotFound when absent, foreign or not this colleague's; Stale when another version was seen."""
    query = select(Contract).where(visible(actor), Contract.id == contract_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    contract = (await session.exec(query)).one_or_none()
    if contract is None:
        raise NotFound
    if version is not None:
        check_version(version, contract.version)
    return contract


async def get_lines(session: AsyncSession, actor: Actor, contract_id: UUID) -> list[ContractLine]:
    """The lines of a contract that the actor may see, by line number."""
    query = (
        select(ContractLine)
        .join(Contract, and_(*_line_of_contract()))
        .where(visible(actor), ContractLine.contract_id == contract_id)
        .order_by(col(ContractLine.line_no))
    )
    return list((await session.exec(query)).all())


async def get_line(session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID) -> ContractLine:
    """One line of a contract. NotFound when it is absent, another contract's, or not the actor's to see."""
    query = (
        select(ContractLine)
        .join(Contract, and_(*_line_of_contract()))
        .where(visible(actor), ContractLine.contract_id == contract_id, ContractLine.id == line_id)
    )
    line = (await session.exec(query)).one_or_none()
    if line is None:
        raise NotFound
    return line


def _line_of_contract() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    same_tenant = col(Contract.tenant_id) == col(ContractLine.tenant_id)
    return same_tenant, col(Contract.id) == col(ContractLine.contract_id)


async def get_prices(session: AsyncSession, actor: Actor, contract_id: UUID) -> Prices:
    """The prices of a contract by line; empty for a reader whose role does not show prices."""
    if not actor.may(Permission.SEE_PRICES):
        return {}
    return await prices_of(session, actor, contract_id)


async def prices_of(session: AsyncSession, actor: Actor, contract_id: UUID) -> Prices:
    """All prices of a contract by line, oldest first: for calculations, not for readers."""
    query = (
        select(ContractPrice)
        .join(
            ContractLine,
            and_(
                col(ContractLine.tenant_id) == col(ContractPrice.tenant_id),
                col(ContractLine.id) == col(ContractPrice.contract_line_id),
            ),
        )
        .where(ContractPrice.tenant_id == actor.tenant_id, ContractLine.contract_id == contract_id)
        .order_by(col(ContractPrice.valid_from), col(ContractPrice.order_no), col(ContractPrice.price))
    )
    found: Prices = defaultdict(list)
    for price in (await session.exec(query)).all():
        found[price.contract_line_id].append(price)
    return found


async def get_note(session: AsyncSession, actor: Actor, contract_id: UUID) -> ContractNote | None:
    """What the factory alone knows about a contract; for partners there is none."""
    if not actor.is_factory:
        return None
    query = select(ContractNote).where(
        ContractNote.tenant_id == actor.tenant_id, ContractNote.contract_id == contract_id
    )
    return (await session.exec(query)).one_or_none()


async def price_for(
    session: AsyncSession,
    line: ContractLine,
    day: date,
    order_no: str = "",
    own: Decimal | None = None,
    *,
    delivery: Decimal = Decimal(0),
    before: Decimal = Decimal(0),
) -> PriceFound:
    """The price of a contract line on a day. Raises NoPrice or AmbiguousPrice. For calculations, not for readers."""
    query = select(ContractPrice).where(
        ContractPrice.tenant_id == line.tenant_id, ContractPrice.contract_line_id == line.id
    )
    prices = (await session.exec(query)).all()
    return price_on(prices, day, order_no, own, delivery=delivery, before=before)


def actions(contract: Contract, actor: Actor) -> list[str]:
    """What this reader can do with the contract now, from the state table and the access table.

    `resume` belongs to the company that suspended.
    """
    side = actor.side_on(contract.direction)
    ours = offered_by_factory(contract.status) == actor.is_factory
    steps = contract_actions(contract.status, side, proposed_by_us=ours)
    others = {"resume"} if contract.suspended_by not in ("", actor.scope) else set()
    return [action for action in steps if action not in others and may_step(actor, action)]


def can_edit(contract: Contract, actor: Actor) -> bool:
    """Whether this reader may change the contract's text now: drafts only."""
    return contract.status is ContractStatus.DRAFT and actor.is_factory and actor.may(Permission.EDIT_CONTRACTS)


def subject(contract: Contract) -> Subject:
    """The contract as the journal names it."""
    return Subject("contract", contract.id, contract.party_id, contract.version, contract.id)
