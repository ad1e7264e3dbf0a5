"""What is wrong with one field, in sentences of our own: pydantic and msgspec know the fault, but not the reader."""

import json
import re
from collections.abc import Mapping
from typing import Any

from portal.core.days import DayImplausible
from portal.core.errors import Invalid
from portal.core.i18n import N_, render
from portal.core.inputs import Unfit

Fault = Mapping[str, Any]  # one of pydantic's `errors()`
SHOWN = 40  # characters of what was typed that a sentence repeats
CHOICES = 15  # values a sentence names; a longer list stands in the description


class FieldEmpty(Invalid):
    code = "field-empty"
    text = N_("Fill in this field.")


class FieldUnknown(Invalid):
    code = "field-unknown"
    text = N_("There is no field of this name here. Leave it out or correct its name.")


class NotANumber(Invalid):
    code = "not-a-number"
    text = N_("“{typed}” is not a number. Write it as 1200 or 0.5.")


class NotWhole(Invalid):
    code = "not-whole"
    text = N_("“{typed}” is not a whole number. Write it as 12.")


class NotADate(Invalid):
    code = "not-a-date"
    text = N_("“{typed}” is not a date. Write it as 2026-11-24.")


class NotAMoment(Invalid):
    code = "not-a-moment"
    text = N_("“{typed}” is not a date and time with its zone. Write it as 2026-11-24T08:00:00+08:00.")


class NotAText(Invalid):
    code = "not-a-text"
    text = N_("A text belongs here, not {typed}.")


class NotTrueOrFalse(Invalid):
    code = "not-true-or-false"
    text = N_("“{typed}” is neither true nor false.")


class NotAList(Invalid):
    code = "not-a-list"
    text = N_("A list belongs here, not {typed}. A single entry is a list of one.")


class NotAnObject(Invalid):
    code = "not-an-object"
    text = N_("An object with named fields belongs here, not {typed}.")


class NotAnId(Invalid):
    code = "not-an-id"
    text = N_("“{typed}” is not an id. Send one as the interface gave it.")


class NotAFile(Invalid):
    code = "not-a-file"
    text = N_("A file belongs here: a part of multipart/form-data with a file name.")


class TooShort(Invalid):
    code = "too-short"
    text = N_("At least {limit} characters are needed here.")


class TooLong(Invalid):
    code = "too-long"
    text = N_("At most {limit} characters fit here.")


class TooFew(Invalid):
    code = "too-few"
    text = N_("Fewer entries than are needed: send {limit} or more.")


class TooMany(Invalid):
    code = "too-many"
    text = N_("More entries than fit here: send {limit} or fewer.")


class WrongPattern(Invalid):
    code = "wrong-pattern"
    text = N_("“{typed}” is not written in the form that is asked for here.")


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


class NotBelow(Invalid):
    code = "not-below"
    text = N_("Enter a number below {limit}.")


class NotOffered(Invalid):
    code = "not-offered"
    text = N_("Choose one of the values offered.")


class NotAmong(Invalid):
    code = "not-among"
    text = N_("“{typed}” cannot be chosen here. Choose one of these: {choices}.")


# pydantic's name of the fault -> our sentence, and where pydantic keeps the limit; limits of several names keep theirs
KINDS: dict[str, tuple[type[Invalid], str]] = {
    "missing": (FieldEmpty, ""),
    "extra_forbidden": (FieldUnknown, ""),
    "decimal_parsing": (NotANumber, ""),
    "decimal_type": (NotANumber, ""),
    "finite_number": (NotANumber, ""),
    "int_parsing": (NotWhole, ""),
    "int_parsing_size": (NotWhole, ""),
    "int_type": (NotWhole, ""),
    "int_from_float": (NotWhole, ""),
    "date_type": (NotADate, ""),
    "date_parsing": (NotADate, ""),
    "date_from_datetime_parsing": (NotADate, ""),
    "date_from_datetime_inexact": (NotADate, ""),
    DayImplausible.code: (DayImplausible, "first last"),
    "datetime_type": (NotAMoment, ""),
    "datetime_parsing": (NotAMoment, ""),
    "datetime_from_date_parsing": (NotAMoment, ""),
    "datetime_object_invalid": (NotAMoment, ""),
    "timezone_aware": (NotAMoment, ""),
    "string_type": (NotAText, ""),
    "bool_type": (NotTrueOrFalse, ""),
    "bool_parsing": (NotTrueOrFalse, ""),
    "list_type": (NotAList, ""),
    "tuple_type": (NotAList, ""),
    "set_type": (NotAList, ""),
    "dict_type": (NotAnObject, ""),
    "model_type": (NotAnObject, ""),
    "model_attributes_type": (NotAnObject, ""),
    "uuid_type": (NotAnId, ""),
    "uuid_parsing": (NotAnId, ""),
    "is_instance_of": (NotAFile, ""),  # of UploadFile, the one class that inputs ask for
    "string_too_short": (TooShort, "min_length"),
    "string_too_long": (TooLong, "max_length"),
    "too_short": (TooFew, "min_length"),
    "too_long": (TooMany, "max_length"),
    "string_pattern_mismatch": (WrongPattern, ""),
    "decimal_max_digits": (TooManyDigits, "max_digits"),
    "decimal_whole_digits": (TooManyDigits, "whole_digits"),
    "decimal_max_places": (TooManyDecimals, "decimal_places"),
    "greater_than_equal": (TooSmall, "ge"),
    "greater_than": (NotAbove, "gt"),
    "less_than_equal": (TooLarge, "le"),
    "less_than": (NotBelow, "lt"),
    "enum": (NotOffered, ""),
    "literal_error": (NotOffered, ""),
}


