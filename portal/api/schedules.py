"""Schedule lines and releases over the interface."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, paging
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.errors import NotFound
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.schedules import (
    reads,
    service,
    service_deviations,
    service_exceptions,
    service_grid,
    service_release,
    words,
)
from portal.schedules.model import LineStatus
from portal.schedules.reads import Happening, LineFilter, LineRow, PromiseRow, View
from portal.schedules.reads_calendars import receiving_hours
from portal.schedules.rules import LINE_STATES
from portal.schedules.rules_grid import By
from portal.schedules.rules_packs import PackWarning
from portal.schedules.service_deviations import DeclineAnswer
from portal.schedules.service_exceptions import ConfirmExcept


class LineOut(Struct):
    """One schedule line with the seller's promises and what this company may do with it now."""

    line: LineRow
    promises: list[PromiseRow]
    actions: list[str]
    receiving_hours: list[str] | None = None  # at the place and on the weekday of the due date; null: none are kept


class LineState(Struct):
    """What a line became."""

    id: UUID
    status: LineStatus
    version: int
    confirmed_quantity: str
    deviation_id: UUID | None = None  # the answer that now waits for the buyer's decision


class Made(Struct):
    """How many lines were generated."""

    lines: int


class LooseCell(Struct):
    """A quantity that was saved and does not fill its packs: the nearest ones that would, and it in words.

    `column` is the first day of its cell; of a single delivery, the day it is due.
    """

    contract_line_id: UUID
    column: date
    quantity: Decimal
    pack_size: Decimal
    nearest: list[Decimal]
    text: str


class EditedOut(Struct):
    """Deliveries added, changed or taken back, published ones that the next release changes, and what was noticed."""

    added: int
    changed: int
    planned: int
    warnings: list[LooseCell]


def edited_out(done: service_grid.Edited, by: By) -> EditedOut:
    """Warnings hold nothing back: the cells are saved."""
    return EditedOut(done.added, done.changed, done.planned, [loose_cell(one, by) for one in done.warnings])


def loose_cell(one: PackWarning, by: By) -> LooseCell:
    return LooseCell(
        one.contract_line_id,
        one.column,
        one.quantity,
        one.pack_size,
        [value for value in (one.below, one.above) if value is not None],
        words.pack_sentence(one, words.column_words(by, one.column)),
    )


class Called(Struct):
    """The new schedule line, and what was noticed of its quantity."""

    id: UUID
    warnings: list[LooseCell]


def line_state(head: service.LineHead) -> LineState:
    return LineState(head.id, head.status, head.version, str(head.confirmed_quantity), head.deviation_id)


def state(head: service.LineHead) -> Response[LineState]:
    """The line after a command, with its new version as ETag."""
    body = line_state(head)
    return Response(body, headers={"ETag": f'"{head.version}"'})


