"""The REST interface. One file a domain; each collects its controllers in ROUTES."""

from typing import Any

from portal.api import (
    accounts,
    audit,
    buckets,
    catalog,
    contract_extras,
    contract_lines,
    contract_sheets,
    contract_steps,
    contract_versions,
    contracts,
    imports,
    keys,
    line_reports,
    notices,
    opening,
    own_imports,
    papers,
    reports,
    schedules,
    shipments,
)

ROUTES: list[Any] = [
    *accounts.ROUTES,
    *audit.ROUTES,
    *buckets.ROUTES,
    *catalog.ROUTES,
    *contract_extras.ROUTES,
    *contract_lines.ROUTES,
    *contract_sheets.ROUTES,
    *contract_steps.ROUTES,
    *contract_versions.ROUTES,
    *contracts.ROUTES,
    *imports.ROUTES,
    *keys.ROUTES,
    *line_reports.ROUTES,
    *notices.ROUTES,
    *opening.ROUTES,
    *own_imports.ROUTES,
    *papers.ROUTES,
    *reports.ROUTES,
    *schedules.ROUTES,
    *shipments.ROUTES,
]
