"""Own fields and what they hold in the reader's language."""

from datetime import date
from decimal import Decimal

from portal.core import i18n
from portal.core.i18n import N_, Language, _
from portal.fields.model import CustomField, FieldKind, Holder
from portal.fields.rules import NO, YES, choices_of

HOLDER_NAMES: dict[Holder, str] = {
    Holder.ITEM: N_("Items"),
    Holder.PARTNER: N_("Partners"),
    Holder.CONTRACT: N_("Contracts"),
    Holder.LINE: N_("Lines of contracts"),
}
ONE: dict[Holder, str] = {
    Holder.ITEM: N_("Item"),
    Holder.PARTNER: N_("Partner"),
    Holder.CONTRACT: N_("Contract"),
    Holder.LINE: N_("Contract line"),
}
KIND_NAMES: dict[FieldKind, str] = {
    FieldKind.TEXT: N_("Short text"),
    FieldKind.NUMBER: N_("A number"),
    FieldKind.DATE: N_("Date"),
    FieldKind.YES_NO: N_("Yes or no"),
    FieldKind.CHOICE: N_("List of values"),
}
ANSWERS = {YES: N_("yes"), NO: N_("no")}


def told(zh: str, en: str) -> str:
    """What the administrator wrote in both languages, in the reader's."""
    return zh if i18n.language.get() is Language.ZH else en


def label(field: CustomField) -> str:
    return told(field.label_zh, field.label_en)


def label_with_unit(field: CustomField) -> str:
    return _("{label} ({unit})").format(label=label(field), unit=field.unit) if field.unit else label(field)


def options(field: CustomField) -> list[tuple[str, str]]:
    """What can be chosen: of a list its values, of a yes or no both."""
    if field.kind is FieldKind.YES_NO:
        return [(key, _(word)) for key, word in ANSWERS.items()]
    return [(choice.key, told(choice.zh, choice.en)) for choice in choices_of(field)]


def shown(field: CustomField, value: str) -> str:
    """A value as people write it."""
    match field.kind:
        case FieldKind.NUMBER:
            figure = i18n.number(Decimal(value))
            return f"{figure}{i18n.NBSP}{field.unit}" if field.unit else figure
        case FieldKind.DATE:
            return i18n.day(date.fromisoformat(value), year=True)
        case FieldKind.YES_NO | FieldKind.CHOICE:
            return dict(options(field)).get(value, value)
        case _:
            return value
