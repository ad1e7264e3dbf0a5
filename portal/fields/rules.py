"""What may be defined as a field, and what a field may hold. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from portal.core.errors import Conflict, Invalid, Reading
from portal.core.i18n import N_
from portal.fields.inputs import Choice
from portal.fields.model import CustomField, FieldKind

K = FieldKind
LARGEST = Decimal(10) ** 12
LONGEST = 300
YES, NO = "yes", "no"


class KeyTaken(Conflict):
    code = "field-key-taken"
    text = N_("There is, or was, a field with the key “{taken}” here. Choose another key.")


class TooManyFields(Conflict):
    code = "too-many-fields"
    text = N_("Up to {most} fields can be defined here. Remove one that nobody uses.")


class FieldRemoved(Conflict):
    code = "field-removed"
    text = N_("This field was removed and cannot be changed any more.")


class ChoicesNeeded(Invalid):
    code = "choices-needed"
    text = N_("A list needs at least two values, each with its own key.")


class ChoicesUnwanted(Invalid):
    code = "choices-unwanted"
    text = N_("Only a list has values to choose from. Leave them out.")


class ChoiceMissing(Invalid):
    code = "choice-missing"
    text = N_("The value “{missing}” cannot be taken out, because it may be in use. Rename it instead.")


class UnitUnwanted(Invalid):
    code = "unit-unwanted"
    text = N_("Only a number has a unit. Leave it out.")


class UnknownField(Invalid):
    code = "unknown-field"
    text = N_("There is no field “{key}” here. Use one of: {known}.")


class WrongValue(Invalid):
    code = "wrong-field-value"
    text = N_("“{typed}” does not fit here. Write {wanted}.")


WANTED: dict[FieldKind, str] = {
    K.TEXT: N_("at most 300 characters on one line"),
    K.NUMBER: N_("a number below a million millions with at most six decimals, such as 2.5"),
    K.DATE: N_("a date such as 2026-12-31"),
    K.YES_NO: N_("yes or no"),
    K.CHOICE: N_("one of the values of the list"),
}


def check_choices(kind: FieldKind, choices: Sequence[Choice], before: Collection[str] = ()) -> None:
    """Raise unless these values make a list; those that were there must stay."""
    keys = [choice.key for choice in choices]
    if kind is not K.CHOICE:
        if keys:
            raise ChoicesUnwanted(field="choices")
        return
    if len(keys) < 2 or len(set(keys)) != len(keys):
        raise ChoicesNeeded(field="choices")
    for key in before:
        if key not in keys:
            raise ChoiceMissing(field="choices", missing=key)


def check_unit(kind: FieldKind, unit: str) -> None:
    """Raise unless the unit belongs to a number."""
    if unit and kind is not K.NUMBER:
        raise UnitUnwanted(field="unit")


def choices_of(field: CustomField) -> list[Choice]:
    """The values of a list in their order; of another field none."""
    return [Choice.model_validate(choice) for choice in field.details.get("choices", [])]


def checked_values(fields: Sequence[CustomField], values: Mapping[str, str]) -> dict[str, str]:
    """The values as they are kept: numbers plain, dates in ISO form. Raises UnknownField or WrongValue at a field."""
    known = {field.key: field for field in fields}
    for key in values:
        if key not in known:
            raise UnknownField(field=key, key=key, known=", ".join(known) or "–")
    reading, kept = Reading(), dict[str, str]()
    for key, text in values.items():
        if text.strip():
            with reading.part():
                kept[key] = checked_value(known[key], text.strip())
    reading.done()
    return kept


def checked_value(field: CustomField, typed: str) -> str:
    """One value as it is kept. Raises WrongValue."""
    match field.kind:
        case K.NUMBER:
            kept = _number(typed)
        case K.DATE:
            kept = _date(typed)
        case K.YES_NO:
            kept = typed if typed in (YES, NO) else None
        case K.CHOICE:
            kept = typed if typed in {choice.key for choice in choices_of(field)} else None
        case _:
            kept = typed if len(typed) <= LONGEST and typed.isprintable() else None
    if kept is None:
        raise WrongValue(field=field.key, typed=typed[:40], wanted=WANTED[field.kind])
    return kept


def _number(typed: str) -> str | None:
    try:
        figure = Decimal(typed.replace(",", ""))
    except InvalidOperation:
        return None
    exponent = figure.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -6 or abs(figure) >= LARGEST:
        return None
    return f"{figure:f}"


def _date(typed: str) -> str | None:
    try:
        return date.fromisoformat(typed).isoformat() if len(typed) == 10 else None
    except ValueError:
        return None
