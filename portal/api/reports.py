"""Reports over the interface: the same figures as the page and its files."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from msgspec import Struct

from portal.core import clock, paging
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import _
from portal.parameters import FromQuery
from portal.scorecards import reads, reads_history
from portal.scorecards.reads import By, Performance, Report, Selection
from portal.scorecards.reads_fairness import DEFINITIONS, Fairness, asked_of, fairness
from portal.scorecards.reads_history import Source
from portal.scorecards.reads_history import asked_of as history_asked
from portal.scorecards.reads_stability import StabilityRow


class PerformanceOut(Struct):
    """One row. `on_time_rate` has six places and is null where nothing was due; `values` is null without prices."""

    party_id: UUID | None
    party_name: str
    month: date | None
    lines: int
    on_time: int
    on_time_rate: Decimal | None
    orders: int
    orders_on_time: int
    overdue: int
    values: dict[str, Decimal] | None


class ReportOut(Struct):
    """A page of rows with the total of all of them."""

    definition: str
    since: date | None
    until: date
    overdue_on: date
    total: PerformanceOut
    items: list[PerformanceOut]
    next: str | None = None


def performance_out(row: Performance) -> PerformanceOut:
    """Amounts without idle zeros."""
    values = row.values and {code: value.quantize(Decimal("0.01")) for code, value in row.values.items()}
    return PerformanceOut(
        row.party_id, row.party_name, row.month, row.lines, row.on_time, row.rate, row.orders, row.orders_on_time,
        row.overdue, values,
    )  # fmt: skip


def report_out(report: Report, after: tuple[str, ...] | None, limit: int) -> ReportOut:
    """One page of the rows, behind the row with the key `after`."""
    chosen = report.selection
    rest = [row for row in report.rows if after is None or row.key > after]
    rows = [performance_out(row) for row in rest[:limit]]
    more = paging.encode(*rest[limit - 1].key) if len(rest) > limit else None
    total = performance_out(report.total)
    return ReportOut(_(reads.DEFINITION), chosen.since, chosen.until, chosen.day, total, rows, more)


class StabilityOut(Struct):
    """The definition in words, the days, and a row for each partner; shares are 0..1."""

    definition: str
    since: date
    until: date
    rows: list[StabilityRow]


class ReportController(Controller):
    path = "/reports"
    tags = ("Reports",)

    @get("/deliveries")
    async def deliveries(
        self,
        actor: NamedDependency[Actor],
        by: FromQuery[By] = By.PARTNER,
        direction: FromQuery[Direction | None] = None,
        party_id: FromQuery[UUID | None] = None,
        since: FromQuery[date | None] = None,
        until: FromQuery[date | None] = None,
        day: FromQuery[date | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 200,
    ) -> ReportOut:
        """How deliveries kept their dates, by partner, month or both. Without dates: all that was due by today."""
        paging.check_limit(limit)
        after = paging.decode(cursor, str, str, str) if cursor else None
        today = local_today(clock.now(), actor.time_zone)
        chosen = Selection(until or today, day or today, since, direction, party_id, by)
        async with read(actor) as connection:
            report = await reads.deliveries(connection, actor, chosen)
        return report_out(report, after, limit)

    @get("/stability")
    async def stability(
        self,
        actor: NamedDependency[Actor],
        source: FromQuery[Source] = Source.RELEASES,
        since: FromQuery[date | None] = None,
        until: FromQuery[date | None] = None,
        direction: FromQuery[Direction | None] = None,
    ) -> StabilityOut:
        """How steady the factory's releases were, by partner. Without dates: those of the last 365 days.

        With `source=history` the releases that an imported history would have had are compared: one a week and
        contract from `since` on, each from what was known on its day; without dates 52 of them up to this week.

        Example: `GET /api/v1/reports/stability?source=history&direction=sale&since=2013-01-07&until=2013-12-30`
        """
        asked = history_asked(local_today(clock.now(), actor.time_zone), source, since, until, direction)
        async with read(actor) as connection:
            rows = await reads_history.stability(connection, actor, asked)
        meaning = " ".join(reads_history.definitions(source))
        return StabilityOut(meaning, asked.since, asked.until, rows)


class PairOut(Struct):
    """One pair. `buyer_*` measure the buyer's plan, `seller_*` the seller's word; null where nothing was measured."""

    party_id: UUID
    party_name: str
    direction: Direction
    buyer_stability: Decimal | None
    buyer_changed_firm_lines: int | None
    buyer_notice_days: Decimal | None
    buyer_requests: int
    buyer_requests_inside_band: int
    seller_promises: int
    seller_promises_kept: int
    seller_promises_kept_rate: Decimal | None
    seller_response_hours: Decimal | None
    seller_answers_per_line: Decimal | None


class FairnessOut(Struct):
    """Every pair the reader may see, with the definition of each figure."""

    since: date
    until: date
    definitions: dict[str, str]
    items: list[PairOut]


def pair_out(pair: Fairness) -> PairOut:
    word = pair.word
    return PairOut(
        pair.party_id, pair.party_name, pair.direction, pair.stability, pair.changed_firm, pair.notice_days,
        word.requests, word.inside, word.promised, word.kept, pair.kept_rate, word.response_hours,
        pair.answers_per_line,
    )  # fmt: skip


@get("/reports/fairness", tags=("Reports",))
async def fairness_report(
    actor: NamedDependency[Actor], since: FromQuery[date | None] = None, until: FromQuery[date | None] = None,
    party_id: FromQuery[UUID | None] = None, direction: FromQuery[Direction | None] = None,
) -> FairnessOut:  # fmt: skip
    """How steady the buyer's plan was beside how the seller kept its word. Without dates: the year up to today.

    Example: `GET /api/v1/reports/fairness?since=2026-01-01&direction=purchase`
    """
    today = local_today(clock.now(), actor.time_zone)
    chosen = asked_of(today, since, until, party_id, direction)
    async with read(actor) as connection:
        pairs = await fairness(connection, actor, chosen, today)
    meanings = {name: _(text) for name, text in DEFINITIONS.items()}
    return FairnessOut(chosen.since, chosen.until, meanings, [pair_out(pair) for pair in pairs])


ROUTES: list[Any] = [ReportController, fairness_report]
