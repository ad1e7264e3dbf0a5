"""Framework contracts over the interface."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.status_codes import HTTP_201_CREATED, HTTP_202_ACCEPTED
from msgspec import Meta, Struct, convert
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import reads, service, service_drafts, service_life
from portal.contracts.inputs import ChangeContract, NewContract
from portal.contracts.model import (
    Cadence,
    Contract,
    ContractKind,
    ContractLine,
    ContractPrice,
    ContractStatus,
    DateRule,
    DayUnit,
    DeviationRule,
    Lapse,
    PriceTier,
)
from portal.contracts.reads import ContractFilter, ContractRow
from portal.core import clock, paging
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import driver, read
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.schedules.reads import Happening, history
from portal.schedules.service_contract import Use, use_of_lines

Decimals = Annotated[Decimal, Meta(examples=["600.000000"], description="exact, as text")]
Number = Annotated[str, Meta(examples=["FC-2026-014"])]


class PriceOut(Struct):
    """A price per `price_unit` of the line's unit from a day on; with an order number, for that order only."""

    id: UUID
    valid_from: date
    order_no: str
    price: Annotated[Decimal, Meta(examples=["12.500000"])]
    price_unit: Annotated[Decimal, Meta(examples=["1.000000"])]
    tier: PriceTier
    from_quantity: Decimals


class ContractLineOut(Struct, kw_only=True):
    """One item of a contract as agreed, and how far it is used."""

    id: UUID
    line_no: int
    item_code: Annotated[str, Meta(examples=["A100"])]
    description: Annotated[str, Meta(examples=["Bearing housing"])]
    revision: str
    partner_part_no: Annotated[str, Meta(examples=["AD-88120"])]
    unit: Annotated[str, Meta(examples=["H87"])]
    foq: Decimals | None
    cadence: Cadence | None
    target_quantity: Decimals | None
    band_below_percent: Decimal
    band_above_percent: Decimal
    pack_size: Decimals
    minimum_order: Decimals
    under_percent: Decimal
    over_percent: Decimal
    firm_days: int
    tradeoff_days: int
    day_unit: DayUnit
    delivery_weekdays: list[int]
    ship_to_code: str
    ship_to_country: str
    ship_to_address: str
    unloading_point: str
    receiving_window: str
    cumulative_from: date | None
    take_or_pay_quantity: Decimals | None
    transit_days: int | None
    ended_from: date | None  # an amendment took the line out from this day on
    prices: list[PriceOut] | None = None  # null: not for this role
    use: Use | None = None  # null: nothing was called off yet


class ContractOut(Struct, kw_only=True):
    """A contract with its lines, its prices where the role shows them, and what this company may do with it now."""

    id: UUID
    number: Number
    party_id: UUID
    party_name: Annotated[str, Meta(examples=["Aurora Drives"])]
    direction: Direction
    kind: ContractKind
    status: ContractStatus
    title: str
    partner_reference: str
    currency: Annotated[str, Meta(examples=["CNY"])]
    valid_from: date
    valid_to: date | None
    time_zone: str
    response_hours: int
    incoterm: str
    incoterm_place: str
    payment_terms: str
    take_or_pay_percent: Decimal | None
    penalty_percent: Decimal | None
    penalty_cap_percent: Decimal | None
    notice_days: int | None
    deviation_quantity: DeviationRule | None
    deviation_earlier: DeviationRule | None
    deviation_later: DeviationRule | None
    deviation_price: DeviationRule | None
    early_days: int | None
    late_days: int | None
    lapse: Lapse | None
    lapse_percent: Decimal | None
    transit_days: int | None
    date_rule: DateRule | None
    ends_on: date | None  # the last day after a termination
    end_reason: str
    release_no: int
    released_on: date | None
    proposed_at: datetime | None
    accepted_at: datetime | None
    version: int
    content_sha256: str = ""
    actions: list[str] = []
    lines: list[ContractLineOut] = []


