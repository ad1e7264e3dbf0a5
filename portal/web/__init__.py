"""Pages. One file a domain; each collects its handlers in ROUTES."""

from portal.web import static_files

ROUTES = [
    *static_files.ROUTES,
]
