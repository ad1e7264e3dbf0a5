"""What is written as an array is read by PostgreSQL as the same values."""

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.core import db
from portal.core.arrays import array, columns
from tests.factories import Tenant

ID = UUID("0199f0a0-0000-7000-8000-000000000001")
KINDS: dict[str, list[Any]] = {
    "text": [
        "plain",
        "",
        "NULL",
        'a "quoted" word',
        "back\\slash",
        "{brace, comma}",
        "两行\n文字",
        None,
        "'; drop table x",
    ],
    "uuid": [ID, None, ID],
    "numeric": [Decimal("1200.000001"), Decimal("1E+3"), Decimal("-0.5"), None],
    "date": [date(2026, 12, 31), None],
    "int": [0, -7, None],
    "bool": [True, False, None],
    "jsonb": ['{"note": "5\\" and \\\\ and 中"}', "{}"],
}


@pytest.mark.parametrize("kind", KINDS)
async def test_values_arrive_as_they_are(tenant: Tenant, kind: str) -> None:
    values = KINDS[kind]
    async with db.read(tenant.factory) as connection:
        for given in (values, [], values[:1] * 3, [None], [one for one in values if one is not None]):
            read = await connection.fetchval(f"select $1::text::{kind}[]", array(given))
            assert [json.loads(one) if kind == "jsonb" and isinstance(one, str) else one for one in read] == [
                json.loads(one) if kind == "jsonb" and one else one for one in given
            ]


def test_rows_become_the_arrays_of_their_columns() -> None:
    assert columns([(ID, "a", None), (ID, "b", 3)]) == [f"{{{ID},{ID}}}", '{"a","b"}', "{NULL,3}"]
