"""What a caller says about invoices."""

from decimal import Decimal

from pydantic import Field

from portal.core.days import Day
from portal.core.inputs import Input


class ReportInvoice(Input):
    """One invoiced quantity of one contract line."""

    number: str = Field(min_length=1, max_length=60, examples=["INV-2026-0412"])
    invoiced_on: Day = Field(examples=["2026-11-27"])
    line_no: int = Field(ge=1, le=1_000_000, description="the contract's line", examples=[1])
    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6, examples=["2400"])
    amount: Decimal | None = Field(
        default=None, ge=0, max_digits=18, decimal_places=6, description="in the contract's currency"
    )
    period_day: Day | None = Field(default=None, description="any day of its period; none: the invoice's own day")


class ReverseInvoice(Input):
    """Why an invoice is taken back; both companies read it."""

    reason: str = Field(min_length=1, max_length=300, examples=["Credited: the price was wrong."])
