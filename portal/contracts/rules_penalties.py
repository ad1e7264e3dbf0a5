"""What a late delivery costs: a share of its value for each day late, up to a cap.

Pure, as `rules.py`. Days are calendar days of the contract's zone, from the day that was agreed last.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from portal.contracts.model_buckets import PriceBasis

ZERO = Decimal(0)


class Clause(NamedTuple):
    """What a contract says of late deliveries; without a percentage nothing."""

    percent: Decimal | None  # of the late delivery's value, per day
    cap: Decimal | None  # at most, of that value; none: it goes on

    def share(self, days: int) -> Decimal:
        """The part of its value that a delivery so many days late costs, 0.05 for 5 %."""
        grown = (self.percent or ZERO) * max(days, 0)
        return (grown if self.cap is None else min(grown, self.cap)) / 100

    def capped(self, days: int) -> bool:
        """Whether a further day would cost nothing more."""
        return self.cap is not None and (self.percent or ZERO) * days >= self.cap


def days_late(due: date, arrived: date) -> int:
    """Calendar days after the agreed one; early and on the day are 0."""
    return max(0, (arrived - due).days)


def price_day(basis: PriceBasis, due: date, arrived: date, ordered: date | None, period: date | None) -> date:
    """The day whose price values a delivery; the agreed day where the named one is not known."""
    known = {PriceBasis.RECEIPT: arrived, PriceBasis.ORDER: ordered, PriceBasis.PERIOD: period}
    return known[basis] or due
