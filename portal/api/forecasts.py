"""Forecasts and the commits to them over the interface."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.status_codes import HTTP_201_CREATED, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT
from msgspec import Meta, Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.forecasts import reads, reads_exceptions, rules, service, words
from portal.forecasts.reads import CommitRow, Head, Measure
from portal.forecasts.reads_exceptions import ExceptionFilter
from portal.forecasts.rules import Accuracy, Exceptional, gap
from portal.forecasts.service import Commit, SetCommitTerms
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.schedules import reads_board

Amount = Annotated[Decimal, Meta(examples=["720.000000"], description="exact, as text")]


class WeekOut(Struct, kw_only=True):
    """One week of one part."""

    week: Annotated[date, Meta(description="its Monday")]
    zone: Annotated[str, Meta(examples=["tradeoff"])]
    forecast: Amount
    change: Annotated[Decimal, Meta(description="against the release before")]
    confirmed: Amount
    committed: Annotated[Decimal | None, Meta(description="by the commit in force; null: nothing said")]
    answered: Annotated[Decimal | None, Meta(description="the forecast that the commit saw")]
    gap: Annotated[Decimal | None, Meta(description="covered less forecast; negative is missing")]


class PartOut(Struct, kw_only=True):
    """One line of the contract over the weeks that have a forecast or a commit, with past accuracy by lag."""

    contract_line_id: UUID
    item_code: str
    description: str
    unit: Annotated[str, Meta(examples=["H87"])]
    weeks: list[WeekOut]
    accuracy: list[Accuracy]


class TermsOut(Struct):
    """What the seller is asked for; without terms `weeks` is null."""

    weeks: int | None
    response_hours: int
    under_percent: Decimal
    version: int


class ForecastOut(Struct, kw_only=True):
    """The forecast of one contract. `commit_no` is the version that a commit carries as If-Match."""

    contract_id: UUID
    number: str
    release_no: int
    commit_no: int
    commit_release: int
    due_at: datetime | None
    terms: TermsOut
    accuracy_definition: str
    parts: list[PartOut]


class Committed(Struct):
    """The new version; without an id it waits for the approval of the seller's own colleagues, and nothing is
    committed yet."""

    id: UUID | None
    number: int


class TermsSet(Struct):
    contract_id: UUID
    version: int


class ExceptionOut(Struct, kw_only=True):
    """One thing that needs attention; a late commit is about the whole contract."""

    kind: Exceptional
    contract_id: UUID
    number: str
    party_name: str
    direction: Direction
    release_no: int
    contract_line_id: UUID | None
    item_code: str
    unit: str
    week: date | None
    forecast: Decimal | None
    answered: Decimal | None
    committed: Decimal | None
    due_at: datetime | None
    sentence: Annotated[str, Meta(examples=["Committed 180 of 200 pcs."])]


async def forecast_out(actor: Actor, contract_id: UUID, weeks: int, measure: Measure) -> ForecastOut:
    """What `GET /forecast` answers."""
    async with read(actor) as connection:
        head = await reads.head(connection, actor, contract_id)
        today = local_today(clock.now(), head.time_zone)
        first = rules.monday(today)
        end = first + timedelta(weeks=weeks)
        parts = await reads.parts(connection, actor, contract_id)
        moved = await reads_board.deltas(connection, actor, [contract_id], first, end)
        cells = await reads.cells(connection, actor, head, first, weeks, moved)
        accuracy = await reads.accuracy_of(connection, actor, head, today, measure)
    by_part: dict[UUID, list[WeekOut]] = {}
    for (line, n), cell in sorted(cells.items()):
        monday = first + timedelta(weeks=n)
        by_part.setdefault(line, []).append(
            WeekOut(
                week=monday, zone=head.zone_of(monday, today).value, forecast=cell.forecast, change=cell.change,
                confirmed=cell.confirmed, committed=cell.committed, answered=cell.answered,
                gap=gap(cell.forecast, cell.covered),
            )
        )  # fmt: skip
    return _forecast(head, measure, [
        PartOut(contract_line_id=part.id, item_code=part.item_code, description=part.description, unit=part.unit,
                weeks=by_part.get(part.id, []), accuracy=[rounded(one) for one in accuracy.get(part.id, [])])
        for part in parts
    ])  # fmt: skip


def rounded(one: Accuracy) -> Accuracy:
    """Shares with four decimals: nobody measures forecasts finer."""
    return one._replace(
        bias=None if one.bias is None else round(one.bias, 4), error=None if one.error is None else round(one.error, 4)
    )


def _forecast(head: Head, measure: Measure, parts: list[PartOut]) -> ForecastOut:
    terms = TermsOut(head.terms_weeks, head.terms_hours, head.under_percent, head.terms_version)
    return ForecastOut(
        contract_id=head.id, number=head.number, release_no=head.release_no, commit_no=head.commit_no,
        commit_release=head.commit_release, due_at=head.due_at, terms=terms,
        accuracy_definition=words.definition(rules.MEASURED, measure), parts=parts,
    )  # fmt: skip


HELD = ResponseSpec(Committed, description="Waits for a colleague's approval", generate_examples=False)


class ForecastController(Controller):
    path = "/contracts/{contract_id:uuid}/forecast"
    tags = ("Forecasts",)

    @get()
    async def forecast(
        self,
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        weeks: FromQuery[int] = 26,
        measure: FromQuery[Measure] = Measure.CALLED,
    ) -> Response[ForecastOut]:
        """The forecast of the release in force by week, what is committed, and how good past forecasts were. The ETag
        is the number of the commit in force (`"0"` before the first), which the next commit carries as If-Match."""
        found = await forecast_out(actor, contract_id, min(max(weeks, 1), 52), measure)
        return Response(found, headers={"ETag": f'"{found.commit_no}"'})

    @get("/commits")
    async def commits(self, actor: NamedDependency[Actor], contract_id: FromPath[UUID]) -> list[CommitRow]:
        """The versions of the commit, the newest first. At most 50."""
        async with read(actor) as connection:
            await reads.head(connection, actor, contract_id)
            return await reads.commits(connection, actor, contract_id)

    @post("/commits", status_code=HTTP_201_CREATED, responses={HTTP_202_ACCEPTED: HELD})
    async def commit(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Commit],
    ) -> Response[Committed]:
        """Commit to the release in force: `percent` of everything, or quantities of weeks or months, for example
        `{"release": 27, "periods": [{"contract_line_id": "...", "start": "2026-12-07", "quantity": "720"}]}`.
        Periods that are not named stay as committed before. 202: the factory's own rules want a colleague's approval
        first."""
        made = await service.commit(session, actor, contract_id, expected, data)
        number = expected + 1 if made else expected
        status = HTTP_201_CREATED if made else HTTP_202_ACCEPTED
        return Response(Committed(made, number), status_code=status, headers={"ETag": f'"{number}"'})

    @put("/terms")
    async def set_terms(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[SetCommitTerms],
    ) -> Response[TermsSet]:
        """Say what the seller is asked for after each release. If-Match carries the terms' version, `"0"` for none."""
        made = await service.set_terms(session, actor, contract_id, data, expected)
        return Response(TermsSet(contract_id, made.version), headers={"ETag": f'"{made.version}"'})

    @delete("/terms", status_code=HTTP_204_NO_CONTENT)
    async def end_terms(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
    ) -> None:
        """Ask for nothing any more; what was committed stays."""
        await service.end_terms(session, actor, contract_id, expected)


class ExceptionController(Controller):
    path = "/forecast-exceptions"
    tags = ("Forecasts",)

    @get()
    async def exceptions(
        self,
        actor: NamedDependency[Actor],
        kind: FromQuery[Exceptional | None] = None,
        contract_id: FromQuery[UUID | None] = None,
        direction: FromQuery[Direction | None] = None,
        search: FromQuery[str] = "",
    ) -> list[ExceptionOut]:
        """Late commits, forecasts that changed after a commit, and commits below the forecast. At most 500."""
        now = clock.now()
        wanted = ExceptionFilter(kind, contract_id, direction, search)
        async with read(actor) as connection:
            rows = await reads_exceptions.exceptions(connection, actor, wanted, now, local_today(now, actor.time_zone))
        fields = [name for name in ExceptionOut.__struct_fields__ if name != "sentence"]
        return [
            ExceptionOut(**{name: getattr(row, name) for name in fields}, sentence=words.sentence(row, actor.time_zone))
            for row in rows
        ]


ROUTES: list[Any] = [ForecastController, ExceptionController]
