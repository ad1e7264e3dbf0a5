"""How a person wants to be told: their own choice, or an administrator's for a colleague of the same company.

And the workspace's own choice of how much a message may say that leaves the house.
"""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import ChatDetail, Member, MemberStatus, Tenant
from portal.accounts.service_tenant import decide
from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.inputs import Input
from portal.core.journal import Subject, record
from portal.core.versions import check_version
from portal.notices import rules
from portal.notices.model import Choice, Kind, Preference

logger = logging.getLogger(__name__)
CHANNELS = rules.USUAL


class SetPreferences(Input):
    """Everything that a person can choose. Kinds that are left out keep their default."""

    digest_at: str = Field(
        default="08:00", max_length=12, description="When the daily summary comes", examples=["08:00"]
    )
    quiet_from: str = Field(
        default="20:00", max_length=12, description="From then on messages wait", examples=["20:00"]
    )
    quiet_to: str = Field(default="07:30", max_length=12, description="Until then", examples=["07:30"])
    kinds: dict[Kind, Choice] = Field(default={}, examples=[{"confirmed": "digest", "rejected": "at_once"}])
    channels: list[str] = Field(default=[], max_length=8, description="The order in which ways are tried")
    deputy_id: UUID | None = Field(default=None, description="A colleague who is asked when there is no answer")
    evening_summary: bool = Field(default=True, description="Every evening: what you agreed today")
    wake_for_line_stop: bool = Field(default=False, description="A line stop may come in quiet hours")
    phone: str = Field(
        default="", max_length=40, description="For colleagues who stand in", examples=["+86 21 5555 0123"]
    )


class SetChatDetail(Input):
    """How much a message may say that goes to a chat service outside of this portal."""

    chat_detail: ChatDetail


async def get_preference(session: AsyncSession, actor: Actor, member_id: UUID) -> Preference:
    """A person's choices, or the defaults as version 0. NotFound for somebody of another company or who left."""
    if member_id != actor.member_id:
        actor.require(Permission.MANAGE_PEOPLE)
    await _active(session, actor, member_id)
    query = select(Preference).where(
        Preference.tenant_id == actor.tenant_id,
        Preference.party_id == actor.party_id,
        Preference.member_id == member_id,
    )
    found = (await session.exec(query)).one_or_none()
    if found is not None:
        return found
    return Preference(tenant_id=actor.tenant_id, party_id=actor.party_id, member_id=member_id, version=0)


async def _active(session: AsyncSession, actor: Actor, member_id: UUID) -> Member:
    """An active person of the actor's own company. The lock lets one of several writers of their choices through."""
    query = select(Member).where(
        Member.tenant_id == actor.tenant_id,
        Member.party_id == actor.party_id,
        Member.id == member_id,
        Member.status == MemberStatus.ACTIVE,
    )
    member = (await session.exec(query)).one_or_none()
    if member is None:
        raise NotFound
    return member


_LOCK = "select pg_advisory_xact_lock(hashtextextended('preference ' || $1::text, 0))"


async def set_preferences(
    session: AsyncSession, actor: Actor, member_id: UUID, version: int, data: SetPreferences
) -> Preference:
    """Choose anew. version: of the choices that the person saw; 0 while nothing was chosen."""
    connection = await db.driver(session)
    await connection.execute(_LOCK, str(member_id))
    found = await get_preference(session, actor, member_id)
    check_version(version, found.version)
    await _check_deputy(session, actor, member_id, data.deputy_id)
    found.digest_at = rules.minutes(data.digest_at, "digest_at")
    found.quiet_from = rules.minutes(data.quiet_from, "quiet_from")
    found.quiet_to = rules.minutes(data.quiet_to, "quiet_to")
    found.kinds = {kind.value: choice.value for kind, choice in data.kinds.items()}
    found.channels = list(dict.fromkeys(map(_channel, data.channels)))
    found.deputy_id = data.deputy_id
    found.phone = rules.telephone(data.phone, "phone")
    found.evening_summary, found.wake_for_line_stop = data.evening_summary, data.wake_for_line_stop
    found.version += 1
    session.add(found)
    subject = Subject("preference", found.id, actor.party_id, found.version, shared=False)
    record(session, actor, subject, "edited", member=member_id)
    logger.info("preferences chosen", extra={"member_id": str(member_id)})
    return found


async def change_preferences(session: AsyncSession, actor: Actor, changes: Mapping[str, Any]) -> Preference:
    """Change some of one's own choices and keep the others, as a button of a chat does. kinds: those that change."""
    assert actor.member_id is not None
    await (await db.driver(session)).execute(_LOCK, str(actor.member_id))
    found = await get_preference(session, actor, actor.member_id)
    whole = {
        "digest_at": rules.clock_time(found.digest_at),
        "quiet_from": rules.clock_time(found.quiet_from),
        "quiet_to": rules.clock_time(found.quiet_to),
        "channels": found.channels,
        "deputy_id": found.deputy_id,
        "evening_summary": found.evening_summary,
        "wake_for_line_stop": found.wake_for_line_stop,
        "phone": found.phone,
        **changes,
        "kinds": {**found.kinds, **changes.get("kinds", {})},
    }
    return await set_preferences(session, actor, actor.member_id, found.version, SetPreferences.model_validate(whole))


def wishes_of(found: Preference) -> rules.Wishes:
    """The choices as the rules read them."""
    return rules.Wishes(kinds=found.kinds, channels=found.channels, evening_summary=found.evening_summary)


def _channel(name: str) -> str:
    if name not in CHANNELS:
        raise rules.UnknownChannel(field="channels", typed=name, known=", ".join(CHANNELS))
    return name


async def _check_deputy(session: AsyncSession, actor: Actor, member_id: UUID, deputy_id: UUID | None) -> None:
    if deputy_id is None:
        return
    try:
        await _active(session, actor, deputy_id)
    except NotFound:
        raise rules.NotAColleague(field="deputy_id") from None
    if deputy_id == member_id:
        raise rules.NotAColleague(field="deputy_id")


async def set_chat_detail(session: AsyncSession, actor: Actor, data: SetChatDetail) -> Tenant:
    """The workspace's rule for messages that leave the house. The factory's administrators decide it."""
    return await decide(session, actor, chat_detail=data.chat_detail)


async def chat_detail(session: AsyncSession, actor: Actor) -> ChatDetail:
    """How much a message may say that leaves the house."""
    query = select(col(Tenant.chat_detail)).where(Tenant.tenant_id == actor.tenant_id)
    return ChatDetail((await session.exec(query)).one())
