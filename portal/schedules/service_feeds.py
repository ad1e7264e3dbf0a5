"""Calendar feeds: a member makes, revokes and reads the own ones; an administrator those of a colleague."""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

from pydantic import Field
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import calendar_links
from portal.accounts.actors import Place
from portal.accounts.model import Member, MemberStatus
from portal.accounts.model_calendars import CalendarFeed
from portal.contracts.service import get_contract
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_, _, speaking
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, record
from portal.core.settings import get_settings
from portal.schedules import feed, reads_feed
from portal.schedules.reads_feed import FeedRow

logger = logging.getLogger(__name__)
MOST = 20  # living feeds of one person
SEEN_EVERY = timedelta(minutes=5)  # calendars ask often; the last use is noted that coarsely


class TooManyFeeds(Conflict):
    code = "too-many-feeds"
    text = N_("One person has at most {most} calendar feeds. Revoke one that is not used any more.")


class NewFeed(Input):
    """A calendar feed: of everything that its person may see, or of one contract."""

    name: str = Field(min_length=1, max_length=120, description="which calendar uses it", examples=["Phone"])
    contract_id: UUID | None = Field(default=None, description="only this contract's deliveries")


async def list_feeds(
    session: AsyncSession, actor: Actor, member_id: UUID, feed_id: UUID | None = None
) -> list[FeedRow]:
    """The feeds of a person of the own company. NotFound for somebody of another one."""
    await _person(session, actor, member_id)
    return await reads_feed.feeds(await db.driver(session), actor, member_id, feed_id)


async def make_feed(session: AsyncSession, actor: Actor, member_id: UUID, data: NewFeed) -> tuple[CalendarFeed, str]:
    """A feed and its address, which nobody can see again."""
    await _person(session, actor, member_id)
    if data.contract_id is not None:
        await get_contract(session, actor, data.contract_id)
    living = select(func.count()).where(
        CalendarFeed.tenant_id == actor.tenant_id,
        CalendarFeed.member_id == member_id,
        col(CalendarFeed.revoked_at).is_(None),
    )
    if (await session.exec(living)).one() >= MOST:
        raise TooManyFeeds(most=MOST)
    made = CalendarFeed(
        tenant_id=actor.tenant_id, party_id=actor.party_id, id=uuid7(), member_id=member_id, name=data.name,
        contract_id=data.contract_id, created_at=clock.now(),
    )  # fmt: skip
    # Written first, in its own transaction: a secret without a living feed opens nothing.
    place = Place(actor.tenant_id, actor.party_id, actor.scope, member_id)
    secret = await calendar_links.register(place, made.id)
    session.add(made)
    record(session, actor, _subject(made), "created", member=member_id, contract_id=data.contract_id)
    logger.info("calendar feed made", extra={"feed_id": str(made.id)})
    return made, f"{get_settings().base_url}/calendar/{secret}.ics"


async def revoke_feed(session: AsyncSession, actor: Actor, member_id: UUID, feed_id: UUID) -> CalendarFeed:
    """End a feed: its address answers nothing from now on. Twice changes nothing."""
    await _person(session, actor, member_id)
    query = select(CalendarFeed).where(
        CalendarFeed.tenant_id == actor.tenant_id,
        CalendarFeed.party_id == actor.party_id,
        CalendarFeed.member_id == member_id,
        CalendarFeed.id == feed_id,
    )
    found = (await session.exec(query.with_for_update())).one_or_none()
    if found is None:
        raise NotFound
    if found.revoked_at is None:
        found.revoked_at = clock.now()
        session.add(found)
        record(session, actor, _subject(found), "revoked", member=member_id)
    return found


async def _person(session: AsyncSession, actor: Actor, member_id: UUID) -> None:
    """Oneself, or a living colleague where the actor manages people. Raises Forbidden or NotFound."""
    actor.require(Permission.READ)
    if member_id != actor.member_id:
        actor.require(Permission.MANAGE_PEOPLE)
    query = select(Member.id).where(
        Member.tenant_id == actor.tenant_id,
        Member.party_id == actor.party_id,
        Member.id == member_id,
        Member.status == MemberStatus.ACTIVE,
    )
    if (await session.exec(query)).one_or_none() is None:
        raise NotFound


def _subject(found: CalendarFeed) -> Subject:
    return Subject("calendar_feed", found.id, found.party_id, shared=False)


_USED = """
update calendar_feed set used_at = $4
where tenant_id = $1 and id = $2 and revoked_at is null and (used_at is null or used_at < $3)"""
_FEED = """
select f.name, f.contract_id, t.name as workspace from calendar_feed f join tenant t on t.tenant_id = f.tenant_id
where f.tenant_id = $1 and f.id = $2 and f.member_id = $3 and f.revoked_at is null"""


async def calendar_of(secret: str) -> bytes:
    """The calendar that a secret address opens, as its person may see it now. NotFound for every other address."""
    found = await calendar_links.opened(secret)
    if found is None or not found.actor.may(Permission.READ):
        raise NotFound
    actor, now = found.actor, clock.now()
    async with unit_of_work(actor) as session:
        connection = await db.driver(session)
        row = await connection.fetchrow(_FEED, actor.tenant_id, found.feed_id, actor.member_id)
        if row is None:
            raise NotFound
        await connection.execute(_USED, actor.tenant_id, found.feed_id, now - SEEN_EVERY, now)
        today = local_today(now, actor.time_zone)
        lines = await reads_feed.feed_lines(connection, actor, row["contract_id"], today)
    with speaking(actor.language):
        name = _("Deliveries · {workspace}").format(workspace=row["workspace"])
        return await asyncio.to_thread(feed.calendar, name, lines, actor, get_settings().base_url)
