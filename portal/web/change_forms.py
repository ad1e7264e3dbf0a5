"""What the forms of change requests send: fields named after their delivery, numbers and days as people type them."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Request
from pydantic import Field

from portal.changes.inputs import Accept, Comment, Counter, NewChange, NewPart, NewPause, Refuse, SetTerms
from portal.changes.model import PartKind
from portal.web.errors import BadForm
from portal.web.field_errors import filled
from portal.web.forms import Form
from portal.web.schedule_forms import VersionForm
from portal.web.shipment_forms import quantity, read, texts

PIECES = 3  # rows of a split on the page
ROW = ("kind", "version", "quantity", "due_date", "place", "price")
_ROW = re.compile(r"(kind|version|quantity|due_date|place|price|piece_quantity_\d|piece_date_\d)\.[0-9a-f-]{36}")
ADD = {"add_line", "add_quantity", "add_due_date"}
PAUSE = {"pause_line", "pause_since", "pause_until", "pause_drop"}
CARRY = {"carry_from", "carry_to", "carry_quantity"}
HEAD = {"contract_id", "reason", "note", "line", "version"} | ADD | PAUSE | CARRY


class RefuseForm(VersionForm):
    reason: str = Field(min_length=1, max_length=500)

    def command(self) -> Refuse:
        return Refuse(reason=self.reason)


class AcceptForm(VersionForm):
    """Without ticks: all of it."""

    part: list[int] | int | None = None

    def command(self) -> Accept:
        parts = [self.part] if isinstance(self.part, int) else self.part
        return Accept(parts=parts)


class CommentForm(Form):
    note: str = Field(min_length=1, max_length=500)

    def command(self) -> Comment:
        return Comment(note=self.note)


class TermsForm(Form):
    by_line: str = ""
    answer_hours: str = ""

    def command(self) -> SetTerms:
        return filled(SetTerms, {"by_line": bool(self.by_line), "answer_hours": self.answer_hours or None})


async def sent(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The plain fields of the form, with the chosen deliveries under `line`. Raises BadForm for unknown fields."""
    form = await request.form()
    typed = texts(form)
    typed["line"] = " ".join(str(value) for value in form.getall("line", []))
    for name in typed:
        if name not in HEAD and not _ROW.fullmatch(name):
            raise BadForm(field=name[:60], fields=name[:60])
    return typed


def new_change(typed: Mapping[str, str]) -> NewChange:
    """The command of the form."""
    head = {name: typed.get(name, "") for name in ("contract_id", "reason", "note")}
    command: NewChange = read(NewChange, **head, parts=parts_of(typed), pauses=pauses_of(typed))
    return command


def counter_offer(typed: Mapping[str, str]) -> Counter:
    """The command of a counter-offer."""
    command: Counter = read(Counter, note=typed.get("note", ""), parts=parts_of(typed), pauses=pauses_of(typed))
    return command


def pauses_of(typed: Mapping[str, str]) -> list[NewPause]:
    """The pause of the form, once one of its days was entered; one day alone is a pause of one day."""
    since, until = typed.get("pause_since", ""), typed.get("pause_until", "")
    if not since and not until:
        return []
    line, drop = typed.get("pause_line") or None, bool(typed.get("pause_drop"))
    return [read(NewPause, contract_line_id=line, since=since or until, until=until or since, drop=drop)]


def parts_of(typed: Mapping[str, str]) -> list[NewPart]:
    """Every delivery of the form for which something was entered, and the addition."""
    found = [part for line in typed.get("line", "").split() if (part := _part(typed, line)) is not None]
    if typed.get("add_quantity") or typed.get("add_due_date"):
        said: dict[str, Any] = {"kind": PartKind.ADD, "contract_line_id": typed.get("add_line", "")}
        if typed.get("add_quantity"):
            said["quantity"] = quantity(typed["add_quantity"], "add_quantity")
        if typed.get("add_due_date"):
            said["due_date"] = typed["add_due_date"]
        found.append(read(NewPart, **said))
    if typed.get("carry_from"):
        said = {"kind": PartKind.CARRY_OVER, "bucket_id": typed["carry_from"], "to_bucket_id": typed.get("carry_to")}
        if typed.get("carry_quantity"):
            said["quantity"] = quantity(typed["carry_quantity"], "carry_quantity")
        found.append(read(NewPart, **said))
    return found


def _part(typed: Mapping[str, str], line: str) -> NewPart | None:
    """One delivery's wish; none where the row was left as it stands."""
    row = {name: typed.get(f"{name}.{line}", "") for name in ROW}
    kind = row["kind"] or PartKind.CHANGE
    said: dict[str, Any] = {"kind": kind, "line_id": line}
    if row["version"]:
        said["version"] = row["version"]
    if kind == PartKind.SPLIT:
        said["pieces"] = _pieces(typed, line)
    for name in ("quantity", "price"):
        if row[name] and kind in (PartKind.CHANGE, name):
            said[name] = quantity(row[name], f"{name}.{line}")
    if row["due_date"] and kind in (PartKind.CHANGE, PartKind.PAUSE):
        said["due_date"] = row["due_date"]
    if row["place"] and kind == PartKind.CHANGE:
        said["place"] = row["place"]
    nothing = kind == PartKind.CHANGE and not {"quantity", "due_date", "place"} & set(said)
    return None if nothing else read(NewPart, **said)


def _pieces(typed: Mapping[str, str], line: str) -> list[dict[str, Any]]:
    found = []
    for no in range(1, PIECES + 1):
        amount, day = typed.get(f"piece_quantity_{no}.{line}", ""), typed.get(f"piece_date_{no}.{line}", "")
        if amount or day:
            found.append({"quantity": quantity(amount, f"piece_quantity_{no}.{line}"), "due_date": day})
    return found


def uuids(text: str) -> list[UUID]:
    """The ids of an address, those that are ids."""
    found = []
    for one in text.split(",")[:500]:
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found


def version(typed: Mapping[str, str]) -> int:
    """The version that the reader saw."""
    text = typed.get("version", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadForm(field="version", fields="version")
    return int(text)
