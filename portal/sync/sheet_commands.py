"""What a workbook changes, done by the commands that the pages use: a draft is changed row by row, a contract in force
gets one amendment offered to the partner, with the rows that can stand in it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.evidence import Content, read_back
from portal.contracts.inputs import (
    Amendment,
    ChangeContract,
    ChangeLine,
    HeadOffer,
    LineOffer,
    LineTerms,
    NewLine,
    NewPrice,
    TradeTerms,
)
from portal.contracts.inputs_buckets import TypedPeriod
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.service import get_contract, get_lines
from portal.contracts.service_amendments import amend
from portal.contracts.service_commitments import can_set
from portal.contracts.service_drafts import add_line, change_contract, change_line, set_price
from portal.contracts.service_periods import any_used
from portal.contracts.service_versions import agreed, content_of, get_revisions, live
from portal.core.actor import Actor
from portal.core.days import FIRST, LAST
from portal.core.errors import PortalError
from portal.core.journal import part
from portal.sync.rules_sheets import NoSuchLine, Refused, RowPlan, is_line
from portal.sync.sheet_columns import BY_NAME, Sheet, typed
from portal.sync.sheet_fields import with_fields, write_fields
from portal.sync.sheet_periods import LIMITS, offered_periods, split, with_periods, write_periods
from portal.sync.sheet_runs import refused_row

IN_FORCE = (ContractStatus.ACTIVE, ContractStatus.SUSPENDED)


async def standing(session: AsyncSession, actor: Actor, contract: Contract) -> Content:
    """What the contract says: in force the offer of ours that waits, else what was agreed last; before, its rows.

    Its lines carry their periods, which are the rows of the ledger; beside them stand the custom fields.
    """
    content = await with_periods(session, actor, contract, await _text(session, actor, contract))
    return await with_fields(session, actor, contract, content)


async def _text(session: AsyncSession, actor: Actor, contract: Contract) -> Content:
    if contract.status in IN_FORCE:
        revisions = await get_revisions(session, contract)
        waiting = live(revisions)
        if waiting is not None and waiting.offered_scope == actor.scope.value:
            return waiting.content
        if versions := agreed(revisions):
            return versions[0].content
    return await content_of(session, actor, contract)


async def carry_out(
    session: AsyncSession, actor: Actor, contract: Contract, plans: Sequence[RowPlan], effective_from: date
) -> list[Refused]:
    """Do what the rows of one contract say. Returns the rows that were refused; they have changed nothing."""
    fields = [plan for plan in plans if plan.sheet is Sheet.FIELDS]
    agreed_on = [plan for plan in plans if plan.sheet is not Sheet.FIELDS]
    refused = await _carry_out(session, actor, contract, agreed_on, effective_from)
    return refused + [_refused(*each) for each in await write_fields(session, actor, contract, fields)]


async def _carry_out(
    session: AsyncSession, actor: Actor, contract: Contract, plans: Sequence[RowPlan], effective_from: date
) -> list[Refused]:
    """What both companies agree on: the text and the periods."""
    text, periods = split(plans)
    refused: list[Refused] = []
    if contract.status in IN_FORCE and not await writes_periods(session, actor, contract):
        return await _offer(session, actor, contract, plans, effective_from)
    if contract.status in IN_FORCE:
        refused += await _offer(session, actor, contract, text, effective_from)
    else:
        refused += await _draft(session, actor, contract, text)
    return refused + [_refused(*each) for each in await write_periods(session, actor, contract, periods)]


async def writes_periods(session: AsyncSession, actor: Actor, contract: Contract) -> bool:
    """Whether periods are written at once. What both companies agreed on, or use already, changes by an amendment."""
    return can_set(contract, actor) and not (contract.status in IN_FORCE and await any_used(session, contract))


async def _draft(session: AsyncSession, actor: Actor, contract: Contract, plans: Sequence[RowPlan]) -> list[Refused]:
    refused = []
    for plan in plans:
        try:
            async with part(session):
                await _write(session, actor, contract.id, plan)
        except (PortalError, ValidationError) as error:
            refused.append(_refused(plan, error))
    return refused


def _refused(plan: RowPlan, error: PortalError | ValidationError) -> Refused:
    return refused_row(plan.sheet, plan.row, error, {})


def _terms(sheet: Sheet, values: dict[str, str], names: Sequence[str]) -> dict[str, Any]:
    fields = BY_NAME[sheet]
    return {name: typed(fields[name], text) for name, text in values.items() if name in names}


LINE_TERMS = tuple(LineTerms.model_fields)
HEAD_TERMS = tuple(TradeTerms.model_fields)
PRICE_TERMS = tuple(NewPrice.model_fields)


# A draft --------------------------------------------------------------------------------------------------------------


async def _write(session: AsyncSession, actor: Actor, contract_id: UUID, plan: RowPlan) -> None:
    match plan.sheet:
        case Sheet.CONTRACTS:
            contract = await get_contract(session, actor, contract_id)
            now = read_back(await content_of(session, actor, contract))
            kept = now.model_dump(include={*HEAD_TERMS, "currency", "valid_from", "time_zone"})
            told = kept | _terms(plan.sheet, plan.values, HEAD_TERMS)
            await change_contract(session, actor, contract_id, ChangeContract(**told))
        case Sheet.LINES if plan.new:
            await add_line(session, actor, contract_id, _new_line(plan))
        case Sheet.LINES:
            line = await _line(session, actor, contract_id, plan)
            told = _terms(plan.sheet, plan.theirs | plan.values, LINE_TERMS)
            await change_line(session, actor, contract_id, line, ChangeLine(**told))
        case _:
            line = await _line(session, actor, contract_id, plan)
            await set_price(session, actor, contract_id, line, _price(plan))


async def _line(session: AsyncSession, actor: Actor, contract_id: UUID, plan: RowPlan) -> UUID:
    said = plan.theirs | plan.values
    lines = await get_lines(session, actor, contract_id)
    found = [line.id for line in lines if is_line(said, line.line_no, line.item_code)]
    if len(found) != 1:
        raise NoSuchLine(field="line_no")
    return found[0]


def _new_line(plan: RowPlan, prices: Sequence[RowPlan] = ()) -> NewLine:
    said = _terms(plan.sheet, plan.values, LINE_TERMS)
    return NewLine(item_code=plan.values["item_code"], **said, prices=[_price(price) for price in prices])


def _price(plan: RowPlan) -> NewPrice:
    return NewPrice(**_terms(plan.sheet, plan.theirs | plan.values, PRICE_TERMS))


# A contract in force --------------------------------------------------------------------------------------------------


async def _offer(
    session: AsyncSession, actor: Actor, contract: Contract, plans: Sequence[RowPlan], effective_from: date
) -> list[Refused]:
    """Offer one amendment with all rows that can stand in it: what is refused by name leaves, and the rest is tried."""
    left, refused = list(plans), list[Refused]()
    content = await standing(session, actor, contract)
    contract_id = contract.id
    while left:
        made = _Offer(left, content)
        try:
            async with part(session):
                if made.homeless:
                    raise NoSuchLine(field="homeless")
                await amend(session, actor, contract_id, made.amendment(effective_from))
        except (PortalError, ValidationError) as error:
            guilty = made.guilty(error)
            refused += [_refused(plan, error) for plan in guilty]
            left = [plan for plan in left if plan not in guilty]
            continue
        break
    return refused


class _Offer:
    """The rows of one contract in the places that they have in an amendment, so a refusal finds its row again."""

    def __init__(self, plans: Sequence[RowPlan], content: Content) -> None:
        self.all = list(plans)
        self.head = next((plan for plan in plans if plan.sheet is Sheet.CONTRACTS), None)
        self.new = [plan for plan in plans if plan.sheet is Sheet.LINES and plan.new]
        self.new_prices: dict[int, list[RowPlan]] = {at: [] for at in range(len(self.new))}
        self.lines: dict[int, list[RowPlan]] = {}
        self.homeless: list[RowPlan] = []
        self.content = {line["line_no"]: line for line in content["lines"]}
        self.periods: dict[int, dict[int, RowPlan]] = {}  # by line: which place in its list is which row's
        for plan in plans:
            if plan.sheet is Sheet.LINES and not plan.new:
                self.lines.setdefault(int(plan.theirs["line_no"]), []).append(plan)
        for plan in plans:
            if plan.sheet in (Sheet.PRICES, Sheet.PERIODS):
                self._place(plan, content)

    def _place(self, plan: RowPlan, content: Content) -> None:
        said = plan.theirs | plan.values
        numbers = [line["line_no"] for line in content["lines"] if is_line(said, line["line_no"], line["item_code"])]
        new = [at for at, line in enumerate(self.new) if line.values["item_code"] == said.get("item_code")]
        if len(numbers) == 1:
            self.lines.setdefault(numbers[0], []).append(plan)
        elif not numbers and len(new) == 1 and not said.get("line_no") and plan.sheet is Sheet.PRICES:
            self.new_prices[new[0]].append(plan)
        else:
            self.homeless.append(plan)

    def amendment(self, effective_from: date) -> Amendment:
        more: dict[str, Any] = {}
        if self.head is not None:
            more["terms"] = HeadOffer(**_terms(Sheet.CONTRACTS, self.head.values, HEAD_TERMS))
        return Amendment(
            effective_from=effective_from,
            lines=[self._line(line_no, plans) for line_no, plans in self.lines.items()],
            new_lines=[_new_line(plan, self.new_prices[at]) for at, plan in enumerate(self.new)],
            **more,
        )

    def _line(self, line_no: int, plans: Sequence[RowPlan]) -> LineOffer:
        made = _line_offer(line_no, plans)
        rows = [plan for plan in plans if plan.sheet is Sheet.PERIODS]
        if not rows:
            return made
        said, self.periods[line_no] = offered_periods(self.content[line_no], rows)
        return LineOffer(**made.model_dump(exclude_unset=True), typed_periods=said)

    def guilty(self, error: PortalError | ValidationError) -> list[RowPlan]:
        """The rows that a refusal is about: those at the place it names, else all of them."""
        if self.homeless:
            return self.homeless
        if isinstance(error, ValidationError):
            return self._badly_shaped() or self.all
        where, _dot, rest = (error.field or "").partition(".")
        at = rest.partition(".")[0]
        if where == "terms" and self.head is not None:
            return [self.head]
        if where == "lines" and at.isdecimal():
            return self._of_line(list(self.lines)[int(at)], rest, error)
        if where == "new_lines" and at.isdecimal():
            return [self.new[int(at)], *self.new_prices[int(at)]]
        return self.all

    def _of_line(self, line_no: int, rest: str, error: PortalError) -> list[RowPlan]:
        """The line's own row, or its prices or periods where they are meant."""
        plans = self.lines[line_no]
        if "typed_periods" in rest:
            *_before, at, name = rest.split(".")
            error.field = {"end": "last_day"}.get(name, name)
            named = self.periods[line_no].get(int(at))
            return [named] if named else [plan for plan in plans if plan.sheet is Sheet.PERIODS]
        prices = [plan for plan in plans if plan.sheet is Sheet.PRICES]
        own = [plan for plan in plans if plan.sheet is Sheet.LINES]
        return (prices if "price" in rest or "tier" in rest or "quantity" in rest.split(".")[-1:] else own) or plans

    def _badly_shaped(self) -> list[RowPlan]:
        """The rows whose values do not fit the input at all."""
        found = []
        for plan in self.all:
            try:
                _shape(plan)
            except ValidationError:
                found.append(plan)
        return found


def _line_offer(line_no: int, plans: Sequence[RowPlan]) -> LineOffer:
    terms: dict[str, Any] = {}
    for plan in plans:
        if plan.sheet is Sheet.LINES:
            terms = _terms(plan.sheet, plan.values, LINE_TERMS)
    return LineOffer(line_no=line_no, **terms, prices=[_price(plan) for plan in plans if plan.sheet is Sheet.PRICES])


def _shape(plan: RowPlan) -> None:
    match plan.sheet:
        case Sheet.CONTRACTS:
            HeadOffer(**_terms(plan.sheet, plan.values, HEAD_TERMS))
        case Sheet.LINES if plan.new:
            _new_line(plan)
        case Sheet.LINES:
            LineOffer(line_no=1, **_terms(plan.sheet, plan.values, LINE_TERMS))
        case Sheet.PERIODS:
            TypedPeriod(start=FIRST, end=LAST, **{"floor": 0, "target": 0, "ceiling": 0} | _limits(plan))
        case _:
            _price(plan)


def _limits(plan: RowPlan) -> dict[str, Any]:
    return {name: plan.values[name] for name in LIMITS if name in plan.values}
