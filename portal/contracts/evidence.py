"""What an acceptance is an acceptance of: the contract's content in one canonical form, and its digest.

Pure. Two contracts that say the same have the same digest, whoever computes it: keys are sorted, decimals are written
without exponent and idle zeros, dates as ISO 8601, all as UTF-8 JSON without spaces. A field of the second lists is
left out while it says nothing, so a digest outlives the release that adds one.

The second form also says how periods are used and which were typed. A content of the first form, which does not name
its form, goes on being read and compared as what it is: it says nothing of them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from portal.contracts.inputs import Agreed
from portal.contracts.model import Contract, ContractLine, ContractPrice
from portal.contracts.model_buckets import CommitmentTerms
from portal.core.days import KEPT
from portal.core.inputs import Input

FORM = 2
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
MORE_HEAD = (
    *("incoterm", "incoterm_place", "payment_terms", "take_or_pay_percent", "penalty_percent"),
    *("penalty_cap_percent", "notice_days", "deviation_quantity", "deviation_earlier", "deviation_later"),
    *("deviation_price", "early_days", "late_days", "lapse", "lapse_percent", "transit_days", "date_rule"),
)
MORE_LINE = ("take_or_pay_quantity", "transit_days")
MORE_PRICE = ("tier", "from_quantity")
SAYS_NOTHING = (None, "", "0", "all")
# How periods are used, with what holds where a content of the second form says nothing.
USE: dict[str, str | None] = {
    "assignment": "requested",
    "shortfall_carry": "none",
    "shortfall_periods": None,
    "shortfall_cap_percent": None,
    "excess_carry": "none",
    "excess_periods": None,
    "excess_cap_percent": None,
    "consequence": "none",
    "over_call_percent": "0",
    "call_low_percent": None,
    "call_high_percent": None,
    "price_basis": "receipt_date",
}
Content = dict[str, Any]


def content(
    contract: Contract,
    lines: Sequence[ContractLine],
    prices: Mapping[UUID, Sequence[ContractPrice]],
    use: CommitmentTerms | None = None,
    form: int = FORM,
) -> Content:
    """Everything that the two companies agree on, as plain values; nothing of state, time or system.

    use: how the contract's periods are used; none: as usual.
    """
    found = said(contract, [(line, prices.get(line.id, ())) for line in lines if line.ended_from is None], use)
    return found if form >= FORM else _first_form(found)


def said(head: Contract | Agreed, lines: Sequence[tuple[Any, Sequence[Any]]], use: Any = None) -> Content:
    """The same of a head and of lines with their prices, wherever they come from."""
    found = _fields(head, HEAD, MORE_HEAD) | used(use or head) | {"form": FORM}
    found["lines"] = [
        _fields(line, LINE, MORE_LINE) | typed(line.typed_periods) | {"prices": _prices(prices)}
        for line, prices in sorted(lines, key=lambda pair: pair[0].line_no)
    ]
    return found


def used(terms: Any) -> Content:
    """How periods are used, as far as it is not as usual. What has none of these fields says nothing."""
    plain = {name: _plain(getattr(terms, name, usual)) for name, usual in USE.items()}
    return {name: value for name, value in plain.items() if value not in (None, USE[name])}


def typed(periods: Any) -> Content:
    """The typed periods of a line as its part of a content; nothing where they follow from the fixed quantity."""
    return {"typed_periods": _plain(periods)} if periods else {}


def form_of(content: Content) -> int:
    """The form that a content is written in."""
    return int(content.get("form", 1))


def _first_form(content: Content) -> Content:
    head = {name: value for name, value in content.items() if name not in USE and name != "form"}
    lines = [{name: value for name, value in line.items() if name != "typed_periods"} for line in content["lines"]]
    return head | {"lines": lines}


def read_back(content: Content) -> Agreed:
    """A content as typed values."""
    return Agreed.model_validate(content, context=KEPT)


def digest(content: Content) -> str:
    """The sha256 of a canonical content, 64 hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _prices(rows: Sequence[Any]) -> list[dict[str, Any]]:
    ordered = sorted(rows, key=lambda row: (row.valid_from, row.order_no, row.from_quantity, row.price))
    return [_fields(row, PRICE, MORE_PRICE) for row in ordered]


def _fields(row: Any, names: Sequence[str], more: Sequence[str]) -> dict[str, Any]:
    kept = {name: _plain(getattr(row, name)) for name in names}
    spoken = {name: _plain(getattr(row, name)) for name in more}
    return kept | {name: value for name, value in spoken.items() if value not in SAYS_NOTHING}


def _plain(value: Any) -> Any:
    match value:
        case None:
            return None
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case StrEnum():
            return value.value
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Input():
            return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value
