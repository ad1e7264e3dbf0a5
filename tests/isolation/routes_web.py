"""Pages and their buttons: people, companies, items, contracts."""

from typing import Any

from portal.core.access import Permission
from portal.core.ids import uuid7
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, PARTNER, Sight, Spec, form, query
from tests.isolation.routes_open import Routes
from tests.isolation.things import (
    Ids,
    accepted,
    active,
    company,
    contract,
    draft,
    invited,
    item,
    key,
    member,
    proposed,
    site,
)

P = Permission

COMPANY, OWN = Sight.COMPANY, Sight.OWN
SITE: dict[str, Any] = {"name": "Dock 2", "time_zone": "Europe/Berlin", "weekdays": ["0", "1"]}


def new(kind: str) -> str:
    """A code that nothing has yet."""
    return f"{kind}{uuid7().hex[-10:].upper()}"


def fields(*names: str, **values: Any) -> Any:
    """A form of the named ids and of values that differ each time when they can be called."""
    return lambda ids: Parts(
        form={name: ids[name] for name in names}
        | {name: value() if callable(value) else value for name, value in values.items()}
    )


def email() -> str:
    return f"{new('x')}@people.example".lower()


PEOPLE: Routes = {
    ("GET", "/keys"): Spec(need=P.MANAGE_PEOPLE),
    ("POST", "/keys"): Spec(need=P.MANAGE_PEOPLE, parts=form(name="ERP", scopes="read", days="30")),
    ("POST", "/keys/{key_id:uuid}/revoke"): Spec(key, form(), need=P.MANAGE_PEOPLE, sight=OWN, fresh=True),
    ("GET", "/people"): Spec(need=P.MANAGE_PEOPLE),
    ("POST", "/people"): Spec(
        company, fields("party_id", email=email, name="Ina", role="viewer"), need=P.MANAGE_PEOPLE, sight=COMPANY
    ),
    ("GET", "/people/{member_id:uuid}"): Spec(member, need=P.MANAGE_PEOPLE, sight=COMPANY),
    ("POST", "/people/{member_id:uuid}/role"): Spec(
        member, form("version", role="finance"), need=P.MANAGE_PEOPLE, sight=COMPANY, fresh=True
    ),
    ("POST", "/people/{member_id:uuid}/restriction"): Spec(
        member,
        lambda ids: Parts(form={"version": 1, "restricted": "true", "contract_ids": ids["contract_id"]}),
        need=P.MANAGE_PEOPLE,
        sight=COMPANY,
        fresh=True,
    ),
    ("POST", "/people/{member_id:uuid}/remove"): Spec(
        member, form("version"), need=P.MANAGE_PEOPLE, sight=COMPANY, fresh=True
    ),
    ("POST", "/people/{member_id:uuid}/invitation"): Spec(
        invited, form(), need=P.MANAGE_PEOPLE, sight=COMPANY, fresh=True
    ),
}

COMPANIES: Routes = {
    ("GET", "/partners"): Spec(scope=FACTORY),
    ("POST", "/partners"): Spec(
        need=P.MANAGE_MASTER_DATA, parts=fields(code=lambda: new("P"), name="Dornier", is_customer="true")
    ),
    ("GET", "/partners/new"): Spec(need=P.MANAGE_MASTER_DATA),
    ("GET", "/partners/{party_id:uuid}"): Spec(company, scope=FACTORY, sight=COMPANY),
    ("POST", "/partners/{party_id:uuid}"): Spec(
        company,
        fields("version", name="Renamed", country=lambda: new("Land "), is_customer="true", is_supplier="true"),
        need=P.MANAGE_MASTER_DATA,
        sight=COMPANY,
        fresh=True,
    ),
    ("GET", "/sites"): Spec(),
    ("POST", "/sites"): Spec(
        company, fields("party_id", **SITE, code=lambda: new("S")), need=P.MANAGE_MASTER_DATA, sight=COMPANY
    ),
    ("GET", "/sites/new"): Spec(company, query("party"), need=P.MANAGE_MASTER_DATA, sight=COMPANY),
    ("GET", "/sites/{site_id:uuid}"): Spec(site, sight=COMPANY, restricted=False),
    ("POST", "/sites/{site_id:uuid}"): Spec(
        site, form("version", **SITE), need=P.MANAGE_MASTER_DATA, sight=COMPANY, fresh=True
    ),
    ("POST", "/sites/{site_id:uuid}/days"): Spec(
        site, form("day", working="true"), need=P.KEEP_CALENDARS, sight=COMPANY, fresh=True
    ),
    ("POST", "/sites/{site_id:uuid}/days/clear"): Spec(
        site, form("day"), need=P.KEEP_CALENDARS, sight=COMPANY, fresh=True
    ),
}

