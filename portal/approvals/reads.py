"""Lists of cases as driver rows, and the past on which rules are tried."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.approvals.facts import Facts
from portal.approvals.model import ApprovalPoint, CaseStatus
from portal.approvals.rules_trial import PastCase
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.conditions import Conditions
from portal.core.db import Driver
from portal.core.errors import NotFound


class View(StrEnum):
    """Which cases a person wants to see."""

    MINE = "mine"  # wait for this person
    ASKED = "asked"  # asked by this person
    WAITING = "waiting"  # wait for anybody
    DECIDED = "decided"


class CaseRow(Struct, frozen=True):
    """One case in a list."""

    id: UUID
    point: ApprovalPoint
    subject: str
    subject_id: UUID
    contract_id: UUID | None
    label: str
    facts: Facts
    currency: str
    status: CaseStatus
    rule_no: int
    rule: dict[str, Any]
    requested_name: str
    requested_scope: str
    requested_at: datetime
    decided_at: datetime | None
    version: int
    roles: list[str]  # of the steps that are open
    respond_by: datetime | None  # the earliest of these


_COLUMNS = """c.id, c.point, c.subject, c.subject_id, c.contract_id, c.label, c.facts, c.currency, c.status, c.rule_no,
    c.rule, c.requested_name, c.requested_scope, c.requested_at, c.decided_at, c.version,
    array(select s.role from approval_step s where s.tenant_id = $1 and s.case_id = c.id and s.status = 'open'
        order by s.step_no),
    (select min(s.respond_by) from approval_step s where s.tenant_id = $1 and s.case_id = c.id and s.status = 'open')"""
# The same as `rules.step_for`, set-based: not the own request, no step of it decided before, and one open step of the
# own role, or of a colleague's who named this person as deputy once deputies were asked, or of any once administrators
# were.
_MINE = """ and c.status = 'waiting' and c.requested_by is distinct from {me}
    and not exists (select from approval_step s where s.tenant_id = $1 and s.case_id = c.id and s.decided_by = {me})
    and exists (select from approval_step s where s.tenant_id = $1 and s.case_id = c.id and s.status = 'open' and (
        s.role = {role} or (s.escalation = 'admins' and {role} = 'admin')
        or (s.escalation in ('deputies', 'admins') and exists (
            select from preference p join member m on m.tenant_id = $1 and m.id = p.member_id and m.status = 'active'
            where p.tenant_id = $1 and p.deputy_id = {me} and m.role = s.role))))"""


async def list_cases(
    connection: Driver, actor: Actor, view: View, *, limit: int, after: UUID | None = None
) -> list[CaseRow]:
    """Cases of a view, the newest first; one row more than `limit` when there are more. after: id of the last seen."""
    _require(actor)
    where = _where(actor, view)
    if after is not None:
        where.also("c.id <", after)
    query = (
        f"select {_COLUMNS} from approval_case c where {where.sql}"  # noqa: S608 - own text, bound values
        f" order by c.id desc limit {limit + 1}"
    )
    return [_row(row) for row in await connection.fetch(query, *where.args)]


async def waiting_about(connection: Driver, actor: Actor, point: ApprovalPoint, subject_id: UUID) -> UUID | None:
    """The case that waits about a document at one point; none for a partner."""
    if not actor.is_factory:
        return None
    where = _where(actor, View.WAITING)
    where.also("c.point =", point.value)
    where.also("c.subject_id =", subject_id)
    query = f"select c.id from approval_case c where {where.sql} limit 1"  # noqa: S608 - own text, bound values
    found: UUID | None = await connection.fetchval(query, *where.args)
    return found


async def count_mine(connection: Driver, actor: Actor) -> int:
    """How many cases wait for this person; none for whoever cannot approve."""
    if not actor.is_factory or not actor.may(Permission.APPROVE):
        return 0
    where = _where(actor, View.MINE)
    found: int = await connection.fetchval(
        f"select count(*) from approval_case c where {where.sql}",  # noqa: S608 - own text, bound values
        *where.args,
    )
    return found


def _where(actor: Actor, view: View) -> Conditions:
    where = Conditions(actor, table="c", contract="contract_id")
    match view:
        case View.MINE:
            me, role = where.arg(actor.member_id) + "::uuid", where.arg(actor.role.value) + "::text"
            where.sql += _MINE.format(me=me, role=role)
        case View.ASKED:
            where.also("c.requested_by =", actor.member_id)
        case View.WAITING:
            where.also("c.status =", CaseStatus.WAITING.value)
        case View.DECIDED:
            where.sql += " and c.status in ('approved', 'refused')"
    return where


def _require(actor: Actor) -> None:
    """Cases are the factory's own; a partner finds nothing here."""
    if not actor.is_factory:
        raise NotFound
    actor.require(Permission.READ)


def _row(row: Sequence[object]) -> CaseRow:
    values = list(row)
    values[1], values[8] = ApprovalPoint(str(values[1])), CaseStatus(str(values[8]))
    return CaseRow(*values)  # type: ignore[arg-type]


_PAST = """
select c.id, c.label, c.requested_at, c.status,
    exists (select from approval_step s where s.tenant_id = $1 and s.case_id = c.id and s.decided_by is not null),
    c.facts
from approval_case c
where c.tenant_id = $1 and c.point = $2 and c.requested_at >= $3 and c.status in ('approved', 'refused')
order by c.requested_at desc limit $4"""
MOST_PAST = 50_000


async def past_cases(connection: Driver, actor: Actor, point: ApprovalPoint, since: datetime) -> list[PastCase]:
    """The decided requests of a point since a moment, the newest first."""
    actor.require(Permission.MANAGE_RULES)
    rows = await connection.fetch(_PAST, actor.tenant_id, point.value, since, MOST_PAST)
    return [
        PastCase(each, label, at, CaseStatus(status), by_people, facts)
        for each, label, at, status, by_people, facts in rows
    ]
