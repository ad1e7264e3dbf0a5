"""Keys over the interface, and whom a key acts for."""

from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from msgspec import UNSET, Struct, UnsetType
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import reads, service_keys
from portal.accounts.reads import KeyRow
from portal.core import idempotency, paging
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.i18n import Language
from portal.parameters import FromPath, FromQuery, JSONBody


class Me(Struct):
    """Who acts with this key, and what it may do."""

    name: str
    role: Role
    scope: str
    company_id: UUID
    company_name: str
    language: Language
    time_zone: str
    permissions: list[Permission]


class NewKey(Struct):
    """A key that was just made. The token is here once and never again, not even for the same Idempotency-Key."""

    id: UUID
    prefix: str
    token: str | UnsetType = UNSET


class MeController(Controller):
    path = "/me"
    tags = ("Access",)

    @get()
    async def me(self, actor: NamedDependency[Actor]) -> Me:
        """Whom this key acts for, with which rights."""
        party = await reads.own_company(actor)
        permissions = [permission for permission in Permission if actor.may(permission)]
        who = (actor.name, actor.role, actor.scope.value, actor.party_id, party)
        return Me(*who, actor.language, actor.time_zone, permissions)


class KeyController(Controller):
    path = "/api-keys"
    tags = ("Access",)

    @get()
    async def list_keys(
        self, actor: NamedDependency[Actor], cursor: FromQuery[str | None] = None, limit: FromQuery[int] = 50
    ) -> paging.PageOf[KeyRow]:
        """The own company's keys, newest first, ended ones too."""
        paging.check_limit(limit)
        after = paging.decode(cursor, UUID)[0] if cursor else None
        rows = await reads.list_keys(actor, limit=limit + 1, after=after)
        more = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)

    @get("/{key_id:uuid}")
    async def get_key(self, actor: NamedDependency[Actor], key_id: FromPath[UUID]) -> KeyRow:
        """One key, without its token."""
        return await reads.get_key(actor, key_id)

    @post()
    async def create_key(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        data: JSONBody[service_keys.CreateKey],
    ) -> NewKey:
        """Make a key with some of the rights of the one that asks. The token is in this answer only."""
        key, token = await service_keys.create_key(session, actor, data)
        idempotency.answer_without_secret(201, NewKey(key.id, key.prefix))
        return NewKey(key.id, key.prefix, token)

    @delete("/{key_id:uuid}")
    async def revoke_key(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        key_id: FromPath[UUID],
    ) -> None:
        """Revoke a key; the next call with it is refused."""
        await service_keys.revoke_key(session, actor, key_id)


ROUTES: list[Any] = [MeController, KeyController]