ITEM: dict[str, Any] = {"need": P.KEEP_CALENDARS, "sight": Sight.FACTORY, "fresh": True}
ITEMS: Routes = {
    ("GET", "/items"): Spec(scope=FACTORY),
    ("GET", "/items/options"): Spec(scope=FACTORY),
    ("GET", "/items/new"): Spec(need=P.MANAGE_MASTER_DATA),
    ("POST", "/items"): Spec(
        need=P.MANAGE_MASTER_DATA, parts=fields(code=lambda: new("I"), description="Housing", unit="H87")
    ),
    ("GET", "/items/{item_id:uuid}"): Spec(item, sight=Sight.FACTORY),
    ("POST", "/items/{item_id:uuid}"): Spec(item, form("version", description="Cover", unit="H87"), **ITEM),
    ("POST", "/items/{item_id:uuid}/part-numbers"): Spec(
        item, fields("version", "party_id", part_no=lambda: new("P")), **ITEM
    ),
    ("POST", "/items/{item_id:uuid}/part-numbers/{number_id:uuid}/remove"): Spec(item, form("version"), **ITEM),
}

HEAD: dict[str, Any] = {
    "currency": "CNY",
    "valid_from": "2026-01-01",
    "kind": "annual",
    "time_zone": "UTC",
    "response_hours": "8",
}
WRITES: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "fresh": True}
ANSWERS: dict[str, Any] = {"need": P.ACCEPT_CONTRACTS, "scope": PARTNER, "fresh": True, "restricted": False}


def new_contract(ids: Ids) -> Parts:
    """A draft for the company that the form names."""
    return Parts(form={**HEAD, "party_id": ids["party_id"], "direction": ids["direction"].value})


CONTRACTS: Routes = {
    ("GET", "/contracts"): Spec(contract, lambda ids: Parts(query={"partner": ids["party_id"]}), filters=True),
    ("GET", "/contracts/export"): Spec(
        contract, lambda ids: Parts(query={"partner": ids["party_id"], "kind": "csv"}), filters=True
    ),
    ("POST", "/contracts"): Spec(draft, new_contract, need=P.EDIT_CONTRACTS),
    ("GET", "/contracts/{contract_id:uuid}"): Spec(contract),
    ("GET", "/contracts/new"): Spec(need=P.EDIT_CONTRACTS),
    ("GET", "/contracts/zones"): Spec(parts=query(firm_days="28", tradeoff_days="63", day_unit="calendar")),
    ("GET", "/contracts/{contract_id:uuid}/edit"): Spec(draft, need=P.EDIT_CONTRACTS),
    ("POST", "/contracts/{contract_id:uuid}/edit"): Spec(draft, form("version", **HEAD), **WRITES),
    ("POST", "/contracts/{contract_id:uuid}/propose"): Spec(draft, form("version"), **WRITES),
    ("POST", "/contracts/{contract_id:uuid}/withdraw"): Spec(proposed, form("version"), **WRITES),
    ("POST", "/contracts/{contract_id:uuid}/accept"): Spec(proposed, form("version"), **ANSWERS),
    ("POST", "/contracts/{contract_id:uuid}/decline"): Spec(proposed, form("version", reason="too dear"), **ANSWERS),
    ("POST", "/contracts/{contract_id:uuid}/activate"): Spec(accepted, form("version"), **WRITES),
    ("POST", "/contracts/{contract_id:uuid}/complete"): Spec(active, form("version"), **WRITES),
    ("GET", "/contracts/{contract_id:uuid}/lines/new"): Spec(draft, need=P.EDIT_CONTRACTS),
    ("POST", "/contracts/{contract_id:uuid}/lines"): Spec(draft, form("version", "item_code"), **WRITES),
    ("GET", "/contracts/{contract_id:uuid}/lines/{line_id:uuid}"): Spec(draft, need=P.EDIT_CONTRACTS),
    ("POST", "/contracts/{contract_id:uuid}/lines/{line_id:uuid}"): Spec(
        draft, form("version", foq="80", cadence="week"), **WRITES
    ),
    ("POST", "/contracts/{contract_id:uuid}/lines/{line_id:uuid}/remove"): Spec(draft, form("version"), **WRITES),
    ("POST", "/contracts/{contract_id:uuid}/lines/{line_id:uuid}/prices"): Spec(
        draft, form("version", price="12.60", price_from="2027-01-01"), **WRITES
    ),
    ("POST", "/contracts/{contract_id:uuid}/lines/{line_id:uuid}/prices/{price_id:uuid}/remove"): Spec(
        draft, form("version"), **WRITES
    ),
}
ROUTES: Routes = {**PEOPLE, **COMPANIES, **ITEMS, **CONTRACTS}
