"""What may be wrong with a release that a customer sends: each check says what, where and whether it stops the release.

Nothing is corrected silently. A stop means that taking it over would lose or double something; a warning is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from portal.core.i18n import N_, render

ZERO = Decimal(0)


class Check(StrEnum):
    SEQUENCE_GAP = "sequence_gap"
    OLDER = "older"
    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_PLACE = "unknown_place"
    YEAR_CHANGE = "year_change"
    UNKNOWN_ASN = "unknown_asn"
    CUM_MISMATCH = "cum_mismatch"
    ZONE_CHANGE = "zone_change"
    TARGET_EXCEEDED = "target_exceeded"


STOPS = frozenset({Check.OLDER, Check.UNKNOWN_ITEM, Check.UNKNOWN_PLACE})
TEXTS: Mapping[Check, str] = {
    Check.SEQUENCE_GAP: N_("Release {number} follows release {last}: {missing} in between did not arrive."),
    Check.OLDER: N_("Release {number} is not newer than release {last}, which is in force."),
    Check.UNKNOWN_ITEM: N_("Part {item} is not on this contract."),
    Check.UNKNOWN_PLACE: N_("{item} is not delivered to {place} by this contract."),
    Check.YEAR_CHANGE: N_("{item}: the running total begins anew on {day}. Agree on the reset first."),
    Check.UNKNOWN_ASN: N_("{item}: delivery note {asn} is not known here."),
    Check.CUM_MISMATCH: N_(
        "{item}: they received {theirs} up to {asn}, we shipped {ours}: a difference of {difference}."
    ),
    Check.ZONE_CHANGE: N_("{item}: {before} became {after} inside the firm zone, up to {day}."),
    Check.TARGET_EXCEEDED: N_("{item}: {asked} in all is more than the agreed {target}."),
}


class Finding(Struct, frozen=True):
    """One thing that is wrong: the check, the part it is about, and a sentence in the reader's language."""

    check: Check
    item_code: str
    stops: bool
    sentence: str


class Asked(NamedTuple):
    """One line of their release."""

    due: date
    quantity: Decimal


class Theirs(NamedTuple):
    """What their release says of one part."""

    item: str
    lines: Sequence[Asked]
    cum_received: Decimal | None = None  # since cum_start
    cum_start: date | None = None
    last_asn: str = ""
    place: str = ""  # the plant it is asked for at; none: as the contract says


class Ours(NamedTuple):
    """What we know of the same part."""

    cum_start: date | None
    shipped_up_to: Mapping[str, Decimal]  # by delivery note, the running total up to and with it
    firm_until: date
    in_force: Sequence[Asked]
    target: Decimal | None
    called: Decimal  # what was received of the contract, so that the target is compared with everything
    zone_tolerance: Decimal = ZERO  # per cent by which the firm zone may differ
    places: frozenset[str] = frozenset()  # where the contract delivers the part to


def check_release(number: int, last: int, theirs: Iterable[Theirs], ours: Mapping[str, Ours]) -> list[Finding]:
    """All findings, the release's own first. last: the newest number that was taken over; 0: none."""
    found = _sequence(number, last)
    for part in theirs:
        known = ours.get(part.item)
        if known is None:
            found.append(_finding(Check.UNKNOWN_ITEM, part.item))
            continue
        if part.place and part.place not in known.places:
            found.append(_finding(Check.UNKNOWN_PLACE, part.item, place=part.place))
        found += _cumulative(part, known)
        found += _quantities(part, known)
    return found


def _finding(check: Check, item: str = "", **data: Any) -> Finding:
    return Finding(check, item, check in STOPS, render(TEXTS[check], {"item": item, **data}))


def _sequence(number: int, last: int) -> list[Finding]:
    if number <= last:
        return [_finding(Check.OLDER, number=number, last=last)]
    if last and number > last + 1:
        return [_finding(Check.SEQUENCE_GAP, number=number, last=last, missing=number - last - 1)]
    return []


def _cumulative(part: Theirs, known: Ours) -> list[Finding]:
    if part.cum_start is not None and known.cum_start is not None and part.cum_start > known.cum_start:
        return [_finding(Check.YEAR_CHANGE, part.item, day=part.cum_start)]
    if not part.last_asn:
        return []
    if part.last_asn not in known.shipped_up_to:
        return [_finding(Check.UNKNOWN_ASN, part.item, asn=part.last_asn)]
    shipped = known.shipped_up_to[part.last_asn]
    if part.cum_received is None or part.cum_received == shipped:
        return []
    difference = part.cum_received - shipped
    figures = {"theirs": part.cum_received, "ours": shipped, "difference": difference, "asn": part.last_asn}
    return [_finding(Check.CUM_MISMATCH, part.item, **figures)]


def _quantities(part: Theirs, known: Ours) -> list[Finding]:
    found = []
    before = sum((line.quantity for line in known.in_force if line.due <= known.firm_until), ZERO)
    after = sum((line.quantity for line in part.lines if line.due <= known.firm_until), ZERO)
    if abs(after - before) * 100 > before * known.zone_tolerance:
        figures = {"before": before, "after": after, "day": known.firm_until}
        found.append(_finding(Check.ZONE_CHANGE, part.item, **figures))
    asked = known.called + sum((line.quantity for line in part.lines), ZERO)
    if known.target is not None and asked > known.target:
        found.append(_finding(Check.TARGET_EXCEEDED, part.item, asked=asked, target=known.target))
    return found
