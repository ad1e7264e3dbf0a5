"""Which role may do what: the one table that pages, API and bot read, and that the documentation shows.

Whether a *company* may see a row is decided by row-level security; whether a *colleague* may, by `visible()`.
"""

from enum import StrEnum

from portal.core.i18n import N_


class Role(StrEnum):
    ADMIN = "admin"
    PLANNER = "planner"
    BUYER = "buyer"
    SALES = "sales"
    WAREHOUSE = "warehouse"
    PRODUCTION = "production"
    FINANCE = "finance"
    AUDITOR = "auditor"
    VIEWER = "viewer"
    PARTNER_ADMIN = "partner_admin"
    CLERK = "clerk"


class Permission(StrEnum):
    """What can be done. API keys carry a subset as their scopes."""

    READ = "read"  # contracts, schedules, shipments, receipts, reports of the own company
    SEE_PRICES = "see_prices"
    EDIT_CONTRACTS = "edit_contracts"  # the factory's: draft, propose, answer, amend, suspend, terminate, complete
    ACCEPT_CONTRACTS = "accept_contracts"  # a partner's: answer, counter, offer amendments, suspend, terminate
    PUBLISH_SCHEDULES = "publish_schedules"  # generate lines, publish a release, cancel lines
    CONFIRM_LINES = "confirm_lines"  # the seller's answer
    REQUEST_CHANGES = "request_changes"  # ask for changes of deliveries, answer the other company's
    SHIP = "ship"
    RECEIVE = "receive"
    MANAGE_PEOPLE = "manage_people"  # invite, restrict, remove; keys of the own company
    MANAGE_MASTER_DATA = "manage_master_data"  # parties, items, sites
    RUN_IMPORTS = "run_imports"
    READ_AUDIT = "read_audit"
    APPROVE = "approve"  # decide what a rule asks of the own role
    MANAGE_RULES = "manage_rules"  # what needs an approval, and whose


P = Permission
_EVERYBODY = frozenset({P.READ})
_OFFICE = _EVERYBODY | {P.SEE_PRICES}

FACTORY: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(P) - {P.ACCEPT_CONTRACTS},
    Role.PLANNER: _OFFICE
    | {P.EDIT_CONTRACTS, P.PUBLISH_SCHEDULES, P.CONFIRM_LINES, P.REQUEST_CHANGES, P.SHIP, P.RECEIVE}
    | {P.MANAGE_MASTER_DATA, P.RUN_IMPORTS, P.APPROVE},
    Role.BUYER: _OFFICE
    | {P.EDIT_CONTRACTS, P.PUBLISH_SCHEDULES, P.REQUEST_CHANGES, P.RECEIVE, P.MANAGE_MASTER_DATA, P.APPROVE},
    Role.SALES: _OFFICE
    | {P.EDIT_CONTRACTS, P.PUBLISH_SCHEDULES, P.CONFIRM_LINES, P.REQUEST_CHANGES, P.SHIP}
    | {P.MANAGE_MASTER_DATA, P.APPROVE},
    Role.WAREHOUSE: _EVERYBODY | {P.SHIP, P.RECEIVE},
    Role.PRODUCTION: _EVERYBODY | {P.APPROVE},
    Role.FINANCE: _OFFICE | {P.APPROVE},
    Role.AUDITOR: _OFFICE | {P.READ_AUDIT},
    Role.VIEWER: _EVERYBODY,
}
PARTNER: dict[Role, frozenset[Permission]] = {
    Role.PARTNER_ADMIN: _OFFICE
    | {P.ACCEPT_CONTRACTS, P.CONFIRM_LINES, P.REQUEST_CHANGES, P.SHIP, P.RECEIVE, P.MANAGE_PEOPLE},
    Role.CLERK: _EVERYBODY | {P.CONFIRM_LINES, P.REQUEST_CHANGES, P.SHIP, P.RECEIVE},
    Role.FINANCE: _OFFICE,
    Role.VIEWER: _EVERYBODY,
}
# These concern every contract, so a colleague restricted to some contracts has none of them, whatever the role.
WHOLE_COMPANY = frozenset({P.MANAGE_PEOPLE, P.MANAGE_MASTER_DATA, P.RUN_IMPORTS, P.READ_AUDIT, P.MANAGE_RULES})
BY_SCOPE = {"factory": FACTORY, "partner": PARTNER}

ROLE_NAMES: dict[Role, str] = {
    Role.ADMIN: N_("Administrator"),
    Role.PLANNER: N_("Planner"),
    Role.BUYER: N_("Buyer"),
    Role.SALES: N_("Sales planner"),
    Role.WAREHOUSE: N_("Warehouse"),
    Role.PRODUCTION: N_("Production"),
    Role.FINANCE: N_("Finance"),
    Role.AUDITOR: N_("Auditor"),
    Role.VIEWER: N_("Viewer"),
    Role.PARTNER_ADMIN: N_("Company administrator"),
    Role.CLERK: N_("Clerk"),
}


def permissions_of(scope: str, role: Role) -> frozenset[Permission]:
    """What a role may do in a scope; a role of the other scope may do nothing."""
    return BY_SCOPE[scope].get(role, frozenset())


def roles_of(scope: str) -> list[Role]:
    """The roles that a member of this scope can have, most powerful first."""
    return list(BY_SCOPE[scope])
