"""A contract's forecast by periods as a workbook: out, and back as one commit."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace
from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.errors import PortalError
from portal.core.i18n import N_
from portal.core.journal import part
from portal.core.states import Side, WrongSide
from portal.forecasts import reads, rules, service
from portal.forecasts.model import CommitWay
from portal.forecasts.reads import Cells, Head, Part
from portal.forecasts.rules import NoForecast, Period, Span
from portal.forecasts.service import Commit, CommittedPeriod
from portal.sync import sheet_bases
from portal.sync.cells import canonical_number
from portal.sync.rules_sheets import Change, Refused, RowPlan, Rows, RowSaid, Values, plan_row, repeated
from portal.sync.sheet_bases import CommitsBase, FoundCommits
from portal.sync.sheet_book import Book, OutRow, write_book
from portal.sync.sheet_columns import Sheet
from portal.sync.sheet_runs import refused_row

ZERO = Decimal(0)
FIELD = "committed"
NAMES = {"quantity": FIELD}
NO_PERIOD = N_("The row names no period of the forecast.")
NO_PERIOD_MEND = N_("Download the workbook again and write into its rows.")
EMPTIED = N_("A commit is not taken back by an empty cell.")
EMPTIED_MEND = N_("Write 0 where nothing can be delivered.")
Chosen = Mapping[tuple[str, str], str]


class Outlook(NamedTuple):
    """A contract's forecast as its workbook says it."""

    head: Head
    rows: Rows


async def outlook(session: AsyncSession, actor: Actor, contract_id: UUID, span: Span) -> Outlook:
    """What is forecast and committed now, one row a part and period."""
    connection = await db.driver(session)
    head = await reads.head(connection, actor, contract_id)
    first = rules.monday(local_today(clock.now(), head.time_zone))
    parts = await reads.parts(connection, actor, contract_id)
    cells = await reads.cells(connection, actor, head, first, rules.LONGEST)
    periods = rules.periods(first, rules.LONGEST, span)
    rows = {
        f"{one.id}:{period.start}": _values(head, one, period, cells, first)
        for one in parts
        for period in periods
        if any((one.id, week) in cells for week in period.weeks)
    }
    return Outlook(head, rows)


def _values(head: Head, one: Part, period: Period, cells: Cells, first: date) -> Values:
    found = [cells[one.id, week] for week in period.weeks if (one.id, week) in cells]
    committed = [cell.committed for cell in found if cell.committed is not None]
    return {
        "number": head.number,
        "party_name": head.party_name,
        "item_code": one.item_code,
        "description": one.description.strip(),
        "start": period.start.isoformat(),
        "last_day": (first + timedelta(weeks=period.weeks.stop, days=-1)).isoformat(),
        "forecast": canonical_number(str(sum((cell.forecast for cell in found), ZERO))),
        "unit": one.unit,
        FIELD: canonical_number(str(sum(committed, ZERO))) if committed else "",
    }


def require(actor: Actor, head: Head) -> None:
    """Who may commit: the seller, to what was published."""
    actor.require(Permission.CONFIRM_LINES)
    if actor.side_on(head.direction) is not Side.SELLER:
        raise WrongSide(action="commit")
    if not head.release_no:
        raise NoForecast


async def export(session: AsyncSession, actor: Actor, contract_id: UUID, span: Span) -> bytes:
    """The next 52 weeks of a contract by weeks or months."""
    head, rows = await outlook(session, actor, contract_id, span)
    require(actor, head)
    base = CommitsBase(
        party_id=actor.party_id, contract_id=contract_id, span=span, commit_no=head.commit_no,
        release_no=head.release_no, rows=rows,
    )  # fmt: skip
    digest = await sheet_bases.keep(actor, base)
    out = [OutRow(key, str(head.release_no), values) for key, values in rows.items()]
    return await asyncio.to_thread(write_book, {Sheet.COMMITS: out}, digest)


