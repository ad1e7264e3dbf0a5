"""The two template functions that know about built files: addresses of assets and drawings of icons."""

import json
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

DIST = Path(__file__).parent / "static" / "dist"
STATIC_URL = "/static/dist/"  # names carry a hash of their content, so answers may be kept for ever


@cache
def _read(name: str) -> dict[str, str]:
    table: dict[str, str] = json.loads((DIST / name).read_text("utf-8"))
    return table


def asset(name: str) -> str:
    """The address of a built file by its source name: `asset("app.css")`. KeyError when it was never built."""
    return STATIC_URL + _read("manifest.json")[name]


@cache
def icon(name: str, label: str | None = None) -> Markup:
    """One drawing of frontend/icons.txt as inline SVG: hidden from readers unless it has a label of its own."""
    meaning = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    drawing = Markup(_read("icons.json")[name])  # noqa: S704 - our own build wrote it
    return Markup('<svg class="cf-icon" viewBox="0 0 24 24" {}>{}</svg>').format(escape(meaning), drawing)
