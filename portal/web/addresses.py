"""The address of a list as the reader has narrowed it."""

from collections.abc import Mapping
from urllib.parse import urlencode


def address(path: str, parts: Mapping[str, object]) -> str:
    """A path with its query. Parts that are empty, None or zero are left out."""
    kept = {name: str(value) for name, value in parts.items() if value}
    return path + (f"?{urlencode(kept)}" if kept else "")
