"""Writing a contract: the head, its lines and their prices, as long as it is a draft.

Every command raises the contract's version by one and writes one step of its history, so the two always agree.
"""

import logging
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Party
from portal.contracts.inputs import ChangeContract, ChangeLine, ContractTerms, NewContract, NewLine, NewPrice
from portal.contracts.lines import build_lines, new_price, place, write_lines
from portal.contracts.model import Contract, ContractLine, ContractPrice, ContractStatus
from portal.contracts.rules import check_contract, check_head, check_line
from portal.contracts.rules_prices import PriceRow, check_prices
from portal.contracts.service import get_contract, get_line, subject
from portal.contracts.service_periods import drop_periods
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import check_time_zone, local_today
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, PortalError, Reading
from portal.core.i18n import N_
from portal.core.journal import record
from portal.core.numbering import next_number

logger = logging.getLogger(__name__)
# How each direction is counted and written. A partner's own count tells nobody what is agreed with others, so two
# customers may carry the same number, but never a customer and a supplier.
NUMBERED = {Direction.SALE: ("contract", "FC"), Direction.PURCHASE: ("purchase", "PC")}


class NoDraft(Conflict):
    code = "no-draft"
    text = N_("Only a draft can be changed; this contract is “{status}”. Withdraw the proposal to change it.")


class RestrictedWriter(Forbidden):
    code = "restricted-writer"
    text = N_("Your access is restricted to some contracts, so you cannot begin a new one. Ask an administrator.")


class WrongPartner(Invalid):
    code = "wrong-partner"
    text = N_("Choose a customer for a sale contract, a supplier for a purchase contract.")


class NumberTaken(Conflict):
    code = "number-taken"
    text = N_("This partner already has a contract with the number {number}. Enter another, or leave the field empty.")


def _check_head(data: ContractTerms) -> None:
    """Raise what is wrong with the head, of several fields together."""
    reading = Reading()
    with reading.part():
        check_contract(data.valid_from, data.valid_to, data.currency)
    with reading.part():
        check_head(data)
    reading.done()


async def create_contract(session: AsyncSession, actor: Actor, data: NewContract) -> Contract:
    """Begin a draft, with its lines and prices when they are given: all of it or nothing."""
    actor.require(Permission.EDIT_CONTRACTS)
    if actor.contract_ids is not None:
        raise RestrictedWriter
    _check_head(data)
    time_zone = data.time_zone or actor.time_zone
    check_time_zone(time_zone)
    party = await _partner(session, actor, data.party_id, data.direction)
    head = Contract(
        **data.model_dump(exclude={"lines", "time_zone", "number"}),
        tenant_id=actor.tenant_id,
        number="",
        party_name=party.name,
        time_zone=time_zone,
    )
    contract = await _numbered(session, actor, head, data.number)
    lines, prices = await build_lines(session, actor, contract, data.lines, first_no=1)
    await write_lines(session, lines, prices)
    record(session, actor, subject(contract), "created", lines=len(lines))
    logger.info("contract created", extra={"contract_id": str(contract.id), "lines": len(lines)})
    return contract


async def _partner(session: AsyncSession, actor: Actor, party_id: UUID, direction: Direction) -> Party:
    role = Party.is_customer if direction is Direction.SALE else Party.is_supplier
    query = select(Party).where(
        Party.tenant_id == actor.tenant_id,
        Party.id == party_id,
        col(role).is_(True),
        col(Party.is_factory).is_(False),
    )
    party = (await session.exec(query)).one_or_none()
    if party is None:
        raise WrongPartner(field="party_id")
    return party


async def _numbered(session: AsyncSession, actor: Actor, head: Contract, typed: str | None) -> Contract:
    """Insert the head under the typed number, or under the next free one of this partner, direction and year."""
    if typed is not None:
        contract = await _insert(session, head, typed)
        if contract is None:
            raise NumberTaken(field="number", number=typed)
        return contract
    year = local_today(clock.now(), head.time_zone).year
    kind, letters = NUMBERED[head.direction]
    while True:  # a number that somebody typed is skipped
        count = await next_number(session, actor, head.party_id, f"{kind}-{year}")
        contract = await _insert(session, head, f"{letters}-{year}-{count:03}")
        if contract is not None:
            return contract


async def _insert(session: AsyncSession, head: Contract, number: str) -> Contract | None:
    values = head.model_dump() | {"number": number}
    new = insert(Contract).values(values).on_conflict_do_nothing().returning(Contract)
    contract: Contract | None = (await session.exec(new)).scalar_one_or_none()
    return contract


async def change_contract(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: ChangeContract, version: int | None = None
) -> Contract:
    """Change the head of a draft."""
    contract = await _draft(session, actor, contract_id, version)
    _check_head(data)
    changes = data.model_dump(exclude={"number", "time_zone"})
    changes["time_zone"] = data.time_zone or contract.time_zone
    check_time_zone(changes["time_zone"])
    if data.number is not None and data.number != contract.number:
        await _check_number(session, contract, data.number)
        changes["number"] = data.number
    contract.sqlmodel_update(changes)
    _step(session, actor, contract, "changed")
    return contract


