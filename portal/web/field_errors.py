"""What a reader typed, made into a command's input; what cannot be read is refused with the field and its limit."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from portal.core.errors import Invalid
from portal.core.i18n import N_

M = TypeVar("M", bound=BaseModel)


class FieldEmpty(Invalid):
    code = "field-empty"
    text = N_("Fill in this field.")


class NotANumber(Invalid):
    code = "not-a-number"
    text = N_("“{typed}” is not a number. Write it as 1200 or 0.5.")


class NotADate(Invalid):
    code = "not-a-date"
    text = N_("“{typed}” is not a date. Write it as 2026-11-24.")


class TooLong(Invalid):
    code = "too-long"
    text = N_("At most {limit} characters fit here.")


class TooManyDigits(Invalid):
    code = "too-many-digits"
    text = N_("This number has too many digits: at most {limit} fit here.")


class TooManyDecimals(Invalid):
    code = "too-many-decimals"
    text = N_("At most {limit} digits can stand after the decimal point.")


class TooSmall(Invalid):
    code = "too-small"
    text = N_("Enter {limit} or more.")


class NotAbove(Invalid):
    code = "not-above"
    text = N_("Enter a number above {limit}.")


class TooLarge(Invalid):
    code = "too-large"
    text = N_("Enter {limit} or less.")


class NotOffered(Invalid):
    code = "not-offered"
    text = N_("Choose one of the values offered.")


# pydantic's name of the fault -> our sentence, and where pydantic keeps the limit
_KINDS: dict[str, tuple[type[Invalid], str]] = {
    "missing": (FieldEmpty, ""),
    "string_too_short": (FieldEmpty, ""),
    "decimal_parsing": (NotANumber, ""),
    "decimal_type": (NotANumber, ""),
    "finite_number": (NotANumber, ""),
    "int_parsing": (NotANumber, ""),
    "int_from_float": (NotANumber, ""),
    "date_parsing": (NotADate, ""),
    "date_from_datetime_parsing": (NotADate, ""),
    "date_from_datetime_inexact": (NotADate, ""),
    "string_too_long": (TooLong, "max_length"),
    "decimal_max_digits": (TooManyDigits, "max_digits"),
    "decimal_whole_digits": (TooManyDigits, "whole_digits"),
    "decimal_max_places": (TooManyDecimals, "decimal_places"),
    "greater_than_equal": (TooSmall, "ge"),
    "greater_than": (NotAbove, "gt"),
    "less_than_equal": (TooLarge, "le"),
    "enum": (NotOffered, ""),
    "uuid_parsing": (NotOffered, ""),
}


def command(model: type[M], values: Mapping[str, Any], fields: Mapping[str, str] | None = None) -> M:
    """The input model filled with what was typed; an empty field takes the model's default."""
    return filled(model, {name: value for name, value in values.items() if value != ""}, fields)


def filled(model: type[M], values: Mapping[str, Any], fields: Mapping[str, str] | None = None) -> M:
    """The input model filled with these values, empty ones too.

    fields: names in the model ("prices.0.price") that stand under another name in the form ("price").
    Raises Invalid with the form's field for the first thing that cannot be read.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise refusal(error.errors()[0], fields or {}) from error


def refusal(fault: ErrorDetails, fields: Mapping[str, str]) -> Invalid:
    """Our sentence for one of pydantic's faults."""
    name = ".".join(str(part) for part in fault["loc"])
    kind, limit = _KINDS.get(fault["type"], (Invalid, ""))
    data = {"limit": fault.get("ctx", {})[limit]} if limit else {}
    if kind in (NotANumber, NotADate):
        data["typed"] = str(fault["input"])[:40]
    return kind(field=fields.get(name, name), **data)
