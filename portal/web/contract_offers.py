"""Pages of offers: a counter-offer, an amendment, the answer to one, and the versions side by side."""

from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service, service_amendments, service_life
from portal.contracts.evidence import Content
from portal.contracts.inputs import Amendment, Offer
from portal.contracts.model import Contract
from portal.contracts.rules import INCOTERMS
from portal.contracts.service import require_step
from portal.contracts.use_words import use_choices
from portal.contracts.words import answer_fields
from portal.core import clock
from portal.core.actor import Actor, Origin
from portal.core.calendars import local_today
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.i18n import N_, _
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web import contract_offer_forms as forms
from portal.web import contract_version_views as views
from portal.web.contract_forms import AcceptForm, DeclineForm, StepForm
from portal.web.errors import BadForm, status_of
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.second_factor import UNPROVEN

COUNTER, AMEND, COUNTER_AMENDMENT = "counter", "amend", "amendment/counter"
TITLES = {
    COUNTER: N_("Counter-offer for {contract}"),
    AMEND: N_("Amendment of {contract}"),
    COUNTER_AMENDMENT: N_("Counter-offer for the amendment of {contract}"),
}
BUTTONS = {COUNTER: N_("Send counter-offer"), AMEND: N_("Offer amendment"), COUNTER_AMENDMENT: N_("Send counter-offer")}


@get("/contracts/{contract_id:uuid}/versions")
async def versions(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    before: FromQuery[int | None] = None,
    after: FromQuery[int | None] = None,
) -> Template:
    """Every offer and version of a contract, and two of them side by side."""
    found = await views.context(session, actor, contract_id, before, after, factory_name=page.tenant_name)
    return page.render("contracts/versions.html", active="contracts", **found)


async def refused_versions(
    actor: Actor, page: Page, contract_id: UUID, error: PortalError, declining: Form | None = None
) -> Template:
    """The same page again, with why the answer was refused."""
    async with unit_of_work(actor) as session:
        found = await views.context(
            session, actor, contract_id, refusal=error, declining=declining, factory_name=page.tenant_name
        )
    return page.render("contracts/versions.html", active="contracts", status=status_of(error), **found)


# The form ------------------------------------------------------------------------------------------------------------


async def offer_page(
    actor: Actor,
    page: Page,
    contract_id: UUID,
    mode: str,
    typed: dict[str, str] | None = None,
    error: PortalError | None = None,
) -> Template:
    """The form with the present terms, or with what was typed before a refusal."""
    async with unit_of_work(actor) as session:
        contract = await _offerable(session, actor, contract_id, mode)
        content = await views.offer_base(session, actor, contract)
    today = local_today(clock.now(), contract.time_zone)
    stood = forms.shown_fields(content, forms.today_or_later(content["valid_from"], today))
    if isinstance(error, Invalid | Conflict) and typed is not None:
        error = _placed(error, typed, content)
    return page.render(
        "contracts/offer.html",
        active="contracts",
        status=status_of(error) if error else 200,
        contract=contract,
        mode=mode,
        heading=_(TITLES[mode]).format(contract=contract.number),
        button=_(BUTTONS[mode]),
        form=forms.OfferForm(stood | (typed or {}), error),
        fields=stood,
        lines=forms.line_fields(content),
        incoterms=[("", _("none")), *((term, term) for term in INCOTERMS)],
        answers=answer_fields(),
        use=use_choices(),
        cadences=[
            ("", _("none: pure call-off")),
            ("week", _("week")),
            ("month", _("month")),
            ("quarter", _("quarter")),
        ],
        dated=mode != COUNTER,
    )


def _placed(error: Invalid | Conflict, typed: dict[str, str], content: Content) -> PortalError:
    try:
        return forms.in_form(error, typed, content)
    except PortalError:  # it is the typed text itself that cannot be read, so the error has the form's name already
        return error


async def _offerable(session: AsyncSession, actor: Actor, contract_id: UUID, mode: str) -> Contract:
    """The contract, if this reader could send such an offer about it."""
    action = COUNTER if mode == COUNTER else AMEND
    require_step(actor, action)
    contract = await service.get_contract(session, actor, contract_id)
    service_life.check_step(actor, contract, action)
    return contract


