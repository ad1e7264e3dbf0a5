"""What a caller says about what was called off and delivered before the portal."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.core.days import Day
from portal.core.inputs import Input

Before = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]


class OpeningFigure(Input):
    """Up to the cut-over date: of a line without periods as a whole, of any other period by period."""

    line_id: UUID
    period_id: UUID | None = Field(default=None, description="of a line with periods")
    called: Before = Field(default=Decimal(0), examples=["4800"])
    shipped: Before = Field(default=Decimal(0), examples=["4000"])
    received: Before = Field(default=Decimal(0), examples=["3600"])


class ProposeOpening(Input):
    """All figures of a contract at once. What is left out was zero."""

    cut_over: Day = Field(description="the last day that the figures hold", examples=["2026-11-27"])
    figures: list[OpeningFigure] = Field(min_length=1, max_length=5000)
