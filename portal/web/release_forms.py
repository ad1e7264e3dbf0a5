"""What the forms around releases send, and the commands they mean."""

from typing import Any
from uuid import UUID

from pydantic import Field, field_validator

from portal.schedules.service_answers import RejectRelease
from portal.schedules.service_holding import Decide
from portal.schedules.service_plans import PlanLine, SetPlan, SetTerms
from portal.schedules.service_publishing import Publish
from portal.schedules.service_splitting import MOST, JoinLines, NotJoinable, SplitLine
from portal.web.field_errors import command, filled
from portal.web.forms import Form
from portal.web.schedule_forms import VersionForm


class PublishForm(VersionForm):
    note: str = ""
    kind: str = ""

    def command(self) -> Publish:
        return command(Publish, self.model_dump(exclude={"version"}))


class DecideForm(VersionForm):
    note: str = ""

    def command(self) -> Decide:
        return command(Decide, {"note": self.note})


class RejectReleaseForm(VersionForm):
    reason: str = ""

    def command(self) -> RejectRelease:
        return filled(RejectRelease, {"reason": self.reason})


class PlanForm(Form):
    """How releases are made, as typed; an unticked box is not sent."""

    version: int
    trigger: str = ""
    every_days: str = ""
    weekdays: list[str] = Field(default=[], max_length=7)
    horizon_days: str = ""
    daily_days: str = ""
    weekly_days: str = ""
    jit_days: str = ""
    only_transmitted: str = ""
    hold_by: str = ""
    hold_quantity: str = ""
    hold_percent: str = ""
    hold_days: str = ""
    quiet_percent: str = ""
    answer_hours: str = ""

    @field_validator("weekdays", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    def command(self) -> SetPlan:
        values = self.model_dump(exclude={"version", "only_transmitted"})
        return command(SetPlan, values | {"only_transmitted": self.only_transmitted == "yes"})


class TermsForm(Form):
    """What was agreed about cancelling, as typed."""

    version: int
    make_days: str = ""
    finished_percent: str = ""
    in_work_percent: str = ""
    material_percent: str = ""
    zone_percent: str = ""

    def command(self) -> SetTerms:
        return command(SetTerms, self.model_dump(exclude={"version"}))


class PlanLineForm(VersionForm):
    quantity: str = ""
    due_date: str = ""

    def command(self) -> PlanLine:
        return filled(PlanLine, self.model_dump(exclude={"version"}))


class SplitLineForm(VersionForm):
    quantity: str = ""

    def command(self) -> SplitLine:
        return filled(SplitLine, {"quantity": self.quantity})


class JoinLinesForm(VersionForm):
    line_ids: list[UUID] = Field(default=[], max_length=MOST)

    @field_validator("line_ids", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    def command(self) -> JoinLines:
        if not self.line_ids:
            raise NotJoinable(field="line_ids")
        return JoinLines(line_ids=self.line_ids)