async def send(request: Request[Any, Any, Any], actor: Actor, page: Page, contract_id: UUID, mode: str) -> Any:
    """Read the form and make the offer of it; show the form again after a refusal."""
    typed = await forms.read(request)
    try:
        async with unit_of_work(actor) as session:
            contract = await _offerable(session, actor, contract_id, mode)
            content = await views.offer_base(session, actor, contract)
            await _make(session, actor, contract_id, mode, _command(mode, content, typed), _version(typed))
    except (Invalid, Conflict) as error:
        return await offer_page(actor, page, contract_id, mode, typed, error)
    return page.go(f"/contracts/{contract_id}/versions")


def _command(mode: str, content: Content, typed: dict[str, str]) -> Offer:
    return forms.offer_of(content, typed) if mode == COUNTER else forms.amendment_of(content, typed)


async def _make(session: AsyncSession, actor: Actor, contract_id: UUID, mode: str, data: Offer, version: int) -> None:
    if not isinstance(data, Amendment):
        await service_life.counter(session, actor, contract_id, data, version)
    elif mode == AMEND:
        await service_amendments.amend(session, actor, contract_id, data, version)
    else:
        await service_amendments.counter_amendment(session, actor, contract_id, data, version)


def _version(typed: dict[str, str]) -> int:
    text = typed.get("version", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadForm(field="version", fields="version")
    return int(text)


@get("/contracts/{contract_id:uuid}/counter")
async def counter_form(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]
) -> Template:
    """The proposal as a form: change terms and send it back."""
    return await offer_page(actor, page, contract_id, COUNTER)


@post("/contracts/{contract_id:uuid}/counter")
async def counter(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template | Redirect:
    """Send a counter-offer."""
    answer: Template | Redirect = await send(request, actor, page, contract_id, COUNTER)
    return answer


@get("/contracts/{contract_id:uuid}/amend")
async def amend_form(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]
) -> Template:
    """The version agreed last as a form: change terms from a day on."""
    return await offer_page(actor, page, contract_id, AMEND)


@post("/contracts/{contract_id:uuid}/amend")
async def amend(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template | Redirect:
    """Offer an amendment."""
    answer: Template | Redirect = await send(request, actor, page, contract_id, AMEND)
    return answer


@get("/contracts/{contract_id:uuid}/amendment/counter")
async def counter_amendment_form(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]
) -> Template:
    """The waiting amendment as a form."""
    return await offer_page(actor, page, contract_id, COUNTER_AMENDMENT)


@post("/contracts/{contract_id:uuid}/amendment/counter")
async def counter_amendment(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template | Redirect:
    """Send the waiting amendment back with other terms."""
    answer: Template | Redirect = await send(request, actor, page, contract_id, COUNTER_AMENDMENT)
    return answer


# The answer to an amendment ------------------------------------------------------------------------------------------


@post("/contracts/{contract_id:uuid}/amendment/accept")
async def accept_amendment(
    actor: NamedDependency[Actor],
    origin: NamedDependency[Origin],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[AcceptForm],
) -> Template | Redirect:
    """Agree for the own company."""
    try:
        async with unit_of_work(actor) as session:
            await service_amendments.accept_amendment(session, actor, contract_id, data.version, origin, code=data.code)
    except UNPROVEN as error:
        return await refused_versions(actor, page, contract_id, error)
    return page.go(f"/contracts/{contract_id}/versions")


@post("/contracts/{contract_id:uuid}/amendment/decline")
async def decline_amendment(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[DeclineForm],
) -> Template | Redirect:
    """Do not agree, and say why."""
    try:
        async with unit_of_work(actor) as session:
            await service_amendments.decline_amendment(session, actor, contract_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await refused_versions(actor, page, contract_id, error, data)
    return page.go(f"/contracts/{contract_id}/versions")


@post("/contracts/{contract_id:uuid}/amendment/withdraw")
async def withdraw_amendment(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Take the own offer back."""
    await service_amendments.withdraw_amendment(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}/versions")


ROUTES: list[HTTPRouteHandler] = [
    versions,
    counter_form,
    counter,
    amend_form,
    amend,
    counter_amendment_form,
    counter_amendment,
    accept_amendment,
    decline_amendment,
    withdraw_amendment,
]
