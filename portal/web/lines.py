"""A schedule line as pages show it: the card that is answered, and the row of an agenda."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from portal.contracts.model import DeviationRule
from portal.contracts.parts import part_of
from portal.contracts.words import show_price
from portal.core import i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.schedules.model import ConfirmationStatus, LineStatus, SupplyState
from portal.schedules.reads import LineRow, PromiseRow
from portal.schedules.rules import LINE_STATES, RejectReason
from portal.schedules.words import REASONS as REASONS
from portal.web.pages import unit_name
from portal.web.typed import Typed
from portal.web.views import AgendaRow, AnswerRow, LineCard, Link, Promise


def actions(row: LineRow, actor: Actor) -> tuple[str, ...]:
    """What this reader can do with the line: the state table, less what the role may not."""
    needed = {
        "confirm": Permission.CONFIRM_LINES,
        "reject": Permission.CONFIRM_LINES,
        "cancel": Permission.PUBLISH_SCHEDULES,
        "ask_again": Permission.PUBLISH_SCHEDULES,
    }
    offered = LINE_STATES.actions(LineStatus(row.status), actor.side_on(row.direction))
    return tuple(action for action in offered if action in needed and actor.may(needed[action]))


def mark(row: LineRow, today: date, actor: Actor) -> tuple[str, str]:
    """(class, word) of the line's state mark for this reader; the most urgent wins."""
    status = LineStatus(row.status)
    if row.deviation_id is not None:
        buys = actor.side_on(row.direction) is Side.BUYER
        return "to_confirm", _("To decide") if buys else _("Waits for the buyer")
    late = row.due_date < today and status is not LineStatus.CLOSED
    if status is LineStatus.REJECTED:
        return "at_risk", _("Rejected")
    if late or row.supply_state == SupplyState.AT_RISK:
        return "at_risk", _("Overdue") if late else _("At risk")
    if status in (LineStatus.PROPOSED, LineStatus.PARTLY_CONFIRMED):
        asked = asked_word(actor.side_on(row.direction))
        return "to_confirm", asked if status is LineStatus.PROPOSED else _("Partly confirmed")
    if status in (LineStatus.CONFIRMED, LineStatus.CLOSED):
        word = _("Confirmed (deemed)") if row.deemed else _("Confirmed")
        return "confirmed", word if status is LineStatus.CONFIRMED else _("Delivered")
    return "", ""


DEVIATIONS: dict[str, str] = {
    "quantity": N_("another quantity"),
    "earlier": N_("an earlier day"),
    "later": N_("a later day"),
    "price": N_("a price that differs"),
}


def deviation_words(kinds: str) -> str:
    """another quantity, a later day."""
    return joined([_(DEVIATIONS[kind]) for kind in kinds.split(",") if kind])


def joined(parts: Sequence[str]) -> str:
    return ("、" if i18n.language.get() is i18n.Language.ZH else ", ").join(parts)


def promise_view(part: PromiseRow, unit: str, currency: str) -> Promise:
    """One part of an answer, with what a reader must know of how it came about."""
    despatch = _("leaves on {day}").format(day=i18n.day(part.despatch_date)) if part.despatch_date else ""
    marks = [
        _("entered by the buyer") if part.on_behalf else "",
        _("deemed: nobody answered in time") if part.deemed else "",
        _(REASONS[RejectReason(part.reason)]) if part.reason else "",
        despatch,
        _("at {price}").format(price=show_price(part.price, currency)) if part.price is not None else "",
        part.note,
    ]
    day, waits = i18n.day(part.delivery_date), part.status == ConfirmationStatus.NEEDS_APPROVAL
    return Promise(show_quantity(part.quantity, unit), day, waits, " · ".join(filter(None, marks)))


def asked_word(side: Side) -> str:
    """What an unanswered line is to the seller, and to the buyer."""
    return _("To confirm") if side is Side.SELLER else _("Waiting")


def agenda_row(row: LineRow, actor: Actor, today: date) -> AgendaRow:
    """One delivery in the phone's list."""
    css, word = mark(row, today, actor)
    return AgendaRow(
        href=f"/schedule-lines/{row.id}",
        date=i18n.day(row.due_date),
        week=f"{i18n.week(row.due_date)} · {i18n.weekday(row.due_date)}",
        part=part_of(row, actor),
        name=row.description,
        quantity=show_quantity(row.ordered_quantity, row.unit),
        css=css,
        word=word,
    )


def place_text(plant: str, gate: str, hours: str) -> str:
    """Gate 3, Wuxi · 07:00–09:00."""
    where = _("{gate}, {plant}").format(gate=gate, plant=plant) if gate and plant else gate or plant
    return " · ".join(filter(None, (where, hours.replace("-", "–"))))


