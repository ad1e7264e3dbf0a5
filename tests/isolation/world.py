"""The demo and another workspace, with everybody in them who must not learn of one another."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
from litestar import Litestar
from sqlmodel import col, select

from portal.accounts import identity, passwords
from portal.accounts import service as people
from portal.accounts.actors import Place as Seat
from portal.accounts.model import Member, MemberStatus
from portal.accounts.service_companies import find_tenant
from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.contracts.model import Contract, ContractLine, ContractStatus
from portal.core.access import Permission, Role, permissions_of
from portal.core.actor import Actor, Direction, Scope
from portal.core.db import asyncpg_dsn, unit_of_work
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.demo.seed import seed
from portal.sync.scms_file import SOURCE
from tests.factories import ZONE, Made, Tenant, analyze, make_contract, make_member, make_tenant

CANARY = "CANARY"  # begins numbers that are found nowhere else; the demo's own are examples in the documentation too
PASSWORD = "nine halyards of hemp"


class Place(StrEnum):
    """Whose object the ids of a request name."""

    A = "A's"
    A_OTHER = "A's other contract's"
    B = "B's"
    C = "C's"
    FACTORY = "the factory's own"
    ELSEWHERE = "another workspace's"
    ABSENT = "nobody's"


OF_CONTRACTS = (Place.A, Place.A_OTHER, Place.B, Place.C, Place.ELSEWHERE, Place.ABSENT)
OF_COMPANIES = (Place.A, Place.B, Place.C, Place.FACTORY, Place.ELSEWHERE, Place.ABSENT)
DIRECTIONS = {Place.C: Direction.PURCHASE}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who sends requests: a browser with a session, a program with a key, or nobody."""

    name: str
    actor: Actor | None = None
    headers: dict[str, str] = field(default_factory=dict)
    form_token: str = ""
    user_id: UUID | None = None
    email: str = ""
    membership_id: UUID | None = None


@dataclass(slots=True)
class World:
    """What the tests of isolation share. Objects made for one request are made by `things`."""

    settings: Settings
    app: Litestar
    owner: asyncpg.Connection
    companies: dict[Place, Tenant]  # the workspace as seen from a place: its partner is the place's company
    contracts: dict[Place, Made]
    browsers: list[Principal] = field(default_factory=list)
    programs: list[Principal] = field(default_factory=list)
    password_hash: str = ""
    names: dict[Place, str] = field(default_factory=dict)  # of the places' companies, unlike any other text
    read_alone: dict[tuple[Any, Place], dict[str, Any]] = field(default_factory=dict)  # things that no request changes
    refused_alone: dict[tuple[Any, Place], dict[str, Any]] = field(default_factory=dict)  # that no request reaches

    def direction(self, place: Place) -> Direction:
        """Who sells on a place's contract: C to the factory, the factory to everybody else."""
        return DIRECTIONS.get(place, Direction.SALE)

    def company(self, place: Place) -> Actor:
        """The administrator of the company whose place it is."""
        tenant = self.companies[place]
        return tenant.factory if place is Place.FACTORY else tenant.partner(self.direction(place))

    def seller(self, place: Place) -> Actor:
        """Who delivers on a place's contract."""
        tenant = self.companies[place]
        return tenant.factory if self.direction(place) is Direction.SALE else tenant.supplier

    def buyer(self, place: Place) -> Actor:
        """Who receives on a place's contract."""
        tenant = self.companies[place]
        return tenant.customer if self.direction(place) is Direction.SALE else tenant.factory

    def is_apart(self, ids: dict[str, Any]) -> bool:
        """Whether a thing is on none of the contracts that requests about other things change too."""
        return ids.get("contract_id") not in {made.contract.id for made in self.contracts.values()}

    def secrets_from(self, actor: Actor | None) -> set[str]:
        """Texts that must never be in an answer to this reader: ids, numbers and names of what others have."""
        found: set[str] = set()
        for place, made in self.contracts.items():
            if actor is None or not sees(actor, self.company(place), made.contract.id):
                found |= {str(made.contract.id), str(made.line.id)}
                found |= {made.contract.number} if made.contract.number.startswith(CANARY) else set()
            if actor is None or not sees(actor, self.company(place)):
                found |= {str(made.contract.party_id), self.names[place]}
        return found

    async def hire(self, name: str, company: Actor, role: Role, contracts: Iterable[UUID] | None = None) -> Principal:
        """A new member of a company with an open session; with contracts: restricted to them."""
        email = f"{uuid7().hex}@people.example"
        user_id = await identity.create_user(email, f"Somebody called {name}", self.password_hash)
        member_id = uuid7()
        async with unit_of_work(company) as session:
            session.add(_member(company, member_id, email, role))
        if contracts is not None:
            limits = people.RestrictMember(restricted=True, contract_ids=list(contracts))
            async with unit_of_work(company) as session:
                await people.restrict_member(session, company, member_id, 1, limits)
        await identity.join(user_id, Seat(company.tenant_id, company.party_id, company.scope, member_id))
        (found,) = await identity.companies_of(user_id)
        return await self.signed_in(Principal(name, None, {}, "", user_id, email, found.membership_id))

    async def join(self, person: Principal, company: Actor) -> UUID:
        """Let a person act for another company too. Returns the new membership."""
        assert person.user_id is not None
        member_id = uuid7()
        async with unit_of_work(company) as session:
            session.add(_member(company, member_id, person.email, company.role))
        await identity.join(person.user_id, Seat(company.tenant_id, company.party_id, company.scope, member_id))
        found = await identity.companies_of(person.user_id)
        return next(each.membership_id for each in found if each.live.actor.member_id == member_id)

    async def double(self, person: Principal) -> Principal:
        """Somebody else of the same company with the same rights, for requests that end a session."""
        assert person.actor is not None
        boss = Role.ADMIN if person.actor.is_factory else Role.PARTNER_ADMIN
        company = replace(person.actor, role=boss, contract_ids=None)
        return await self.hire(person.name, company, person.actor.role, person.actor.contract_ids)

    async def signed_in(self, person: Principal) -> Principal:
        """The same person with a new session."""
        assert person.user_id is not None
        token = await identity.open_session(person.user_id, person.membership_id, "isolation")
        signed = await identity.signed_in(token)
        assert signed is not None
        headers = {"cookie": f"session={token}"}
        return replace(person, actor=signed.actor, headers=headers, form_token=signed.form_token)

    async def program(self, name: str, company: Actor, role: Role, *only: Permission) -> Principal:
        """A key of a company, with all scopes of the role or only some."""
        scopes = list(only) or sorted(permissions_of(company.scope, role))
        async with unit_of_work(company) as session:
            _key, token = await create_key(session, company, CreateKey(name=name, scopes=scopes, role=role))
        actor = await identity.actor_of_key(token)
        return Principal(name, actor, {"authorization": f"Bearer {token}"})


