"""What a delivery note and a receipt may say as documents: whose they are, their dates, their packages, corrections.

Pure: everything comes in as an argument. Days are days of the contract's zone.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from portal.core.actor import Direction
from portal.core.days import DayTooFar, check_document_day
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.i18n import N_
from portal.core.states import Side, WrongSide

CORRECTION_TIME = timedelta(minutes=15)
LONGEST_WAY = timedelta(days=366)  # from despatch to arrival; a later day is a mistyped year
T = TypeVar("T")


class MixedCompanies(Invalid):
    code = "mixed-companies"
    text = N_("One delivery note holds deliveries of one company in one direction. Make a second delivery note.")


class DuplicateDeliveryNote(Conflict):
    code = "duplicate-delivery-note"
    text = N_("Delivery note {number} was already sent in {year}. Nothing was changed; use the number of this one.")


class RequestReused(Conflict):
    code = "request-reused"
    text = N_("This page was already sent with other contents. Open it again and repeat the step.")


class DayAhead(Invalid):
    code = "day-ahead"
    text = N_("{day} lies ahead. Enter today, {today}, or an earlier day.")


class TooEarly(Invalid):
    code = "too-early"
    text = N_("{day} is before the goods were shipped on {shipped}. Enter that day or a later one.")


class PackagesDoNotFit(Invalid):
    code = "packages-do-not-fit"
    text = N_("{packages} packages of {size} hold {low} to {high}, not {quantity}. Correct one of the three.")


class TooLateToCorrect(Conflict):
    code = "too-late-to-correct"
    text = N_("A receipt can be corrected for {minutes} minutes. Agree on the difference with the other side instead.")


class CorrectedBefore(Conflict):
    code = "corrected-before"
    text = N_("This receipt was already replaced by a correction. Open the receipt that is in force.")


class PartlyHidden(Forbidden):
    code = "partly-hidden"
    text = N_(
        "This delivery note also holds contracts that you do not see. A colleague who sees all of it can do this."
    )


def one_company(documents: Iterable[tuple[UUID, Direction]]) -> tuple[UUID, Direction]:
    """The company and the direction that all lines of one delivery note share. Raises MixedCompanies."""
    different = set(documents)
    if len(different) != 1:
        raise MixedCompanies(field="lines")
    return different.pop()


def shared_value(values: Iterable[T], otherwise: T) -> T:
    """What all lines have in common, for the head of the document; `otherwise` when they differ."""
    different = set(values)
    return different.pop() if len(different) == 1 else otherwise


def check_shipped_on(shipped_on: date, contract_begins: date, today: date) -> None:
    """Raise DayAhead for goods that have not left yet, BeforeContract for a day that cannot be meant.

    contract_begins: the earliest first day of the contracts that the goods are called off from.
    """
    if shipped_on > today:
        raise DayAhead(field="shipped_on", day=shipped_on, today=today)
    check_document_day(shipped_on, contract_begins, today, "shipped_on")


def check_expected_on(expected_on: date | None, shipped_on: date) -> None:
    """Raise TooEarly for goods expected before they left, DayTooFar for goods that would be on the way for too long."""
    if expected_on is None:
        return
    if expected_on < shipped_on:
        raise TooEarly(field="expected_on", day=expected_on, shipped=shipped_on)
    if expected_on > shipped_on + LONGEST_WAY:
        raise DayTooFar(field="expected_on", day=expected_on, last=shipped_on + LONGEST_WAY)


def check_received_on(received_on: date, shipped_on: date, today: date) -> None:
    """Raise DayAhead or TooEarly unless the goods arrived between their shipment and today."""
    if received_on > today:
        raise DayAhead(field="received_on", day=received_on, today=today)
    if received_on < shipped_on:
        raise TooEarly(field="received_on", day=received_on, shipped=shipped_on)


def check_packages(quantity: Decimal, packages: int | None, size: Decimal | None) -> None:
    """Raise PackagesDoNotFit unless the quantity fills the packages, of which the last may be partly filled."""
    if packages is None or size is None:
        return
    low, high = (packages - 1) * size, packages * size
    if not low < quantity <= high:
        raise PackagesDoNotFit(field="packages", packages=packages, size=size, low=low, high=high, quantity=quantity)


def default_packages(quantity: Decimal, pack_size: Decimal) -> tuple[int | None, Decimal | None]:
    """Packages of the contract's size where they fill exactly and there is more to say than one piece each."""
    if pack_size <= 1 or quantity % pack_size:
        return None, None
    return int(quantity / pack_size), pack_size


def check_correctable(side: Side, posted_at: datetime, now: datetime, replaced: bool) -> None:
    """Raise WrongSide, CorrectedBefore or TooLateToCorrect. posted_at, now: instants."""
    if side is not Side.BUYER:
        raise WrongSide(action="correct")
    if replaced:
        raise CorrectedBefore
    if now > posted_at + CORRECTION_TIME:
        raise TooLateToCorrect(minutes=CORRECTION_TIME.seconds // 60)


def may_correct(side: Side, posted_at: datetime, now: datetime, replaced: bool) -> bool:
    """Whether a button for a correction is worth showing."""
    return side is Side.BUYER and not replaced and now <= posted_at + CORRECTION_TIME
