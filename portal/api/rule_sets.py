"""Approval rules over the interface: what is in force, the draft, its trial on the past, files of rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import Example
from litestar.params import Body
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, Struct
from pydantic import AwareDatetime, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import service_sets, service_trial, words
from portal.approvals.facts import OPS, Fact, FactKind, facts_of
from portal.approvals.inputs import Condition, Exported, Group, Op, Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalPoint, RuleSet, RuleSetStatus
from portal.approvals.own import own_facts
from portal.approvals.rules_checking import check_point
from portal.approvals.rules_trial import Trial
from portal.core.actor import Actor
from portal.core.inputs import Input
from portal.parameters import FromPath, FromQuery, JSONBody

RULES = Exported(
    format="calloff-rules",
    format_version=1,
    point=ApprovalPoint.CHANGE.value,
    rules=[
        Rule(
            name="Small changes early enough",
            when=Group(of=[Condition(fact="change_percent", op=Op.WITHIN, values=["20"])]),
            then=Outcome(kind=OutcomeKind.APPROVE),
        )
    ],
)
RulesFile = Annotated[
    dict[str, Any],
    Body(
        media_type=RequestEncodingType.JSON, examples=[Example(value=RULES.model_dump(mode="json", exclude_unset=True))]
    ),
]


class FactOut(Struct):
    """Something that a condition can look at."""

    name: Annotated[str, Meta(examples=["change_percent"])]
    kind: FactKind
    label: str
    choices: dict[str, str] | None
    ops: list[Op]
    unit: Annotated[str, Meta(description="of a field that was defined here")]


class RuleSetOut(Struct, kw_only=True):
    """One version of the rules of a point. The draft's ETag is its version."""

    id: UUID
    point: ApprovalPoint
    number: Annotated[int, Meta(examples=[3])]
    status: RuleSetStatus
    live_from: datetime | None
    note: str
    changed_by: str
    changed_at: datetime
    version: int
    content: Rules
    sentences: list[str]


class DifferenceOut(Struct):
    """A past request that people decided otherwise than the draft would."""

    case_id: UUID
    label: str
    requested_at: datetime
    decided: str
    would: OutcomeKind
    rule_no: int


class TrialOut(Struct):
    """What the draft would have said to past requests."""

    since: datetime
    total: int
    by_people: int
    would: dict[OutcomeKind, int]
    fits: Annotated[list[int], Meta(description="how often each rule fitted")]
    no_rule: int
    different: int
    differences: list[DifferenceOut]
    before_fields: Annotated[int, Meta(description="asked before a field that the draft looks at was defined")]


class PutInForce(Input):
    """From a moment on; without one, now."""

    live_from: AwareDatetime | None = Field(default=None, examples=["2027-01-01T00:00:00+08:00"])
    note: str = Field(default="", max_length=300, examples=["After the review of November"])


def out(found: RuleSet, own: Sequence[Fact]) -> RuleSetOut:
    rules = service_sets.rules_of(found)
    names = set(RuleSetOut.__struct_fields__) - {"content", "sentences"}
    return RuleSetOut(
        **{name: getattr(found, name) for name in names},
        content=rules,
        sentences=[words.sentence(found.point, no, rule, "", own) for no, rule in enumerate(rules.rules, 1)],
    )


def fact_out(fact: Fact) -> FactOut:
    return FactOut(fact.name, fact.kind, fact.named(), fact.words() or None, list(OPS[fact.kind]), fact.unit)


async def tagged(session: AsyncSession, actor: Actor, found: RuleSet) -> Response[RuleSetOut]:
    return Response(out(found, await own_facts(session, actor)), headers={"ETag": f'"{found.version}"'})


def trial_out(since: datetime, found: Trial) -> TrialOut:
    differences = [
        DifferenceOut(each.case.id, each.case.label, each.case.requested_at, each.case.status, each.would, each.rule_no)
        for each in found.differences
    ]
    return TrialOut(
        since, found.total, found.by_people, found.would, found.fits, found.no_rule, found.different, differences,
        found.before_fields,
    )  # fmt: skip


class RuleSetController(Controller):
    path = "/rule-sets/{point:str}"
    tags = ("Approvals",)

    @get()
    async def versions(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], point: FromPath[str]
    ) -> list[RuleSetOut]:
        """All versions of a point's rules, the draft included, the newest first."""
        found = await service_sets.list_sets(session, actor, check_point(point))
        own = await own_facts(session, actor)
        return [out(each, own) for each in found]

    @get("/facts")
    async def facts(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], point: FromPath[str]
    ) -> list[FactOut]:
        """What conditions of this point can look at, and how; fields that were defined here are the last."""
        service_sets.require(actor)
        known = facts_of(check_point(point), await own_facts(session, actor, check_point(point)))
        return [fact_out(fact) for fact in known.values() if not fact.removed]

    @get("/versions/{number:int}/file")
    async def file(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        point: FromPath[str],
        number: FromPath[int],
    ) -> Exported:
        """One version as a file, to be kept or brought in elsewhere: its content goes back to `PUT .../draft`."""
        return service_sets.exported(await service_sets.get_set(session, actor, check_point(point), number))

    @put("/draft")
    async def write(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        point: FromPath[str],
        data: RulesFile,
    ) -> Response[RuleSetOut]:
        """Write the draft anew from a file of rules; an error names its place. If-Match "0" begins one."""
        return await tagged(
            session, actor, await service_sets.bring_in(session, actor, check_point(point), data, expected)
        )

    @delete("/draft", status_code=HTTP_200_OK)
    async def discard(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        point: FromPath[str],
    ) -> None:
        """Throw the draft away; what is in force stays."""
        await service_sets.discard(session, actor, check_point(point), expected)

    @post("/draft/publish", status_code=HTTP_200_OK)
    async def publish(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        point: FromPath[str],
        data: JSONBody[PutInForce],
    ) -> Response[RuleSetOut]:
        """Put the draft in force from a moment on. It is never changed again."""
        found = check_point(point)
        put = await service_sets.publish(session, actor, found, expected, data.live_from, data.note)
        return await tagged(session, actor, put)

    @get("/draft/trial", opt={"refuses": ("409",)})
    async def trial(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        point: FromPath[str],
        days: FromQuery[int] = service_trial.DAYS,
    ) -> TrialOut:
        """What the draft would have said to requests of the last days, and where people decided otherwise."""
        since, found = await service_trial.try_draft(session, actor, check_point(point), days)
        return trial_out(since, found)


ROUTES: list[Any] = [RuleSetController]
