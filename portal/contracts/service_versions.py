"""Offers and agreed versions as rows: made, answered, found, and written into the contract.

An offer keeps the whole content in its canonical form with its digest, so what was accepted can be read for ever. The
contract's own rows hold the version in force (before an agreement: the factory's last offer).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.catalog.service import items_by_code
from portal.contracts.evidence import FORM, Content, content, digest, form_of, read_back, typed, used
from portal.contracts.inputs import AgreedLine, LineTerms, NewPrice, Offer, TradeTerms
from portal.contracts.lines import build_lines, new_price, place
from portal.contracts.model import (
    Contract,
    ContractLine,
    ContractPrice,
    ContractRevision,
    ContractStatus,
    RevisionStatus,
)
from portal.contracts.rules_life import check_answered_by_other
from portal.contracts.rules_versions import REVISION_STATES, changed, in_force
from portal.contracts.service import Prices, get_lines, prices_of
from portal.contracts.service_commitments import agree_terms, get_terms
from portal.contracts.service_periods import agreed_for, drop_periods, write_periods
from portal.core import clock
from portal.core.actor import Actor, Origin, Scope
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.ids import uuid7
from portal.core.states import Side

HEAD_FIELDS = (*TradeTerms.model_fields, "valid_from")
LINE_FIELDS = (*LineTerms.model_fields, "description", "revision", "partner_part_no")


async def get_revisions(session: AsyncSession, contract: Contract) -> list[ContractRevision]:
    """All offers of a contract that the reader was shown, the newest first."""
    query = (
        select(ContractRevision)
        .where(ContractRevision.tenant_id == contract.tenant_id, ContractRevision.contract_id == contract.id)
        .order_by(col(ContractRevision.number).desc())
    )
    return list((await session.exec(query)).all())


async def get_revision(session: AsyncSession, contract: Contract, number: int) -> ContractRevision:
    """One offer. NotFound when the contract has none of this number."""
    for revision in await get_revisions(session, contract):
        if revision.number == number:
            return revision
    raise NotFound


def live(revisions: Sequence[ContractRevision]) -> ContractRevision | None:
    """The offer that waits for an answer; the newest is the only live one."""
    return next((revision for revision in revisions if revision.status is RevisionStatus.PROPOSED), None)


def agreed(revisions: Sequence[ContractRevision]) -> list[ContractRevision]:
    """The versions, the one agreed last first."""
    return [revision for revision in revisions if revision.status is RevisionStatus.AGREED]


def current(revisions: Sequence[ContractRevision], today: date) -> ContractRevision | None:
    """The version in force; before the first day of the contract the first one."""
    versions = agreed(revisions)
    return in_force(versions, today) or (versions[-1] if versions else None)


Rows = tuple[Sequence[ContractLine], Prices]  # a contract's lines, and all their prices


async def content_of(
    session: AsyncSession, actor: Actor, contract: Contract, form: int = FORM, rows: Rows | None = None
) -> Content:
    """What the contract's rows say, as a content of this form says it. rows: where they were read already."""
    if rows is None:
        rows = await get_lines(session, actor, contract.id), await prices_of(session, actor, contract.id)
    lines, prices = rows
    return content(contract, lines, prices, await get_terms(session, contract), form)


async def in_present_form(session: AsyncSession, actor: Actor, contract: Contract, said: Content) -> Content:
    """A content with what its form says nothing of: how the contract's periods are used, and which were typed."""
    if form_of(said) >= FORM:
        return said
    rows = {line.line_no: line for line in await get_lines(session, actor, contract.id) if line.ended_from is None}
    lines = [
        line | (typed(rows[line["line_no"]].typed_periods) if line["line_no"] in rows else {}) for line in said["lines"]
    ]
    return said | used(await get_terms(session, contract)) | {"form": FORM, "lines": lines}


