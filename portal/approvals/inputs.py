"""Rules as data: the shape in which they are stored, exported and brought in. What they mean is in `rules.py`."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from portal.core.access import Role
from portal.core.inputs import Input

MOST_RULES, MOST_CONDITIONS, MOST_STEPS, DEEPEST = 200, 30, 6, 4


class Join(StrEnum):
    AND = "and"
    OR = "or"


class Op(StrEnum):
    """How a fact is compared; which ones fit depends on the fact's kind."""

    LESS = "lt"
    AT_MOST = "le"
    EQUAL = "eq"
    AT_LEAST = "ge"
    MORE = "gt"
    WITHIN = "within"  # this far up or down at most
    BEYOND = "beyond"  # further up or down
    ANY_OF = "in"
    NONE_OF = "not_in"
    CONTAINS = "contains"
    UNKNOWN = "unknown"


class OutcomeKind(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    APPROVERS = "approvers"


class Mode(StrEnum):
    """How several approvers are asked."""

    ORDER = "order"  # one after the other
    PARALLEL = "parallel"  # all at once


class Condition(Input):
    """One comparison of one fact. `values` holds one number, or any of several words; none for `unknown`."""

    fact: str = Field(max_length=40, examples=["change_percent"])
    op: Op
    values: list[str] = Field(default=[], max_length=50, examples=[["20"]])


class Group(Input):
    """Conditions and groups joined by `and` or `or`. An empty group always holds."""

    join: Join = Join.AND
    of: list["Condition | Group"] = Field(default=[], max_length=MOST_CONDITIONS)


class Approver(Input):
    """A role whose word is asked. `limit`: up to this value the word is the last one; only in order."""

    role: Role
    limit: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)] | None = None


class Outcome(Input):
    """What a rule leads to. `reason` is told with a refusal."""

    kind: OutcomeKind
    mode: Mode = Mode.ORDER
    approvers: list[Approver] = Field(default=[], max_length=MOST_STEPS)
    answer_hours: int | None = Field(default=None, ge=1, le=400, description="working hours for each answer")
    reason: str = Field(default="", max_length=300)


class Rule(Input):
    """If `when` holds, `then`. The first rule that fits decides."""

    name: str = Field(min_length=1, max_length=120, examples=["Small changes early enough"])
    when: Group = Group()
    then: Outcome


class Rules(Input):
    """The rules of one point, in order. `otherwise` holds when none fits; without it, what holds without rules."""

    rules: list[Rule] = Field(default=[], max_length=MOST_RULES)
    otherwise: Outcome | None = None


class Exported(Input):
    """A rule set as a file."""

    format: Literal["calloff-rules"] = "calloff-rules"
    format_version: Literal[1] = 1
    point: str
    rules: list[Rule] = Field(default=[], max_length=MOST_RULES)
    otherwise: Outcome | None = None
