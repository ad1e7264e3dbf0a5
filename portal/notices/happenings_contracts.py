"""What the events of contracts mean for people."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from portal.contracts import events as contracts
from portal.core import clock
from portal.core.actor import Scope
from portal.core.db import Driver
from portal.core.journal import Event
from portal.notices.model import Kind
from portal.notices.news import Happening, News, Reader
from portal.notices.rules import FORGOTTEN


def of_contract(*scopes: Scope) -> Reader:
    """What a contract's step means: for the companies of these scopes, or for nobody but the cards that show it."""

    async def understood(connection: Driver, tenant_id: UUID, event: Any) -> Happening | None:
        row = await connection.fetchrow(
            "select party_id, valid_to from contract where tenant_id = $1 and id = $2", tenant_id, event.contract_id
        )
        if row is None:
            return None
        about = ("contract", event.contract_id)
        told = () if isinstance(event, contracts.ContractExpired) and _is_history(row["valid_to"]) else scopes
        news = tuple(News(Kind.CONTRACT, scope, *about, event.contract_id) for scope in told)
        return Happening(row["party_id"], news, (about,))

    return understood


async def period(
    connection: Driver, tenant_id: UUID, event: contracts.PeriodClosed | contracts.OverCallAllowed
) -> Happening | None:
    """Both companies read what a period ended with, and that more may be called off from it than was agreed."""
    row = await connection.fetchrow(
        "select party_id, period_end from commitment_bucket where tenant_id = $1 and id = $2",
        *(tenant_id, event.bucket_id),
    )
    if row is None:
        return None
    about = ("commitment_bucket", event.bucket_id)
    told = () if isinstance(event, contracts.PeriodClosed) and _is_history(row["period_end"]) else Scope
    news = tuple(News(Kind.CONTRACT, scope, *about, event.contract_id) for scope in told)
    return Happening(row["party_id"], news, (about,))


def _is_history(ended: date | None) -> bool:
    """Whether it ended long before the portal looked: who imports the contracts of ten years is not told of each."""
    return ended is not None and ended < (clock.now() - FORGOTTEN).date()


_OFFER = """
select c.party_id, r.offered_scope, r.status = 'proposed'
from contract c left join contract_revision r on r.tenant_id = $1 and r.contract_id = c.id
where c.tenant_id = $1 and c.id = $2 order by r.number desc nulls last limit 1"""


async def offered(connection: Driver, tenant_id: UUID, event: Any) -> Happening | None:
    """An offer waits for the company that did not make it; its answer is news for the one that did."""
    row = await connection.fetchrow(_OFFER, tenant_id, event.contract_id)
    if row is None:
        return None
    party_id, offered_scope, waits = row
    about = ("contract", event.contract_id)
    if offered_scope is None:
        return Happening(party_id, (), (about,))
    by_factory = offered_scope == Scope.FACTORY
    told = Scope.FACTORY if by_factory != waits else Scope.PARTNER
    return Happening(party_id, (News(Kind.CONTRACT, told, *about, event.contract_id),), (about,))


READERS: Mapping[type[Event], Reader] = {
    contracts.ContractProposed: of_contract(Scope.PARTNER),
    contracts.ContractAccepted: offered,
    contracts.ContractDeclined: offered,
    contracts.ContractActivated: of_contract(Scope.PARTNER),
    contracts.ContractCompleted: of_contract(Scope.PARTNER),
    contracts.ContractWithdrawn: of_contract(),
    contracts.ContractCountered: offered,
    contracts.ContractSuspended: of_contract(*Scope),
    contracts.ContractResumed: of_contract(*Scope),
    contracts.ContractTerminated: of_contract(*Scope),
    contracts.ContractExpired: of_contract(*Scope),
    contracts.ContractEndingSoon: of_contract(*Scope),
    contracts.ContractUnderused: of_contract(*Scope),
    contracts.AmendmentProposed: offered,
    contracts.AmendmentCountered: offered,
    contracts.AmendmentAccepted: offered,
    contracts.AmendmentDeclined: offered,
    contracts.AmendmentWithdrawn: of_contract(),
    contracts.AmendmentApplied: of_contract(*Scope),
    contracts.OverCallAllowed: period,
    contracts.PeriodClosed: period,
    contracts.OpeningProposed: of_contract(Scope.PARTNER),
    contracts.OpeningConfirmed: of_contract(Scope.FACTORY),
    contracts.OpeningDeclined: of_contract(Scope.FACTORY),
    contracts.OpeningWithdrawn: of_contract(),
}
