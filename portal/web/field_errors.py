"""What a reader typed, made into a command's input; what cannot be read is refused with the field and its limit."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from portal.core import faults
from portal.core.errors import Invalid, together
from portal.core.faults import FieldEmpty, NotOffered
from portal.core.i18n import N_

M = TypeVar("M", bound=BaseModel)


class NothingEntered(Invalid):
    code = "nothing-entered"
    text = N_("Nothing is filled in yet. Fill in at least one row.")


# A form's choices are all on the page, so there is no need to tell them again.
_CHOSEN = {"enum", "literal_error", "uuid_parsing"}


def command(model: type[M], values: Mapping[str, Any], fields: Mapping[str, str] | None = None) -> M:
    """The input model filled with what was typed; an empty field takes the model's default."""
    return filled(model, {name: value for name, value in values.items() if value != ""}, fields)


def filled(model: type[M], values: Mapping[str, Any], fields: Mapping[str, str] | None = None) -> M:
    """The input model filled with these values, empty ones too.

    fields: names in the model ("prices.0.price") that stand under another name in the form ("price").
    Raises Invalid with the form's field for what cannot be read, of several fields all `together`.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise together(refusal(fault, fields or {}) for fault in error.errors()) from error


def refusal(fault: ErrorDetails, fields: Mapping[str, str]) -> Invalid:
    """Our sentence for one of pydantic's faults."""
    name = faults.place(fault)
    field = fields.get(name, name)
    if fault["type"] in _CHOSEN:
        return NotOffered(field=field)
    if fault["type"] == "too_short" and not fault.get("input"):
        return NothingEntered(field=field)
    return FieldEmpty(field=field) if fault.get("input") == "" else faults.refusal(fault, field)
