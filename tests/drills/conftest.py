"""One house with the demo in it, and the test's own pools pointing there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP

from portal.accounts.service_companies import find_tenant
from portal.accounts.service_keys import CreateKey, create_key
from portal.core import db
from portal.core.access import Permission, Role
from portal.core.actor import Actor, Scope
from portal.core.ids import uuid7
from portal.core.roles import ensure_roles
from portal.core.settings import Settings
from portal.demo.seed import seed
from portal.sync.scms_file import SOURCE
from tests.drills.house import DATABASE, House, house
from tests.factories import fetch, make_member
from tests.notices.test_mail import Box

LINES = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A delivery that takes tens of thousands of part confirmations, as it was before the drill."""

    id: UUID
    version: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Stage:
    """What a drill works on: the demo, one of its suppliers with a key, and that supplier's largest open lines."""

    house: House
    factory: Actor
    supplier: Actor
    key: str
    lines: list[Line]


@pytest.fixture(scope="session")
async def letterbox() -> AsyncIterator[Box]:
    """A mail server that keeps what it is given."""
    found = Box(takes=0.05)  # so that a kill meets messages under way
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(found), "127.0.0.1", 0)
    found.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield found
    server.close()


@pytest.fixture(scope="session")
async def demo(database: Settings, letterbox: Box) -> AsyncIterator[tuple[House, Actor]]:
    """An open house with the demo's eight thousand deliveries, for all drills of this process."""
    with house(letterbox.url) as built:
        settings = built.settings
        await ensure_roles(built.postgres.superuser_url, DATABASE, built.postgres.role_passwords())
        await db.migrate(str(settings.database_url))
        built.start("worker")
        built.start("web")
        async with pools(settings, database):
            await seed(str(settings.database_url))
            factory = await find_tenant(str(settings.database_url), SOURCE)
        assert factory is not None
        built.wait(built.ready, "the web server does not answer")
        yield built, factory


@pytest.fixture
async def stage(demo: tuple[House, Actor], database: Settings) -> AsyncIterator[Stage]:
    """The demo with a supplier who has not acted before, and the test's own pools pointing there."""
    built, factory = demo
    async with pools(built.settings, database):
        supplier, lines = await largest(factory)
        yield Stage(
            built, factory, supplier, await make_key(supplier, Permission.READ, Permission.CONFIRM_LINES), lines
        )


@asynccontextmanager
async def pools(settings: Settings, afterwards: Settings) -> AsyncIterator[None]:
    """The pools of this process point elsewhere inside the block."""
    await db.dispose()
    db.configure(settings)
    try:
        yield
    finally:
        await db.dispose()
        db.configure(afterwards)


_LARGEST = """
select l.party_id, array_agg(l.id order by l.ordered_quantity desc) as ids
from schedule_line l join contract c on c.tenant_id = l.tenant_id and c.id = l.contract_id
where l.tenant_id = $1 and c.direction = 'purchase' and l.status in ('published', 'proposed')
    and l.party_id not in (select party_id from api_key)
group by 1 having count(*) >= $2
order by (array_agg(l.ordered_quantity order by l.ordered_quantity desc))[$2] desc limit 1"""
_LINES = "select id, version, confirmed_quantity from schedule_line where tenant_id = $1 and id = any($2) order by id"


async def largest(factory: Actor) -> tuple[Actor, list[Line]]:
    """The supplier with the eight largest open lines, and those lines."""
    (row,) = await fetch(factory, _LARGEST, factory.tenant_id, LINES)
    member = make_member(factory.tenant_id, row["party_id"], uuid7(), Role.PARTNER_ADMIN)
    async with db.unit_of_work(factory) as session:
        session.add(member)
    supplier = Actor(factory.tenant_id, row["party_id"], Scope.PARTNER, member.role, member.id, member.name)
    lines = await fetch(supplier, _LINES, factory.tenant_id, row["ids"][:LINES])
    return supplier, [Line(line["id"], line["version"], int(line["confirmed_quantity"])) for line in lines]


async def make_key(actor: Actor, *scopes: Permission) -> str:
    """A key for this and nothing else."""
    async with db.unit_of_work(actor) as session:
        _, token = await create_key(session, actor, CreateKey(name="drill", scopes=list(scopes)))
    return token
