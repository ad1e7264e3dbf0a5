"""Opening balances of a contract: entered by the factory, looked at by both, confirmed or declined by the partner."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from msgspec import Struct
from pydantic import Field, field_validator
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.inputs_opening import ProposeOpening
from portal.contracts.model_opening import OpeningBalance, OpeningStatus
from portal.contracts.rules_opening import NUMBERS, Places
from portal.contracts.service import get_contract
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.parameters import FromPath, URLEncodedBody
from portal.shipments import service_opening
from portal.shipments.service_opening import IN_FORCE, figures_of, get_openings, places_of
from portal.web.contract_forms import DeclineForm, StepForm
from portal.web.errors import status_of
from portal.web.field_errors import command
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

STATES = {
    OpeningStatus.PROPOSED: (N_("Waits for the partner"), "waiting"),
    OpeningStatus.CONFIRMED: (N_("Confirmed by both: in the ledger"), "confirmed"),
    OpeningStatus.DECLINED: (N_("Not confirmed"), "risk"),
    OpeningStatus.WITHDRAWN: (N_("Withdrawn"), ""),
}


class OpeningForm(Form):
    """The figures row by row: `place` is a line, or a line and one of its periods with a colon between."""

    cut_over: str = ""
    place: list[str] = Field(default=[], max_length=5000)
    called: list[str] = Field(default=[], max_length=5000)
    shipped: list[str] = Field(default=[], max_length=5000)
    received: list[str] = Field(default=[], max_length=5000)

    @field_validator("place", *NUMBERS, mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    def command(self) -> ProposeOpening:
        """Only the rows in which something stands."""
        figures: list[dict[str, Any]] = []
        fields: dict[str, str] = {}
        columns = (self.place, self.called, self.shipped, self.received)
        for row in zip_longest(*columns, fillvalue=""):  # of a single row an empty cell does not arrive
            line, _colon, period = row[0].partition(":")
            numbers = {name: text.strip() for name, text in zip(NUMBERS, row[1:], strict=True) if text.strip()}
            if numbers:
                fields |= {f"figures.{len(figures)}.{name}": f"{row[0]}.{name}" for name in NUMBERS}
                figures.append({"line_id": line, "period_id": period or None, **numbers})
        return command(ProposeOpening, {"cut_over": self.cut_over, "figures": figures}, fields)


class FigureRow(Struct, frozen=True):
    """One row of the form or of a set of figures."""

    place: str
    part: str
    period: str
    numbers: list[str]
    wrong: tuple[str | None, ...] = ()  # what is wrong with each number that was typed


class OpeningView(Struct, frozen=True):
    """One set of figures in words."""

    state: str
    tone: str
    until: str
    who: str
    reason: str
    version: int
    rows: list[FigureRow]
    waits: bool


@get("/contracts/{contract_id:uuid}/opening")
async def opening(actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]) -> Template:
    """The figures as both sides see them, and the factory's form."""
    return await _page(actor, page, contract_id, Typed())


@post("/contracts/{contract_id:uuid}/opening")
async def propose(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[OpeningForm],
) -> Template | Redirect:
    """Put figures before the partner."""
    try:
        async with unit_of_work(actor) as session:
            await service_opening.propose_opening(session, actor, contract_id, data.command())
    except (Invalid, Conflict) as error:
        return await _page(actor, page, contract_id, Typed(data, error))
    return page.go(f"/contracts/{contract_id}/opening")


