"""Messages through kills: none is lost between an event and the mail about it, and few come twice."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobs.sending import AT_ONCE
from portal.core import db
from portal.core.access import Role
from portal.core.ids import uuid7
from portal.notices.model import Kind
from tests.drills.conftest import Stage
from tests.factories import fetch, make_member
from tests.notices.test_mail import Box

PATIENCE = 60.0
NOTICES = """
select n.key, n.status, d.state, d.attempts from notice n
left join dispatch d on d.tenant_id = n.tenant_id and d.notice_id = n.id
where n.tenant_id = $1 and n.member_id = $2 and n.kind = $3"""
TOLD = """
select o.id from outbox o
where o.tenant_id = $1 and o.name = 'LineConfirmed' and o.party_id = $2 and o.created_at >= $3"""
PREFERENCE = """
insert into preference (tenant_id, id, party_id, member_id, digest_at, quiet_from, quiet_to, kinds, channels,
    evening_summary, wake_for_line_stop, version)
values ($1, $2, $3, $4, 480, 0, 0, $5, '{}', false, false, 1)"""
SITE = """
insert into site (tenant_id, id, party_id, code, name, country, address, time_zone, weekdays, version)
values ($1, $2, $3, '!', 'Always open', '', '', 'UTC', '{0,1,2,3,4,5,6}', 1) on conflict do nothing"""


@dataclass(frozen=True, slots=True)
class Ear:
    """Somebody who hears of every confirmation at once, at any hour."""

    member_id: UUID
    address: str
    since: datetime


async def listen(stage: Stage) -> Ear:
    """A new planner of the factory, without quiet hours."""
    factory = stage.factory
    member = make_member(factory.tenant_id, factory.party_id, uuid7(), Role.PLANNER)
    async with db.unit_of_work(factory) as session:
        session.add(member)
        await session.flush()
        connection = await db.driver(session)
        await connection.execute(SITE, factory.tenant_id, uuid7(), factory.party_id)
        kinds = db.to_json({Kind.CONFIRMED: "at_once", Kind.DIGEST: "off"})
        await connection.execute(PREFERENCE, factory.tenant_id, uuid7(), factory.party_id, member.id, kinds)
    ((since,),) = await fetch(factory, "select now()")
    return Ear(member.id, member.email, since)


async def told(stage: Stage, member_id: UUID) -> list[dict[str, object]]:
    """Wait until everything that was planned has left, as long as more leaves; what was planned, then."""
    sent, deadline = 0, time.monotonic() + PATIENCE
    while True:
        rows = [
            dict(row) for row in await fetch(stage.factory, NOTICES, stage.factory.tenant_id, member_id, "confirmed")
        ]
        if all(row["state"] == "sent" for row in rows):
            return rows
        if (left := sum(row["state"] == "sent" for row in rows)) > sent:
            sent, deadline = left, time.monotonic() + PATIENCE
        assert time.monotonic() < deadline, f"{Counter(row['state'] for row in rows)}\n{stage.house.said('worker')}"
        await make_due(stage)
        await asyncio.sleep(0.1)


async def make_due(stage: Stage) -> None:
    """A killed worker's claims lapse now instead of in a minute."""
    async with db.unit_of_work(stage.factory) as session:
        await (await db.driver(session)).execute(
            "update dispatch set next_try = now() where tenant_id = $1 and state = 'waiting' and attempts > 0"
            " and next_try > now() + interval '5 s' and next_try < now() + interval '55 s'",
            stage.factory.tenant_id,
        )


async def prove_told(stage: Stage, box: Box, ear: Ear, kills: int) -> None:
    """Each event since `ear` began to listen is told at least once; a kill repeats at most what was under way."""
    rows = await told(stage, ear.member_id)
    happened = await fetch(stage.factory, TOLD, stage.factory.tenant_id, stage.supplier.party_id, ear.since)
    events = {f"{Kind.CONFIRMED}:{row['id']}" for row in happened}
    mails = [m for m in box.messages if m["To"] == ear.address and m["Subject"].startswith("A delivery was confirmed")]

    assert events
    assert len([row for row in rows if row["key"] in events]) == len(events)  # each was planned once
    assert {row["status"] for row in rows} == {"sent"}
    repeated = len(mails) - len(rows)
    assert 0 <= repeated <= kills * AT_ONCE
    assert repeated <= sum(int(str(row["attempts"])) - 1 for row in rows)  # only what was begun again
    assert all(message["Message-ID"] for message in mails)