async def offer(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    said: Content,
    *,
    effective_from: date,
    note: str = "",
    based_on: int | None = None,
    **more: Any,
) -> ContractRevision:
    """Put a content before the other company. The contract is locked, so numbers have no gaps and never meet.

    more: columns of an offer that was made otherwise than now and by us.
    """
    query = select(func.coalesce(func.max(ContractRevision.number), 0)).where(
        ContractRevision.tenant_id == contract.tenant_id, ContractRevision.contract_id == contract.id
    )
    values: dict[str, Any] = {
        "offered_scope": actor.scope.value,
        "offered_by": actor.member_id,
        "offered_name": actor.name,
        "offered_at": clock.now(),
        **more,
    }
    revision = ContractRevision(
        tenant_id=contract.tenant_id,
        party_id=contract.party_id,
        contract_id=contract.id,
        number=(await session.exec(query)).one() + 1,
        effective_from=effective_from,
        content=said,
        sha256=digest(said),
        based_on=based_on,
        note=note,
        **values,
    )
    session.add(revision)
    await session.flush()
    return revision


def answer(
    revision: ContractRevision, actor: Actor, action: str, origin: Origin | None = None, reason: str = ""
) -> None:
    """Accept, decline, counter or withdraw. Raises WrongState, OwnProposal or NotYourProposal."""
    ours = revision.offered_scope == actor.scope.value
    target = REVISION_STATES.target(revision.status, action, by=Side.SELLER)  # either side may; who offered decides
    check_answered_by_other(action, proposed_by_us=ours)
    revision.status, revision.reason = target, reason
    revision.answered_by, revision.answered_name, revision.answered_at = actor.member_id, actor.name, clock.now()
    revision.answered_via = actor.channel.value
    if origin is not None:
        revision.answered_from, revision.answered_agent = origin.address[:45], origin.agent[:200]
        revision.answered_with = origin.proof


async def base(session: AsyncSession, actor: Actor, contract: Contract) -> list[ContractRevision]:
    """The offers of a contract in force. One that was agreed before versions were kept gets its first one here."""
    revisions = await get_revisions(session, contract)
    if agreed(revisions):
        return revisions
    said = await content_of(session, actor, contract)
    former: dict[str, Any] = {
        "status": RevisionStatus.AGREED,
        "offered_scope": Scope.FACTORY.value,
        "offered_by": contract.proposed_by,
        "offered_name": "",
        "offered_at": contract.proposed_at or clock.now(),
        "answered_by": contract.accepted_by,
        "answered_at": contract.accepted_at,
    }
    first = await offer(session, actor, contract, said, effective_from=contract.valid_from, **former)
    return [first, *revisions]


# What an offer says --------------------------------------------------------------------------------------------------


async def offered(session: AsyncSession, actor: Actor, contract: Contract, before: Content, data: Offer) -> Content:
    """The content with the offer's changes, its new lines looked up and its places copied."""
    before = await in_present_form(session, actor, contract, before)
    added = await _new_lines(session, actor, contract, before, data)
    return changed(before, await _with_places(session, actor, contract, data), added)


async def _new_lines(
    session: AsyncSession, actor: Actor, contract: Contract, before: Content, data: Offer
) -> list[AgreedLine]:
    if not data.new_lines:
        return []
    if not actor.is_factory:
        raise Forbidden  # items are the factory's; a partner asks for them in its note
    known = [line.line_no for line in await get_lines(session, actor, contract.id)]
    first_no = max([0, *known, *(line["line_no"] for line in before["lines"])]) + 1
    try:
        lines, _prices = await build_lines(session, actor, contract, data.new_lines, first_no=first_no)
    except PortalError as error:
        error.rename("new_{}".format)
        raise
    names = AgreedLine.model_fields
    return [
        AgreedLine(**{name: value for name, value in line.items() if name in names}, prices=said.prices)
        for line, said in zip(lines, data.new_lines, strict=True)
    ]


async def _with_places(session: AsyncSession, actor: Actor, contract: Contract, data: Offer) -> Offer:
    """A line that goes to another site takes its country and address along."""
    lines = []
    for line in data.lines:
        moved = "ship_to_code" in line.model_fields_set
        told = {"ship_to_country", "ship_to_address"} & line.model_fields_set
        if moved and not told:
            found = await place(session, actor, contract, line)
            line = line.model_copy(update={"ship_to_country": "", "ship_to_address": "", **found})
            line.model_fields_set.update({"ship_to_country", "ship_to_address"})
        lines.append(line)
    return data.model_copy(update={"lines": lines})


