"""Cursor pages: the sort key and id of the last row, opaque to the caller. Never an offset."""

import base64
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msgspec import Struct, json

from portal.core.errors import Invalid
from portal.core.i18n import N_

T = TypeVar("T")
LIMIT = 200


class BadCursor(Invalid):
    code = "bad-cursor"
    text = N_("This cursor is not one of ours. Start again without it.")


class BadLimit(Invalid):
    code = "bad-limit"
    text = N_("Ask for 1 to {most} rows a page.")


class PageOf(Struct, Generic[T]):
    """One page. `next` is the cursor of the following page, or null on the last."""

    items: list[T]
    next: str | None = None


def check_limit(limit: int) -> int:
    """Raise BadLimit unless 1 <= limit <= 200."""
    if not 1 <= limit <= LIMIT:
        raise BadLimit(field="limit", most=LIMIT)
    return limit


def encode(*key: Any) -> str:
    """The cursor after a row with this sort key."""
    return base64.urlsafe_b64encode(json.encode(key, enc_hook=str)).decode().rstrip("=")


def decode(cursor: str, *types: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The sort key in a cursor, each part built by its type (UUID, date.fromisoformat, str). Raises BadCursor."""
    try:
        parts = json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(types):
            raise BadCursor(field="cursor")
        return tuple(kind(part) for kind, part in zip(types, parts, strict=True))
    except (ValueError, TypeError, AttributeError) as error:
        raise BadCursor(field="cursor") from error
