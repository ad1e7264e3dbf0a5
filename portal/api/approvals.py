"""Approvals over the interface: what waits, the case with its facts and steps, the decision."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, Struct
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import reads, service, words
from portal.approvals.effects import settle
from portal.approvals.facts import Fact, FactKind, Facts, facts_of
from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus, Escalation, StepStatus
from portal.approvals.own import own_facts
from portal.approvals.reads import CaseRow, View
from portal.approvals.service import Decision
from portal.core import paging
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.db import driver, unit_of_work
from portal.core.inputs import Input
from portal.parameters import FromPath, FromQuery, JSONBody


class CaseOut(Struct, kw_only=True):
    """One thing that was asked about."""

    id: UUID
    point: ApprovalPoint
    status: CaseStatus
    label: Annotated[str, Meta(examples=["FC-2026-014"])]
    subject: Annotated[str, Meta(examples=["contract"], description="kind of the document")]
    subject_id: UUID
    facts: Annotated[Facts, Meta(description="as the rules read them; money only for those who see prices")]
    currency: str
    why: Annotated[str, Meta(description="which rule spoke, in words")]
    rule_no: Annotated[int, Meta(description="0: no rule fitted")]
    requested_name: str
    requested_at: datetime
    decided_at: datetime | None
    version: Annotated[int, Meta(description="also in the ETag; If-Match wants it")]


class StepOut(Struct):
    """One word that is asked for."""

    step_no: int
    role: Role
    status: StepStatus
    respond_by: datetime | None
    escalation: Escalation
    decided_name: str
    deputy_of: str
    decided_at: datetime | None
    note: str


class CaseWithSteps(CaseOut, kw_only=True):
    steps: list[StepOut]


class Decide(Input):
    """A person's word on a step."""

    verdict: Decision = Field(examples=["approve"])
    note: str = Field(default="", max_length=500, description="needed to refuse", examples=["Inside the budget."])


def seen(point: ApprovalPoint, facts: Facts, actor: Actor) -> Facts:
    """The facts that this role may read."""
    money = {fact.name for fact in facts_of(point).values() if fact.kind is FactKind.MONEY}
    return facts if actor.may(Permission.SEE_PRICES) else {k: v for k, v in facts.items() if k not in money}


def out(case: ApprovalCase | CaseRow, rule: dict[str, Any], actor: Actor, own: Sequence[Fact]) -> dict[str, Any]:
    """The fields of a case, whether read as a row or as an entity."""
    names = set(CaseOut.__struct_fields__) - {"facts", "why"}
    why = words.why(case.point, case.rule_no, rule, case.currency if actor.may(Permission.SEE_PRICES) else "", own)
    return {name: getattr(case, name) for name in names} | {"facts": seen(case.point, case.facts, actor), "why": why}


async def whole(session: AsyncSession, actor: Actor, case_id: UUID) -> Response[CaseWithSteps]:
    """The case with its steps, its version as ETag."""
    case, steps = await service.get_case(session, actor, case_id)
    own = await own_facts(session, actor)
    said = [StepOut(*(getattr(step, name) for name in StepOut.__struct_fields__)) for step in steps]
    body = CaseWithSteps(**out(case, case.rule, actor, own), steps=said)
    return Response(body, headers={"ETag": f'"{case.version}"'})


class ApprovalController(Controller):
    path = "/approvals"
    tags = ("Approvals",)

    @get()
    async def list_cases(
        self,
        actor: NamedDependency[Actor],
        view: FromQuery[View] = View.MINE,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
    ) -> paging.PageOf[CaseOut]:
        """Cases of a view: those that wait for me, that I asked, that wait for anybody, or that are decided."""
        paging.check_limit(limit)
        after = paging.decode(cursor, UUID)[0] if cursor else None
        async with unit_of_work(actor) as session:
            own = await own_facts(session, actor)
            rows = await reads.list_cases(await driver(session), actor, view, limit=limit, after=after)
        more = paging.encode(rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf([CaseOut(**out(row, row.rule, actor, own)) for row in rows[:limit]], more)

    @get("/{case_id:uuid}")
    async def one(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], case_id: FromPath[UUID]
    ) -> Response[CaseWithSteps]:
        """One case with its facts and steps."""
        return await whole(session, actor, case_id)

    @post("/{case_id:uuid}/decide", status_code=HTTP_200_OK)
    async def decide(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        case_id: FromPath[UUID],
        data: JSONBody[Decide],
    ) -> Response[CaseWithSteps]:
        """Approve or refuse the step that is yours; what was asked about goes on in the same moment."""
        await settle(session, actor, case_id, expected, data.verdict, data.note)
        return await whole(session, actor, case_id)

    @post("/{case_id:uuid}/withdraw", status_code=HTTP_200_OK)
    async def withdraw(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        case_id: FromPath[UUID],
    ) -> Response[CaseWithSteps]:
        """Take your own request back while it waits."""
        await service.withdraw(session, actor, case_id, expected)
        return await whole(session, actor, case_id)


ROUTES: list[Any] = [ApprovalController]
