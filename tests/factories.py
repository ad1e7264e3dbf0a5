"""Makers shared by the tests: a fresh tenant with a factory, a customer and a supplier, and what hangs on them.

Every test gets its own tenant and commits for real; nothing is cleaned up, because nobody else ever sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel import SQLModel

from portal.accounts.model import Member, MemberStatus, Party
from portal.catalog.model import Item
from portal.contracts.model import Cadence, Contract, ContractLine, ContractPrice, ContractStatus
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction, Scope
from portal.core.calendars import local_today
from portal.core.db import asyncpg_dsn, unit_of_work
from portal.core.ids import uuid7
from portal.schedules.model import LineStatus, ScheduleLine
from portal.schedules.model_releases import ReleasePlan

ZONE = "Asia/Shanghai"


def today() -> date:
    """The business date of the made contracts."""
    return local_today(clock.now(), ZONE)


@dataclass(slots=True)
class Tenant:
    """One factory's workspace with an actor for each company."""

    id: UUID
    factory: Actor
    customer: Actor
    supplier: Actor
    codes: dict[str, Any] = field(default_factory=dict)

    def partner(self, direction: Direction) -> Actor:
        """The partner of contracts of this direction."""
        return self.customer if direction is Direction.SALE else self.supplier

    def as_role(self, actor: Actor, role: Role) -> Actor:
        """The same company, another role."""
        return replace(actor, role=role)


async def make_tenant(owner_url: str) -> Tenant:
    """A tenant with three companies and an administrator each. Only the owner may add a tenant."""
    tenant_id, factory, customer, supplier = uuid7(), uuid7(), uuid7(), uuid7()
    connection = await asyncpg.connect(asyncpg_dsn(owner_url))
    try:
        await connection.execute(
            "insert into tenant (tenant_id, id, code, name, factory_party_id, time_zone, currency, language)"
            " values ($1, $1, $2, 'Hengyuan Precision', $3, $4, 'CNY', 'en')",
            *(tenant_id, f"t-{tenant_id.hex[-8:]}", factory, ZONE),
        )
    finally:
        await connection.close()
    system = Actor.system(tenant_id, factory)
    members = {party: uuid7() for party in (factory, customer, supplier)}
    async with unit_of_work(system) as session:
        session.add_all(
            [
                Party(id=factory, party_id=factory, tenant_id=tenant_id, code="F", name="Hengyuan", is_factory=True),
                Party(id=customer, party_id=customer, tenant_id=tenant_id, code="C", name="Aurora", is_customer=True),
                Party(id=supplier, party_id=supplier, tenant_id=tenant_id, code="S", name="Castings", is_supplier=True),
            ]
        )
        await session.flush()
        for party, member_id in members.items():
            role = Role.ADMIN if party == factory else Role.PARTNER_ADMIN
            session.add(make_member(tenant_id, party, member_id, role))
    return Tenant(
        tenant_id,
        Actor(tenant_id, factory, Scope.FACTORY, Role.ADMIN, members[factory], "Lena Vogt", time_zone=ZONE),
        Actor(tenant_id, customer, Scope.PARTNER, Role.PARTNER_ADMIN, members[customer], "Ann", time_zone=ZONE),
        Actor(tenant_id, supplier, Scope.PARTNER, Role.PARTNER_ADMIN, members[supplier], "Ben", time_zone=ZONE),
    )


async def analyze(owner_url: str) -> None:
    """After many rows at once, as autovacuum would within a minute: else documents are joined one by one."""
    connection = await asyncpg.connect(asyncpg_dsn(owner_url))
    try:
        await connection.execute("analyze")
    finally:
        await connection.close()


def make_member(tenant_id: UUID, party_id: UUID, member_id: UUID, role: Role) -> Member:
    """An active member whose address is unique."""
    return Member(
        tenant_id=tenant_id,
        party_id=party_id,
        id=member_id,
        email=f"{member_id.hex}@example.com",
        name="Lena Vogt",
        role=role,
        status=MemberStatus.ACTIVE,
    )


@dataclass(slots=True)
class Made:
    """An active contract with one line an item."""

    contract: Contract
    lines: list[ContractLine]

    @property
    def line(self) -> ContractLine:
        return self.lines[0]