NOTHING = Typed()  # into a form that nobody has sent


def line_card(
    row: LineRow,
    actor: Actor,
    promises: Sequence[PromiseRow] = (),
    *,
    place: tuple[str, str, str] | None = None,
    refused: str = "",
    typed: Typed = NOTHING,
    rows: Sequence[tuple[str, str, str]] = (),
) -> LineCard:
    """The line with its answer form or its answer. place: plant, gate, window; the others: what a refused form held."""
    left, can = row.ordered_quantity - row.confirmed_quantity, actions(row, actor)
    at_risk = row.supply_state == SupplyState.AT_RISK
    decision = _decision(row, actor, promises)
    return LineCard(
        id=str(row.id),
        version=row.version,
        href=f"/schedule-lines/{row.id}",
        part=part_of(row, actor),
        name=row.description,
        quantity=show_quantity(row.ordered_quantity, row.unit),
        date=i18n.day(row.due_date),
        weekday=i18n.weekday(row.due_date),
        actions=can,
        place=place_text(*place) if place else row.ship_to_code,
        good=_("Material secured") if row.supply_state == SupplyState.SECURED else "",
        bad=(row.supply_note or _("Material at risk")) if at_risk else "",
        plain_quantity=f"{left.normalize():f}",
        plain_date=row.due_date.isoformat(),
        unit=unit_name(row.unit),
        reasons=reasons(),
        answered=answered(row),
        promises=tuple(promise_view(part, row.unit, row.currency) for part in promises),
        refused=refused,
        typed=typed,
        rows=_rows(typed, rows) or (AnswerRow(f"{left.normalize():f}", row.due_date.isoformat()),),
        error=_unplaced(refused, typed, rows, offered=can or decision["speaks_for"] or decision["decides"]),
        currency=row.currency if row.deviation_price not in (None, DeviationRule.FORBIDDEN) else "",
        **decision,
    )


CELLS = ("quantity", "delivery_date", "despatch_date")


def _rows(typed: Typed, rows: Sequence[tuple[str, str, str]]) -> tuple[AnswerRow, ...]:
    """The rows as they were typed, each cell with what is wrong with it; of one row alone also what is wrong in all."""
    alone = len(rows) == 1
    return tuple(
        AnswerRow(
            *cells, *(typed.wrong(f"splits.{no}.{cell}") or (typed.wrong(cell) if alone else None) for cell in CELLS)
        )
        for no, cells in enumerate(rows)
    )


def _unplaced(refused: str, typed: Typed, rows: Sequence[tuple[str, str, str]], *, offered: Any) -> str:
    """What is wrong with an answer, less what its form shows beside a field. Of one row alone its fields say it."""
    shown = [f"splits.{no}.{cell}" for no in range(len(rows)) for cell in CELLS]
    if refused == "confirm":
        shown += ["price", "reason", "note", *(CELLS if len(rows) == 1 else ())]
    elif refused:
        shown = ["reason", "note"]
    return typed.refusal(*(shown if offered else ())) or ""


def _decision(row: LineRow, actor: Actor, promises: Sequence[PromiseRow]) -> dict[str, Any]:
    """Whether an answer waits for the buyer, and whether this reader may answer in the seller's place."""
    buys = actor.side_on(row.direction) is Side.BUYER
    asked = "confirm" in LINE_STATES.actions(LineStatus(row.status), Side.SELLER)
    kinds = next((part.deviations for part in promises if part.status == ConfirmationStatus.NEEDS_APPROVAL), "")
    return {
        "deviation": deviation_words(kinds),
        "decides": buys and row.deviation_id is not None and actor.may(Permission.DECIDE_ANSWERS),
        "speaks_for": buys and actor.is_factory and asked and actor.may(Permission.PUBLISH_SCHEDULES),
    }


def reasons() -> tuple[Link, ...]:
    """The refusal reasons as (value, label)."""
    return tuple((reason.value, _(label)) for reason, label in REASONS.items())


def answered(row: LineRow) -> str:
    """The line's own words for what it got as answer."""
    match LineStatus(row.status):
        case LineStatus.CONFIRMED:
            return _("Confirmed: {quantity}").format(quantity=show_quantity(row.confirmed_quantity, row.unit))
        case LineStatus.PARTLY_CONFIRMED:
            done, asked = row.confirmed_quantity, show_quantity(row.ordered_quantity, row.unit)
            return _("Confirmed {done} of {asked}").format(done=i18n.number(done), asked=asked)
        case LineStatus.REJECTED:
            return _("Rejected")
        case _:
            return ""