def sees(actor: Actor, company: Actor, contract_id: UUID | None = None) -> bool:
    """Whether a reader may know of a company's object, and of a contract's when one is named."""
    if actor.tenant_id != company.tenant_id:
        return False
    if not actor.is_factory and actor.party_id != company.party_id:
        return False
    return contract_id is None or actor.contract_ids is None or contract_id in actor.contract_ids


def _member(company: Actor, member_id: UUID, email: str, role: Role) -> Member:
    member = make_member(company.tenant_id, company.party_id, member_id, role)
    member.email, member.status = email, MemberStatus.ACTIVE
    return member


async def _named(world: World, place: Place) -> str:
    """Give a place's company a name that is found nowhere else, so that a leak is seen."""
    company = world.company(place)
    name = f"Company {company.party_id.hex[-10:]}"
    await world.owner.execute("update party set name = $2 where id = $1", company.party_id, name)
    await world.owner.execute("update contract set party_name = $2 where party_id = $1", company.party_id, name)
    return name


_BOSSES = """
select distinct on (p.id) p.id as party_id, p.is_factory, p.is_supplier, m.id as member_id, m.name, m.role
from party p join member m on m.tenant_id = p.tenant_id and m.party_id = p.party_id
where p.tenant_id = $1 and m.role in ('admin', 'partner_admin') order by p.id, m.id"""


async def demo_companies(owner: asyncpg.Connection, tenant_id: UUID) -> Tenant:
    """The demo's factory, its customer and its supplier, each as its administrator."""
    bosses: dict[str, Actor] = {}
    for row in await owner.fetch(_BOSSES, tenant_id):
        kind = "factory" if row["is_factory"] else "supplier" if row["is_supplier"] else "customer"
        scope = Scope.FACTORY if row["is_factory"] else Scope.PARTNER
        who = (tenant_id, row["party_id"], scope, Role(row["role"]), row["member_id"], row["name"])
        bosses[kind] = Actor(*who, time_zone=ZONE)
    return Tenant(tenant_id, bosses["factory"], bosses["customer"], bosses["supplier"])


