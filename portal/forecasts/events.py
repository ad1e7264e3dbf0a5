"""What others may react to when forecasts are committed to."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ForecastCommitted(Event):
    """The supplier promised what of the forecast it will cover."""

    contract_id: UUID
    commit_id: UUID


@dataclass(frozen=True, slots=True)
class CommitAsked(Event):
    """The buyer asks for such a promise, with a day to answer by."""

    contract_id: UUID
    request_id: UUID


@dataclass(frozen=True, slots=True)
class CommitLapsed(Event):
    """The day has passed and nothing was promised."""

    contract_id: UUID
    request_id: UUID
