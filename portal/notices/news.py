"""What an event means, before anybody is told: whom it concerns, about which object, which sent cards it outdates."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.core.actor import Scope
from portal.core.db import Driver
from portal.notices.model import Kind, Urgency

Touched = tuple[str, UUID]  # kind and id of an object whose cards show something old now


@dataclass(frozen=True, slots=True)
class News:
    """One thing that the people of one company may want to know."""

    kind: Kind
    scope: Scope  # of the company that is told
    object_kind: str
    object_id: UUID
    contract_id: UUID | None
    contracts: tuple[UUID, ...] = ()  # of an object that hangs on several
    urgency: Urgency = Urgency.NORMAL
    due_at: datetime | None = None
    only: frozenset[UUID] | None = None  # these people, where not everybody with the right is meant
    asker: UUID | None = None  # whose own request it answers, so an administrator's too


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, understood."""

    party_id: UUID  # the partner concerned
    news: tuple[News, ...] = ()
    touched: tuple[Touched, ...] = ()


Reader = Callable[[Driver, UUID, Any], Awaitable[Happening | None]]
