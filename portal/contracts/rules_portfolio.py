"""Consumption across contracts: the lines of many contracts added up by partner, kind, currency, end or risk.

Pure, as `rules.py`. Quantities of different units never mix: what is added up are shares, as a mean over lines, and
values in one currency. A line without a price or a rate is in no value, and counted as such.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from portal.contracts.model import ContractKind
from portal.core.actor import Direction

ZERO = Decimal(0)
SHARE = Decimal("0.0001")
ENDS = (30, 90, 180, 365)  # days left, each up to and with


class By(StrEnum):
    """What one row of the portfolio stands for."""

    PARTNER = "partner"
    KIND = "kind"
    CURRENCY = "currency"
    END = "end"
    RISK = "risk"


class Risk(StrEnum):
    """Where the period that runs ends if nothing changes; a line may have none today."""

    BELOW = "below"
    ABOVE = "above"
    INSIDE = "inside"
    NONE = "none"


class LineUse(Struct, frozen=True):
    """One contract line with what its periods begun so far add up to, in its unit, and what one unit is worth."""

    contract_id: UUID
    party_id: UUID
    party_name: str
    kind: ContractKind
    currency: str
    direction: Direction
    valid_to: date | None
    days_left: int | None
    line_id: UUID
    aim: Decimal
    called: Decimal
    shipped: Decimal
    received: Decimal
    risk: Risk
    worth: Decimal | None = None  # of one unit in the portfolio's currency; none: no price or no rate

    @property
    def end(self) -> str:
        """Under which end its contract stands: up to so many days left, later, over, or open."""
        if self.days_left is None:
            return "open"
        if self.days_left < 0:
            return "over"
        return next((str(days) for days in ENDS if self.days_left <= days), "later")


class Values(Struct, frozen=True):
    """Money in the portfolio's currency, over the lines that have a value."""

    target: Decimal
    called: Decimal
    shipped: Decimal
    received: Decimal

    @property
    def remaining(self) -> Decimal:
        """Of the target, not called off; negative when more was."""
        return self.target - self.called

    @property
    def use(self) -> Decimal | None:
        """Called off of the target by value; none without a target."""
        return (self.called / self.target).quantize(SHARE) if self.target else None


class Group(Struct, frozen=True):
    """One row: all lines of a partner, kind, currency, end or risk."""

    key: str
    name: str  # of the partner, or of the first of several
    contracts: int
    lines: int
    below: int  # ending below the floor if nothing changes
    above: int
    use: Decimal | None  # called off of the target, a mean over lines, 0..1
    received: Decimal | None
    values: Values
    unvalued: int  # lines in no value


def groups(lines: Iterable[LineUse], by: By) -> list[Group]:
    """The rows, by their target's value, the greatest first; by end in the order of time."""
    found: dict[str, list[LineUse]] = defaultdict(list)
    for line in lines:
        found[key_of(line, by)].append(line)
    rows = [added(key, of_one) for key, of_one in found.items()]
    if by is By.END:
        order = ("over", *(str(days) for days in ENDS), "later", "open")
        return sorted(rows, key=lambda row: order.index(row.key))
    if by is By.RISK:
        return sorted(rows, key=lambda row: list(Risk).index(Risk(row.key)))
    return sorted(rows, key=lambda row: (-row.values.target, row.name, row.key))


def key_of(line: LineUse, by: By) -> str:
    """Under which row a line stands."""
    keys = {
        By.PARTNER: str(line.party_id),
        By.KIND: line.kind.value,
        By.CURRENCY: line.currency,
        By.END: line.end,
        By.RISK: line.risk.value,
    }
    return keys[by]


def added(key: str, lines: Sequence[LineUse]) -> Group:
    """One row, or the total of all."""
    return Group(
        key,
        min((line.party_name for line in lines), default=""),
        len({line.contract_id for line in lines}),
        len(lines),
        sum(line.risk is Risk.BELOW for line in lines),
        sum(line.risk is Risk.ABOVE for line in lines),
        _mean([line.called / line.aim for line in lines if line.aim]),
        _mean([line.received / line.aim for line in lines if line.aim]),
        Values(*(_worth(lines, name) for name in ("aim", "called", "shipped", "received"))),
        sum(line.worth is None for line in lines),
    )


def _worth(lines: Iterable[LineUse], name: str) -> Decimal:
    return sum((getattr(line, name) * line.worth for line in lines if line.worth is not None), ZERO)


def _mean(shares: Sequence[Decimal]) -> Decimal | None:
    return (sum(shares, ZERO) / len(shares)).quantize(SHARE) if shares else None