@post("/contracts/{contract_id:uuid}/opening/confirm")
async def confirm(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Agree to the figures: they are in the ledger now."""
    await service_opening.confirm_opening(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}/opening")


@post("/contracts/{contract_id:uuid}/opening/decline")
async def decline(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[DeclineForm],
) -> Template | Redirect:
    """Do not agree, and say why."""
    try:
        async with unit_of_work(actor) as session:
            await service_opening.decline_opening(session, actor, contract_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await _page(actor, page, contract_id, Typed(data, error))
    return page.go(f"/contracts/{contract_id}/opening")


@post("/contracts/{contract_id:uuid}/opening/withdraw")
async def withdraw(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Take the figures back."""
    await service_opening.withdraw_opening(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}/opening")


async def _page(actor: Actor, page: Page, contract_id: UUID, typed: Typed) -> Template:
    async with unit_of_work(actor) as session:
        contract = await get_contract(session, actor, contract_id)
        places = await places_of(session, actor, contract)
        views = [_view(actor, one, places) for one in await get_openings(session, actor, contract_id)]
    free = not any(view.waits or view.tone == "confirmed" for view in views)
    writes = free and actor.is_factory and actor.may(Permission.EDIT_CONTRACTS) and contract.status in IN_FORCE
    yesterday = local_today(clock.now(), contract.time_zone) - timedelta(days=1)
    rows = _rows(places, yesterday, typed) if writes else []
    shown = ["cut_over", *(f"{row.place}.{name}" for row in rows for name in NUMBERS)] if writes else []
    shown += ["reason"] if any(view.waits for view in views) else []
    return page.render(
        "ledger/opening.html",
        active="contracts",
        status=status_of(typed.error) if typed.error is not None else 200,
        contract=contract,
        openings=views,
        rows=rows,
        heads=[_("Called off"), _("Shipped"), _("Received")],
        first=typed.value("cut_over") or yesterday.isoformat(),
        typed=typed,
        refusal=typed.refusal(*shown),
        answers=not actor.is_factory and actor.may(Permission.ACCEPT_CONTRACTS),
        takes_back=actor.is_factory and actor.may(Permission.EDIT_CONTRACTS),
    )


def _rows(places: Places, last: date, typed: Typed) -> list[FigureRow]:
    """What figures can be entered for: lines without periods, and the open periods of the others that have begun."""
    with_periods = {line for line, bucket in places if bucket is not None}
    said = _typed(typed)
    rows = []
    for (line, bucket), place in places.items():
        if (
            place.closed
            or (place.start is not None and place.start > last)
            or (bucket is None and line in with_periods)
        ):
            continue
        key = f"{line}:{bucket}" if bucket else str(line)
        wrong = tuple(typed.wrong(f"{key}.{name}") for name in NUMBERS)
        rows.append(FigureRow(key, _part(place.item, place.unit), _period(place.start), said.get(key, [""] * 3), wrong))
    return rows


def _typed(typed: Typed) -> dict[str, list[str]]:
    """What stood in the form, by place."""
    columns = [typed.value(name) or [] for name in ("place", *NUMBERS)]
    return {row[0]: list(row[1:]) for row in zip_longest(*columns, fillvalue="")}


def _view(actor: Actor, balance: OpeningBalance, places: Places) -> OpeningView:
    state, tone = STATES[balance.status]
    waits = balance.status is OpeningStatus.PROPOSED
    rows = []
    for figure in figures_of(balance):
        place = places.get((figure.line_id, figure.bucket_id)) or places[figure.line_id, None]
        numbers = [show_quantity(quantity, place.unit) for quantity in figure[2:]]
        part = place.item if actor.is_factory else place.partner_item or place.item
        rows.append(FigureRow("", part, _period(place.start), numbers))
    return OpeningView(
        state=_("Waits for your word") if waits and not actor.is_factory else _(state),
        tone=tone,
        until=i18n.day(balance.cut_over, year=True),
        who=" · ".join(_who(balance)),
        reason=balance.reason,
        version=balance.version,
        rows=rows,
        waits=waits,
    )


def _who(balance: OpeningBalance) -> Iterator[str]:
    """Whose figures they are, and who answered."""
    yield _("entered by {name}").format(name=balance.offered_name)
    if balance.answered_name:
        yield _("answered by {name}").format(name=balance.answered_name)


def _part(item: str, unit: str) -> str:
    return f"{item} · {show_quantity(Decimal(0), unit).split()[-1]}"


def _period(start: date | None) -> str:
    return _("from {day}").format(day=i18n.day(start, year=True)) if start else _("the whole line")


def opening_note(openings: Sequence[OpeningBalance]) -> str:
    """What the ledger says of them."""
    for one in openings:
        if one.status is OpeningStatus.CONFIRMED:
            text = _("The figures include the opening balance up to {day}.")
        elif one.status is OpeningStatus.PROPOSED:
            text = _("Opening balances up to {day} wait for the partner's confirmation; they count only then.")
        else:
            continue
        return text.format(day=i18n.day(one.cut_over, year=True))
    return ""


ROUTES: list[HTTPRouteHandler] = [opening, propose, confirm, decline, withdraw]
