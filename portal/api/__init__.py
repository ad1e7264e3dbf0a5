"""The REST interface. One file a domain; each collects its controllers in ROUTES."""

from typing import Any

ROUTES: list[Any] = []
