"""How a published delivery stood at a past moment, from the history that both sides share. Nothing later has a say."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

ZERO = Decimal(0)


class Stood(StrEnum):
    """What was known of a delivery."""

    PUBLISHED = "published"
    ASKED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class Known(NamedTuple):
    """The sums of the documents known then, in the line's unit."""

    stood: Stood = Stood.PUBLISHED
    confirmed: Decimal = ZERO
    shipped: Decimal = ZERO
    received: Decimal = ZERO


def known(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> Known:
    """From a line's history up to the moment, oldest first: each entry a verb and what was noted with it."""
    stands = Known()
    for verb, data in entries:
        stands = _after(stands, verb, data)
    return stands


def _after(stands: Known, verb: str, data: Mapping[str, Any]) -> Known:
    match verb:
        case "asked" | "asked_again":
            return stands._replace(stood=Stood.ASKED)
        case "confirmed" | "deviation_accepted":
            return stands._replace(stood=Stood.CONFIRMED, confirmed=stands.confirmed + _promised(data))
        case "regrouped":
            promised = _promised(data)
            return stands._replace(stood=Stood.CONFIRMED if promised else Stood.PUBLISHED, confirmed=promised)
        case "request_changed" | "restored":
            return stands._replace(stood=Stood.PUBLISHED, confirmed=ZERO)
        case "agreed_anew" if (data["quantity"], data["date"]) != (data["was"], data["was_on"]):
            return stands._replace(stood=Stood.PUBLISHED, confirmed=ZERO)
        case "rejected":
            return stands._replace(stood=Stood.REJECTED)
        case "cancelled" | "joined_to":
            return stands._replace(stood=Stood.CANCELLED)
    return _with_goods(stands, verb, data)


def _with_goods(stands: Known, verb: str, data: Mapping[str, Any]) -> Known:
    match verb:
        case "shipped":
            return stands._replace(shipped=stands.shipped + Decimal(data["quantity"]))
        case "shipment_withdrawn":
            return stands._replace(shipped=stands.shipped - Decimal(data["quantity"]))
        case "received" | "receipt_corrected":
            stood = Stood.CLOSED if data.get("closed") else stands.stood
            return stands._replace(stood=stood, received=stands.received + Decimal(data["accepted"]))
    return stands


def _promised(data: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(part["quantity"]) for part in data.get("splits", ())), ZERO)
