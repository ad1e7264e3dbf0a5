"""What the steps of a change request mean for people: the company that is to answer, or the one that asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from portal.changes import events as changes
from portal.core.actor import Scope
from portal.core.db import Driver
from portal.core.journal import Event
from portal.notices.model import Kind, Urgency
from portal.notices.news import Happening, News, Reader

_CHANGE = """
select r.party_id, r.contract_id, r.asked_by, r.asked_scope, r.offered_scope, r.decided_scope, r.respond_by, r.status,
    array(select distinct q.line_id from change_part q where q.tenant_id = $1 and q.change_id = r.id
        and q.line_id is not null limit 200) as lines,
    (select t.scope from timeline t where t.tenant_id = $1 and t.subject_id = r.id and t.verb = 'commented'
        order by t.id desc limit 1) as commented
from change_request r where r.tenant_id = $1 and r.id = $2"""


def other(scope: str) -> Scope:
    return Scope.PARTNER if scope == Scope.FACTORY else Scope.FACTORY


def change(whom: Callable[[asyncpg.Record], Sequence[str]], kind: Kind = Kind.CHANGE) -> Reader:
    """What a step of a change request means: for the companies that `whom` names from its row."""

    async def understood(connection: Driver, tenant_id: UUID, event: Any) -> Happening | None:
        row = await connection.fetchrow(_CHANGE, tenant_id, event.change_id)
        if row is None:
            return None
        about = ("change_request", event.change_id)
        asks = kind is Kind.CHANGE_ASKED and row["respond_by"] is not None
        due: dict[str, Any] = {"urgency": Urgency.DEADLINE, "due_at": row["respond_by"]} if asks else {}
        asker = row["asked_by"] if kind is Kind.CHANGE else None
        news = tuple(News(kind, Scope(scope), *about, row["contract_id"], **due, asker=asker) for scope in whom(row))
        return Happening(row["party_id"], news, (about, *(("schedule_line", line) for line in row["lines"])))

    return understood


def outcome(row: asyncpg.Record) -> Sequence[str]:
    """An applied change is news for the company that did not say the last word; by rule, for the one not asking."""
    return (other(row["decided_scope"] or row["asked_scope"]),)


READERS: Mapping[type[Event], Reader] = {
    changes.ChangeAsked: change(lambda row: (other(row["offered_scope"]),), Kind.CHANGE_ASKED),
    changes.ChangeCountered: change(lambda row: (other(row["offered_scope"]),), Kind.CHANGE_ASKED),
    changes.ChangeAccepted: change(lambda row: ()),
    changes.ChangeDeclined: change(lambda row: (row["offered_scope"],)),
    changes.ChangeWithdrawn: change(lambda row: (other(row["asked_scope"]),)),
    changes.ChangeExpired: change(lambda row: tuple(Scope)),
    changes.ChangeApplied: change(outcome),
    changes.ChangeFailed: change(lambda row: tuple(Scope)),
    changes.ChangeCommented: change(lambda row: (other(row["commented"]),) if row["commented"] else ()),
    changes.ChangeEchoed: change(lambda row: ()),
}
