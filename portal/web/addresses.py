"""The address of a list as the reader has narrowed it: written, and the days in it read."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from urllib.parse import quote_plus

from portal.core.faults import NotADate

_quoted = lru_cache(1024)(quote_plus)  # a list's tabs and choices come again with every page


def address(path: str, parts: Mapping[str, object]) -> str:
    """A path with its query. Parts that are empty, None or zero are left out."""
    kept = [f"{name}={_quoted(str(value))}" for name, value in parts.items() if value]
    return f"{path}?{'&'.join(kept)}" if kept else path


def day_of(field: str, text: str) -> date | None:
    """A day as a form or a link sends it; none where the field was left empty. Raises NotADate."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise NotADate(field=field, typed=text) from error
