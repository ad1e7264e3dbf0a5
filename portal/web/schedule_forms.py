"""What the forms on schedule pages send, and the commands they mean."""

from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Annotated, Any
from uuid import UUID

from litestar.datastructures import FormMultiDict
from pydantic import Field, ValidationError, field_validator, model_validator

from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.schedules.model import SupplyState
from portal.schedules.rules import RejectReason
from portal.schedules.service import ConfirmLine, ConfirmLines, NoteSupply, RejectLine, Split
from portal.schedules.service_deviations import DeclineAnswer
from portal.schedules.service_release import CallOff, Generate
from portal.web.forms import Form


class UnevenAnswer(Invalid):
    code = "uneven-answer"
    text = N_("Every quantity needs its day of delivery or of despatch. Fill each row, or empty all of it.")


class NothingChosen(Invalid):
    code = "nothing-chosen"
    text = N_("No delivery was chosen. Go back and choose at least one.")


Amount = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]


class VersionForm(Form):
    """The version that the reader saw."""

    version: int


class AnswerForm(VersionForm):
    """One or several rows of quantity and date."""

    quantity: list[Amount] = Field(min_length=1, max_length=20)
    delivery_date: list[date | None] = Field(default=[], max_length=20)
    despatch_date: list[date | None] = Field(default=[], max_length=20)
    final: bool = False
    price: Amount | None = None
    reason: RejectReason | None = None
    note: str = Field(default="", max_length=500)
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
        quantity, *days = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
        sent = dict(zip(names[1:], ([day or None for day in column] for column in days), strict=True))
        return {**data, "quantity": [each for each in quantity if each != ""], **sent}

    @field_validator("price", "reason", mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return None if value == "" else value

    def command(self) -> ConfirmLine:
        rows = list(zip_longest(self.quantity, self.delivery_date, self.despatch_date))
        if any(quantity is None or (there is None and leaves is None) for quantity, there, leaves in rows):
            raise UnevenAnswer(field="quantity")
        said = self.model_dump(include={"final", "price", "reason", "note", "on_behalf"})
        splits = [Split(quantity=q, delivery_date=there, despatch_date=leaves) for q, there, leaves in rows]
        return ConfirmLine(splits=splits, **said)

    def typed(self) -> list[tuple[str, str, str]]:
        """The rows as they were typed, for a form that is shown again."""
        rows = zip_longest(self.quantity, self.delivery_date, self.despatch_date)
        return [(str(q or ""), str(there or ""), str(leaves or "")) for q, there, leaves in rows]


class RejectForm(VersionForm):
    reason: RejectReason
    note: str = Field(default="", max_length=500)
    on_behalf: bool = False

    def command(self) -> RejectLine:
        return RejectLine(reason=self.reason, note=self.note, on_behalf=self.on_behalf)


class DeclineAnswerForm(VersionForm):
    reason: str = Field(default="", max_length=500)

    def command(self) -> DeclineAnswer:
        return DeclineAnswer(reason=self.reason)


class SupplyForm(VersionForm):
    state: SupplyState
    note: str = Field(default="", max_length=200)

    def command(self) -> NoteSupply:
        return NoteSupply(state=self.state, note=self.note)


class GenerateForm(Form):
    until: date | None = None

    def command(self) -> Generate:
        return Generate(until=self.until)


class CallOffForm(Form):
    contract_line_id: UUID
    quantity: Decimal
    due_date: date
    order_no: str = Field(default="", max_length=40)

    def command(self) -> CallOff:
        try:
            return CallOff(**self.model_dump())
        except ValidationError as error:
            raise Invalid(field="quantity") from error


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
