"""Pages. One file a domain; each collects its handlers in ROUTES."""

from portal.web import (
    accounts,
    api_docs,
    audit,
    catalog,
    contract_lines,
    contracts,
    keys,
    live,
    partners,
    people,
    receipts,
    schedules,
    shipments,
    sites,
    static_files,
    today,
)

ROUTES = [
    *accounts.ROUTES,
    *api_docs.ROUTES,
    *audit.ROUTES,
    *catalog.ROUTES,
    *contract_lines.ROUTES,
    *contracts.ROUTES,
    *keys.ROUTES,
    *live.ROUTES,
    *partners.ROUTES,
    *people.ROUTES,
    *receipts.ROUTES,
    *schedules.ROUTES,
    *shipments.ROUTES,
    *sites.ROUTES,
    *static_files.ROUTES,
    *today.ROUTES,
]
