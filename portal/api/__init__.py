"""The REST interface. One file a domain; each collects its controllers in ROUTES."""

from typing import Any

from portal.api import accounts, audit, catalog, contract_lines, contracts, keys, schedules, shipments

ROUTES: list[Any] = [
    *accounts.ROUTES,
    *audit.ROUTES,
    *catalog.ROUTES,
    *contract_lines.ROUTES,
    *contracts.ROUTES,
    *keys.ROUTES,
    *schedules.ROUTES,
    *shipments.ROUTES,
]
