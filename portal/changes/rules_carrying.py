"""A carry-over that both companies agree on: what a period was short of, or too much of, counts in a later one.

Pure. It is a pair of entries in the ledger, never an edited target; what the contract carries by itself stays apart.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.quantities import UNITS, check_scale

ZERO = Decimal(0)


class PeriodRuns(Conflict):
    code = "period-runs"
    text = N_("The period runs until {last}, so it is open what it will be short of. Ask when it has ended.")


class CarriedBackwards(Invalid):
    code = "carried-backwards"
    text = N_("Carry it into a period of the same part that begins after {since} and has not ended.")


class NothingToCarry(Conflict):
    code = "nothing-to-carry"
    text = N_("The period ended as agreed: nothing of it is missing or too much.")


class MoreThanThereIs(Invalid):
    code = "more-than-there-is"
    text = N_("Only {left} {unit} of the period can be carried over. Enter that or less.")


class TargetUsedUp(Invalid):
    code = "target-used-up"
    text = N_("The later period asks for only {target} {unit}, so no more can be counted there. Enter that or less.")


class PeriodNow(NamedTuple):
    """One of the two periods, with what was carried into and out of it so far."""

    id: UUID
    contract_line_id: UUID
    start: date
    end: date  # the first day after it
    target: Decimal
    called: Decimal

    @property
    def left(self) -> Decimal:
        """What it is short of; negative: what was taken beyond the target."""
        return self.target - self.called


class Carried(NamedTuple):
    """One carry-over with its two periods as they stand."""

    part_no: int
    item: str
    unit: str
    source: PeriodNow
    to: PeriodNow
    quantity: Decimal  # a shortfall, or negative an excess


def carried(unit: str, source: PeriodNow, to: PeriodNow, quantity: Decimal | None, today: date) -> Decimal:
    """What is carried, signed; without a quantity all of it. Raises the refusal that fits."""
    if source.end > today:
        raise PeriodRuns(field="bucket_id", last=date.fromordinal(source.end.toordinal() - 1))
    if source.contract_line_id != to.contract_line_id or to.start < source.end or to.end <= today:
        raise CarriedBackwards(field="to_bucket_id", since=source.start)
    if not source.left:
        raise NothingToCarry(field="bucket_id")
    wanted = abs(source.left) if quantity is None else quantity
    check_scale(wanted, unit)
    if wanted > abs(source.left):
        raise MoreThanThereIs(field="quantity", left=abs(source.left), unit=UNITS[unit][1])
    if source.left < 0 and wanted > to.target:
        raise TargetUsedUp(field="quantity", target=max(to.target, ZERO), unit=UNITS[unit][1])
    return wanted if source.left > 0 else -wanted
