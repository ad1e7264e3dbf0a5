"""Who acts: one member (or key, or the system) for one company in one tenant."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self
from uuid import UUID

from portal.core.access import WHOLE_COMPANY, Permission, Role, permissions_of
from portal.core.errors import Forbidden
from portal.core.i18n import Language
from portal.core.states import Side


class Scope(StrEnum):
    """Picks the database role and with it the row-level policy."""

    FACTORY = "factory"
    PARTNER = "partner"


class Channel(StrEnum):
    """The way by which something was said; the timeline shows it."""

    PAGE = "page"
    API = "api"
    CHAT = "chat"
    FILE = "file"
    SYSTEM = "system"


class Direction(StrEnum):
    """sale: the factory delivers to a customer; purchase: a supplier delivers to the factory."""

    SALE = "sale"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer that binds a company came from; kept as evidence with it."""

    address: str = ""  # of the network
    agent: str = ""  # the program's own name for itself
    proof: str = ""  # what proved the person beside the password


@dataclass(frozen=True, slots=True)
class Actor:
    """One company's member at work. Everything that is allowed or visible follows from these fields."""

    tenant_id: UUID
    party_id: UUID  # the company acted for; the factory's own party id for factory members
    scope: Scope
    role: Role
    member_id: UUID | None = None
    name: str = ""
    language: Language = Language.EN
    channel: Channel = Channel.PAGE
    contract_ids: frozenset[UUID] | None = None  # a restricted member sees these contracts only
    granted: frozenset[Permission] | None = None  # an API key's scopes, inside what its role may do
    time_zone: str = "UTC"

    @classmethod
    def system(cls, tenant_id: UUID, factory_party_id: UUID) -> Self:
        """The factory's machinery, where no person and no partner speaks."""
        return cls(tenant_id, factory_party_id, Scope.FACTORY, Role.ADMIN, name="system", channel=Channel.SYSTEM)

    @property
    def is_factory(self) -> bool:
        return self.scope is Scope.FACTORY

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it and, for a key, its scopes; the restricted may not what concerns all."""
        if self.contract_ids is not None and permission in WHOLE_COMPANY:
            return False
        return permission in permissions_of(self.scope, self.role) and (
            self.granted is None or permission in self.granted
        )

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the role allows it."""
        if not self.may(permission):
            raise Forbidden(permission=permission)

    def side_on(self, direction: Direction) -> Side:
        """Seller or buyer on a contract of this direction."""
        factory_sells = direction == Direction.SALE  # equal, not identical: driver rows hold the plain text
        return Side.SELLER if factory_sells == self.is_factory else Side.BUYER

    def via(self, channel: Channel) -> "Actor":
        """The same member, speaking by another way."""
        return replace(self, channel=channel)

    def narrowed(self, contracts: frozenset[UUID]) -> "Actor":
        """The same member where nothing but these contracts may be spoken of."""
        own = self.contract_ids
        return replace(self, contract_ids=contracts if own is None else own & contracts)
