"""API keys: a program acts for one company with the rights it was given, and no more."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import identity, rules
from portal.accounts.actors import Place
from portal.accounts.events import KeyCreated, KeyRevoked
from portal.accounts.model import ApiKey
from portal.accounts.revocation import revoke
from portal.core import clock
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record

logger = logging.getLogger(__name__)
SHOWN = len(identity.KEY_PREFIX) + 6  # characters of a key that lists show


class CreateKey(Input):
    """A new key. Without a role it may do what an administrator may, inside its scopes."""

    name: str = Field(examples=["ERP connection"])
    scopes: list[Permission] = Field(max_length=len(Permission), examples=[["read", "confirm_lines"]])
    role: Role | None = None
    days: int | None = Field(None, ge=1, le=3650, description="Valid for so many days; without it until revoked")


async def create_key(session: AsyncSession, actor: Actor, data: CreateKey) -> tuple[ApiKey, str]:
    """A key of the actor's company and its token, which nobody can see again."""
    actor.require(Permission.MANAGE_PEOPLE)
    role = data.role or rules.ADMIN_ROLE[actor.scope]
    rules.check_role(actor.scope, role)
    rules.check_scopes(actor, actor.scope, role, data.scopes)
    now = clock.now()
    key_id = uuid7()
    # Written first, in its own transaction: a token without a live key opens nothing.
    token = await identity.register_key(Place(actor.tenant_id, actor.party_id, actor.scope, key_id))
    key = ApiKey(
        tenant_id=actor.tenant_id,
        id=key_id,
        party_id=actor.party_id,
        name=rules.checked_name(data.name),
        prefix=token[:SHOWN],
        role=role,
        scopes={scope.value: True for scope in data.scopes},
        created_at=now,
        created_by=await _person(session, actor),
        expires_at=_expiry(now, data.days),
    )
    session.add(key)
    await session.flush()
    record(session, actor, _subject(key), "created", role=role, scopes=sorted(key.scopes))
    emit(session, actor, key.party_id, KeyCreated(key_id=key.id))
    logger.info("api key created", extra={"key_id": str(key.id)})
    return key, token


def _expiry(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _subject(key: ApiKey) -> Subject:
    return Subject("api_key", key.id, key.party_id)


async def _person(session: AsyncSession, actor: Actor) -> UUID | None:
    """The member behind the actor: a key made by a key belongs to whoever made the first one."""
    query = select(ApiKey).where(ApiKey.tenant_id == actor.tenant_id, ApiKey.id == actor.member_id)
    made_by = (await session.exec(query)).one_or_none() if actor.granted is not None else None
    return made_by.created_by if made_by else actor.member_id


async def revoke_key(session: AsyncSession, actor: Actor, key_id: UUID) -> ApiKey:
    """End a key of the own company; the next call with it is refused. Twice changes nothing."""
    actor.require(Permission.MANAGE_PEOPLE)
    query = select(ApiKey).where(
        ApiKey.tenant_id == actor.tenant_id, ApiKey.party_id == actor.party_id, col(ApiKey.id) == key_id
    )
    key = (await session.exec(query.with_for_update())).one_or_none()
    if key is None:
        raise NotFound
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        record(session, actor, _subject(key), "revoked")
        emit(session, actor, key.party_id, KeyRevoked(key_id=key.id))
        await revoke(session, key.id)
    return key
