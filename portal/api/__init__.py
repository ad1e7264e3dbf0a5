"""The REST interface. One file a domain; each collects its controllers in ROUTES."""

from typing import Any

from portal.api import (
    accounts,
    audit,
    buckets,
    catalog,
    contract_lines,
    contracts,
    imports,
    keys,
    reports,
    schedules,
    shipments,
)

ROUTES: list[Any] = [
    *accounts.ROUTES,
    *audit.ROUTES,
    *buckets.ROUTES,
    *catalog.ROUTES,
    *contract_lines.ROUTES,
    *contracts.ROUTES,
    *imports.ROUTES,
    *keys.ROUTES,
    *reports.ROUTES,
    *schedules.ROUTES,
    *shipments.ROUTES,
]
