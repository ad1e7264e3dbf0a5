"""Notices over the interface: how people want to be told, and the log of every send and press."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, put
from litestar.di import NamedDependency
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import ChatDetail
from portal.core import paging
from portal.core.actor import Actor
from portal.core.db import read
from portal.notices import reads, rules, service_preferences
from portal.notices.model import Choice, Kind, Preference
from portal.notices.reads import LogFilter, LogRow, View
from portal.notices.service_preferences import SetChatDetail, SetPreferences
from portal.parameters import FromPath, FromQuery, JSONBody


class PreferencesOut(Struct):
    """How one person wants to be told, every kind with what holds for it."""

    member_id: UUID
    digest_at: str
    quiet_from: str
    quiet_to: str
    kinds: dict[Kind, Choice]
    channels: list[str]
    deputy_id: UUID | None
    evening_summary: bool
    wake_for_line_stop: bool
    phone: str
    version: int


class ChatDetailOut(Struct):
    """How much a message may say that leaves the house."""

    chat_detail: ChatDetail


def preferences_answer(found: Preference) -> Response[PreferencesOut]:
    """The choices with their ETag."""
    wishes = rules.Wishes(kinds=found.kinds, channels=found.channels, evening_summary=found.evening_summary)
    body = PreferencesOut(
        found.member_id,
        rules.clock_time(found.digest_at),
        rules.clock_time(found.quiet_from),
        rules.clock_time(found.quiet_to),
        {kind: rules.choice(wishes, kind) for kind in Kind},
        rules.ordered(service_preferences.CHANNELS, wishes),
        found.deputy_id,
        found.evening_summary,
        found.wake_for_line_stop,
        found.phone,
        found.version,
    )
    return Response(body, headers={"ETag": f'"{found.version}"'})


class PreferencesController(Controller):
    path = "/members/{member_id:uuid}/notifications"
    tags = ("Notices",)

    @get()
    async def get_preferences(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], member_id: FromPath[UUID]
    ) -> Response[PreferencesOut]:
        """How a person of the own company wants to be told. Version 0: nothing was chosen, the defaults hold."""
        return preferences_answer(await service_preferences.get_preference(session, actor, member_id))

    @put()
    async def set_preferences(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        member_id: FromPath[UUID],
        expected: NamedDependency[int],
        data: JSONBody[SetPreferences],
    ) -> Response[PreferencesOut]:
        """Choose for a person of the own company: `{"digest_at": "08:00", "kinds": {"confirmed": "off"}}`."""
        return preferences_answer(await service_preferences.set_preferences(session, actor, member_id, expected, data))


class MessageController(Controller):
    path = "/messages"
    tags = ("Notices",)

    @get()
    async def list_messages(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        view: FromQuery[View] = View.ALL,
        member: FromQuery[str] = "",
        channel: FromQuery[str] = "",
        object_id: FromQuery[UUID | None] = None,
        since: FromQuery[date | None] = None,
        until: FromQuery[date | None] = None,
    ) -> paging.PageOf[LogRow]:
        """Every message that was sent and every button that was pressed, newest first."""
        paging.check_limit(limit)
        after = paging.decode(cursor, UUID)[0] if cursor else None
        wanted = LogFilter(view, member, channel, since, until, object_id)
        async with read(actor) as connection:
            rows = await reads.list_log(connection, actor, wanted, after, limit)
        more = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)


class ChatDetailController(Controller):
    path = "/chat-detail"
    tags = ("Notices",)

    @get()
    async def get_detail(self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]) -> ChatDetailOut:
        """How much a message to a chat service outside of the portal may say: `full` or `number_only`."""
        return ChatDetailOut(await service_preferences.chat_detail(session, actor))

    @put()
    async def set_detail(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[SetChatDetail]
    ) -> ChatDetailOut:
        """Decide it for the workspace; for the factory's administrators: `{"chat_detail": "number_only"}`."""
        return ChatDetailOut((await service_preferences.set_chat_detail(session, actor, data)).chat_detail)


ROUTES: list[Any] = [PreferencesController, MessageController, ChatDetailController]
