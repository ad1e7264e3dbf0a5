"""What the forms of change requests send: fields named after their delivery, numbers and days as people type them."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from litestar import Request

from portal.changes.inputs import Accept, Comment, Counter, NewChange, NewPart, NewPause, Parts, Refuse, SetTerms
from portal.changes.model import PartKind
from portal.core.errors import Reading
from portal.web.errors import BadForm
from portal.web.field_errors import filled
from portal.web.forms import Form
from portal.web.schedule_forms import VersionForm
from portal.web.shipment_forms import ANY, quantity, texts

P = TypeVar("P", bound=Parts)
PIECES = 3  # rows of a split on the page
ROW = ("kind", "version", "quantity", "due_date", "place", "price")
_ROW = re.compile(r"(kind|version|quantity|due_date|place|price|piece_quantity_\d|piece_date_\d)\.[0-9a-f-]{36}")
ADD = {"add_line", "add_quantity", "add_due_date"}
PAUSE = {"pause_line", "pause_since", "pause_until", "pause_drop"}
CARRY = {"carry_from", "carry_to", "carry_quantity"}
HEAD = {"contract_id", "reason", "note", "line", "version"} | ADD | PAUSE | CARRY


class RefuseForm(VersionForm):
    reason: str = ""

    def command(self) -> Refuse:
        return filled(Refuse, {"reason": self.reason})


class AcceptForm(VersionForm):
    """Without ticks: all of it."""

    part: list[int] | int | None = None

    def command(self) -> Accept:
        parts = [self.part] if isinstance(self.part, int) else self.part
        return Accept(parts=parts)


class CommentForm(Form):
    note: str = ""

    def command(self) -> Comment:
        return filled(Comment, {"note": self.note})


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
    """The command of the form. Raises Invalid with all that is wrong in it."""
    return _offer(NewChange, typed, {name: typed.get(name, "") for name in ("contract_id", "reason", "note")})


def counter_offer(typed: Mapping[str, str]) -> Counter:
    """The command of a counter-offer. Raises Invalid with all that is wrong in it."""
    return _offer(Counter, typed, {"note": typed.get("note", "")})


def _offer(model: type[P], typed: Mapping[str, str], head: Mapping[str, str]) -> P:
    reading = Reading()
    said: dict[str, Any] = {**head, "parts": [], "pauses": []}
    with reading.part():
        said["parts"] = parts_of(typed)
    with reading.part():
        said["pauses"] = pauses_of(typed)
    with reading.part():
        command = filled(model, said)
    reading.done()
    return command


def pauses_of(typed: Mapping[str, str]) -> list[NewPause]:
    """The pause of the form, once one of its days was entered; one day alone is a pause of one day."""
    since, until = typed.get("pause_since", ""), typed.get("pause_until", "")
    if not since and not until:
        return []
    line, drop = typed.get("pause_line") or None, bool(typed.get("pause_drop"))
    said = {"contract_line_id": line, "since": since or until, "until": until or since, "drop": drop}
    fields = {"since": "pause_since" if since else "pause_until", "until": "pause_until" if until else "pause_since"}
    return [filled(NewPause, said, fields)]


def parts_of(typed: Mapping[str, str]) -> list[NewPart]:
    """Every delivery of the form for which something was entered, the addition and what is carried over."""
    reading, found = Reading(), list[NewPart]()
    for line in typed.get("line", "").split():
        with reading.part():
            found += _part(typed, line)
    if typed.get("add_quantity") or typed.get("add_due_date"):
        with reading.part():
            found.append(_addition(typed))
    if typed.get("carry_from"):
        with reading.part():
            found.append(_carried(typed))
    reading.done()
    return found


def _addition(typed: Mapping[str, str]) -> NewPart:
    reading = Reading()
    said: dict[str, Any] = {"kind": PartKind.ADD, "contract_line_id": typed.get("add_line", "")}
    if typed.get("add_quantity"):
        with reading.part():
            said["quantity"] = quantity(typed["add_quantity"], "add_quantity")
    if typed.get("add_due_date"):
        said["due_date"] = typed["add_due_date"]
    return _checked(reading, said, {"due_date": "add_due_date", "quantity": "add_quantity"})


def _carried(typed: Mapping[str, str]) -> NewPart:
    reading = Reading()
    said: dict[str, Any] = {"kind": PartKind.CARRY_OVER, "bucket_id": typed["carry_from"]}
    said["to_bucket_id"] = typed.get("carry_to")
    if typed.get("carry_quantity"):
        with reading.part():
            said["quantity"] = quantity(typed["carry_quantity"], "carry_quantity")
    return _checked(reading, said, {"quantity": "carry_quantity"})


def _part(typed: Mapping[str, str], line: str) -> list[NewPart]:
    """One delivery's wish; none where the row was left as it stands."""
    reading = Reading()
    row = {name: typed.get(f"{name}.{line}", "") for name in ROW}
    fields = {name: f"{name}.{line}" for name in ROW}
    kind = row["kind"] or PartKind.CHANGE
    said: dict[str, Any] = {"kind": kind, "line_id": line}
    if row["version"]:
        said["version"] = row["version"]
    if kind == PartKind.SPLIT:
        with reading.part():
            said["pieces"] = _pieces(typed, line, fields)
    for name in ("quantity", "price"):
        if row[name] and kind in (PartKind.CHANGE, name):
            said[name] = ANY
            with reading.part():
                said[name] = quantity(row[name], f"{name}.{line}")
    if row["due_date"] and kind in (PartKind.CHANGE, PartKind.PAUSE):
        said["due_date"] = row["due_date"]
    if row["place"] and kind == PartKind.CHANGE:
        said["place"] = row["place"]
    nothing = kind == PartKind.CHANGE and not {"quantity", "due_date", "place"} & set(said)
    return [] if nothing else [_checked(reading, said, fields)]


def _checked(reading: Reading, said: Mapping[str, Any], fields: Mapping[str, str]) -> NewPart:
    """The part, unless anything of it cannot be read. fields: the form's names of the command's fields."""
    with reading.part():
        part = filled(NewPart, said, fields)
    reading.done()
    return part


def _pieces(typed: Mapping[str, str], line: str, fields: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of a split. fields: is told under which names they stand in the form."""
    reading, found = Reading(), list[dict[str, Any]]()
    for no in range(1, PIECES + 1):
        amount, day = typed.get(f"piece_quantity_{no}.{line}", ""), typed.get(f"piece_date_{no}.{line}", "")
        if amount or day:
            fields[f"pieces.{len(found)}.due_date"] = f"piece_date_{no}.{line}"
            fields[f"pieces.{len(found)}.quantity"] = f"piece_quantity_{no}.{line}"
            found.append({"quantity": ANY, "due_date": day})
            with reading.part():
                found[-1]["quantity"] = quantity(amount, f"piece_quantity_{no}.{line}")
    reading.done()
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
