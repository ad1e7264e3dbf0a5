"""The address of a list as the reader has narrowed it."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote_plus

_quoted = lru_cache(1024)(quote_plus)  # a list's tabs and choices come again with every page


def address(path: str, parts: Mapping[str, object]) -> str:
    """A path with its query. Parts that are empty, None or zero are left out."""
    kept = [f"{name}={_quoted(str(value))}" for name, value in parts.items() if value]
    return f"{path}?{'&'.join(kept)}" if kept else path