# What msgspec says of a query, a path or a body of its own -> pydantic's name of the same fault
_SAID: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"Object missing required field"), "missing", ""),
    (re.compile(r"Object contains unknown field"), "extra_forbidden", ""),
    (re.compile(r"Expected `int[^`]*`, got"), "int_parsing", ""),
    (re.compile(r"Expected `(?:float|decimal)[^`]*`, got|Invalid decimal string"), "decimal_parsing", ""),
    (re.compile(r"Expected `bool[^`]*`, got"), "bool_parsing", ""),
    (re.compile(r"Expected `str[^`]*`, got"), "string_type", ""),
    (re.compile(r"Expected `array[^`]*`, got"), "list_type", ""),
    (re.compile(r"Expected `object[^`]*`, got"), "dict_type", ""),
    (re.compile(r"Expected `date[^`]*`, got|Invalid RFC3339 encoded date$"), "date_parsing", ""),
    (re.compile(r"Invalid RFC3339 encoded datetime|Expected `datetime` with a timezone"), "datetime_parsing", ""),
    (re.compile(r"Expected `uuid[^`]*`, got|Invalid UUID"), "uuid_parsing", ""),
    (re.compile(r"Invalid enum value"), "enum", ""),
    (re.compile(r"Expected `str` of length >= (\d+)"), "string_too_short", "min_length"),
    (re.compile(r"Expected `str` of length <= (\d+)"), "string_too_long", "max_length"),
    (re.compile(r"Expected `array` of length >= (\d+)"), "too_short", "min_length"),
    (re.compile(r"Expected `array` of length <= (\d+)"), "too_long", "max_length"),
    (re.compile(r"Expected `str` matching regex"), "string_pattern_mismatch", ""),
    (re.compile(r"Expected `\w+` >= (\S+)"), "greater_than_equal", "ge"),
    (re.compile(r"Expected `\w+` > (\S+)"), "greater_than", "gt"),
    (re.compile(r"Expected `\w+` <= (\S+)"), "less_than_equal", "le"),
    (re.compile(r"Expected `\w+` < (\S+)"), "less_than", "lt"),
)


def place(fault: Fault) -> str:
    """Where in what was sent it is: lines.0.quantity."""
    return ".".join(str(part) for part in fault["loc"])


def from_words(words: str, sent: Any) -> Fault:
    """msgspec's sentence as a fault like pydantic's; one that is not known is named by nothing."""
    for pattern, kind, limit in _SAID:
        if found := pattern.match(words):
            return {"type": kind, "input": sent, "ctx": {limit: found[1]} if limit else {}}
    return {"type": "", "input": sent}


def refusal(fault: Fault, field: str) -> Invalid:
    """Our refusal of one fault; one that has no words of its own is still a sentence."""
    kind, limit = _kind(fault)
    limits = limit.split()
    data: dict[str, Any] = {name if len(limits) > 1 else "limit": fault["ctx"][name] for name in limits}
    if "{typed}" in kind.text:
        data["typed"] = _typed(fault.get("input"))
    return kind(field=field, **data)


def told(fault: Fault) -> tuple[str, dict[str, Any]]:
    """One fault for a program's maker, who can be told all values that a field takes: a text and what fills it."""
    if isinstance(said := fault.get("ctx", {}).get("error"), Unfit):
        return str(said), {}
    choices = re.findall(r"'([^']*)'", str(fault.get("ctx", {}).get("expected", "")))
    if fault["type"] in {"enum", "literal_error"} and 0 < len(choices) <= CHOICES:
        return NotAmong.text, {"typed": _typed(fault.get("input")), "choices": ", ".join(choices)}
    found = refusal(fault, "")
    return found.text, found.data


def sentence(fault: Fault) -> str:
    """What `told` says, in the reader's language."""
    text, data = told(fault)
    return render(text, data)


def _kind(fault: Fault) -> tuple[type[Invalid], str]:
    nothing = fault.get("input") is None and fault["type"].endswith("_type")
    if nothing or (fault["type"] == "string_too_short" and str(fault["ctx"]["min_length"]) == "1"):
        return FieldEmpty, ""
    return KINDS.get(fault["type"], (Invalid, ""))


def _typed(value: Any) -> str:
    """What was sent, as it was written."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