async def _check_number(session: AsyncSession, contract: Contract, number: str) -> None:
    query = select(Contract.id).where(
        Contract.tenant_id == contract.tenant_id, Contract.party_id == contract.party_id, Contract.number == number
    )
    if (await session.exec(query)).first() is not None:
        raise NumberTaken(field="number", number=number)


async def add_line(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: NewLine, version: int | None = None
) -> ContractLine:
    """Add an item, with its prices, as the draft's last line."""
    contract = await _draft(session, actor, contract_id, version)
    last = select(func.coalesce(func.max(ContractLine.line_no), 0)).where(
        ContractLine.tenant_id == actor.tenant_id, ContractLine.contract_id == contract.id
    )
    first_no = (await session.exec(last)).one() + 1
    lines, prices = await build_lines(session, actor, contract, [data], first_no=first_no, nested=False)
    await write_lines(session, lines, prices)
    line = await get_line(session, actor, contract_id, lines[0]["id"])
    _step(session, actor, contract, "line_added", line_no=line.line_no, item_code=line.item_code)
    return line


async def change_line(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    line_id: UUID,
    data: ChangeLine,
    version: int | None = None,
) -> ContractLine:
    """Write the terms of a draft's line anew. version: the contract's, which counts every change of its lines."""
    contract = await _draft(session, actor, contract_id, version)
    line = await get_line(session, actor, contract_id, line_id)
    changes: dict[str, Any] = data.model_dump(exclude={"description", "revision", "partner_part_no"})
    changes |= data.model_dump(include={"description", "revision", "partner_part_no"}, exclude_none=True)
    line.sqlmodel_update(changes | await place(session, actor, contract, data))
    check_line(line)
    line.version += 1
    _step(session, actor, contract, "line_changed", line_no=line.line_no, item_code=line.item_code)
    return line


async def remove_line(
    session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID, version: int | None = None
) -> Contract:
    """Take a line and its prices out of a draft; the other lines keep their numbers."""
    contract = await _draft(session, actor, contract_id, version)
    line = await get_line(session, actor, contract_id, line_id)
    for price in await _prices_of_line(session, line):
        await session.delete(price)
    await session.flush()
    await drop_periods(session, line)
    await session.delete(line)
    _step(session, actor, contract, "line_removed", line_no=line.line_no, item_code=line.item_code)
    return contract


async def set_price(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    line_id: UUID,
    data: NewPrice,
    version: int | None = None,
) -> ContractPrice:
    """Agree on a price from a day on; one already there for the same day, order and step is replaced."""
    contract = await _draft(session, actor, contract_id, version)
    line = await get_line(session, actor, contract_id, line_id)
    others: list[PriceRow] = [data]
    for price in await _prices_of_line(session, line):
        if (price.valid_from, price.order_no, price.from_quantity) == (
            *(data.valid_from, data.order_no, data.from_quantity),
        ):
            await session.delete(price)
        elif (price.valid_from, price.order_no) == (data.valid_from, data.order_no):
            others.append(price)
    _check_scale(others)
    await session.flush()
    price = ContractPrice(**new_price(contract, line.id, data))
    session.add(price)
    _step(session, actor, contract, "price_set", line_no=line.line_no, valid_from=data.valid_from)
    return price


def _check_scale(prices: list[PriceRow]) -> None:
    """One price with those that it would stand beside; the input is one price, so its fields have plain names."""
    try:
        check_prices(prices)
    except PortalError as error:
        error.field = (error.field or "").rpartition(".")[2]
        raise


async def remove_price(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    line_id: UUID,
    price_id: UUID,
    version: int | None = None,
) -> Contract:
    """Take a price out of a draft."""
    contract = await _draft(session, actor, contract_id, version)
    line = await get_line(session, actor, contract_id, line_id)
    found = [price for price in await _prices_of_line(session, line) if price.id == price_id]
    if not found:
        raise NotFound
    await session.delete(found[0])
    _step(session, actor, contract, "price_removed", line_no=line.line_no, valid_from=found[0].valid_from)
    return contract


async def _prices_of_line(session: AsyncSession, line: ContractLine) -> list[ContractPrice]:
    query = select(ContractPrice).where(
        ContractPrice.tenant_id == line.tenant_id, ContractPrice.contract_line_id == line.id
    )
    return list((await session.exec(query)).all())


async def _draft(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None) -> Contract:
    """Lock a draft for a change of its text. Its lines need no lock of their own: they change only under this one."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id, lock=True, version=version)
    if contract.status is not ContractStatus.DRAFT:
        raise NoDraft(status=contract.status)
    return contract


def _step(session: AsyncSession, actor: Actor, contract: Contract, verb: str, **data: str | int | date) -> None:
    """One change: one version, one step of the history. Terms and prices stay out of it: readers may not see them."""
    contract.version += 1
    contract.proposed_by = contract.proposed_at = None  # what was declined before is the writer's own again
    record(session, actor, subject(contract), verb, **data)
    logger.info("contract draft changed", extra={"contract_id": str(contract.id), "verb": verb})
