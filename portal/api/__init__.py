"""The REST interface. One file a domain; each collects its controllers in ROUTES."""

from typing import Any

from portal.api import (
    accounts,
    audit,
    catalog,
    contract_lines,
    contracts,
    imports,
    keys,
    papers,
    reports,
    schedules,
    shipments,
)

ROUTES: list[Any] = [
    *accounts.ROUTES,
    *audit.ROUTES,
    *catalog.ROUTES,
    *contract_lines.ROUTES,
    *contracts.ROUTES,
    *imports.ROUTES,
    *keys.ROUTES,
    *papers.ROUTES,
    *reports.ROUTES,
    *schedules.ROUTES,
    *shipments.ROUTES,
]