class ScheduleLineController(Controller):
    path = "/schedule-lines"
    tags = ("Schedules",)

    @get()
    async def list_lines(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        view: FromQuery[View] = View.ALL,
        search: FromQuery[str] = "",
        contract_id: FromQuery[UUID | None] = None,
        since: FromQuery[date | None] = None,
        until: FromQuery[date | None] = None,
    ) -> paging.PageOf[LineRow]:
        """Schedule lines in the order of their due dates. `view`: all, open, to_confirm, to_decide, overdue, ..."""
        paging.check_limit(limit)
        after = paging.decode(cursor, date.fromisoformat, UUID) if cursor else None
        today = local_today(clock.now(), actor.time_zone)
        wanted = LineFilter(view, search, contract_id, None, since, until, today)
        async with read(actor) as connection:
            rows = await reads.list_lines(connection, actor, wanted, after, limit)
        more = paging.encode(rows[limit - 1].due_date, rows[limit - 1].id) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)

    @get("/{line_id:uuid}")
    async def get_line(self, actor: NamedDependency[Actor], line_id: FromPath[UUID]) -> Response[LineOut]:
        """One schedule line; its ETag is the version that writes carry as If-Match."""
        async with read(actor) as connection:
            row = await reads.get_row(connection, actor, line_id)
            if row is None:
                raise NotFound
            promises = await reads.promises(connection, actor, line_id)
            hours = await receiving_hours(connection, actor, line_id)
        actions = LINE_STATES.actions(LineStatus(row.status), actor.side_on(row.direction))
        return Response(LineOut(row, promises, actions, hours), headers={"ETag": f'"{row.version}"'})

    @get("/{line_id:uuid}/history")
    async def history(self, actor: NamedDependency[Actor], line_id: FromPath[UUID]) -> list[Happening]:
        """What happened to the line, newest first: who, when, by which way."""
        async with read(actor) as connection:
            if await reads.get_row(connection, actor, line_id) is None:
                raise NotFound
            return await reads.history(connection, actor, line_id)

    @post("/{line_id:uuid}/confirm", status_code=HTTP_200_OK)
    async def confirm(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[service.ConfirmLine],
    ) -> Response[LineState]:
        """Promise quantities and days for one line; what deviates may wait for the buyer. Without splits: all of it."""
        return state(await service.confirm_line(session, actor, line_id, expected, data))

    @post("/confirm", status_code=HTTP_200_OK)
    async def confirm_many(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        data: JSONBody[service.ConfirmLines],
    ) -> list[LineState]:
        """Confirm many lines whole, on their due dates: all or none. Each line carries the version that was seen."""
        heads = await service.confirm_lines(session, actor, data)
        return [line_state(head) for head in heads]

    @post("/confirm-except", status_code=HTTP_200_OK)
    async def confirm_except(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[ConfirmExcept]
    ) -> list[LineState]:
        """Confirm everything that waits for this company, whole and on its due date, except the named deliveries."""
        return [line_state(head) for head in await service_exceptions.confirm_except(session, actor, data)]

    @post("/{line_id:uuid}/accept-answer", status_code=HTTP_200_OK)
    async def accept_answer(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
    ) -> Response[LineState]:
        """The buyer accepts an answer that differs from what was asked; its day, quantity or price is agreed then."""
        return state(await service_deviations.accept_answer(session, actor, line_id, expected))

    @post("/{line_id:uuid}/decline-answer", status_code=HTTP_200_OK)
    async def decline_answer(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[DeclineAnswer],
    ) -> Response[LineState]:
        """The buyer does not accept such an answer; the seller is asked again with a new deadline."""
        return state(await service_deviations.decline_answer(session, actor, line_id, expected, data))

    @post("/{line_id:uuid}/reject", status_code=HTTP_200_OK)
    async def reject(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[service.RejectLine],
    ) -> Response[LineState]:
        """Refuse one line with a reason."""
        return state(await service.reject_line(session, actor, line_id, expected, data))

    @post("/{line_id:uuid}/supply", status_code=HTTP_200_OK)
    async def note_supply(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[service.NoteSupply],
    ) -> Response[LineState]:
        """Say whether the material behind a line is secured or at risk."""
        return state(await service.note_supply(session, actor, line_id, expected, data))

    @post("/{line_id:uuid}/cancel", status_code=HTTP_200_OK)
    async def cancel(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
    ) -> Response[LineState]:
        """Take back a line that nobody has to make yet."""
        return state(await service.cancel_line(session, actor, line_id, expected))

    @post("/{line_id:uuid}/ask-again", status_code=HTTP_200_OK)
    async def ask_again(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
    ) -> Response[LineState]:
        """Ask the seller of a rejected line once more."""
        return state(await service.ask_again(session, actor, line_id, expected))


class ContractScheduleController(Controller):
    path = "/contracts/{contract_id:uuid}"
    tags = ("Schedules",)

    @post("/schedule-lines/generate", status_code=HTTP_201_CREATED)
    async def generate(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[service_release.Generate],
    ) -> Made:
        """Draft the lines of every period that begins before `until` and has none yet."""
        return Made(await service_release.generate_lines(session, actor, contract_id, data))

    @post("/schedule-lines", status_code=HTTP_201_CREATED)
    async def call_off(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[service_release.CallOff],
    ) -> Called:
        """Draft one delivery by hand; it is told to the other side with the next release."""
        made = await service_release.call_off(session, actor, contract_id, data)
        return Called(made.id, [loose_cell(one, By.DAY) for one in made.warnings])

    @post("/schedule-lines/grid", status_code=HTTP_200_OK)
    async def edit_grid(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[service_grid.EditGrid],
    ) -> EditedOut:
        """Change cells of the schedule, all or none: drafts at once, published lines with the next release.

        A quantity that is not whole packs is saved and named in `warnings` with the nearest ones that would be:
        `{"quantity": "505", "pack_size": "10", "nearest": ["500", "510"], "text": "..."}`.
        """
        return edited_out(await service_grid.edit_grid(session, actor, contract_id, data), data.by)


ROUTES: list[Any] = [ScheduleLineController, ContractScheduleController]
