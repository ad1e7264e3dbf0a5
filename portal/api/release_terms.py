"""How releases are made and what cancelling costs, over the interface."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_204_NO_CONTENT
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.schedules import service_plans, service_splitting
from portal.schedules.model_releases import ReleasePlan, ReleaseTerms
from portal.schedules.service_plans import PlanLine, SetPlan, SetTerms
from portal.schedules.service_splitting import JoinLines, SplitLine
from portal.scorecards import reads_exposure
from portal.scorecards.reads_exposure import ExposureReport


def plan_out(plan: ReleasePlan) -> Response[SetPlan]:
    """The plan with its version as ETag; version 0 is a contract without one."""
    return Response(SetPlan.model_validate(plan.model_dump(include=set(SetPlan.model_fields))), headers=_tag(plan))


def terms_out(terms: ReleaseTerms) -> Response[SetTerms]:
    """The terms with their version as ETag; version 0 is a contract without them."""
    return Response(SetTerms.model_validate(terms.model_dump(include=set(SetTerms.model_fields))), headers=_tag(terms))


def _tag(row: ReleasePlan | ReleaseTerms) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}


class ReleaseTermsController(Controller):
    path = "/contracts/{contract_id:uuid}"
    tags = ("Releases",)

    @get("/release-plan")
    async def get_plan(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> Response[SetPlan]:
        """How the factory makes the contract's releases: trigger, horizon, tolerance, deadline of the answer."""
        return plan_out(await service_plans.get_plan(session, actor, contract_id))

    @put("/release-plan")
    async def set_plan(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[SetPlan],
    ) -> Response[SetPlan]:
        """Decide how the contract's releases are made from now on."""
        return plan_out(await service_plans.set_plan(session, actor, contract_id, expected, data))

    @get("/release-terms")
    async def get_terms(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> Response[SetTerms]:
        """What both sides agreed about cancelling, in per cent of the price, and about changing the firm zone."""
        return terms_out(await service_plans.get_terms(session, actor, contract_id))

    @put("/release-terms")
    async def set_terms(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[SetTerms],
    ) -> Response[SetTerms]:
        """Write down what both sides agreed about cancelling, and by how many per cent a customer's release may
        change its firm zone: `{"zone_percent": "5"}`."""
        return terms_out(await service_plans.set_terms(session, actor, contract_id, expected, data))

    @get("/exposure")
    async def exposure(
        self, actor: NamedDependency[Actor], contract_id: FromPath[UUID], day: FromQuery[date | None] = None
    ) -> ExposureReport:
        """What cancelling would cost today, or would have cost on a day, with the 26 weeks before it."""
        at = day or local_today(clock.now(), actor.time_zone)
        async with read(actor) as connection:
            return await reads_exposure.exposure_of(connection, actor, contract_id, at)


class LinePlanController(Controller):
    path = "/schedule-lines/{line_id:uuid}/plan"
    tags = ("Releases",)

    @put(status_code=HTTP_204_NO_CONTENT)
    async def plan(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[PlanLine],
    ) -> None:
        """Note what the next release will ask for instead of what is published. The partner is not told yet."""
        await service_plans.plan_line(session, actor, line_id, expected, data)

    @delete(status_code=HTTP_204_NO_CONTENT)
    async def unplan(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], line_id: FromPath[UUID]
    ) -> None:
        """Leave the line as it is published."""
        await service_plans.unplan_line(session, actor, line_id)


class SplitOff(Struct, frozen=True):
    """The draft of the delivery that was split off; the next release tells it."""

    line_id: UUID


class LineSplitController(Controller):
    path = "/schedule-lines/{line_id:uuid}"
    tags = ("Releases",)

    @post("/split")
    async def split(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[SplitLine],
    ) -> SplitOff:
        """Plan a part of a published delivery as one of its own on the same day: `{"quantity": "40"}`. With the next
        release it is told, and what was promised goes on with both; nobody is asked anew."""
        return SplitOff(await service_splitting.split_line(session, actor, line_id, expected, data))

    @post("/join", status_code=HTTP_204_NO_CONTENT)
    async def join(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[JoinLines],
    ) -> None:
        """Plan that other deliveries of the same part, day, place and price become part of this one."""
        await service_splitting.join_lines(session, actor, line_id, expected, data)


ROUTES: list[Any] = [ReleaseTermsController, LinePlanController, LineSplitController]
