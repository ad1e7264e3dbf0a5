"""The factory's customers and suppliers."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import Field

from portal.accounts import reads, service_companies
from portal.accounts.reads import PartyRow
from portal.accounts.service_companies import CreateParty, EditParty
from portal.core import i18n, paging
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.i18n import N_, _
from portal.fields.model import Holder
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web import people
from portal.web.addresses import address
from portal.web.custom_field_views import card
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed
from portal.web.views import Column, ListView, Row

SIZE = 50
DONE = {
    "created": N_("The partner is there. Invite its first administrator, who then invites the others."),
    "edited": N_("The change is saved."),
}


class PartyForm(Form):
    code: str
    name: str
    country: str = Field("", max_length=80)
    is_customer: bool = False
    is_supplier: bool = False


class EditPartyForm(Form):
    version: int
    name: str
    country: str = Field("", max_length=80)
    is_customer: bool = False
    is_supplier: bool = False

    def command(self) -> EditParty:
        return EditParty.model_validate(self.model_dump(exclude={"version"}))


def trade(party: PartyRow) -> str:
    """Customer, supplier or both, in words."""
    words = [(party.is_factory, _("Factory")), (party.is_customer, _("Customer")), (party.is_supplier, _("Supplier"))]
    return " · ".join(word for true, word in words if true)


def partner_list(parties: list[PartyRow], find: str, later: bool) -> ListView:
    """The partners as a list, with the way to the next page."""
    shown = parties[:SIZE]
    rows = [
        Row(
            (party.name, party.code, trade(party), party.country, i18n.number(party.contracts)),
            f"/partners/{party.id}",
        )
        for party in shown
    ]
    cursor = paging.encode(shown[-1].name, shown[-1].id) if len(parties) > SIZE else None
    return ListView(
        title=_("Partners"),
        sub=_("Customers and suppliers of this workspace. Partners never see one another."),
        columns=(
            Column(_("Company")),
            Column(_("Code")),
            Column(_("Trade")),
            Column(_("Country")),
            Column(_("Contracts"), num=True),
        ),
        rows=rows,
        empty=_("No company has “{text}” in its name or code.").format(text=find) if find else _("No partner yet."),
        next_href=address("/partners", {"q": find, "cursor": cursor}) if cursor else None,
        first_href=address("/partners", {"q": find}) if later else None,
    )


@get("/partners")
async def partners_page(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Template:
    factory_only(actor)
    key = paging.decode(cursor, str, UUID) if cursor else None
    parties = await reads.list_parties(actor, limit=SIZE + 1, after=key, find=q)
    return page.render(
        "accounts/partners.html", active="partners", list=partner_list(parties, q, key is not None), find=q
    )


def factory_only(actor: Actor) -> None:
    """For a partner there are no partners: the page is not there."""
    if not actor.is_factory:
        raise NotFound


def new_partner(page: Page, typed: Typed | None = None, status: int = 200) -> Template:
    return page.render("accounts/partner_new.html", active="partners", status=status, typed=typed or Typed())


@get("/partners/new")
async def new_partner_page(page: NamedDependency[Page], actor: NamedDependency[Actor]) -> Template:
    factory_only(actor)
    actor.require(Permission.MANAGE_MASTER_DATA)
    return new_partner(page)


@post("/partners")
async def create(
    page: NamedDependency[Page], actor: NamedDependency[Actor], data: URLEncodedBody[PartyForm]
) -> Template | Redirect:
    try:
        async with unit_of_work(actor) as session:
            party = await service_companies.create_party(session, actor, CreateParty(**data.model_dump()))
    except (Invalid, Conflict) as error:
        return new_partner(page, Typed(data, error), 422)
    return page.go(f"/partners/{party.id}?done=created")


async def partner_answer(
    page: Page, actor: Actor, party_id: UUID, typed: Typed | None = None, status: int = 200, done: str = ""
) -> Template:
    """One company with what this role may see of it: its people only for those who manage people."""
    party = await reads.get_party(actor, party_id)
    context: dict[str, Any] = {"members": [], "invitations": []}
    if actor.may(Permission.MANAGE_PEOPLE):
        context = await people.people_context(actor, party_id)
    edited = Typed(name=party.name, country=party.country, is_customer=party.is_customer, is_supplier=party.is_supplier)
    context |= {"party": party, "trade": trade(party), "edited": typed or edited, "status": status}
    context["done"] = _(DONE[done]) if done in DONE else people.done_text(done)
    context["fields_card"] = None
    if not party.is_factory:
        async with unit_of_work(actor) as session:
            context["fields_card"] = await card(session, actor, Holder.PARTNER, party_id)
    context["sites"] = await reads.list_sites(actor, limit=200, party_id=party_id)
    return page.render("accounts/partner.html", active="partners", **context)


@get("/partners/{party_id:uuid}")
async def partner_page(
    page: NamedDependency[Page], actor: NamedDependency[Actor], party_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Template:
    factory_only(actor)
    return await partner_answer(page, actor, party_id, done=done)


@post("/partners/{party_id:uuid}")
async def edit(
    page: NamedDependency[Page],
    actor: NamedDependency[Actor],
    party_id: FromPath[UUID],
    data: URLEncodedBody[EditPartyForm],
) -> Template | Redirect:
    try:
        async with unit_of_work(actor) as session:
            await service_companies.edit_party(session, actor, party_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        return await partner_answer(
            page, actor, party_id, Typed(data, error), 409 if isinstance(error, Conflict) else 422
        )
    return page.go(f"/partners/{party_id}?done=edited")


ROUTES: list[Any] = [partners_page, new_partner_page, create, partner_page, edit]