# Into the contract's rows --------------------------------------------------------------------------------------------


async def write_content(
    session: AsyncSession, actor: Actor, contract: Contract, said: Content, effective_from: date
) -> None:
    """Make the rows say the content. A line keeps its row; one that is gone ends, and stays for its deliveries.

    Only the factory's role writes lines and prices.
    """
    wanted = read_back(said)
    running = contract.status in (ContractStatus.ACTIVE, ContractStatus.SUSPENDED)
    if wanted.form >= FORM:
        await agree_terms(session, contract, wanted, effective_from if running else None)
    contract.sqlmodel_update({name: getattr(wanted, name) for name in HEAD_FIELDS})
    prices = await prices_of(session, actor, contract.id)
    rows = {line.line_no: line for line in await get_lines(session, actor, contract.id) if line.ended_from is None}
    new = []
    for line in wanted.lines:
        row = rows.pop(line.line_no, None)
        if row is None:
            new.append(line)
            continue
        if _write_line(row, line, wanted.form) and not running:
            await _make_periods(session, actor, contract, row)
        await _write_prices(session, contract, row.id, prices.get(row.id, []), line.prices)
    await _end_lines(session, contract, list(rows.values()), effective_from)
    await _add_lines(session, actor, contract, new)
    await session.flush()


def _write_line(row: ContractLine, line: AgreedLine, form: int) -> bool:
    """Returns whether its typed periods are others now. A content of the first form says nothing of them."""
    terms = {name: getattr(line, name) for name in LINE_FIELDS}
    periods = typed(line.typed_periods).get("typed_periods") if form >= FORM else row.typed_periods
    moved = row.typed_periods != periods
    if moved or any(getattr(row, name) != value for name, value in terms.items()):
        row.sqlmodel_update(terms | {"typed_periods": periods})
        row.version += 1
    return moved


async def _make_periods(session: AsyncSession, actor: Actor, contract: Contract, row: ContractLine) -> None:
    """The typed periods of a line of a contract that is not in force yet; the others are made when it comes into it."""
    if row.typed_periods is None:
        await drop_periods(session, row)
    else:
        await write_periods(session, actor, contract, row, agreed_for(contract, row))


async def _write_prices(
    session: AsyncSession, contract: Contract, line_id: UUID, kept: Sequence[ContractPrice], wanted: Sequence[NewPrice]
) -> None:
    names = tuple(NewPrice.model_fields)
    said = {tuple(getattr(price, name) for name in names): price for price in wanted}
    for price in kept:
        if said.pop(tuple(getattr(price, name) for name in names), None) is None:
            await session.delete(price)
    await session.flush()
    session.add_all([ContractPrice(**new_price(contract, line_id, price)) for price in said.values()])


async def _end_lines(
    session: AsyncSession, contract: Contract, lines: Sequence[ContractLine], effective_from: date
) -> None:
    for line in lines:
        if contract.status not in (ContractStatus.ACTIVE, ContractStatus.SUSPENDED):  # nothing was called off yet
            for price in (await prices_of_line(session, line)).values():
                await session.delete(price)
            await session.flush()
            await session.delete(line)
        else:
            line.ended_from = effective_from
            line.version += 1


async def prices_of_line(session: AsyncSession, line: ContractLine) -> dict[UUID, ContractPrice]:
    query = select(ContractPrice).where(
        ContractPrice.tenant_id == line.tenant_id, ContractPrice.contract_line_id == line.id
    )
    return {price.id: price for price in (await session.exec(query)).all()}


async def _add_lines(session: AsyncSession, actor: Actor, contract: Contract, lines: Sequence[AgreedLine]) -> None:
    items = await items_by_code(session, actor, (line.item_code for line in lines))
    for line in lines:
        row = ContractLine(
            **line.model_dump(exclude={"prices", "typed_periods"}),
            tenant_id=contract.tenant_id,
            id=uuid7(),
            party_id=contract.party_id,
            contract_id=contract.id,
            item_id=items[line.item_code].id,
        )
        session.add(row)
        await session.flush()
        session.add_all([ContractPrice(**new_price(contract, row.id, price)) for price in line.prices])
