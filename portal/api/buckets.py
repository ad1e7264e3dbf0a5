"""The ledger of fixed quantities over the interface: periods, entries, terms, over-calls, suggestions, use."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_201_CREATED
from msgspec import Meta, Struct, convert
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import bucket_words, reads_buckets, reads_portfolio, service, service_commitments
from portal.contracts.inputs_buckets import AllowOverCall, SetPeriods, SetTargets, SetTerms
from portal.contracts.model import Contract, ContractKind
from portal.contracts.model_buckets import Assignment, BucketCadence, Carry, Consequence, PriceBasis
from portal.contracts.reads_buckets import Order, PeriodRow, UseFilter, UseRow
from portal.contracts.reads_portfolio import Portfolio
from portal.contracts.rules_buckets import Standing
from portal.contracts.rules_portfolio import By, Group
from portal.core import clock, paging
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.db import driver, read
from portal.core.errors import NotFound
from portal.core.quantities import round_money
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.shipments import reads_ledger, service_ledger
from portal.shipments.reads_ledger import EntryRow
from portal.shipments.service_ledger import SuggestedLine

Amount = Annotated[Decimal, Meta(examples=["9600.000000"], description="exact, as text")]


class PeriodOut(Struct, kw_only=True):
    """One period [start, end) of a line. Every counter is the sum of its entries; what was carried moves the limits."""

    id: UUID
    contract_line_id: UUID
    cadence: BucketCadence
    period_start: date
    period_end: date
    unit: Annotated[str, Meta(examples=["H87"])]
    floor: Amount
    target: Amount
    ceiling: Amount
    called: Amount
    confirmed: Amount
    shipped: Amount
    received: Amount
    returned: Amount
    invoiced: Amount
    carried_in: Amount
    carried_out: Amount
    over_called: Amount
    open: Amount
    over_invoiced: Annotated[Decimal, Meta(description="invoiced beyond what was received")]
    remaining: Annotated[Decimal, Meta(description="of the target; negative when more was called off")]
    forecast: Annotated[Decimal, Meta(description="at the end of the period, if nothing changes")]
    completion: Annotated[Decimal | None, Meta(description="received of the target, 0..1; null without a target")]
    standing: Standing
    gap: Annotated[Decimal, Meta(description="below the floor (negative) or above the ceiling")]
    closed_at: datetime | None
    drafted: Annotated[Decimal, Meta(description="in drafts, which use nothing; always 0 for a partner")]
    sentence: Annotated[
        str, Meta(examples=["If nothing changes, November ends at 9,600 of 12,000 pcs, 400 below the floor."])
    ]


class TermsOut(Struct, kw_only=True):
    """How the periods of a contract are used."""

    assignment: Assignment
    shortfall_carry: Carry
    shortfall_periods: int | None
    shortfall_cap_percent: Decimal | None
    excess_carry: Carry
    excess_periods: int | None
    excess_cap_percent: Decimal | None
    consequence: Consequence
    over_call_percent: Decimal
    call_low_percent: Decimal | None
    call_high_percent: Decimal | None
    price_basis: PriceBasis


class LedgerOut(Struct):
    """The terms and the periods of a contract, by line and date."""

    terms: TermsOut
    periods: list[PeriodOut]


class Written(Struct):
    """What was written, and the contract's version after it."""

    contract_id: UUID
    contract_version: int


class GroupOut(Struct, kw_only=True):
    """One row of the portfolio; `key` is a partner's id, a kind, a currency, an end or a risk."""

    key: str
    name: str
    contracts: int
    lines: int
    below: int
    above: int
    unvalued: int
    use: Annotated[Decimal | None, Meta(description="called off of the target, a mean over lines, 0..1")]
    received: Annotated[Decimal | None, Meta(description="received of the target, a mean over lines, 0..1")]
    target_value: Amount
    called_value: Amount
    shipped_value: Amount
    received_value: Amount
    remaining_value: Amount
    use_of_value: Decimal | None


class PortfolioOut(Struct):
    """The rows and their total."""

    currency: str
    day: date
    total: GroupOut
    items: list[GroupOut]


def group_out(row: Group, currency: str) -> GroupOut:
    """One row with its amounts rounded once."""
    names = ("target", "called", "shipped", "received", "remaining")
    values: dict[str, Any] = {f"{name}_value": round_money(getattr(row.values, name), currency) for name in names}
    fixed = {name: getattr(row, name) for name in row.__struct_fields__ if name != "values"}
    return GroupOut(**fixed, **values, use_of_value=row.values.use)


def portfolio_out(found: Portfolio) -> PortfolioOut:
    """What `GET /contract-use/portfolio` answers."""
    rows = [group_out(row, found.currency) for row in found.items]
    return PortfolioOut(found.currency, found.day, group_out(found.total, found.currency), rows)


def period_out(row: PeriodRow, drafted: Decimal = Decimal(0)) -> PeriodOut:
    """One period with its counters and its outlook."""
    seen = row.outlook
    fixed = {name: getattr(row, name) for name in row.__struct_fields__ if name != "sums"}
    return PeriodOut(
        **fixed,
        **row.sums._asdict(),
        open=row.sums.open,
        over_invoiced=row.sums.over_invoiced,
        remaining=seen.remaining,
        forecast=seen.forecast,
        completion=None if seen.completion is None else round(seen.completion, 4),
        standing=seen.standing,
        gap=seen.gap,
        drafted=drafted,
        sentence=bucket_words.sentence(row),
    )


