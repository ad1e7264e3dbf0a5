"""Versions of a contract: what an offer makes of the content, which version is in force on a day, how two differ.

Pure, as `rules.py`. Each agreed version is based on the one agreed before it and never begins before that one, so on
every day exactly one is in force, and it is word for word what both companies agreed to.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeVar

from portal.contracts.evidence import FORM, USE, Content, form_of, read_back, said
from portal.contracts.inputs import Agreed, AgreedLine, Amendment, LineOffer, NewPrice, Offer
from portal.contracts.model import RevisionStatus
from portal.contracts.rules import EndBeforeStart, check_contract, check_head, check_line
from portal.contracts.rules_carry import check_use
from portal.contracts.rules_life import NothingAgreed
from portal.contracts.rules_periods import check_periods, typed_periods
from portal.contracts.rules_prices import check_prices
from portal.core.errors import Conflict, Invalid, PortalError, Reading
from portal.core.i18n import N_
from portal.core.states import BOTH, Move, StateTable

R = RevisionStatus

# One company offers and the other answers: `rules_life.check_answered_by_other` says which.
REVISION_STATES = StateTable(
    Move("accept", by=BOTH, source=(R.PROPOSED,), target=R.AGREED),
    Move("counter", by=BOTH, source=(R.PROPOSED,), target=R.REPLACED),
    Move("decline", by=BOTH, source=(R.PROPOSED,), target=R.DECLINED),
    Move("withdraw", by=BOTH, source=(R.PROPOSED,), target=R.WITHDRAWN),
    Move("restore", by=BOTH, source=(R.REPLACED,), target=R.PROPOSED),
)


class UnknownLine(Invalid):
    code = "unknown-line"
    text = N_("The contract has no line {line_no}. Use the number of one of its lines.")


class NothingChanged(Invalid):
    code = "nothing-changed"
    text = N_("This offer changes nothing. Change at least one term before you send it.")


class FixedOnceAgreed(Invalid):
    code = "fixed-once-agreed"
    text = N_("The first day of a contract stands once it is agreed. Leave it as it is.")


class EffectiveTooEarly(Invalid):
    code = "effective-too-early"
    text = N_("Version {number} is agreed from {day} on. Choose that day or a later one, so that this builds on it.")


class EffectiveTooLate(Invalid):
    code = "effective-too-late"
    text = N_("The contract ends on {valid_to}, before {day}. Choose an earlier day, or extend the contract first.")


class OfferOpen(Conflict):
    code = "offer-open"
    text = N_("Version {number} waits for an answer. Answer or withdraw it before you offer another change.")


class NoOfferOpen(Conflict):
    code = "no-offer-open"
    text = N_("No change of this contract waits for an answer.")


# Which version holds -------------------------------------------------------------------------------------------------


class Version(Protocol):
    """An agreed version, in the fields of its row."""

    @property
    def number(self) -> int: ...
    @property
    def effective_from(self) -> date: ...


V = TypeVar("V", bound=Version)


def in_force(agreed: Iterable[V], day: date) -> V | None:
    """The version that holds on a day: of those that have begun, the one that began last; none before the first."""
    begun = [version for version in agreed if version.effective_from <= day]
    return max(begun, key=lambda version: (version.effective_from, version.number), default=None)


def check_effective(day: date, latest: Version, valid_to: date | None) -> None:
    """Raise EffectiveTooEarly or EffectiveTooLate. latest: the version agreed last, whether it has begun or not."""
    if day < latest.effective_from:
        raise EffectiveTooEarly(field="effective_from", number=latest.number, day=latest.effective_from)
    if valid_to is not None and day > valid_to:
        raise EffectiveTooLate(field="effective_from", day=day, valid_to=valid_to)


# What an offer makes of the content ----------------------------------------------------------------------------------


def changed(content: Content, offer: Offer, added: Sequence[AgreedLine] = ()) -> Content:
    """The content with the offer's changes. added: the offer's new lines, complete and numbered.

    Raises UnknownLine, NothingChanged, FixedOnceAgreed, NothingAgreed, or what is wrong with the terms themselves.
    """
    before = read_back(content)
    head = before.model_copy(update=offer.terms.model_dump(exclude_unset=True))
    lines = {line.line_no: line for line in before.lines}
    for n, said_of_line in enumerate(offer.lines):
        if said_of_line.line_no not in lines:
            raise UnknownLine(field=f"lines.{n}.line_no", line_no=said_of_line.line_no)
        line = _changed_line(lines[said_of_line.line_no], said_of_line, f"lines.{n}.")
        lines[said_of_line.line_no] = line
    for n, line_no in enumerate(offer.ended_lines):
        if lines.pop(line_no, None) is None:
            raise UnknownLine(field=f"ended_lines.{n}", line_no=line_no)
    lines |= {line.line_no: line for line in added}
    if not lines:
        raise NothingAgreed
    _check(before, head, offer)
    _check_typed(head, lines, [line.line_no for line in offer.lines])
    after = said(head, [(line, line.prices) for line in lines.values()])
    if after == content:
        raise NothingChanged
    return after


def _changed_line(line: AgreedLine, offer: LineOffer, place: str) -> AgreedLine:
    terms = offer.model_dump(exclude_unset=True, exclude={"line_no", "prices", "typed_periods"})
    if "typed_periods" in offer.model_fields_set:
        said_of_periods = offer.typed_periods
        terms["typed_periods"] = said_of_periods if said_of_periods and said_of_periods.periods else None
    new = {_step(price) for price in offer.prices}
    prices = [price for price in line.prices if _step(price) not in new] + offer.prices
    changed_line = line.model_copy(update=terms | {"prices": prices})
    try:
        check_line(changed_line)
        if offer.prices:  # an imported history may hold prices that a person would be refused
            check_prices(prices)
    except PortalError as error:
        error.rename(place.__add__)
        raise
    return changed_line


def _step(price: NewPrice) -> tuple[date, str, Decimal]:
    return price.valid_from, price.order_no, price.from_quantity


def _check(before: Agreed, head: Agreed, offer: Offer) -> None:
    reading = Reading()
    with reading.part():
        check_contract(head.valid_from, head.valid_to, head.currency)
    with reading.part():
        check_head(head)
    with reading.part():
        check_use(head)
    with reading.part():
        if isinstance(offer, Amendment):
            _check_amendment(before, head, offer)
    try:
        reading.done()
    except PortalError as error:
        error.rename("terms.{}".format)
        raise


def _check_typed(head: Agreed, lines: Mapping[int, AgreedLine], offered: Sequence[int]) -> None:
    """Raise what is wrong with typed periods: at its place in the offer, else at the validity that leaves one out."""
    for line in lines.values():
        if line.typed_periods is None:
            continue
        try:
            check_periods(typed_periods(line.typed_periods), head.valid_from, head.valid_to, line.unit)
        except PortalError as error:
            place = f"lines.{offered.index(line.line_no)}.typed_periods." if line.line_no in offered else None
            error.field = f"{place}{error.field}" if place else "terms.valid_to"
            raise


def _check_amendment(before: Agreed, head: Agreed, offer: Amendment) -> None:
    if head.valid_from != before.valid_from:
        raise FixedOnceAgreed(field="valid_from")
    if head.valid_to is not None and head.valid_to != before.valid_to and head.valid_to < offer.effective_from:
        raise EndBeforeStart(field="valid_to", valid_from=offer.effective_from, valid_to=head.valid_to)


# How two versions differ ---------------------------------------------------------------------------------------------


class Change(StrEnum):
    CHANGED = "changed"
    ADDED = "added"
    ENDED = "ended"


class Difference(NamedTuple):
    """One field that two versions say differently; a whole line or price when one of them does not have it."""

    change: Change
    field: str  # of the head, of the line; "line", "price" or "period" for a whole one
    before: Any  # plain values, as the content has them
    after: Any
    line_no: int | None = None
    item_code: str = ""
    unit: str = ""
    day: date | None = None  # from which a price holds, or the first one of a period


def differences(old: Content, new: Content) -> list[Difference]:
    """What changed from one version to another: the head first, then line by line, each field once."""
    found = [
        Difference(Change.CHANGED, name, _of_head(old, name), _of_head(new, name))
        for name in dict.fromkeys([*old, *new, *USE])
        if name not in ("lines", "form") and _of_head(old, name) != _of_head(new, name)
    ]
    before = {line["line_no"]: line for line in old["lines"]}
    after = {line["line_no"]: line for line in new["lines"]}
    for line_no in sorted({*before, *after}):
        found += _line_differences(line_no, before.get(line_no), after.get(line_no))
    return found


def _of_head(content: Content, name: str) -> Any:
    """What a content says of a field of its head; of the use of periods also what it leaves out as usual."""
    usual = USE.get(name) if form_of(content) >= FORM else None
    return content.get(name, usual)


def _line_differences(line_no: int, old: Content | None, new: Content | None) -> list[Difference]:
    line = new or old or {}
    named: dict[str, Any] = {"line_no": line_no, "item_code": line["item_code"], "unit": line["unit"]}
    if old is None or new is None:
        change = Change.ADDED if old is None else Change.ENDED
        return [Difference(change, "line", old, new, **named)]
    found = [
        Difference(Change.CHANGED, name, old.get(name), new.get(name), **named)
        for name in dict.fromkeys([*old, *new])
        if name not in ("prices", "typed_periods") and old.get(name) != new.get(name)
    ]
    found += _period_differences(old, new, named)
    return found + _price_differences(old["prices"], new["prices"], named)


def _period_differences(old: Content, new: Content, named: dict[str, Any]) -> list[Difference]:
    """Typed periods by their days."""
    before, after = _periods(old), _periods(new)
    found = []
    for days in sorted({*before, *after}):
        was, becomes = before.get(days), after.get(days)
        if was != becomes:
            change = Change.ADDED if was is None else Change.ENDED if becomes is None else Change.CHANGED
            found.append(Difference(change, "period", was, becomes, **named, day=date.fromisoformat(days[0])))
    return found


def _periods(line: Content) -> dict[tuple[str, str], Content]:
    typed = line.get("typed_periods") or {"periods": []}
    return {(one["start"], one["end"]): one for one in typed["periods"]}


def _price_differences(old: list[Content], new: list[Content], named: dict[str, Any]) -> list[Difference]:
    before = {_key(price): price for price in old}
    after = {_key(price): price for price in new}
    found = []
    for key in sorted({*before, *after}):
        was, becomes = before.get(key), after.get(key)
        if was != becomes:
            change = Change.ADDED if was is None else Change.ENDED if becomes is None else Change.CHANGED
            day = date.fromisoformat(key[0])
            found.append(Difference(change, "price", was, becomes, **named, day=day))
    return found


def _key(price: Content) -> tuple[str, str, Decimal]:
    return price["valid_from"], price["order_no"], Decimal(price.get("from_quantity", "0"))
