"""Pages of contracts: the list, one contract, and its head as a form."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import reads, service, service_drafts
from portal.contracts.model import Contract
from portal.contracts.rules import INCOTERMS
from portal.contracts.service_drafts import NoDraft
from portal.contracts.words import ANSWER_LABELS, answer_fields
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import _
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web import contract_list, contract_views
from portal.web.contract_forms import EditContractForm, NewContractForm
from portal.web.contract_views import DIRECTION_NAMES, KIND_NAMES
from portal.web.errors import status_of
from portal.web.pages import Page
from portal.web.typed import Typed, plain

LIVE = "/live"
HEAD_FIELDS = (
    *("number", "kind", "title", "partner_reference", "currency", "valid_from", "valid_to", "time_zone"),
    *("response_hours", "incoterm", "incoterm_place", "payment_terms", "take_or_pay_percent", "penalty_percent"),
    *("penalty_cap_percent", "notice_days", "party_id", "direction", *ANSWER_LABELS),
)


@get("/contracts")
async def contracts(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    q: FromQuery[str] = "",
    status: FromQuery[str] = "",
    direction: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> Template:
    """Contracts, the newest first."""
    asked = contract_list.Asked.of(q, status, direction, partner, after)
    return page.render("contracts/list.html", active="contracts", **await contract_list.context(actor, asked))


@get("/contracts/export")
async def export(
    actor: NamedDependency[Actor],
    q: FromQuery[str] = "",
    status: FromQuery[str] = "",
    direction: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:
    """The list as a file."""
    return await contract_list.export(actor, contract_list.Asked.of(q, status, direction, partner, None), kind)


@get("/contracts/{contract_id:uuid}")
async def contract(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template:
    """One contract: what was agreed and how far it is used."""
    found = await contract_views.context(session, actor, contract_id)
    return page.render("contracts/contract.html", active="contracts", live=LIVE, **found)


# The head as a form --------------------------------------------------------------------------------------------------


@get("/contracts/new")
async def new_contract(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """An empty contract."""
    actor.require(Permission.EDIT_CONTRACTS)
    return await new_form(actor, page, Typed(time_zone=actor.time_zone, response_hours="16", kind="periodic"))


@post("/contracts")
async def create(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[NewContractForm]
) -> Template | Redirect:
    """Begin a draft; lines are added on its page."""
    try:
        async with unit_of_work(actor) as session:
            made = await service_drafts.create_contract(session, actor, data.command())
    except (Invalid, Conflict) as error:
        return await new_form(actor, page, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{made.id}")


async def new_form(actor: Actor, page: Page, typed: Typed, status: int = 200) -> Template:
    """The form of a new contract, with what stood in it."""
    async with read(actor) as connection:
        partners = await reads.partners(connection, actor)
    return page.render(
        "contracts/form.html",
        active="contracts",
        status=status,
        typed=typed,
        contract=None,
        fields=HEAD_FIELDS,
        kinds=[(kind.value, _(name)) for kind, name in KIND_NAMES.items()],
        incoterms=[("", _("none")), *((term, term) for term in INCOTERMS)],
        answers=answer_fields(),
        directions=[("", ""), *((way.value, _(name)) for way, name in DIRECTION_NAMES.items())],
        partners=[("", ""), *((str(row.id), f"{row.name} ({row.code})") for row in partners)],
    )


@get("/contracts/{contract_id:uuid}/edit")
async def edit_contract(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template:
    """The head of a draft."""
    draft = await get_draft(session, actor, contract_id)
    return edit_form(page, draft, Typed(None, None, **{name: plain(getattr(draft, name)) for name in HEAD_FIELDS}))


@post("/contracts/{contract_id:uuid}/edit")
async def change(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[EditContractForm],
) -> Template | Redirect:
    """Write the head of a draft anew."""
    try:
        async with unit_of_work(actor) as session:
            await service_drafts.change_contract(session, actor, contract_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        async with unit_of_work(actor) as session:
            draft = await get_draft(session, actor, contract_id)
        return edit_form(page, draft, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}")


async def get_draft(session: AsyncSession, actor: Actor, contract_id: UUID) -> Contract:
    """A contract whose text this reader may change. Raises Forbidden, NotFound or NoDraft."""
    actor.require(Permission.EDIT_CONTRACTS)
    draft = await service.get_contract(session, actor, contract_id)
    if not service.can_edit(draft, actor):
        raise NoDraft(status=draft.status)
    return draft


def edit_form(page: Page, draft: Contract, typed: Typed, status: int = 200) -> Template:
    """The form of a draft's head, with what stood in it. Its version is the present one, so sending again decides."""
    return page.render(
        "contracts/form.html",
        active="contracts",
        status=status,
        typed=typed,
        contract=draft,
        fields=HEAD_FIELDS,
        kinds=[(kind.value, _(name)) for kind, name in KIND_NAMES.items()],
        incoterms=[("", _("none")), *((term, term) for term in INCOTERMS)],
        answers=answer_fields(),
    )


ROUTES: list[HTTPRouteHandler] = [
    contracts,
    export,
    contract,
    new_contract,
    create,
    edit_contract,
    change,
]
