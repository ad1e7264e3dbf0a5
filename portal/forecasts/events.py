"""What others may react to when forecasts are committed to."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ForecastCommitted(Event):
    contract_id: UUID
    commit_id: UUID


@dataclass(frozen=True, slots=True)
class CommitAsked(Event):
    contract_id: UUID
    request_id: UUID


@dataclass(frozen=True, slots=True)
class CommitLapsed(Event):
    contract_id: UUID
    request_id: UUID
