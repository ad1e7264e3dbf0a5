"""What the forms of forecast pages send, and the commands they mean."""

from typing import Any

from pydantic import Field, field_validator

from portal.core.errors import Invalid, Reading
from portal.core.i18n import N_
from portal.forecasts.rules import Span
from portal.forecasts.service import Commit, SetCommitTerms
from portal.web.field_errors import command, filled
from portal.web.forms import Form
from portal.web.shipment_forms import quantity


class UnevenPeriods(Invalid):
    code = "uneven-periods"
    text = N_("Every period needs its field for the quantity. Open the page again and repeat the step.")


class CommitForm(Form):
    """Either a percentage, or one row of part, period and quantity each. An empty quantity stays as it was."""

    version: int = Field(ge=0)
    release: int = Field(ge=0)
    span: str = Span.WEEK.value
    weeks: str = ""
    percent: str = ""
    part: str = ""
    start: list[str] = Field(default=[], max_length=60)
    quantity: list[str] = Field(default=[], max_length=60)
    note: str = ""

    @field_validator("start", "quantity", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    def command(self) -> Commit:
        """Raises Invalid with the field; of the third quantity it is quantity.2."""
        said: dict[str, Any] = {"release": self.release, "span": self.span, "note": self.note}
        said |= {name: getattr(self, name) for name in ("percent", "weeks") if getattr(self, name)}
        if "percent" in said:
            return command(Commit, said | {"percent": said["percent"].rstrip("%％ ")})
        if len(self.start) != len(self.quantity):
            raise UnevenPeriods(field="quantity")
        reading = Reading()
        said["periods"] = []
        for no, (start, text) in enumerate(zip(self.start, self.quantity, strict=True)):
            if text.strip():
                with reading.part():
                    amount = quantity(text, f"quantity.{no}")
                    said["periods"].append({"contract_line_id": self.part, "start": start, "quantity": amount})
        with reading.part():
            commit = filled(Commit, said)
        reading.done()
        return commit


class TermsForm(Form):
    version: int = Field(ge=0)
    weeks: str = ""
    response_hours: str = ""
    under_percent: str = ""

    def command(self) -> SetCommitTerms:
        return command(SetCommitTerms, self.model_dump(exclude={"version"}))


class EndForm(Form):
    version: int = Field(ge=0)
