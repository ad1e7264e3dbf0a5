"""The routes of the application and the table of what each is expected to do."""

from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.isolation import (
    routes_api,
    routes_approvals,
    routes_changes,
    routes_chat,
    routes_confirm,
    routes_contracts,
    routes_cumulative,
    routes_factor,
    routes_fields,
    routes_forecasts,
    routes_goods,
    routes_invoices,
    routes_ledger,
    routes_notices,
    routes_office,
    routes_open,
    routes_opening,
    routes_own,
    routes_papers,
    routes_releases,
    routes_sheets,
    routes_ways,
    routes_web,
)
from tests.isolation.calls import UNSAFE
from tests.isolation.expect import Spec
from tests.isolation.routes_open import Routes

ROUTES: Routes = {
    **routes_open.ROUTES,
    **routes_web.ROUTES,
    **routes_contracts.ROUTES,
    **routes_cumulative.ROUTES,
    **routes_factor.ROUTES,
    **routes_fields.ROUTES,
    **routes_forecasts.ROUTES,
    **routes_goods.ROUTES,
    **routes_invoices.ROUTES,
    **routes_ledger.ROUTES,
    **routes_office.ROUTES,
    **routes_opening.ROUTES,
    **routes_own.ROUTES,
    **routes_notices.ROUTES,
    **routes_api.ROUTES,
    **routes_approvals.ROUTES,
    **routes_changes.ROUTES,
    **routes_chat.ROUTES,
    **routes_confirm.ROUTES,
    **routes_sheets.ROUTES,
    **routes_papers.ROUTES,
    **routes_releases.ROUTES,
    **routes_ways.ROUTES,
}
Route = tuple[str, str]


def routes_of(app: Litestar) -> set[Route]:
    """Every method and path that answers. OPTIONS is the framework's own and tells methods only."""
    found: set[Route] = set()
    for route in app.routes:
        assert isinstance(route, HTTPRoute), f"{route.path} is no HTTP route; the tests of isolation do not know it"
        found |= {(method, route.path) for method in route.methods if method != "OPTIONS"}
    return found


def specs(route: Route) -> tuple[Spec, ...]:
    """The ways in which a route is tried."""
    spec = ROUTES[route]
    return spec if isinstance(spec, tuple) else (spec,)


def is_program(route: Route) -> bool:
    """Whether programs call it with a key."""
    return route[1].startswith("/api/v1")


def unsafe(program: bool) -> list[Route]:
    """The routes that change something, of pages or of the interface."""
    return sorted(route for route in ROUTES if route[0] in UNSAFE and is_program(route) is program)


def label(route: Route) -> str:
    """The route in the name of a test."""
    return f"{route[0]} {route[1]}"
