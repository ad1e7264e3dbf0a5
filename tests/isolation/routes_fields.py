"""Custom fields, in pages and over the interface: the factory's own."""

from typing import Any
from uuid import UUID

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.fields.inputs import NewField
from portal.fields.service import create_field
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Sight, Spec, body, form, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, contract, item
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"
SAID = {"label_zh": "等级", "label_en": "Class"}


def key() -> str:
    return f"k{uuid7().hex[-12:]}"


async def field(world: World, place: Place) -> Ids:
    """A text field of items."""
    factory = world.companies[place].factory
    actor = Actor.system(factory.tenant_id, factory.party_id)
    async with unit_of_work(actor) as session:
        made = await create_field(session, actor, NewField.model_validate(new({})))
    return {"field_id": made.id, "version": 1}


async def of_item(world: World, place: Place) -> Ids:
    """An item whose fields nobody has written yet."""
    ids = await item(world, place)
    found: UUID = ids["item_id"]
    return {"holder": "item", "holder_id": found, "version": 0}


async def of_contract(world: World, place: Place) -> Ids:
    ids = await contract(world, place)
    return {"holder": "contract", "holder_id": ids["contract_id"], "version": 0}


def new(ids: Ids) -> dict[str, str]:
    return {"holder": "item", "key": key(), "kind": "text", **SAID}


DEFINES: dict[str, Any] = {"need": P.MANAGE_RULES, "scope": FACTORY, "restricted": False}
ONE: dict[str, Any] = {**DEFINES, "sight": Sight.FACTORY}
WRITES: dict[str, Any] = {"need": P.MANAGE_MASTER_DATA, "sight": Sight.FACTORY, "scope": FACTORY, "restricted": False}
FIELD, VALUES = "/fields/{field_id:uuid}", "/fields/{holder:str}/{holder_id:uuid}"
API, API_VALUES = f"{V1}/custom-fields", f"{V1}/custom-values/{{holder:str}}/{{holder_id:uuid}}"

ROUTES: Routes = {
    ("GET", "/fields"): Spec(**DEFINES),
    ("POST", "/fields"): Spec(parts=lambda ids: Parts(form=new(ids)), **DEFINES),
    ("GET", FIELD): Spec(field, **ONE),
    ("POST", FIELD): Spec(field, form("version", **SAID), fresh=True, **ONE),
    ("POST", f"{FIELD}/remove"): Spec(field, form("version"), fresh=True, **ONE),
    ("GET", VALUES): Spec(of_item, **WRITES),
    ("POST", VALUES): Spec(of_item, form("version"), **WRITES),
    ("GET", API): Spec(scope=FACTORY),
    ("POST", API): Spec(parts=lambda ids: Parts(json=new(ids)), **DEFINES),
    ("GET", f"{API}/{{field_id:uuid}}"): Spec(field, sight=Sight.FACTORY, scope=FACTORY),
    ("PATCH", f"{API}/{{field_id:uuid}}"): Spec(field, body(versioned=True, **SAID), fresh=True, **ONE),
    ("DELETE", f"{API}/{{field_id:uuid}}"): Spec(field, version, fresh=True, **ONE),
    ("GET", API_VALUES): Spec(of_contract, sight=Sight.FACTORY, scope=FACTORY),
    ("PUT", API_VALUES): Spec(of_item, body(versioned=True, values={}), **WRITES),
}
