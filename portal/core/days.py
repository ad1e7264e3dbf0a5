"""Which days can be meant at all: the one place for page, interface, bot, files and imports.

A mistyped year is the usual slip of a date: 1901, 0206, 20226, or the 9999-12-31 of other systems. The range holds
everything that is kept on paper and in an ERP: contracts that began in the nineties, and the longest supply agreements.
What a kind of day asks beyond that (a receipt is not before its shipment, a delivery lies within its contract) stands
with the rules of its domain.
"""

from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError, PydanticKnownError

from portal.core.errors import Invalid
from portal.core.i18n import N_

FIRST, LAST = date(1990, 1, 1), date(2099, 12, 31)
KEPT = {"kept": True}  # the context to read with what was stored, perhaps before the range was asked for
AHEAD = timedelta(days=90)  # documents of a contract may be so much older than its first day: sea freight and customs


class DayImplausible(Invalid):
    code = "day-implausible"
    text = N_("The year cannot be right. Enter a day from {first} to {last}.")


class BeforeContract(Invalid):
    code = "before-contract"
    text = N_("{day} is long before the contract begins. Enter a day from {first} to {last}.")


class DayTooFar(Invalid):
    code = "day-too-far"
    text = N_("{day} lies too far ahead. Choose a day up to {last}.")


def plausible(day: date) -> bool:
    """Whether somebody can mean this day."""
    return FIRST <= day <= LAST


def check_plausible(day: date, field: str) -> None:
    """Raise DayImplausible for a day that comes by another way than an input, such as an address."""
    if not plausible(day):
        raise DayImplausible(field=field, first=FIRST, last=LAST)


def _written(said: object) -> object:
    """A number is no day: it would be taken for seconds since 1970."""
    if isinstance(said, int | float):
        raise PydanticKnownError("date_type")
    return said


def _check(day: date, info: ValidationInfo) -> date:
    if not plausible(day) and info.context is not KEPT:
        raise PydanticCustomError(DayImplausible.code, DayImplausible.text, {"first": FIRST, "last": LAST})
    return day


def _check_end(day: date, info: ValidationInfo) -> date:
    if day != LAST + timedelta(days=1):
        _check(day, info)
    return day


Day = Annotated[date, BeforeValidator(_written), AfterValidator(_check)]  # the type of every day that somebody enters
EndDay = Annotated[date, BeforeValidator(_written), AfterValidator(_check_end)]  # the first day after such days


def check_document_day(day: date, contract_begins: date, today: date, field: str) -> None:
    """Raise BeforeContract for a document that cannot be one of the contract.

    day: of a delivery note, an invoice, a cumulative figure or an opening balance, in the contract's zone.
    contract_begins: the earliest first day of the contracts that it is about.
    """
    first = contract_begins - AHEAD
    if day < first:
        raise BeforeContract(field=field, day=day, first=first, last=today)
