"""How an item, a partner, a contract or a line is found by whoever wants to read or write its fields.

Each domain registers its own, so that a field is never seen by a colleague who does not see what it belongs to.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Party
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.journal import Subject
from portal.fields.model import Holder

Find = Callable[[AsyncSession, Actor, UUID], Awaitable[tuple[Subject, str]]]
_finders: dict[Holder, tuple[Find, Permission]] = {}


def holds(holder: Holder, need: Permission) -> Callable[[Find], Find]:
    """Register how a document is found, as the journal names it and as people call it, and who may write its fields."""

    def register(find: Find) -> Find:
        assert holder not in _finders, f"{holder} is found already"
        _finders[holder] = find, need
        return find

    return register


async def find(
    session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID, *, write: bool = False
) -> tuple[Subject, str]:
    """The document with its name. NotFound for partners, as for an absent one; Forbidden without the right to write."""
    if not actor.is_factory:
        raise NotFound
    finder, need = _finders[holder]
    actor.require(need if write else Permission.READ)
    return await finder(session, actor, holder_id)


def check_holder(name: str) -> Holder:
    """What an address names. Raises NotFound."""
    if name not in list(Holder):
        raise NotFound
    return Holder(name)


def may_write(actor: Actor, holder: Holder) -> bool:
    """Whether this role may write the fields of such documents."""
    return actor.is_factory and actor.may(_finders[holder][1])


@holds(Holder.PARTNER, Permission.MANAGE_MASTER_DATA)
async def _partner(session: AsyncSession, actor: Actor, holder_id: UUID) -> tuple[Subject, str]:
    query = select(Party).where(
        Party.tenant_id == actor.tenant_id, Party.id == holder_id, col(Party.is_factory).is_(False)
    )
    party = (await session.exec(query)).one_or_none()
    if party is None:
        raise NotFound
    return Subject("party", party.id, actor.party_id, party.version, shared=False), party.name
