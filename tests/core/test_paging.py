"""Cursors: what was the last row comes back as it was; what is none of ours is refused in words."""

import base64
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from portal.core import paging
from portal.core.ids import uuid7

ID = uuid7()
KEYS = (
    ((date(2026, 11, 29), ID), (date.fromisoformat, UUID)),
    ((datetime(2026, 11, 29, 7, 5, 3, 120, UTC), ID), (datetime.fromisoformat, UUID)),
    (('恒远 & Söhne/"1"', ID), (str, UUID)),
    ((40,), (int,)),
)


@pytest.mark.parametrize(("key", "types"), KEYS)
def test_a_key_comes_back_as_it_was(key: tuple[object, ...], types: tuple[type, ...]) -> None:
    cursor = paging.encode(*key)
    assert paging.decode(cursor, *types) == key
    assert cursor.replace("-", "").replace("_", "").isalnum()  # stands in an address as it is


@pytest.mark.parametrize(
    "text", ["[1e400]", "[NaN]", '["1"', '{"a":1}', "null", "[]", "[1,2]", '["x"]', "[[1]]", "\xff"]
)
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(paging.BadCursor):
        paging.decode(base64.urlsafe_b64encode(text.encode("latin-1")).decode(), int)
