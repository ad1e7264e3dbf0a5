"""What happens in the sync domain that others react to."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ImportRequested(Event):
    """A file waits to be read, or a checked one to be written; the run's status says which."""

    run_id: UUID