class ContractState(Struct):
    """What a contract became, and what this company may do with it next."""

    id: UUID
    number: Number
    status: ContractStatus
    version: int
    actions: list[str]


HELD = {
    HTTP_202_ACCEPTED: ResponseSpec(
        ContractState, description="Waits for a colleague's approval", generate_examples=False
    )
}


def state(contract: Contract, actor: Actor, seen: int | None = None) -> Response[ContractState]:
    """The contract after a command, with its new version as ETag.

    seen: the version before a step that the factory's own rules may hold back; 202 when they did.
    """
    body = ContractState(
        contract.id, contract.number, contract.status, contract.version, service.actions(contract, actor)
    )
    status = HTTP_202_ACCEPTED if seen == contract.version else None
    return Response(body, status_code=status, headers={"ETag": f'"{contract.version}"'})


async def whole(session: AsyncSession, actor: Actor, contract: Contract) -> ContractOut:
    """Everything about one contract that this reader may see."""
    lines = await service.get_lines(session, actor, contract.id)
    prices = await service.prices_of(session, actor, contract.id)  # the digest is of all, whoever may see them
    today = local_today(clock.now(), contract.time_zone)
    used = await use_of_lines(await driver(session), actor, contract, today)
    shows = actor.may(Permission.SEE_PRICES)
    out = convert(contract, ContractOut, from_attributes=True)
    out.content_sha256 = await service_life.digest_of(session, actor, contract, rows=(lines, prices))
    out.actions = service.actions(contract, actor)
    for line in lines:
        out.lines.append(line_out(line, prices.get(line.id, []) if shows else None, used.get(line.id)))
    return out


def line_out(line: ContractLine, prices: list[ContractPrice] | None, use: Use | None) -> ContractLineOut:
    """One line; without prices for a reader who may not see them."""
    out = convert(line, ContractLineOut, from_attributes=True)
    out.use = use
    if prices is not None:
        out.prices = [convert(price, PriceOut, from_attributes=True) for price in prices]
    return out


class ContractController(Controller):
    path = "/contracts"
    tags = ("Contracts",)

    @get()
    async def list_contracts(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        search: FromQuery[str] = "",
        status: FromQuery[ContractStatus | None] = None,
        direction: FromQuery[Direction | None] = None,
        party_id: FromQuery[UUID | None] = None,
    ) -> paging.PageOf[ContractRow]:
        """Contracts, the newest first. `search` looks in numbers, titles, partners and item codes."""
        paging.check_limit(limit)
        (after,) = paging.decode(cursor, UUID) if cursor else (None,)
        async with read(actor) as connection:
            wanted = ContractFilter(search, status, direction, party_id)
            rows = await reads.list_contracts(connection, actor, wanted, after, limit)
        more = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)

    @post(status_code=HTTP_201_CREATED)
    async def create(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[NewContract]
    ) -> Response[ContractState]:
        """Begin a draft with its lines and prices: all of it or nothing. The partner sees it once it is proposed."""
        return state(await service_drafts.create_contract(session, actor, data), actor)

    @get("/{contract_id:uuid}")
    async def get_contract(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> Response[ContractOut]:
        """One contract with lines, prices and use; its ETag is the version that writes carry as If-Match."""
        contract = await service.get_contract(session, actor, contract_id)
        return Response(await whole(session, actor, contract), headers={"ETag": f'"{contract.version}"'})

    @patch("/{contract_id:uuid}")
    async def change(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[ChangeContract],
    ) -> Response[ContractState]:
        """Write the head of a draft anew."""
        return state(await service_drafts.change_contract(session, actor, contract_id, data, expected), actor)

    @get("/{contract_id:uuid}/history")
    async def history(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> list[Happening]:
        """What happened to the contract, newest first; an acceptance carries the sha256 of what was accepted."""
        await service.get_contract(session, actor, contract_id)
        return await history(await driver(session), actor, contract_id)


ROUTES: list[Any] = [ContractController]
