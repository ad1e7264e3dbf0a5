"""What a caller says about periods and how they are used."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.contracts.model_buckets import Assignment, BucketCadence, Carry, Consequence, PriceBasis
from portal.core.days import Day, EndDay
from portal.core.inputs import Input

Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]
Share = Annotated[Decimal, Field(ge=0, le=999, max_digits=5, decimal_places=2)]


class SetTerms(Input):
    """How the periods of a contract are used. What is left out takes its default."""

    assignment: Assignment = Field(default=Assignment.REQUESTED, description="which day decides about the period")
    shortfall_carry: Carry = Carry.NONE
    shortfall_periods: int | None = Field(default=None, ge=1, le=520, description="with `periods` only")
    shortfall_cap_percent: Share | None = Field(default=None, description="of a period's target; none: no cap")
    excess_carry: Carry = Carry.NONE
    excess_periods: int | None = Field(default=None, ge=1, le=520, description="with `periods` only")
    excess_cap_percent: Share | None = None
    consequence: Consequence = Field(default=Consequence.NONE, description="what follows below the floor")
    over_call_percent: Share = Field(
        default=Decimal(0), description="tolerance above the original ceiling", examples=["5"]
    )
    call_low_percent: Share | None = Field(default=None, description="least of one call, of its period's target")
    call_high_percent: Share | None = Field(default=None, description="most of one call, of its period's target")
    price_basis: PriceBasis = PriceBasis.RECEIPT


class TypedPeriod(Input):
    """One period [start, end) with its quantities."""

    start: Day = Field(examples=["2027-01-01"])
    end: EndDay = Field(description="the first day after it", examples=["2027-02-01"])
    floor: Amount = Field(examples=["9600"])
    target: Amount = Field(examples=["12000"])
    ceiling: Amount = Field(examples=["14400"])


class SetPeriods(Input):
    """The periods of one line, all of them anew. Without a list they follow from the line's fixed quantity and band."""

    cadence: BucketCadence = BucketCadence.CUSTOM
    periods: list[TypedPeriod] = Field(default=[], max_length=600)


class AllowOverCall(Input):
    """Let more be called off from a period than its ceiling. Both sides read the reason in the ledger."""

    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6, examples=["300"])
    reason: str = Field(min_length=1, max_length=300, examples=["Launch of the second line, agreed with Aurora."])


class LineTarget(Input):
    """A monthly target for one line."""

    line_id: UUID
    target: Amount = Field(gt=0, examples=["1200"])


class SetTargets(Input):
    """Monthly periods for lines that had none, usually as their history suggests."""

    since: Day | None = Field(default=None, description="the month of this day is the first; none: today's")
    months: int = Field(default=12, ge=1, le=240)
    lines: list[LineTarget] = Field(min_length=1, max_length=1000)
