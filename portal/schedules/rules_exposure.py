"""Exposure: what the buyer would owe if everything published and not yet received were cancelled on a day.

What was published binds: a line without a newer release keeps its last published quantity, and the days that pass bring
it nearer, so its level is that of the day that is asked about, never a milder one than it was published with.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.schedules.model import Level

ZERO = Decimal(0)
HUNDRED = Decimal(100)


class Stage(StrEnum):
    """How far a cancelled quantity has come at the seller."""

    FINISHED = "finished"  # firm, backlog, immediate, pilot: the full price
    IN_WORK = "in_work"  # make: production and material
    MATERIAL = "material"  # buy: material


STAGE_OF: Mapping[Level, Stage] = {
    Level.FIRM: Stage.FINISHED,
    Level.BACKLOG: Stage.FINISHED,
    Level.IMMEDIATE: Stage.FINISHED,
    Level.PILOT: Stage.FINISHED,
    Level.MAKE: Stage.IN_WORK,
    Level.BUY: Stage.MATERIAL,
}
ORDER = (Level.PLAN, Level.BUY, Level.MAKE, Level.PILOT, Level.FIRM, Level.IMMEDIATE, Level.BACKLOG)


class SharesOutOfOrder(Invalid):
    code = "cost-shares-out-of-order"
    text = N_(
        "Material costs no more than goods in work, and these no more than finished goods. "
        "Enter shares from 0 to 100 % that rise in this order."
    )


class Shares(NamedTuple):
    """What is owed at each stage, in per cent of the price."""

    finished: Decimal = HUNDRED
    in_work: Decimal = HUNDRED
    material: Decimal = HUNDRED

    def of(self, stage: Stage) -> Decimal:
        return {Stage.FINISHED: self.finished, Stage.IN_WORK: self.in_work, Stage.MATERIAL: self.material}[stage]


def check_shares(shares: Shares) -> None:
    """Raise SharesOutOfOrder unless 0 <= material <= in work <= finished <= 100."""
    if not ZERO <= shares.material <= shares.in_work <= shares.finished <= HUNDRED:
        raise SharesOutOfOrder(field="material_percent")


class Owed(NamedTuple):
    """One published line on the day: what is still open of it, its level now, its price per unit."""

    quantity: Decimal  # published
    received: Decimal
    level: Level
    price: Decimal


class Exposure(NamedTuple):
    """What cancelling would cost, by stage, in the contract's currency and unrounded."""

    finished: Decimal = ZERO
    in_work: Decimal = ZERO
    material: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.finished + self.in_work + self.material


def binding(published: Level, now: Level) -> Level:
    """The level that is owed: what was published, or the stricter one that the passing days made of it."""
    return max(published, now, key=ORDER.index)


def exposure(lines: Iterable[Owed], shares: Shares) -> Exposure:
    """The sum over lines. What was received is paid for, not owed; a preview (plan) costs nothing."""
    sums = dict.fromkeys(Stage, ZERO)
    for line in lines:
        stage = STAGE_OF.get(line.level)
        open_quantity = line.quantity - line.received
        if stage is not None and open_quantity > 0:
            sums[stage] += open_quantity * line.price * shares.of(stage) / HUNDRED
    return Exposure(sums[Stage.FINISHED], sums[Stage.IN_WORK], sums[Stage.MATERIAL])
