"""What the forms on schedule pages send, and the commands they mean."""

from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Annotated, Any
from uuid import UUID

from litestar.datastructures import FormMultiDict
from pydantic import Field, ValidationError, field_validator

from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.schedules.model import SupplyState
from portal.schedules.rules import RejectReason
from portal.schedules.service import ConfirmLine, ConfirmLines, NoteSupply, RejectLine, Split
from portal.schedules.service_release import CallOff, Generate
from portal.web.forms import Form


class UnevenAnswer(Invalid):
    code = "uneven-answer"
    text = N_("Every quantity needs its date. Fill both fields of each row, or empty both.")


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
    delivery_date: list[date] = Field(min_length=1, max_length=20)

    @field_validator("quantity", "delivery_date", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        values = value if isinstance(value, list) else [value]
        return [item for item in values if item != ""]

    def command(self) -> ConfirmLine:
        if len(self.quantity) != len(self.delivery_date):
            raise UnevenAnswer(field="quantity")
        pairs = zip(self.quantity, self.delivery_date, strict=True)
        return ConfirmLine(splits=[Split(quantity=quantity, delivery_date=day) for quantity, day in pairs])

    def typed(self) -> list[tuple[str, str]]:
        """The rows as they were typed, for a form that is shown again."""
        pairs = zip_longest(map(str, self.quantity), map(str, self.delivery_date), fillvalue="")
        return list(pairs)


class RejectForm(VersionForm):
    reason: RejectReason
    note: str = Field(default="", max_length=500)

    def command(self) -> RejectLine:
        return RejectLine(reason=self.reason, note=self.note)


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
    """The chosen lines, each sent as `line` = "<id>:<version>"."""
    try:
        pairs = [str(value).split(":") for value in form.getall("line", [])]
        return ConfirmLines.model_validate({"lines": [{"id": line, "version": version} for line, version in pairs]})
    except (ValueError, ValidationError) as error:
        raise NothingChosen from error


def safe_back(path: str) -> str:
    """A path of ours to return to; anything that could lead elsewhere becomes the start page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
