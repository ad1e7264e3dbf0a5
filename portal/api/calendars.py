"""Calendar feeds over the interface: which are there, a new one with its address, and ending one."""

from datetime import datetime
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import idempotency
from portal.core.actor import Actor
from portal.parameters import FromPath, JSONBody
from portal.schedules import service_feeds
from portal.schedules.reads_feed import FeedRow


class FeedMade(Struct):
    """A feed that was just made. The address is here once and never again, not even for the same Idempotency-Key."""

    id: UUID
    name: str
    contract_id: UUID | None
    created_at: datetime
    address: str | UnsetType = UNSET


class CalendarController(Controller):
    path = "/members/{member_id:uuid}/calendar-feeds"
    tags = ("Access",)

    @get()
    async def list_feeds(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], member_id: FromPath[UUID]
    ) -> list[FeedRow]:
        """The calendar feeds of a person of the own company, the newest first, ended ones too; without addresses."""
        return await service_feeds.list_feeds(session, actor, member_id)

    @post(status_code=HTTP_201_CREATED)
    async def make_feed(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        member_id: FromPath[UUID],
        data: JSONBody[service_feeds.NewFeed],
    ) -> FeedMade:
        """Make a feed that reads as this person: `{"name": "Phone"}`. Its address opens an iCalendar file of the
        deliveries without signing in, and is in this answer only."""
        made, address = await service_feeds.make_feed(session, actor, member_id, data)
        kept = FeedMade(made.id, made.name, made.contract_id, made.created_at)
        idempotency.answer_without_secret(HTTP_201_CREATED, kept)
        return replace(kept, address=address)

    @delete("/{feed_id:uuid}", status_code=HTTP_204_NO_CONTENT)
    async def revoke_feed(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        member_id: FromPath[UUID],
        feed_id: FromPath[UUID],
    ) -> None:
        """End a feed; its address answers 404 from now on."""
        await service_feeds.revoke_feed(session, actor, member_id, feed_id)


ROUTES: list[type[Controller]] = [CalendarController]