def unlike_a_quantity() -> str:
    """Ten letters and a seven that no other call gives: more digits could be taken for a quantity a test looks for."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in uuid7().hex[-10:]) + "7"


async def make_contract(
    tenant: Tenant,
    direction: Direction = Direction.SALE,
    parts: Sequence[str] = ("A100",),
    *,
    foq: Decimal | None = Decimal(800),
    price: Decimal | None = Decimal("12.50"),
    status: ContractStatus = ContractStatus.ACTIVE,
    number: str | None = None,
    **terms: Any,
) -> Made:
    """A contract of the customer (sale) or the supplier (purchase), valid for a year from 60 days ago."""
    partner = tenant.partner(direction)
    base: dict[str, Any] = {"tenant_id": tenant.id, "party_id": partner.party_id}
    contract = Contract(
        **base,
        number=number or f"FC-{unlike_a_quantity()}",
        direction=direction,
        status=status,
        party_name="Aurora" if direction is Direction.SALE else "Castings",
        currency="CNY",
        time_zone=ZONE,
        proposed_at=None if status is ContractStatus.DRAFT else clock.now(),
        valid_from=today() - timedelta(days=60),
        valid_to=today() + timedelta(days=305),
    )
    async with unit_of_work(tenant.factory) as session:
        items = [Item(tenant_id=tenant.id, code=f"{p}-{unlike_a_quantity()}", description=p, unit="H87") for p in parts]
        session.add_all([contract, *items])
        await session.flush()
        lines = []
        for no, (part, item) in enumerate(zip(parts, items, strict=True), start=1):
            line = ContractLine(
                **base,
                contract_id=contract.id,
                line_no=no * 10,
                item_id=item.id,
                item_code=part,
                description="Bearing housing",
                unit="H87",
                foq=foq,
                cadence=Cadence.WEEK if foq else None,
                cumulative_from=contract.valid_from,
                **({"ship_to_code": "WUXI", "ship_to_country": "China"} | terms),
            )
            lines.append(line)
        session.add_all(lines)
        await session.flush()
        if price is not None:
            session.add_all([make_price(line, contract.valid_from, price) for line in lines])
    return Made(contract, lines)


def make_price(line: ContractLine, day: date, price: Decimal) -> ContractPrice:
    """A list price per unit from a day on."""
    return ContractPrice(
        tenant_id=line.tenant_id, party_id=line.party_id, contract_line_id=line.id, valid_from=day, price=price
    )


async def make_deliveries(
    tenant: Tenant, made: Made, quantities: Sequence[int | Decimal], *, status: str = "confirmed", **terms: Any
) -> list[ScheduleLine]:
    """Schedule lines of a contract's first line, one a quantity, due today and on the days after."""
    lines = [
        ScheduleLine(
            tenant_id=tenant.id,
            party_id=made.contract.party_id,
            contract_id=made.contract.id,
            contract_line_id=made.line.id,
            line_no=uuid7().int % 2**31,
            due_date=today() + timedelta(days=no),
            requested_date=today() + timedelta(days=no),
            unit=made.line.unit,
            ordered_quantity=Decimal(quantity),
            status=LineStatus(status),
            confirmed_quantity=Decimal(quantity) if status == "confirmed" else Decimal(0),
            **terms,
        )
        for no, quantity in enumerate(quantities)
    ]
    async with unit_of_work(tenant.factory) as session:
        session.add_all(lines)
    return lines


async def fetch(actor: Actor, query: str, *args: Any) -> list[asyncpg.Record]:
    """Read as this actor's role sees it."""
    from portal.core.db import read

    async with read(actor) as connection:
        rows: list[asyncpg.Record] = await connection.fetch(query, *args)
        return rows


def rows_of(model: type[SQLModel]) -> str:
    """A query that counts a table's rows in the actor's tenant."""
    return f"select count(*) from {model.__tablename__} where tenant_id = $1"


async def firm_may_change(factory: Actor, contract_id: UUID) -> None:
    """Let a release ask for something in the firm zone that was never told."""
    plan = ReleasePlan(tenant_id=factory.tenant_id, contract_id=contract_id, only_transmitted=False, horizon_days=731)
    async with unit_of_work(factory) as session:
        session.add(plan)


async def traces(tenant: Tenant, other: Actor) -> tuple[list[Any], ...]:
    """What is told of everything done: the history as the other company reads it, audit and outbox as the factory."""
    history = await fetch(other, "select id, subject_id, verb from timeline order by id")
    audit = await fetch(tenant.factory, "select id, subject_id, action from audit order by id")
    outbox = await fetch(tenant.factory, "select id, name from outbox order by id")
    return tuple([tuple(row) for row in rows] for rows in (history, audit, outbox))