def written(contract: Contract) -> Response[Written]:
    """The contract's new version, as ETag too."""
    return Response(Written(contract.id, contract.version), headers={"ETag": f'"{contract.version}"'})


async def ledger_out(session: AsyncSession, actor: Actor, contract_id: UUID, line_id: UUID | None) -> LedgerOut:
    """What `GET /ledger` answers."""
    contract = await service.get_contract(session, actor, contract_id)
    terms = convert(await service_commitments.get_terms(session, contract), TermsOut, from_attributes=True)
    connection = await driver(session)
    rows = await reads_buckets.ledger(connection, actor, contract_id, line_id)
    drafts = await reads_ledger.drafted(connection, actor, contract_id)
    return LedgerOut(terms, [period_out(row, drafts.get(row.id, Decimal(0))) for row in rows])


class LedgerController(Controller):
    path = "/contracts/{contract_id:uuid}/ledger"
    tags = ("Contracts",)

    @get()
    async def ledger(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        line_id: FromQuery[UUID | None] = None,
    ) -> LedgerOut:
        """The periods of a contract or of one line, as both sides see them."""
        return await ledger_out(session, actor, contract_id, line_id)

    @get("/{bucket_id:uuid}/entries")
    async def entries(
        self, actor: NamedDependency[Actor], contract_id: FromPath[UUID], bucket_id: FromPath[UUID]
    ) -> list[EntryRow]:
        """The entries of one period, the newest first, each with its document. At most 500."""
        async with read(actor) as connection:
            if await reads_buckets.get_period(connection, actor, contract_id, bucket_id) is None:
                raise NotFound
            return await reads_ledger.entries(connection, actor, bucket_id)

    @post("/{bucket_id:uuid}/over-calls", status_code=HTTP_201_CREATED)
    async def allow_over_call(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        bucket_id: FromPath[UUID],
        data: JSONBody[AllowOverCall],
    ) -> PeriodOut:
        """Let more be called off from a period than its ceiling. Both sides read who allowed it and why."""
        await service_commitments.allow_over_call(session, actor, contract_id, bucket_id, data)
        return await one_period(session, actor, contract_id, bucket_id)

    @put("/terms")
    async def set_terms(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[SetTerms],
    ) -> Response[Written]:
        """Say how the periods of a draft are used, all of it anew. If-Match carries the contract's version."""
        return written(await service_commitments.set_terms(session, actor, contract_id, data, expected))

    @put("/lines/{line_id:uuid}")
    async def set_periods(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        data: JSONBody[SetPeriods],
    ) -> Response[Written]:
        """Write the periods of one line anew; without a list they follow from its fixed quantity and band."""
        return written(await service_ledger.set_periods(session, actor, contract_id, line_id, data, expected))

    @get("/suggestions")
    async def suggestions(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> list[SuggestedLine]:
        """What the history of each line suggests as a monthly target: the median of the months with demand."""
        actor.require(Permission.EDIT_CONTRACTS)
        await service.get_contract(session, actor, contract_id)
        return await service_ledger.suggestions(await driver(session), actor, contract_id)

    @post("/targets", status_code=HTTP_201_CREATED)
    async def set_targets(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[SetTargets],
    ) -> Response[Written]:
        """Give lines without periods monthly ones; deliveries that are there already open their ledger."""
        return written(await service_ledger.set_targets(session, actor, contract_id, data, expected))


async def one_period(session: AsyncSession, actor: Actor, contract_id: UUID, bucket_id: UUID) -> PeriodOut:
    """The period after a command."""
    connection = await driver(session)
    row = await reads_buckets.get_period(connection, actor, contract_id, bucket_id)
    if row is None:
        raise NotFound
    drafts = await reads_ledger.drafted(connection, actor, contract_id)
    return period_out(row, drafts.get(row.id, Decimal(0)))


class UseController(Controller):
    path = "/contract-use"
    tags = ("Contracts",)

    @get()
    async def use(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        order: FromQuery[Order] = Order.RISK,
        search: FromQuery[str] = "",
        direction: FromQuery[Direction | None] = None,
        risky: FromQuery[bool] = False,
        within: FromQuery[int | None] = None,
        party_id: FromQuery[UUID | None] = None,
        kind: FromQuery[ContractKind | None] = None,
        currency: FromQuery[str | None] = None,
    ) -> paging.PageOf[UseRow]:
        """Contracts in force with periods, by risk, use or end; shares are means over their lines."""
        paging.check_limit(limit)
        (offset,) = paging.decode(cursor, int) if cursor else (0,)
        wanted = UseFilter(order, search, direction, risky, within, party_id, kind, currency)
        async with read(actor) as connection:
            rows = await reads_buckets.use_of_contracts(connection, actor, wanted, clock.now(), offset, limit)
        return paging.PageOf(rows[:limit], paging.encode(offset + limit) if len(rows) > limit else None)

    @get("/portfolio")
    async def portfolio(
        self,
        actor: NamedDependency[Actor],
        by: FromQuery[By] = By.PARTNER,
        direction: FromQuery[Direction | None] = None,
    ) -> PortfolioOut:
        """Consumption across the contracts in force by partner, kind, currency, end or risk, in value and in use.

        The factory's, for roles that see prices. Values are of the periods begun so far, in the workspace's currency
        at the price and rate of `day`; `unvalued` counts the lines without one. `end` is up to so many days left.
        """
        async with read(actor) as connection:
            wanted = UseFilter(direction=direction)
            return portfolio_out(await reads_portfolio.portfolio(connection, actor, by, clock.now(), wanted))


ROUTES: list[Any] = [LedgerController, UseController]
