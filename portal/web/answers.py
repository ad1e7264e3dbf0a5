"""Answers: everything that waits for the seller, confirmed by exception, and what the buyer has to decide."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.parts import part_of
from portal.core import i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.quantities import show_quantity, signed_quantity
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.schedules import reads, service, service_deviations
from portal.schedules.reads import LineRow
from portal.schedules.reads_calendars import places
from portal.schedules.rules_answers import Row, running_difference
from portal.web import delivery
from portal.web.errors import status_of
from portal.web.lines import line_card
from portal.web.pages import Page
from portal.web.schedule_forms import DeclineAnswerForm, NothingChosen, VersionForm, confirm_many, safe_back
from portal.web.views import LineCard

SHOWN = 500  # more are confirmed in steps
DECIDED = 50


class WaitingRow(Struct, frozen=True):
    """One delivery that waits for the seller's answer."""

    value: str  # "<id>:<version>", as the form sends it
    href: str
    day: str
    part: str
    name: str
    quantity: str
    contract: str
    partner: str
    respond_by: str
    line: str  # difference between confirmed and asked so far
    running: str  # of all lines down to this one, of the same part


def waiting_rows(rows: Sequence[LineRow], actor: Actor) -> list[WaitingRow]:
    """In the order of the due dates; the running difference is kept for each part by itself."""
    by_line: dict[UUID, list[LineRow]] = {}
    for row in rows:
        by_line.setdefault(row.contract_line_id, []).append(row)
    sums: dict[UUID, tuple[Decimal, Decimal]] = {}
    for mine in by_line.values():
        curve = [Row(row.due_date, row.ordered_quantity, row.confirmed_quantity) for row in mine]
        sums |= {row.id: pair for row, pair in zip(mine, running_difference(curve), strict=True)}
    return [_waiting(row, actor, *sums[row.id]) for row in rows]


def _waiting(row: LineRow, actor: Actor, difference: Decimal, running: Decimal) -> WaitingRow:
    return WaitingRow(
        f"{row.id}:{row.version}",
        f"/schedule-lines/{row.id}",
        i18n.day(row.due_date, year=True),
        part_of(row, actor),
        row.description,
        show_quantity(row.ordered_quantity, row.unit),
        row.contract_number,
        row.party_name if actor.is_factory else "",
        i18n.moment(row.respond_by, actor.time_zone) if row.respond_by else "",
        signed_quantity(difference, row.unit),
        signed_quantity(running, row.unit),
    )


async def cards_to_decide(actor: Actor) -> list[LineCard]:
    """The answers that wait for this company as buyer, each with its buttons."""
    async with read(actor) as connection:
        rows = await reads.to_decide(connection, actor, DECIDED)
        there = await places(connection, actor, [row.id for row in rows])
        return [
            line_card(row, actor, await reads.promises(connection, actor, row.id), place=there.get(row.id))
            for row in rows
        ]


@get("/answers")
async def answers(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract: FromQuery[UUID | None] = None
) -> Template:
    """What waits for an answer of this company as seller, and for its decision as buyer."""
    return await answers_page(actor, page, contract)


async def answers_page(
    actor: Actor, page: Page, contract: UUID | None = None, error: PortalError | None = None
) -> Template:
    """The page of answers. error: why what was ticked on it was refused."""
    rows: list[LineRow] = []
    if actor.may(Permission.CONFIRM_LINES):
        async with read(actor) as connection:
            rows = await reads.to_confirm(connection, actor, SHOWN, contract)
    rows.sort(key=lambda row: (row.due_date, row.id))
    by_workbook = actor.may(Permission.CONFIRM_LINES) or actor.may(Permission.PUBLISH_SCHEDULES)
    shown: dict[str, Any] = {"rows": waiting_rows(rows, actor), "cards": await cards_to_decide(actor)}
    shown |= {"by_workbook": by_workbook, "refusal": str(error or "")}
    status = status_of(error) if error else 200
    return page.render("schedules/answers.html", active="schedules", status=status, **shown)


@post("/schedule-lines/confirm", status_code=HTTP_200_OK)
async def confirm_all(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    back: FromQuery[str] = "/",
) -> Template | Redirect:
    """Confirm many lines as they are asked."""
    form = await request.form()
    try:
        async with unit_of_work(actor) as session:
            await service.confirm_lines(session, actor, confirm_many(form))
    except NothingChosen as error:  # elsewhere nothing is ticked: the buttons send what they show
        if back != "/answers":
            raise
        return await answers_page(actor, page, error=error)
    return page.go(safe_back(back))


@post("/schedule-lines/{line_id:uuid}/accept-answer", status_code=HTTP_200_OK)
async def accept(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], page: NamedDependency[Page],
    line_id: FromPath[UUID], data: URLEncodedBody[VersionForm],
) -> Template | Redirect:  # fmt: skip
    """The buyer accepts an answer that differs."""
    try:
        await service_deviations.accept_answer(session, actor, line_id, data.version)
    except Conflict as error:
        return await delivery.refused(session, actor, page, line_id, error)
    return await delivery.answered(session, actor, page, line_id)


@post("/schedule-lines/{line_id:uuid}/decline-answer", status_code=HTTP_200_OK)
async def decline(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], page: NamedDependency[Page],
    line_id: FromPath[UUID], data: URLEncodedBody[DeclineAnswerForm],
) -> Template | Redirect:  # fmt: skip
    """The buyer insists on what was asked."""
    try:
        await service_deviations.decline_answer(session, actor, line_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        return await delivery.refused(session, actor, page, line_id, error, "decline", data)
    return await delivery.answered(session, actor, page, line_id)


ROUTES: list[HTTPRouteHandler] = [answers, confirm_all, accept, decline]
