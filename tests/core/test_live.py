"""Open pages hear what concerns their company and their contracts, lose nothing, and cost nothing while they wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import UUID

import asyncpg

from portal.accounts import identity
from portal.core import db, journal, live, news
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.ids import uuid7
from portal.core.journal import Bell, Subject, record
from portal.core.settings import Settings
from portal.web import live as web_live
from tests.accounts.makers import make_person, signed
from tests.factories import Tenant

PATIENCE = 10  # seconds


async def yes() -> bool:
    return True


@asynccontextmanager
async def bells(database: Settings) -> AsyncIterator[None]:
    """Bells go out to PostgreSQL and come back, as between two processes."""
    dsn = str(database.database_direct_url)
    ready = asyncio.Event()
    tasks = [asyncio.create_task(live.ringer(dsn)), asyncio.create_task(live.listen(dsn))]
    probe = Bell(uuid7(), uuid7(), None)
    async with live.subscribed(Actor.system(probe.tenant_id, probe.party_id)) as queue:
        async with asyncio.timeout(PATIENCE):
            while not ready.is_set():
                await live.collect({probe})
                with suppress(TimeoutError):
                    await asyncio.wait_for(queue.get(), 0.1)
                    ready.set()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


class OpenPage:
    """A page that collects what it is told."""

    def __init__(self, actor: Actor, last: UUID | None = None, heartbeat: float = 60.0) -> None:
        self.heard: list[UUID] = []
        self.looks = 0
        self._news = news.follow(actor, last, yes, heartbeat)
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for found in self._news:
            self.looks += 1
            self.heard += [entry.subject_id for entry in found]

    async def hears(self, *subjects: UUID) -> None:
        """Wait until it was told of these documents."""
        async with asyncio.timeout(PATIENCE):
            while not set(subjects) <= set(self.heard):  # noqa: ASYNC110 - polling keeps the page itself simple
                await asyncio.sleep(0.01)

    async def open(self) -> "OpenPage":
        async with asyncio.timeout(PATIENCE):
            while not self.looks:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return self

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


async def ends(stream: AsyncIterator[object]) -> None:
    """The stream has at most a few messages left, then it is over."""
    async with asyncio.timeout(PATIENCE):
        async for _ in stream:
            continue


async def do(actor: Actor, party: Actor, contract: UUID | None = None) -> UUID:
    """Something happens to a document shared with one company."""
    document = uuid7()
    async with db.unit_of_work(actor) as session:
        record(session, actor, Subject("schedule_line", document, party.party_id, 1, contract), "confirmed")
    return document


async def test_the_factory_hears_everybody_and_each_partner_only_itself(database: Settings, tenant: Tenant) -> None:
    async with bells(database):
        pages = [await OpenPage(actor).open() for actor in (tenant.factory, tenant.customer, tenant.supplier)]
        bought = await do(tenant.factory, tenant.supplier)
        sold = await do(tenant.customer, tenant.customer)
        factory, customer, supplier = pages
        await factory.hears(bought, sold)
        await customer.hears(sold)
        await supplier.hears(bought)
        for page in pages:
            await page.close()

    assert (set(customer.heard), set(supplier.heard)) == ({sold}, {bought})


async def test_a_restricted_colleague_hears_only_of_their_contracts(database: Settings, tenant: Tenant) -> None:
    mine, other = uuid7(), uuid7()
    restricted = replace(tenant.supplier, contract_ids=frozenset({mine}))
    async with bells(database):
        page = await OpenPage(restricted).open()
        foreign = [await do(tenant.factory, tenant.supplier, contract) for contract in (other, None)]
        own = await do(tenant.factory, tenant.supplier, mine)
        await page.hears(own)
        await page.close()

    assert page.heard == [own]
    assert foreign[0] not in page.heard


async def test_a_lost_stream_goes_on_where_it_ended(tenant: Tenant) -> None:
    first, second = await do(tenant.factory, tenant.supplier), await do(tenant.factory, tenant.supplier)
    entries = await news.since(tenant.supplier, UUID(int=0))
    heard_first = next(entry.id for entry in entries if entry.subject_id == first)

    page = await OpenPage(tenant.supplier, last=heard_first).open()
    await page.close()

    assert second in page.heard


async def test_a_commit_that_trails_its_ids_is_still_heard_and_only_once(database: Settings, tenant: Tenant) -> None:
    async with bells(database):
        page = await OpenPage(tenant.supplier).open()
        late = uuid7()
        async with db.unit_of_work(tenant.factory) as session:
            subject = Subject("schedule_line", late, tenant.supplier.party_id)
            record(session, tenant.factory, subject, "confirmed")
            pending = await journal.write(session)  # its id is made now
            quick = await do(tenant.factory, tenant.supplier)
            await page.hears(quick)
        await journal.ring(pending)
        await page.hears(late)
        await page.close()

    assert sorted(page.heard) == sorted({late, quick})


async def test_a_burst_is_told_in_few_looks(database: Settings, tenant: Tenant) -> None:
    async with bells(database):
        page = await OpenPage(tenant.factory).open()
        done = [await do(tenant.supplier, tenant.supplier) for _ in range(60)]
        await page.hears(*done)
        await page.close()

    assert sorted(page.heard) == sorted(done)
    assert page.looks < 40


async def test_waiting_pages_hold_no_database_connection(database: Settings, tenant: Tenant) -> None:
    pages = [await OpenPage(actor).open() for actor in (tenant.factory, tenant.supplier) for _ in range(30)]
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in range(20):  # more than each pool has connections, one after another and all at once
                await asyncio.gather(*(news.since(tenant.supplier, uuid7()) for _ in range(8)))
        assert sum(page.looks for page in pages) == 60
    finally:
        for page in pages:
            await page.close()


async def test_a_page_that_falls_behind_is_closed(tenant: Tenant) -> None:
    stream = news.follow(tenant.supplier, None, yes)
    await anext(stream)
    for _ in range(live.QUEUE + 5):
        live.deliver(Bell(tenant.id, tenant.supplier.party_id, None))

    await ends(stream)


async def test_a_lost_bell_is_made_good_at_the_next_heartbeat(tenant: Tenant) -> None:
    """Nobody rings here: no listener runs."""
    page = await OpenPage(tenant.supplier, heartbeat=0.1).open()
    unheard = await do(tenant.factory, tenant.supplier)

    await page.hears(unheard)
    await page.close()


async def test_bells_that_do_not_fit_one_notification_are_split(database: Settings) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(db.asyncpg_dsn(str(database.database_direct_url)))
    try:
        await listener.add_listener(live.CHANNEL, lambda *said: heard.append(str(said[3])))
        many = {Bell(uuid7(), uuid7(), uuid7()) for _ in range(150)}
        async with bells(database):
            await live.collect(many)
            async with asyncio.timeout(PATIENCE):
                while not many <= _bells(heard):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
    finally:
        await listener.close()
    assert max(len(text) for text in heard) < 8_000


def _bells(texts: list[str]) -> set[Bell]:
    words = [line.split(" ") for text in texts for line in text.splitlines()]
    return {Bell(UUID(t), UUID(p), UUID(c) if c else None) for t, p, c in words}


# --- the page's stream ------------------------------------------------------------------------------------------------


async def test_events_are_named_after_what_changed_and_carry_ids_only(tenant: Tenant) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    line = await do(tenant.factory, tenant.supplier)
    stream = web_live.events(await signed(person), person.token, None)

    message = await anext(stream)

    assert (message.event, message.data) == ("lines", f'["{line}"]')
    (newest, *_) = await news.since(person.actor, UUID(int=0))
    assert message.id == str(newest.id)
    await stream.aclose()


async def test_the_stream_ends_when_the_session_does(tenant: Tenant) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    stream = web_live.events(await signed(person), person.token, None, heartbeat=0.05)
    assert (await anext(stream)).comment

    await identity.sign_out(person.token)

    await ends(stream)


async def test_the_stream_ends_when_the_rights_change(tenant: Tenant) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    browser = await signed(person)
    assert browser.actor is not None
    former = replace(browser, actor=replace(browser.actor, role=Role.PARTNER_ADMIN))
    stream = web_live.events(former, person.token, None, heartbeat=0.05)

    await ends(stream)
