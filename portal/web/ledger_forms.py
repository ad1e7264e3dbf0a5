"""What the forms of the ledger send, and the commands they mean."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, field_validator

from portal.contracts.inputs_buckets import AllowOverCall, SetPeriods, SetTargets, SetTerms
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.web.field_errors import command
from portal.web.forms import Form

PERIOD = ("start", "end", "floor", "target", "ceiling")


class NothingChosen(Invalid):
    code = "no-line-chosen"
    text = N_("Choose at least one line.")


class PeriodUnreadable(Invalid):
    code = "period-unreadable"
    text = N_("Row {row} is not a period. Write first day, day after the last, floor, target, ceiling: {example}.")


def typed_rows(text: str) -> list[dict[str, str]]:
    """Periods as somebody types them, one a row. Raises PeriodUnreadable."""
    rows = [row.split() for row in text.splitlines() if row.strip()]
    for no, row in enumerate(rows, start=1):
        if len(row) != len(PERIOD):
            raise PeriodUnreadable(field="periods", row=no, example="2027-01-01 2027-02-01 9600 12000 14400")
    return [dict(zip(PERIOD, row, strict=True)) for row in rows]


def periods_text(periods: Iterable[Mapping[str, str]]) -> str:
    """The same of a content's list."""
    return "\n".join(" ".join(one[name] for name in PERIOD) for one in periods)


class OverCallForm(Form):
    quantity: str = ""
    reason: str = ""

    def command(self) -> AllowOverCall:
        return command(AllowOverCall, self.model_dump())


class CommitmentsForm(Form):
    """How periods are used, as typed."""

    version: int
    assignment: str = ""
    shortfall_carry: str = ""
    shortfall_periods: str = ""
    shortfall_cap_percent: str = ""
    excess_carry: str = ""
    excess_periods: str = ""
    excess_cap_percent: str = ""
    consequence: str = ""
    over_call_percent: str = ""
    call_low_percent: str = ""
    call_high_percent: str = ""
    price_basis: str = ""

    def command(self) -> SetTerms:
        return command(SetTerms, self.model_dump(exclude={"version"}))


class TargetsForm(Form):
    """The suggestions that somebody takes: `chosen` holds line and target, with a colon between."""

    version: int
    since: str = ""
    months: str = ""
    chosen: list[str] = Field(default=[], max_length=1000)

    @field_validator("chosen", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    def command(self) -> SetTargets:
        if not self.chosen:
            raise NothingChosen(field="chosen")
        lines = [dict(zip(("line_id", "target"), one.split(":", 1), strict=False)) for one in self.chosen]
        return command(SetTargets, {"since": self.since, "months": self.months, "lines": lines})


class PeriodsForm(Form):
    """The periods of one line, one a row; an empty text takes them from the fixed quantity."""

    version: int
    periods: str = ""

    def command(self) -> SetPeriods:
        try:
            return command(SetPeriods, {"periods": typed_rows(self.periods)})
        except Invalid as error:
            error.field, error.also = "periods", ()
            raise
