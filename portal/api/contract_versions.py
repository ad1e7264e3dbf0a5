"""Versions of contracts over the interface: offers, amendments, and how two of them differ."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED
from msgspec import Meta, Struct, convert
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.model import CaseStatus
from portal.approvals.service import latest_case
from portal.contracts import service, service_amendments
from portal.contracts.evidence import Content
from portal.contracts.inputs import Amendment, Decline
from portal.contracts.model import Contract, ContractRevision, RevisionStatus
from portal.contracts.rules_versions import differences
from portal.contracts.service_versions import current, get_revision, get_revisions
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor, Origin
from portal.core.calendars import local_today
from portal.parameters import FromPath, FromQuery, JSONBody


class RevisionOut(Struct, kw_only=True):
    """An offer or an agreed version, with the evidence of its answer."""

    number: Annotated[int, Meta(examples=[2])]
    status: RevisionStatus
    effective_from: date
    sha256: str
    based_on: int | None
    note: str
    offered_scope: Annotated[str, Meta(examples=["partner"], description="factory or partner")]
    offered_name: str
    offered_at: datetime
    answered_name: str
    answered_at: datetime | None
    answered_via: str
    answered_from: str
    answered_with: Annotated[str, Meta(description="beside the password: code, recovery_code, or nothing")]
    reason: str
    applied_at: datetime | None
    in_force: bool = False
    content: dict[str, Any] | None = None  # only of one version; prices only where the role shows them


class DifferenceOut(Struct):
    """One field that two versions say differently."""

    change: str
    field: str
    before: Any
    after: Any
    line_no: int | None
    item_code: str


class OfferOut(Struct):
    """An offer after a step, and the contract's version after it."""

    number: int
    status: RevisionStatus
    effective_from: date
    contract_version: int


def revision_out(revision: ContractRevision, in_force: bool) -> RevisionOut:
    """One version without its content."""
    out = convert(revision, RevisionOut, from_attributes=True)
    out.content, out.in_force = None, in_force
    return out


def shown(content: Content, actor: Actor) -> Content:
    """The content without prices for a reader who may not see them."""
    if actor.may(Permission.SEE_PRICES):
        return content
    return content | {"lines": [line | {"prices": []} for line in content["lines"]]}


class InReview(Struct):
    """A step of the factory that waits for its own approvers, or that a rule refused; the partner sees nothing."""

    approval_id: UUID
    status: CaseStatus
    reason: Annotated[str, Meta(description="of a refusal by rule")]
    version: Annotated[int, Meta(description="of the contract, which stays as it is")]


HELD = {
    HTTP_202_ACCEPTED: ResponseSpec(InReview, description="Waits for a colleague's approval", generate_examples=False)
}


async def told(
    session: AsyncSession, actor: Actor, contract_id: UUID, revision: ContractRevision | None
) -> Response[OfferOut | InReview]:
    """What a step made of an offer, with the contract's new version as ETag; 202 while colleagues approve it first."""
    contract = await service.get_contract(session, actor, contract_id)
    if revision is None:
        return await in_review(session, actor, contract)
    body = OfferOut(revision.number, revision.status, revision.effective_from, contract.version)
    return Response(body, headers={"ETag": f'"{contract.version}"'})


async def in_review(session: AsyncSession, actor: Actor, contract: Contract) -> Response[OfferOut | InReview]:
    """What became of a step that the factory's own rules do not let pass at once."""
    case = await latest_case(session, actor, contract.id)
    assert case is not None, "a step that did not pass was asked about"
    reason = case.rule["then"]["reason"] if case.status is CaseStatus.REFUSED else ""
    body = InReview(case.id, case.status, reason, contract.version)
    return Response(body, status_code=HTTP_202_ACCEPTED, headers={"ETag": f'"{contract.version}"'})


class ContractVersionController(Controller):
    path = "/contracts/{contract_id:uuid}"
    tags = ("Contracts",)

    @get("/versions")
    async def list_versions(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> list[RevisionOut]:
        """All offers and versions of a contract, the newest first."""
        contract = await service.get_contract(session, actor, contract_id)
        revisions = await get_revisions(session, contract)
        holds = current(revisions, local_today(clock.now(), contract.time_zone))
        return [revision_out(revision, revision is holds) for revision in revisions]

    @get("/versions/{number:int}")
    async def get_version(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        number: FromPath[int],
    ) -> RevisionOut:
        """One version with its content, whose canonical JSON has this sha256 where prices are shown."""
        contract = await service.get_contract(session, actor, contract_id)
        found = await get_revision(session, contract, number)
        holds = current(await get_revisions(session, contract), local_today(clock.now(), contract.time_zone))
        out = revision_out(found, found is holds)
        out.content = shown(found.content, actor)
        return out

    @get("/versions/{number:int}/differences")
    async def compare(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        number: FromPath[int],
        since: FromQuery[int],
    ) -> list[DifferenceOut]:
        """What this version says otherwise than the version `since`, field by field."""
        contract = await service.get_contract(session, actor, contract_id)
        old, new = [(await get_revision(session, contract, n)).content for n in (since, number)]
        return [
            DifferenceOut(entry.change, entry.field, entry.before, entry.after, entry.line_no, entry.item_code)
            for entry in differences(shown(old, actor), shown(new, actor))
        ]

    @post("/amendment", status_code=HTTP_201_CREATED, responses=HELD)
    async def amend(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Amendment],
    ) -> Response[OfferOut | InReview]:
        """Offer a change of a contract in force from a day on. The version in force stays in force until then."""
        made = await service_amendments.amend(session, actor, contract_id, data, expected)
        return await told(session, actor, contract_id, made)

    @post("/amendment/counter", status_code=HTTP_201_CREATED, responses=HELD)
    async def counter(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Amendment],
    ) -> Response[OfferOut | InReview]:
        """Change terms of the waiting amendment and send it back."""
        made = await service_amendments.counter_amendment(session, actor, contract_id, data, expected)
        return await told(session, actor, contract_id, made)

    @post("/amendment/accept", status_code=HTTP_200_OK, responses=HELD)
    async def accept(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        origin: NamedDependency[Origin],
        contract_id: FromPath[UUID],
    ) -> Response[OfferOut | InReview]:
        """Agree to the waiting amendment. It is in force from its day on.

        Refused with `people-accept` where the workspace asks for a one-time code: then a person accepts on the page.
        """
        found = await service_amendments.accept_amendment(session, actor, contract_id, expected, origin)
        return await told(session, actor, contract_id, found)

    @post("/amendment/decline", status_code=HTTP_200_OK)
    async def decline(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Decline],
    ) -> Response[OfferOut | InReview]:
        """Do not agree to the waiting amendment, and say why."""
        found = await service_amendments.decline_amendment(session, actor, contract_id, data, expected)
        return await told(session, actor, contract_id, found)

    @post("/amendment/withdraw", status_code=HTTP_200_OK)
    async def withdraw(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
    ) -> Response[OfferOut | InReview]:
        """Take the own amendment back before it is answered."""
        found = await service_amendments.withdraw_amendment(session, actor, contract_id, expected)
        return await told(session, actor, contract_id, found)


ROUTES: list[Any] = [ContractVersionController]
