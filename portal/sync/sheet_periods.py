"""The periods sheet: what a contract's lines have agreed for each period, and what a workbook changes of it.

All rows of one line are done together, as the periods of a line are written anew as a whole.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.evidence import Content
from portal.contracts.inputs_buckets import SetPeriods, TypedPeriod
from portal.contracts.model import Contract, ContractLine
from portal.contracts.model_buckets import BucketCadence
from portal.contracts.rules_periods import Agreed
from portal.contracts.service import get_lines
from portal.contracts.service_commitments import set_periods
from portal.contracts.service_periods import periods_of
from portal.core.actor import Actor
from portal.core.days import KEPT
from portal.core.errors import Invalid, PortalError
from portal.core.i18n import N_
from portal.core.journal import part
from portal.sync.cells import canonical_number
from portal.sync.rules_sheets import NoSuchLine, RowPlan, is_line
from portal.sync.sheet_columns import Sheet

DAY = timedelta(days=1)
LIMITS = ("floor", "target", "ceiling")


class LastDayTooEarly(Invalid):
    code = "last-day-too-early"
    text = N_("The last day {last} is before the first day {start}. Write that day or a later one.")


async def with_periods(session: AsyncSession, actor: Actor, contract: Contract, content: Content) -> Content:
    """The content, its lines with their periods as they stand."""
    numbers = {line.id: line.line_no for line in await get_lines(session, actor, contract.id)}
    by_line: dict[int, list[Content]] = defaultdict(list)
    for line_id, periods in (await periods_of(session, contract)).items():
        by_line[numbers[line_id]] = [_said(one) for one in periods]
    lines = [line | {"periods": _listed(line) or by_line[line["line_no"]]} for line in content["lines"]]
    return content | {"lines": lines}


def _listed(line: Content) -> list[Content]:
    """The typed periods of a content that may not be in the ledger yet."""
    return [
        {"start": one["start"], "last_day": (date.fromisoformat(one["end"]) - DAY).isoformat()}
        | {name: one[name] for name in LIMITS}
        for one in (line.get("typed_periods") or {"periods": ()})["periods"]
    ]


class Listed(NamedTuple):
    """The periods of a line with the changes of its rows, and which place in the list is which row's."""

    said: SetPeriods
    places: dict[int, RowPlan]


def offered_periods(line: Content, rows: Sequence[RowPlan]) -> Listed:
    """What an amendment says of the periods of a line, which is all of them. Raises Invalid or ValidationError."""
    standing = [
        Agreed(
            BucketCadence.CUSTOM,
            date.fromisoformat(one["start"]),
            date.fromisoformat(one["last_day"]) + DAY,
            *(Decimal(one[name]) for name in LIMITS),
        )
        for one in line["periods"]
    ]
    periods, places = _merged(standing, rows)
    moved = any(plan.new or "last_day" in plan.values for plan in rows)
    known = (line.get("typed_periods") or {}).get("cadence") or line["cadence"]
    cadence = BucketCadence.CUSTOM if moved or not known else BucketCadence(known)
    return Listed(SetPeriods(cadence=cadence, periods=periods), places)


def _said(one: Agreed) -> Content:
    """One period in canonical texts."""
    limits = {name: canonical_number(f"{getattr(one, name):f}") for name in LIMITS}
    return {"start": one.start.isoformat(), "last_day": (one.end - DAY).isoformat(), **limits}


async def write_periods(
    session: AsyncSession, actor: Actor, contract: Contract, plans: Sequence[RowPlan]
) -> list[tuple[RowPlan, PortalError]]:
    """Do what the rows of one contract's periods say. Returns the rows that were refused; they have changed nothing."""
    refused: list[tuple[RowPlan, PortalError]] = []
    by_line: dict[UUID, list[RowPlan]] = defaultdict(list)
    lines = {line.id: line for line in await get_lines(session, actor, contract.id)}
    for plan in plans:
        said = plan.theirs | plan.values
        found = [line.id for line in lines.values() if is_line(said, line.line_no, line.item_code)]
        if len(found) == 1:
            by_line[found[0]].append(plan)
        else:
            refused.append((plan, NoSuchLine(field="line_no")))
    standing = await periods_of(session, contract)
    for line_id, rows in by_line.items():
        refused += await _write(session, actor, contract.id, lines[line_id], standing.get(line_id, []), rows)
    return refused


async def _write(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    line: ContractLine,
    standing: Sequence[Agreed],
    rows: Sequence[RowPlan],
) -> list[tuple[RowPlan, PortalError]]:
    """One line: what is refused by name leaves, and the rest is tried again."""
    left, refused = list(rows), list[tuple[RowPlan, PortalError]]()
    while left:
        periods, places = _merged(standing, left)
        try:
            async with part(session):
                _check_days(periods)
                data = SetPeriods(cadence=_cadence(standing, left), periods=periods)
                await set_periods(session, actor, contract_id, line.id, data)
        except PortalError as error:
            at = (error.field or "").split(".")
            named = places.get(int(at[1])) if at[0] == "periods" and len(at) > 1 else None
            error.field = {"end": "last_day"}.get(at[-1], at[-1])
            guilty = [named] if named is not None else left
            refused += [(plan, error) for plan in guilty]
            left = [plan for plan in left if plan not in guilty]
            continue
        break
    return refused


def _merged(standing: Sequence[Agreed], rows: Sequence[RowPlan]) -> tuple[list[TypedPeriod], dict[int, RowPlan]]:
    """All periods of the line with the rows' changes, and which place is which row's."""
    told: dict[date, dict[str, Any]] = {one.start: {**one._asdict()} for one in standing}
    whose: dict[date, RowPlan] = {}
    for plan in rows:
        start = date.fromisoformat((plan.theirs | plan.values)["start"])
        whose[start] = plan
        one = told.setdefault(start, {"start": start})
        one |= {name: Decimal(plan.values[name]) for name in LIMITS if name in plan.values}
        if "last_day" in plan.values:
            one["end"] = date.fromisoformat(plan.values["last_day"]) + DAY
    starts = sorted(told)
    said = [{name: told[start][name] for name in TypedPeriod.model_fields} for start in starts]
    periods = [TypedPeriod.model_validate(one, context=KEPT) for one in said]
    return periods, {at: whose[start] for at, start in enumerate(starts) if start in whose}


def _check_days(periods: Sequence[TypedPeriod]) -> None:
    for at, one in enumerate(periods):
        if one.end <= one.start:
            raise LastDayTooEarly(field=f"periods.{at}.end", start=one.start, last=one.end - DAY)


def _cadence(standing: Sequence[Agreed], rows: Sequence[RowPlan]) -> BucketCadence:
    """What the periods follow each other by; whoever moves or adds one makes a list of their own."""
    moved = any(plan.new or "last_day" in plan.values for plan in rows)
    return BucketCadence.CUSTOM if moved or not standing else standing[0].cadence


def split(plans: Sequence[RowPlan]) -> tuple[list[RowPlan], list[RowPlan]]:
    """The rows of the contract's text, and those of its periods."""
    return (
        [plan for plan in plans if plan.sheet is not Sheet.PERIODS],
        [plan for plan in plans if plan.sheet is Sheet.PERIODS],
    )
