"""API keys of the own company. The key itself is shown once, on the page that made it."""

from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import BeforeValidator, Field

from portal.accounts import reads, rules, service_keys
from portal.core.access import Permission, permissions_of
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.people import one_or_many
from portal.web.typed import Typed

SIZE = 100
PERMISSION_NAMES: dict[Permission, str] = {
    Permission.READ: N_("Read contracts, schedules, shipments and receipts"),
    Permission.SEE_PRICES: N_("See prices"),
    Permission.EDIT_CONTRACTS: N_("Write contracts"),
    Permission.ACCEPT_CONTRACTS: N_("Answer proposed contracts"),
    Permission.PUBLISH_SCHEDULES: N_("Publish schedules"),
    Permission.CONFIRM_LINES: N_("Confirm deliveries"),
    Permission.DECIDE_ANSWERS: N_("Decide about answers that differ"),
    Permission.REQUEST_CHANGES: N_("Ask for changes of deliveries and answer them"),
    Permission.SHIP: N_("Ship"),
    Permission.RECEIVE: N_("Receive"),
    Permission.MANAGE_PEOPLE: N_("Manage people and keys"),
    Permission.MANAGE_MASTER_DATA: N_("Manage partners, items and sites"),
    Permission.KEEP_CALENDARS: N_("Keep calendars of sites"),
    Permission.RUN_IMPORTS: N_("Import files"),
    Permission.READ_AUDIT: N_("Read the audit log"),
    Permission.APPROVE: N_("Approve what a rule asks of the role"),
    Permission.MANAGE_RULES: N_("Write approval rules"),
}
LIFETIMES = {"90": N_("90 days"), "365": N_("1 year"), "0": N_("Until it is revoked")}
Scopes = Annotated[list[Permission], BeforeValidator(one_or_many)]


class NothingAllowed(Invalid):
    code = "nothing-allowed"
    text = N_("Choose at least one right for the key.")


class KeyForm(Form):
    name: str
    scopes: Scopes = Field(default_factory=list, max_length=len(Permission))
    days: int = Field(365, ge=0, le=3650)


def key_scopes(actor: Actor) -> list[tuple[str, str]]:
    """The rights that a key of this company can be given, in the order of the access table."""
    allowed = permissions_of(actor.scope, rules.ADMIN_ROLE[actor.scope])
    return [(permission.value, _(name)) for permission, name in PERMISSION_NAMES.items() if permission in allowed]


async def keys_answer(
    page: Page, actor: Actor, typed: Typed | None = None, status: int = 200, token: str = ""
) -> Template:
    return page.render(
        "accounts/keys.html",
        active="keys",
        status=status,
        keys=await reads.list_keys(actor, limit=SIZE),
        scopes=key_scopes(actor),
        scope_names={scope.value: name for scope, name in PERMISSION_NAMES.items()},
        lifetimes=[(days, _(name)) for days, name in LIFETIMES.items()],
        typed=typed or Typed(days="365", scopes=["read"]),
        token=token,
    )


@get("/keys")
async def keys_page(page: NamedDependency[Page], actor: NamedDependency[Actor], done: FromQuery[str] = "") -> Template:
    return await keys_answer(page, actor)


@post("/keys")
async def create(
    page: NamedDependency[Page], actor: NamedDependency[Actor], data: URLEncodedBody[KeyForm]
) -> Template | Redirect:
    try:
        if not data.scopes:
            raise NothingAllowed(field="scopes")
        command = service_keys.CreateKey(name=data.name, scopes=data.scopes, days=data.days or None)
        async with unit_of_work(actor) as session:
            _key, token = await service_keys.create_key(session, actor, command)
    except (Invalid, Conflict) as error:
        return await keys_answer(page, actor, Typed(data, error), 422)
    return await keys_answer(page, actor, token=token)


@post("/keys/{key_id:uuid}/revoke")
async def revoke(page: NamedDependency[Page], actor: NamedDependency[Actor], key_id: FromPath[UUID]) -> Redirect:
    async with unit_of_work(actor) as session:
        await service_keys.revoke_key(session, actor, key_id)
    return page.go("/keys")


ROUTES: list[Any] = [keys_page, create, revoke]
