"""What the forms on schedule pages send, and the commands they mean."""

from itertools import zip_longest
from typing import Any

from litestar.datastructures import FormMultiDict
from pydantic import Field, ValidationError, model_validator

from portal.core.errors import Invalid
from portal.core.faults import FieldEmpty
from portal.core.i18n import N_
from portal.schedules.service import ConfirmLine, ConfirmLines, NoteSupply, RejectLine
from portal.schedules.service_deviations import DeclineAnswer
from portal.schedules.service_release import CallOff, Generate
from portal.web.field_errors import command
from portal.web.forms import Form


class UnevenAnswer(Invalid):
    code = "uneven-answer"
    text = N_("Every quantity needs its day of delivery or of despatch. Fill each row, or empty all of it.")


class NothingChosen(Invalid):
    code = "nothing-chosen"
    text = N_("No delivery was chosen. Choose at least one.")


class VersionForm(Form):
    """The version that the reader saw."""

    version: int


class AnswerForm(VersionForm):
    """One or several rows of quantity and date, as typed."""

    quantity: list[str] = Field(default=[], max_length=20)
    delivery_date: list[str] = Field(default=[], max_length=20)
    despatch_date: list[str] = Field(default=[], max_length=20)
    final: bool = False
    price: str = ""
    reason: str = ""
    note: str = ""
    on_behalf: bool = False

    @model_validator(mode="before")
    @classmethod
    def _rows(cls, data: Any) -> Any:
        """Rows in which nothing stands say nothing; either of the two days may be empty."""
        if not isinstance(data, dict):
            return data
        names = ("quantity", "delivery_date", "despatch_date")
        columns = [value if isinstance(value := data.get(name, []), list) else [value] for name in names]
        rows = [row for row in zip_longest(*columns, fillvalue="") if any(cell != "" for cell in row)]
        sent = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
        return {**data, **dict(zip(names, sent, strict=True))}

    def command(self) -> ConfirmLine:
        rows = self.typed()
        if not rows:
            raise FieldEmpty(field="quantity")
        if any(not quantity or not (there or leaves) for quantity, there, leaves in rows):
            raise UnevenAnswer(field="quantity")
        said = self.model_dump(include={"final", "price", "reason", "note", "on_behalf"})
        splits = [
            {"quantity": q, "delivery_date": there or None, "despatch_date": leaves or None}
            for q, there, leaves in rows
        ]
        return command(ConfirmLine, {"splits": splits, **said})

    def typed(self) -> list[tuple[str, str, str]]:
        """The rows as they were typed, for a form that is shown again."""
        return list(zip_longest(self.quantity, self.delivery_date, self.despatch_date, fillvalue=""))


class RejectForm(VersionForm):
    reason: str = ""
    note: str = ""
    on_behalf: bool = False

    def command(self) -> RejectLine:
        return command(RejectLine, self.model_dump(exclude={"version"}))


class DeclineAnswerForm(VersionForm):
    reason: str = ""

    def command(self) -> DeclineAnswer:
        return command(DeclineAnswer, {"reason": self.reason})


class SupplyForm(VersionForm):
    state: str = ""
    note: str = ""

    def command(self) -> NoteSupply:
        return command(NoteSupply, self.model_dump(exclude={"version"}))


class GenerateForm(Form):
    until: str = ""

    def command(self) -> Generate:
        return command(Generate, self.model_dump())


class CallOffForm(Form):
    """One delivery, as typed."""

    contract_line_id: str = ""
    quantity: str = ""
    due_date: str = ""
    order_no: str = ""

    def command(self) -> CallOff:
        return command(CallOff, self.model_dump())


def confirm_many(form: FormMultiDict) -> ConfirmLines:
    """The lines, each sent as `line` = "<id>:<version>", except those sent again as `except`."""
    try:
        kept = set(form.getall("except", []))
        pairs = [str(value).split(":") for value in form.getall("line", []) if value not in kept]
        return ConfirmLines.model_validate({"lines": [{"id": line, "version": version} for line, version in pairs]})
    except (ValueError, ValidationError) as error:
        raise NothingChosen from error


def safe_back(path: str) -> str:
    """A path of ours to return to; anything that could lead elsewhere becomes the start page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