async def second_customer(owner: asyncpg.Connection, home: Tenant) -> Tenant:
    """The same workspace seen with another of its customers, who gets an administrator."""
    query = "select id from party where tenant_id = $1 and is_customer and id <> $2 order by name limit 1"
    party_id, member_id = await owner.fetchval(query, home.id, home.customer.party_id), uuid7()
    async with unit_of_work(home.factory) as session:
        session.add(make_member(home.id, party_id, member_id, Role.PARTNER_ADMIN))
    customer = Actor(home.id, party_id, Scope.PARTNER, Role.PARTNER_ADMIN, member_id, "Bea", time_zone=ZONE)
    return replace(home, customer=customer)


async def demo_contract(home: Tenant, company: Actor) -> Made:
    """The weekly contract of the demo with this company, with its history."""
    async with unit_of_work(home.factory) as session:
        mine = select(Contract).where(Contract.tenant_id == home.id, Contract.party_id == company.party_id)
        weekly = mine.where(col(Contract.number).like("_C-%"), Contract.status == ContractStatus.ACTIVE)
        contract = (await session.exec(weekly)).one()
        lines = select(ContractLine).where(ContractLine.contract_id == contract.id).order_by(col(ContractLine.line_no))
        return Made(contract, list((await session.exec(lines)).all()))


async def build_world(settings: Settings) -> World:
    """The demo with two of its customers and its supplier, and another workspace."""
    owner_url = str(settings.database_url)
    owner = await asyncpg.connect(asyncpg_dsn(owner_url))
    await seed(owner_url)
    await analyze(owner_url)
    system = await find_tenant(owner_url, SOURCE)
    assert system is not None
    # What a supplier asks is decided by the buyer where there is one. Here an administrator sends the requests.
    await owner.execute(
        "update member set status = 'removed' where tenant_id = $1 and role = 'buyer'", system.tenant_id
    )
    home = await demo_companies(owner, system.tenant_id)
    rival, elsewhere = await second_customer(owner, home), await make_tenant(owner_url)
    companies = dict.fromkeys((Place.A, Place.A_OTHER, Place.C, Place.FACTORY), home)
    companies |= {Place.B: rival, Place.ELSEWHERE: elsewhere}
    world = World(settings, create_app(settings), owner, companies, {})
    world.password_hash = await passwords.hashed(PASSWORD)
    world.contracts[Place.A] = await demo_contract(home, home.customer)
    world.contracts[Place.C] = await demo_contract(home, home.supplier)
    for place in (Place.A_OTHER, Place.B, Place.ELSEWHERE):
        number = f"{CANARY}-{uuid7().hex[-10:]}"
        world.contracts[place] = await make_contract(companies[place], world.direction(place), number=number)
    for place in world.contracts:
        world.names[place] = await _named(world, place)
    await people_of(world)
    return world


async def people_of(world: World) -> None:
    """Everybody who sends requests: by browser, and the same as programs with keys."""
    home, elsewhere = world.companies[Place.A], world.companies[Place.ELSEWHERE]
    rival = world.companies[Place.B]
    a, b, c = home.customer, rival.customer, home.supplier
    only_one = [world.contracts[Place.A].contract.id]
    world.browsers = [
        Principal("nobody"),
        await world.hire("factory admin", home.factory, Role.ADMIN),
        await world.hire("factory viewer", home.factory, Role.VIEWER),
        await world.hire("customer A", a, Role.PARTNER_ADMIN),
        await world.hire("customer B", b, Role.PARTNER_ADMIN),
        await world.hire("supplier C", c, Role.PARTNER_ADMIN),
        await world.hire("restricted clerk of A", a, Role.CLERK, only_one),
        await world.hire("admin of another workspace", elsewhere.factory, Role.ADMIN),
    ]
    world.programs = [
        Principal("no key"),
        await world.program("factory admin's key", home.factory, Role.ADMIN),
        await world.program("factory viewer's key", home.factory, Role.VIEWER),
        await world.program("customer A's key", a, Role.PARTNER_ADMIN),
        await world.program("customer B's key", b, Role.PARTNER_ADMIN),
        await world.program("supplier C's key", c, Role.PARTNER_ADMIN),
        await world.program("customer A's key for reading", a, Role.PARTNER_ADMIN, Permission.READ),
        await world.program("key of another workspace", elsewhere.factory, Role.ADMIN),
    ]
