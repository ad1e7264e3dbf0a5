"""Pages. One file a domain; each collects its handlers in ROUTES."""

from portal.web import accounts, keys, partners, people, sites, static_files

ROUTES = [
    *accounts.ROUTES,
    *keys.ROUTES,
    *partners.ROUTES,
    *people.ROUTES,
    *sites.ROUTES,
    *static_files.ROUTES,
]
