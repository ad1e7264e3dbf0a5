"""Custom fields in the reader's words: as a list, as forms, and as a card on what they belong to."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import ContractLine
from portal.core.actor import Actor
from portal.core.errors import Invalid, PortalError
from portal.core.i18n import N_, _
from portal.fields import service, words
from portal.fields.holders import find, may_write
from portal.fields.model import CustomField, FieldKind, Holder
from portal.fields.rules import choices_of
from portal.web.errors import BadForm
from portal.web.typed import Typed

PREFIX = "f."
PLACES = {  # where a document stands: its place in the navigation, and its page
    Holder.ITEM: ("items", "/items/"),
    Holder.PARTNER: ("partners", "/partners/"),
    Holder.CONTRACT: ("contracts", "/contracts/"),
    Holder.LINE: ("contracts", "/contracts/"),  # the page of its contract
}
EDITED = ("label_zh", "label_en", "unit", "choices")


class ChoiceLine(Invalid):
    code = "choice-line"
    text = N_("“{line}” is not a value of a list. Write its key and both names with vertical bars between them.")


class FieldRow(Struct, frozen=True):
    """One field in the list."""

    href: str
    label: str
    name: str  # as rules and interfaces say it
    kind: str
    detail: str


class ValueRow(Struct, frozen=True):
    """One field of a document as the form shows it."""

    name: str
    label: str
    kind: str
    value: str
    options: list[tuple[str, str]]
    error: str | None


async def list_context(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """What `fields/list.html` shows."""
    service.require(actor)
    found = await service.list_fields(session, actor)
    return {
        "groups": [
            (_(name), [field_row(field) for field in found if field.holder is holder])
            for holder, name in words.HOLDER_NAMES.items()
        ],
        "holders": [(holder.value, _(name)) for holder, name in words.HOLDER_NAMES.items()],
        "kinds": [(kind.value, _(name)) for kind, name in words.KIND_NAMES.items()],
    }


def field_row(field: CustomField) -> FieldRow:
    detail = field.unit
    if field.kind is FieldKind.CHOICE:
        detail = _(", ").join(label for _key, label in words.options(field))
    name = f"{field.holder.value}.{field.key}"
    return FieldRow(f"/fields/{field.id}", words.label(field), name, _(words.KIND_NAMES[field.kind]), detail)


async def field_context(session: AsyncSession, actor: Actor, field_id: UUID, typed: Typed | None) -> dict[str, Any]:
    """What `fields/field.html` shows. typed: what was refused."""
    service.require(actor)
    field = await service.get_field(session, actor, field_id)
    kept = {name: getattr(field, name) for name in EDITED if name != "choices"} | {"choices": choice_lines(field)}
    sent = typed is not None and typed.value("version")
    shown = typed if typed is not None and sent else Typed(None, typed.error if typed else None, **kept)
    return {
        "field": field,
        "title": words.label(field),
        "row": field_row(field),
        "typed": shown,
        "removed": field.removed_at is not None,
    }


def choice_lines(field: CustomField) -> str:
    return "\n".join(f"{choice.key} | {choice.zh} | {choice.en}" for choice in choices_of(field))


def typed_choices(text: str) -> list[dict[str, str]]:
    """The values of a list, one a line: key | 中文 | English. Raises ChoiceLine."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        parts = [part.strip() for part in line.replace("｜", "|").split("|")]
        if len(parts) != 3 or not all(parts):
            raise ChoiceLine(field="choices", line=line[:60])
        found.append(dict(zip(("key", "zh", "en"), parts, strict=True)))
    return found


# --- what they hold ---------------------------------------------------------------------------------------------------


def version_of(typed: Mapping[str, str]) -> int:
    """The version of the values that the form was made for. Raises BadForm."""
    text = typed.get("version", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadForm(field="version", fields="version")
    return int(text)


async def values_context(
    session: AsyncSession,
    actor: Actor,
    holder: Holder,
    holder_id: UUID,
    typed: Mapping[str, str] | None,
    error: PortalError | None,
) -> dict[str, Any]:
    """What `fields/values.html` shows."""
    back = await back_to(session, actor, holder, holder_id, write=True)
    found = await service.values_of(session, actor, holder, holder_id)
    content = found.content if typed is None else typed
    rows = [value_row(field, content.get(field.key, ""), error) for field in found.fields]
    return {
        "name": found.name,
        "holder": holder.value,
        "holder_name": _(words.HOLDER_NAMES[Holder.CONTRACT if holder is Holder.LINE else holder]),
        "list_href": PLACES[holder][1].rstrip("/"),
        "back": back,
        "here": f"/fields/{holder.value}/{holder_id}",
        "rows": rows,
        "version": found.version,
        "refusal": Typed(None, error).refusal(*(field.key for field in found.fields)),
    }


async def back_to(session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID, *, write: bool = False) -> str:
    """The page on which the fields stand. NotFound or Forbidden as for the document itself."""
    whose, _name = await find(session, actor, holder, holder_id, write=write)
    if holder is Holder.LINE:
        return f"/contracts/{whose.contract_id}#line-fields"
    return f"{PLACES[holder][1]}{holder_id}#fields"


def value_row(field: CustomField, value: str, error: PortalError | None) -> ValueRow:
    wrong = Typed(None, error).wrong(field.key)
    options = words.options(field)
    return ValueRow(
        f"{PREFIX}{field.key}",
        words.label_with_unit(field),
        "choice" if options else field.kind.value,
        value,
        [("", "–"), *options] if options else [],
        wrong,
    )


async def card(session: AsyncSession, actor: Actor, holder: Holder, holder_id: UUID) -> dict[str, Any] | None:
    """What `fields/_card.html` shows on a document's page; nothing for partners, or where no field is defined."""
    if not actor.is_factory or not await service.list_fields(session, actor, holder):
        return None
    found = await service.values_of(session, actor, holder, holder_id)
    rows = [
        (words.label(field), words.shown(field, found.content[field.key]) if field.key in found.content else "–")
        for field in found.fields
    ]
    return {"rows": rows, "href": f"/fields/{holder.value}/{holder_id}" if may_write(actor, holder) else ""}


class LineRow(Struct, frozen=True):
    """One line of a contract with what its fields hold."""

    name: str  # 1 · A100
    values: list[tuple[str, str]]
    href: str  # "" for whoever may not write


async def lines_card(session: AsyncSession, actor: Actor, lines: Sequence[ContractLine]) -> list[LineRow]:
    """What `fields/_lines.html` shows on a contract's page; nothing for partners, or where no field is defined."""
    fields = await service.list_fields(session, actor, Holder.LINE) if actor.is_factory else []
    if not fields:
        return []
    kept = await service.kept_values(session, actor, Holder.LINE, [line.id for line in lines])
    may = may_write(actor, Holder.LINE)
    found = []
    for line in lines:
        content, _version = kept.get(line.id, ({}, 0))
        values = [
            (words.label(field), words.shown(field, content[field.key]) if field.key in content else "–")
            for field in fields
        ]
        found.append(LineRow(f"{line.line_no} · {line.item_code}", values, f"/fields/line/{line.id}" if may else ""))
    return found
