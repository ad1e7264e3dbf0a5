"""People of the own company, and for the factory of every partner: invite, change, restrict, remove."""

from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import BeforeValidator, Field

from portal.accounts import reads, service, service_acceptance
from portal.accounts.model import Acceptance
from portal.accounts.reads import MemberRow
from portal.core.access import ROLE_NAMES, Permission, Role, roles_of
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.core.settings import get_settings
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

LIMIT = 200  # people of one company on a page
DONE = {
    "invited": N_("The invitation is ready. Send the link to the person; it works once, for seven days."),
    "role": N_("The role is changed. It counts from this person’s next step on."),
    "restricted": N_("What this person sees is changed. It counts from their next step on."),
    "removed": N_("The person is removed and signed out. Keys they made have ended."),
    "acceptance": N_("The rule is saved. It counts from the next acceptance on."),
}
ACCEPTANCE_NAMES = {
    Acceptance.PASSWORD: N_("nothing beside the password"),
    Acceptance.ONE_TIME_CODE: N_("a one-time code of the second factor"),
}


def one_or_many(value: object) -> object:
    """A browser sends one checked box as a text and several as a list."""
    return value if isinstance(value, list) else [value]


Ids = Annotated[list[UUID], BeforeValidator(one_or_many)]
Codes = Annotated[list[str], BeforeValidator(one_or_many)]


class InviteForm(Form):
    party_id: UUID
    email: str
    name: str
    role: Role


class RoleForm(Form):
    version: int
    role: Role


class RestrictForm(Form):
    version: int
    restricted: bool = False
    contract_ids: Ids = Field(default_factory=list, max_length=500)
    ship_to_codes: Codes = Field(default_factory=list, max_length=500)

    def command(self) -> service.RestrictMember:
        return service.RestrictMember.model_validate(self.model_dump(exclude={"version"}))


class RemoveForm(Form):
    version: int


class AcceptanceForm(Form):
    acceptance: Acceptance


def done_text(done: str) -> str:
    """The sentence of what was just done, or nothing."""
    return _(DONE[done]) if done in DONE else ""


def role_options(is_factory: bool) -> list[tuple[str, str]]:
    """The roles that members of such a company may have, least powerful last."""
    return [(role.value, _(ROLE_NAMES[role])) for role in roles_of("factory" if is_factory else "partner")]


def home_of(member_party: UUID, actor: Actor) -> str:
    """Where the people of a company are listed."""
    return "/people" if member_party == actor.party_id else f"/partners/{member_party}"


async def people_context(actor: Actor, party_id: UUID, typed: Typed | None = None, done: str = "") -> dict[str, Any]:
    """What `accounts/_people.html` shows of one company."""
    members = await reads.list_members(actor, limit=LIMIT, party_id=party_id)
    party = await reads.get_party(actor, party_id)
    return {
        "party": party,
        "members": [member for member in members if member.status == "active"],
        "invitations": await reads.invitations_of(actor, members),
        "roles": role_options(party.is_factory),
        "role_names": ROLE_NAMES,
        "base_url": get_settings().base_url,
        "typed": typed or Typed(role="viewer"),
        "done": done_text(done),
    }


@get("/people")
async def people_page(
    page: NamedDependency[Page], actor: NamedDependency[Actor], done: FromQuery[str] = ""
) -> Template:
    context = await people_context(actor, actor.party_id, done=done) | await acceptance_rule(actor)
    return page.render("accounts/people.html", active="people", **context)


async def acceptance_rule(actor: Actor) -> dict[str, Any]:
    """What is asked of whoever accepts a contract, for those who decide it."""
    if not (actor.is_factory and actor.may(Permission.MANAGE_PEOPLE)):
        return {"acceptance": ""}
    async with unit_of_work(actor) as session:
        found = await service_acceptance.acceptance(session, actor)
    return {"acceptance": found.value, "proofs": [(each.value, _(name)) for each, name in ACCEPTANCE_NAMES.items()]}


@post("/people/acceptance")
async def decide_acceptance(
    page: NamedDependency[Page], actor: NamedDependency[Actor], data: URLEncodedBody[AcceptanceForm]
) -> Redirect:
    """What is asked of whoever accepts a contract, in the whole workspace."""
    async with unit_of_work(actor) as session:
        command = service_acceptance.SetAcceptance(acceptance=data.acceptance)
        await service_acceptance.set_acceptance(session, actor, command)
    return page.go("/people?done=acceptance")