async def carried_out(
    session: AsyncSession, actor: Actor, book: Book, base: CommitsBase, chosen: Chosen
) -> FoundCommits:
    """Make one commit of the rows that changed; what is refused by name leaves, and the rest is tried."""
    head, theirs = await outlook(session, actor, base.contract_id, base.span)
    require(actor, head)
    plans, refused = _planned(book.rows, base, theirs, chosen)
    left, number, waits = [plan for plan in plans if plan.changes], None, False
    while left:
        try:
            async with part(session):
                made = await service.commit(
                    session, actor, base.contract_id, head.commit_no, _commit(head, base, left), CommitWay.SHEET
                )
            number, waits = head.commit_no + 1 if made else None, made is None
        except (PortalError, ValidationError) as error:
            guilty = _guilty(error, left)
            refused += [refused_row(Sheet.COMMITS, plan.row, error, NAMES) for plan in guilty]
            left = [plan for plan in left if plan not in guilty]
            continue
        break
    changes = [change for plan in left for change in plan.changes]
    conflicts = [change for plan in plans for change in plan.conflicts]
    shown = {each.row for each in (*changes, *conflicts)} | {each.row for each in refused}
    return FoundCommits(
        changes=changes, conflicts=conflicts, refused=sorted(refused, key=lambda each: each.row), unknown=book.unknown,
        where={f"{said.sheet}:{said.row}": _where(said) for said in book.rows if said.row in shown},
        contract_id=base.contract_id, contract=head.number, release_no=head.release_no, number=number,
        waits=waits,
    )  # fmt: skip


def _where(said: RowSaid) -> str:
    return " · ".join(
        text for name in ("number", "item_code", "start") if (text := said.cells.get(name, "").strip()[:60])
    )


def _planned(
    rows: Sequence[RowSaid], base: CommitsBase, theirs: Rows, chosen: Chosen
) -> tuple[list[RowPlan], list[Refused]]:
    refused = repeated(rows)
    skipped = {each.row for each in refused}
    plans = []
    for said in rows:
        if said.row in skipped:
            continue
        if not said.key or said.version not in ("", str(base.release_no)):
            if said.key or said.cells.get(FIELD, "").strip():
                refused.append(Refused(said.sheet, said.row, "", NO_PERIOD, {}, NO_PERIOD_MEND))
            continue
        made = plan_row(said, base.rows.get(said.key), theirs.get(said.key), chosen)
        if isinstance(made, RowPlan) and not all(each.after for each in (*made.changes, *made.conflicts)):
            made = [Refused(said.sheet, said.row, FIELD, EMPTIED, {}, EMPTIED_MEND)]
        if isinstance(made, RowPlan):
            plans.append(_on_figures(made, base.rows[said.key], chosen))
        elif made:
            refused += made
    return plans, refused


def _on_figures(plan: RowPlan, base: Values, chosen: Chosen) -> RowPlan:
    """A commit to a forecast that has moved since the export is for the user to decide."""
    was, now = base["forecast"], plan.theirs["forecast"]
    if was == now or not plan.changes or chosen.get((plan.key, "forecast")) == now:
        return plan
    moved = Change(plan.sheet, plan.row, plan.key, "forecast", was, now, plan.values[FIELD], plan.theirs["unit"])
    return replace(plan, changes=(), conflicts=(*plan.conflicts, moved))


def _commit(head: Head, base: CommitsBase, plans: Sequence[RowPlan]) -> Commit:
    periods = []
    for plan in plans:
        line, _at, start = plan.key.partition(":")
        quantity = Decimal(plan.values[FIELD])
        periods.append(CommittedPeriod(contract_line_id=UUID(line), start=date.fromisoformat(start), quantity=quantity))
    return Commit(release=head.release_no, span=base.span, periods=periods)


def _guilty(error: PortalError | ValidationError, plans: list[RowPlan]) -> list[RowPlan]:
    """The row that a refusal names, else all of them."""
    at = (getattr(error, "field", None) or "").split(".")
    if at[0] == "periods" and len(at) > 1 and at[1].isdecimal():
        return [plans[int(at[1])]]
    return plans
