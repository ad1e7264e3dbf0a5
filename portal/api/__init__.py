"""The REST interface. One file a domain; each collects its controllers in ROUTES."""

from typing import Any

from portal.api import accounts, keys, schedules

ROUTES: list[Any] = [
    *accounts.ROUTES,
    *keys.ROUTES,
    *schedules.ROUTES,
]
