"""What events of approvals mean for people: those whose word is asked, and whoever asked."""

from typing import Any
from uuid import UUID

from portal.core.actor import Scope
from portal.core.db import Driver
from portal.notices.model import Kind, Urgency
from portal.notices.news import Happening, News

# Whose word an open step asks for: the same people as `approvals.rules.step_for` lets decide.
_CASE = """
select t.factory_party_id, c.contract_id, c.status, c.requested_by,
    (select min(s.respond_by) from approval_step s where s.tenant_id = $1 and s.case_id = c.id and s.status = 'open')
        as respond_by,
    array(select m.id from member m where m.tenant_id = $1 and m.party_id = t.factory_party_id and m.status = 'active'
        and m.id is distinct from c.requested_by
        and not exists (select from approval_step d where d.tenant_id = $1 and d.case_id = c.id and d.decided_by = m.id)
        and exists (select from approval_step s where s.tenant_id = $1 and s.case_id = c.id and s.status = 'open' and (
            s.role = m.role or (s.escalation = 'admins' and m.role = 'admin')
            or (s.escalation in ('deputies', 'admins') and exists (
                select from preference p join member o on o.tenant_id = $1 and o.id = p.member_id
                    and o.status = 'active' and o.role = s.role
                where p.tenant_id = $1 and p.deputy_id = m.id))))) as asked
from approval_case c join tenant t on t.tenant_id = $1 where c.tenant_id = $1 and c.id = $2"""


async def approval_case(connection: Driver, tenant_id: UUID, event: Any) -> Happening | None:
    """A case that waits is news for those who may decide it; one that is decided, for whoever asked."""
    row = await connection.fetchrow(_CASE, tenant_id, event.case_id)
    if row is None:
        return None
    about = ("approval_case", event.case_id)
    more: dict[str, Any] = {}
    if row["status"] == "waiting":
        kind, whom = Kind.APPROVAL, frozenset(row["asked"])
        more = {"urgency": Urgency.DEADLINE, "due_at": row["respond_by"]} if row["respond_by"] else {}
    else:
        decided = row["status"] in ("approved", "refused") and row["requested_by"] is not None
        kind, whom = Kind.APPROVED, frozenset([row["requested_by"]] if decided else [])
    news = (News(kind, Scope.FACTORY, *about, row["contract_id"], only=whom, **more),) if whom else ()
    return Happening(row["factory_party_id"], news, (about,))
