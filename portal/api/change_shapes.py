"""What a change request looks like over the interface: its live offer, and what that does."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from portal.changes import words
from portal.changes.impact import Impact, Touched
from portal.changes.reads import ChangeRow, FileRow
from portal.changes.rules_carrying import Carried
from portal.changes.rules_impact import Stake, zone_after, zone_before


class PieceOut(Struct):
    """So much on this day."""

    quantity: Decimal
    due_date: date


class PartOut(Struct):
    """What the live offer wants of one delivery, beside how it was when it was asked."""

    part_no: int
    kind: str
    line_id: UUID | None
    contract_line_id: UUID
    item: str
    unit: str
    before: PieceOut | None
    after: list[PieceOut]
    place: str
    price: Decimal | None
    zone_before: str | None
    zone_after: str | None
    pause: Annotated[list[date], Meta(description="first and last day of the pause that covers it; else empty")]


class PeriodOut(Struct):
    """An agreed period before and after."""

    contract_line_id: UUID
    first: date
    end: Annotated[date, Meta(description="the first day after it")]
    low: Decimal
    high: Decimal
    before: Decimal
    after: Decimal
    leaves: Annotated[bool, Meta(description="whether the total leaves the band, or goes further out")]


class ZoneOut(Struct):
    """By how much the quantity in one zone changes."""

    unit: str
    zone: str
    quantity: Decimal
    value: Decimal | None


class CurveOut(Struct):
    """Cumulative quantities of one contract line, as called off and as they would be."""

    contract_line_id: UUID
    before: list[PieceOut]
    after: list[PieceOut]


class CarryOut(Struct):
    """What a period that has ended is short of, or negative has too much of, counts in a later one."""

    part_no: int
    item: str
    unit: str
    bucket_id: UUID
    to_bucket_id: UUID
    quantity: Annotated[Decimal, Meta(examples=["20"])]
    left: Annotated[Decimal, Meta(description="all that the period is short of; negative: too much")]
    target_after: Annotated[Decimal, Meta(description="of the later period")]


class ImpactOut(Struct):
    """What the live offer does, from the figures of now; once applied, they hold it, and neither periods nor curves are
    given. `way`: why nobody, or the other company, must agree."""

    sentence: str
    way: Annotated[str, Meta(examples=["inside"])]
    notice_days: int | None
    value: Decimal | None
    currency: str
    zones: list[ZoneOut]
    periods: list[PeriodOut]
    curves: list[CurveOut]
    touched: list[Touched]


class ChangeOut(Struct):
    """One request with its live offer, what it does, and what this company may do with it now."""

    request: ChangeRow
    parts: list[PartOut]
    carry_overs: list[CarryOut]
    impact: ImpactOut
    files: list[FileRow]
    actions: list[str]
    decline_reason: str
    failure: dict[str, str]
    erp_state: str
    erp_reference: Annotated[str, Meta(description="as the factory's ERP numbers it; for the factory alone")]
    moved: Annotated[list[int], Meta(description="parts whose delivery is not any more what the offer was based on")]


def part_out(stake: Stake, priced: bool) -> PartOut:
    before, after = stake.before, stake.after
    was, becomes = zone_before(stake), zone_after(stake)
    return PartOut(
        stake.part_no, stake.kind.value, stake.line_id, stake.contract_line_id, before.item, before.unit,
        PieceOut(before.quantity, before.due_date) if stake.line_id else None,
        [PieceOut(*piece) for piece in after.pieces], after.place, after.price if priced else None,
        was.value if was else None, becomes.value if becomes else None, list(stake.pause or ()),
    )  # fmt: skip


def carry_out(one: Carried) -> CarryOut:
    after = one.to.target + one.quantity
    return CarryOut(
        one.part_no, one.item, one.unit, one.source.id, one.to.id, one.quantity, one.source.left, after
    )  # fmt: skip


def impact_out(sheet: Impact) -> ImpactOut:
    periods = [
        PeriodOut(e.period.contract_line_id, e.period.start, e.period.end, e.period.low, e.period.high, e.before,
                  e.after, e.leaves)
        for e in sheet.effects
    ]  # fmt: skip
    curves = [
        CurveOut(c.contract_line_id, [PieceOut(q, d) for d, q in c.before], [PieceOut(q, d) for d, q in c.after])
        for c in sheet.curves
    ]
    zones = [ZoneOut(z.unit, z.zone.value, z.quantity, z.value) for z in sheet.exposure]
    return ImpactOut(
        words.sentence(sheet), sheet.way.value, sheet.notice, sheet.value, sheet.head.currency, zones, periods, curves,
        sheet.touched,
    )  # fmt: skip