@post("/people")
async def invite(
    page: NamedDependency[Page], actor: NamedDependency[Actor], data: URLEncodedBody[InviteForm]
) -> Template | Redirect:
    command = service.InviteMember.model_validate(data.model_dump(exclude={"party_id"}))
    try:
        async with unit_of_work(actor) as session:
            await service.invite_member(session, actor, data.party_id, command)
    except (Invalid, Conflict) as error:
        context = await people_context(actor, data.party_id, Typed(data, error)) | {"acceptance": ""}
        return page.render("accounts/people.html", active="people", status=422, **context)
    return page.go(f"{home_of(data.party_id, actor)}?done=invited")


# --- one person -------------------------------------------------------------------------------------------------------


async def member_answer(
    page: Page, actor: Actor, member: MemberRow, typed: Typed | None = None, status: int = 200, done: str = ""
) -> Template:
    contracts, codes = await reads.restriction_choices(actor, member)
    first = Typed(
        restricted=member.restricted,
        contract_ids=[str(contract) for contract in member.contract_ids],
        ship_to_codes=member.ship_to_codes,
    )
    return page.render(
        "accounts/member.html",
        active="people" if member.party_id == actor.party_id else "partners",
        status=status,
        member=member,
        home=home_of(member.party_id, actor),
        roles=role_options(member.is_factory),
        contracts=contracts,
        codes=codes,
        invitations=await reads.invitations_of(actor, [member]),
        base_url=get_settings().base_url,
        typed=typed or first,
        done=done_text(done),
    )


@get("/people/{member_id:uuid}")
async def member_page(
    page: NamedDependency[Page], actor: NamedDependency[Actor], member_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Template:
    return await member_answer(page, actor, await reads.get_member(actor, member_id), done=done)


@post("/people/{member_id:uuid}/role")
async def change_role(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    member_id: FromPath[UUID],
    data: URLEncodedBody[RoleForm],
) -> Template | Redirect:
    try:
        async with unit_of_work(actor) as session:
            await service.change_role(session, actor, member_id, data.version, service.ChangeRole(role=data.role))
    except (Invalid, Conflict) as error:
        return await refused(page, actor, member_id, error)
    return page.go(f"/people/{member_id}?done=role")


@post("/people/{member_id:uuid}/restriction")
async def restrict(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    member_id: FromPath[UUID],
    data: URLEncodedBody[RestrictForm],
) -> Template | Redirect:
    try:
        async with unit_of_work(actor) as session:
            await service.restrict_member(session, actor, member_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        return await refused(page, actor, member_id, error)
    return page.go(f"/people/{member_id}?done=restricted")


@post("/people/{member_id:uuid}/remove")
async def remove(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    member_id: FromPath[UUID],
    data: URLEncodedBody[RemoveForm],
) -> Template | Redirect:
    try:
        async with unit_of_work(actor) as session:
            member = await service.remove_member(session, actor, member_id, data.version)
    except (Invalid, Conflict) as error:
        return await refused(page, actor, member_id, error)
    return page.go(f"{home_of(member.party_id, actor)}?done=removed")


@post("/people/{member_id:uuid}/invitation")
async def resend(
    page: NamedDependency[Page], actor: NamedDependency[Actor], member_id: FromPath[UUID]
) -> Template | Redirect:
    async with unit_of_work(actor) as session:
        member = await service.resend_invitation(session, actor, member_id)
    return page.go(f"{home_of(member.party_id, actor)}?done=invited")


async def refused(page: Page, actor: Actor, member_id: UUID, error: Invalid | Conflict) -> Template:
    """The person as they are now, and why the change was not made."""
    actor.require(Permission.MANAGE_PEOPLE)
    member = await reads.get_member(actor, member_id)
    shown = Typed(
        error=error,
        restricted=member.restricted,
        contract_ids=[str(contract) for contract in member.contract_ids],
        ship_to_codes=member.ship_to_codes,
    )
    return await member_answer(page, actor, member, shown, 409 if isinstance(error, Conflict) else 422)


ROUTES: list[Any] = [people_page, decide_acceptance, invite, member_page, change_role, restrict, remove, resend]
