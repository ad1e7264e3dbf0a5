"""What the tests of notices share: mail that is set up, and a worker's steps taken by hand."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest

from jobs import notices
from jobs.outbox import Tenant as Place
from jobs.sending import Sender
from jobs.subscribers import Occurrence
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.journal import Event
from portal.core.settings import Settings, get_settings, variable
from portal.notices.happenings import READERS
from portal.notices.pacing import Pacer
from portal.notices.service_reminding import parties, remind
from tests.factories import Tenant, fetch
from tests.notices.channel import MemoryChat

ALWAYS = {"quiet_from": 0, "quiet_to": 0}  # no quiet hours, so that a test does not depend on the time of day


@pytest.fixture
def mailing(database: Settings) -> Iterator[None]:
    """A portal with a mail server, which no test of this fixture speaks to."""
    given = {"smtp_url": "smtp://127.0.0.1:1", "mail_from": "Calloff <portal@example.com>"}
    os.environ.update({variable(name): value for name, value in given.items()})
    get_settings.cache_clear()
    yield
    for name in given:
        os.environ[variable(name)] = getattr(database, name) or ""
    get_settings.cache_clear()


@dataclass(slots=True)
class Post:
    """One workspace, its worker's steps, and the chat that its people read."""

    tenant: Tenant
    chat: MemoryChat

    async def awake(self, *actors: Actor, **wishes: object) -> None:
        """These people have no quiet hours, on no day; other wishes as given."""
        for actor in actors:
            async with db.unit_of_work(actor) as session:
                connection = await db.driver(session)
                await connection.execute(
                    "insert into preference (tenant_id, id, party_id, member_id, digest_at, quiet_from, quiet_to,"
                    " kinds, channels, deputy_id, evening_summary, wake_for_line_stop, version)"
                    " values ($1, gen_random_uuid(), $2, $3, $4, 0, 0, $5, '{}', $6, true, false, 1)"
                    " on conflict (tenant_id, party_id, member_id)"
                    " do update set kinds = excluded.kinds, deputy_id = excluded.deputy_id",
                    *(actor.tenant_id, actor.party_id, actor.member_id, wishes.get("digest_at", 480)),
                    *(db.to_json(wishes.get("kinds", {})), wishes.get("deputy_id")),
                )
        await self.work_every_day()

    async def work_every_day(self) -> None:
        """Every company works on every day, so that a test passes on Sundays too."""
        async with db.unit_of_work(self.tenant.factory) as session:
            connection = await db.driver(session)
            for actor in (self.tenant.factory, self.tenant.customer, self.tenant.supplier):
                await connection.execute(
                    "insert into site (tenant_id, id, party_id, code, name, country, address, time_zone, weekdays,"
                    " version) values ($1, gen_random_uuid(), $2, 'HERE', 'Here', '', '', 'Asia/Shanghai',"
                    " '{0,1,2,3,4,5,6}', 1) on conflict do nothing",
                    *(actor.tenant_id, actor.party_id),
                )

    async def happen(self) -> int:
        """Plan what every event so far means; events that were planned before plan nothing more."""
        rows = await fetch(
            self.tenant.factory,
            "select id, name, data, party_id, member_id, created_at from outbox where tenant_id = $1 order by id",
            self.tenant.id,
        )
        for row in rows:
            kind = Event.all[row["name"]]
            event = kind(**{name: UUID(value) for name, value in row["data"].items()})
            occurrence = Occurrence(row["id"], row["party_id"], row["member_id"], row["created_at"], event)
            if kind in READERS:
                await notices.tell(self.system, occurrence)
        return len(rows)

    async def time_passes(self, now: datetime | None = None) -> int:
        """Plan what is due at an instant; what it planned for that instant may leave, whatever the clock says now."""
        planned, now = 0, now or clock.now()
        for scope, party_id in await parties(self.system):
            planned += await remind(self.system, scope, party_id, now)
        async with db.unit_of_work(self.tenant.factory) as session:
            await (await db.driver(session)).execute(
                "update dispatch set next_try = now() where tenant_id = $1 and state = 'waiting' and next_try = $2",
                *(self.tenant.id, now),
            )
        return planned

    async def deliver(self, until: datetime | None = None) -> None:
        """Send everything that is due now, or by an hour that this day may not have reached, with retries at once."""
        if until is not None:
            async with db.unit_of_work(self.tenant.factory) as session:
                await (await db.driver(session)).execute(
                    "update dispatch set next_try = least(next_try, now())"
                    " where tenant_id = $1 and state = 'waiting' and next_try <= $2",
                    *(self.tenant.id, until),
                )
        pacer = Pacer(None)
        sender = Sender({self.chat.name: self.chat}, pacer)
        while await sender.round(self.place):
            await sender.idle()
        await pacer.close()

    async def pass_on(self) -> None:
        """Plan and send."""
        await self.happen()
        await self.deliver()

    @property
    def place(self) -> Place:
        return Place(self.tenant.id, self.tenant.factory.party_id)

    @property
    def system(self) -> Actor:
        return self.place.system

    def read(self, actor: Actor) -> list[str]:
        """The titles of what this person's chat shows now."""
        assert actor.member_id is not None
        return [message.card.title for message in self.chat.of(f"{actor.member_id.hex}@example.com")]


@pytest.fixture
def post(tenant: Tenant, mailing: None) -> Post:
    return Post(tenant, MemoryChat())
