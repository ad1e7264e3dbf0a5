"""What an acceptance is an acceptance of: the contract's content in one canonical form, and its digest.

Pure. Two contracts that say the same have the same digest, whoever computes it: keys are sorted, decimals are written
without exponent and idle zeros, dates as ISO 8601, all as UTF-8 JSON without spaces.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from portal.contracts.model import Contract, ContractLine, ContractPrice

HEAD = (
    *("party_id", "party_name", "number", "direction", "kind", "title", "partner_reference", "currency"),
    *("valid_from", "valid_to", "time_zone", "response_hours"),
)
LINE = (
    *("line_no", "item_code", "description", "revision", "partner_part_no", "unit", "foq", "cadence"),
    *("target_quantity", "band_below_percent", "band_above_percent", "pack_size", "minimum_order", "under_percent"),
    *("over_percent", "firm_days", "tradeoff_days", "day_unit", "delivery_weekdays", "ship_to_code"),
    *("ship_to_country", "ship_to_address", "unloading_point", "receiving_window", "cumulative_from"),
)
PRICE = ("valid_from", "order_no", "price", "price_unit")


def content(
    contract: Contract, lines: Sequence[ContractLine], prices: Mapping[UUID, Sequence[ContractPrice]]
) -> dict[str, Any]:
    """Everything that the two companies agree on, as plain values; nothing of state, time or system."""
    said = {name: _plain(getattr(contract, name)) for name in HEAD}
    said["lines"] = [
        {name: _plain(getattr(line, name)) for name in LINE} | {"prices": _prices(prices.get(line.id, ()))}
        for line in sorted(lines, key=lambda line: line.line_no)
    ]
    return said


def content_hash(
    contract: Contract, lines: Sequence[ContractLine], prices: Mapping[UUID, Sequence[ContractPrice]]
) -> str:
    """The sha256 of the canonical content, 64 hexadecimal digits."""
    text = json.dumps(content(contract, lines, prices), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _prices(rows: Sequence[ContractPrice]) -> list[dict[str, Any]]:
    ordered = sorted(rows, key=lambda row: (row.valid_from, row.order_no, row.price))
    return [{name: _plain(getattr(row, name)) for name in PRICE} for row in ordered]


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case StrEnum():
            return value.value
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
