"""The form that asks for a change or makes a counter-offer: deliveries as they stand, beside what is wanted of them."""

import re
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes import reads, service, words
from portal.changes.impact import Head, get_head
from portal.changes.model import ChangePart, PartKind
from portal.changes.rules_carrying import PeriodNow
from portal.changes.service_carrying import offered
from portal.changes.service_pausing import pauses_of
from portal.contracts.parts import part_of
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver, driver, read
from portal.core.errors import NotFound, PortalError
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.schedules import reads as schedule_reads
from portal.schedules.reads import LineFilter, LineRow
from portal.schedules.reads import View as LineView
from portal.web.change_forms import PIECES
from portal.web.pages import unit_name
from portal.web.typed import Typed, plain

FOLDED_FROM = 3  # deliveries; more are folded under their parts, to be opened one by one
OFFERED_LINES = 20  # deliveries of a contract that the form lists


_SHOWN = re.compile(  # the fields that say themselves what is wrong with them
    r"(quantity|due_date|place|price|piece_quantity_\d|piece_date_\d)\..+"
    r"|add_quantity|add_due_date|pause_since|pause_until|carry_quantity|note"
)


class FormRow(Struct, frozen=True):
    """One delivery in the form."""

    id: str
    part: str
    name: str
    now: str
    version: int
    unit: str


class FormGroup(Struct, frozen=True):
    """The deliveries of one part."""

    part: str
    name: str
    rows: list[FormRow]
    touched: bool  # something was typed for one of them


async def form_context(
    actor: Actor,
    line_ids: Sequence[UUID],
    contract_id: UUID | None,
    typed: Mapping[str, str] | None = None,
    error: PortalError | None = None,
) -> dict[str, Any]:
    """What `changes/ask.html` shows: the chosen deliveries, or the next ones of a contract."""
    actor.require(Permission.REQUEST_CHANGES)
    async with read(actor) as connection:
        rows = await _rows(connection, actor, line_ids, contract_id)
        if contract_id is None:
            if not rows:
                raise NotFound
            contract_id = rows[0].contract_id
        head = await get_head(connection, actor, contract_id)
        parts = await reads.contract_items(connection, actor, contract_id)
        periods = await _periods(connection, actor, head, parts)
    return _form(actor, head, [row for row in rows if row.contract_id == contract_id], parts, typed, error) | periods


async def _periods(
    connection: Driver, actor: Actor, head: Head, parts: Sequence[tuple[UUID, str]]
) -> dict[str, list[tuple[str, str]]]:
    """The periods that a carry-over can be about: those that have ended with a difference, and those to come."""
    ended, ahead = await offered(connection, actor, head.id, local_today(clock.now(), head.time_zone))
    names = dict(parts)
    return {
        "ended": [
            (str(one.id), f"{_named(one, names)} ({i18n.signed(-one.left)})")
            for one in ended
            if one.contract_line_id in names
        ],
        "ahead": [(str(one.id), _named(one, names)) for one in ahead if one.contract_line_id in names],
    }


def _named(one: PeriodNow, names: Mapping[UUID, str]) -> str:
    return " · ".join((names[one.contract_line_id].partition(" ")[0], words.period(one)))


async def _rows(connection: Driver, actor: Actor, line_ids: Sequence[UUID], contract_id: UUID | None) -> list[LineRow]:
    if line_ids:
        found = [await schedule_reads.get_row(connection, actor, line_id) for line_id in line_ids[:OFFERED_LINES]]
        return [row for row in found if row is not None and row.status != "draft"]
    if contract_id is None:
        return []
    wanted = LineFilter(LineView.OPEN, contract_id=contract_id)
    return (await schedule_reads.list_lines(connection, actor, wanted, None, OFFERED_LINES))[:OFFERED_LINES]


def _form(
    actor: Actor,
    head: Head,
    rows: Sequence[LineRow],
    parts: Sequence[tuple[UUID, str]],
    typed: Mapping[str, str] | None,
    error: PortalError | None,
) -> dict[str, Any]:
    kinds = [kind for kind in PartKind if kind not in {PartKind.ADD, PartKind.CARRY_OVER}]
    if not actor.may(Permission.SEE_PRICES):
        kinds.remove(PartKind.PRICE)
    touched = {name.partition(".")[2] for name, value in (typed or {}).items() if value and _said(name, value)}
    shown = [form_row(row, actor) for row in rows]
    return {
        "head": head,
        "rows": shown,
        "groups": by_part(shown, touched) if len(shown) > FOLDED_FROM else [],
        "single": len(rows) == 1,
        "kinds": [(kind.value, _(words.KINDS[kind])) for kind in kinds],
        "reasons": [(reason.value, _(label)) for reason, label in words.REASONS.items()],
        "items": [(str(line_id), name) for line_id, name in parts],
        "typed": typed or {},
        "wrong": wrong_fields(error, typed or {}),
        "terms": Typed(by_line=head.by_line, answer_hours=head.answer_hours or ""),
        "pieces": range(1, PIECES + 1),
        "change": None,
        "touched": touched,
    }


def wrong_fields(error: PortalError | None, typed: Mapping[str, str]) -> dict[str, str]:
    """The sentences of a refusal by the field of the form that shows them; under "" those that stand above it."""
    found: dict[str, str] = {}
    for one in error.each() if error is not None else ():
        name = one.field or ""
        field = name if name in typed and _SHOWN.fullmatch(name) else ""
        found[field] = i18n.sentences(found.get(field, ""), str(one))
    return found


def by_part(rows: Sequence[FormRow], touched: Set[str]) -> list[FormGroup]:
    """Many deliveries under their parts, in the order in which the parts come first."""
    found: dict[tuple[str, str], list[FormRow]] = {}
    for row in rows:
        found.setdefault((row.part, row.name), []).append(row)
    return [
        FormGroup(part, name, group, any(row.id in touched for row in group)) for (part, name), group in found.items()
    ]


def _said(name: str, value: str) -> bool:
    """Whether a field of one delivery says more than that the delivery stands in the form."""
    return "." in name and not name.startswith("version.") and not (name.startswith("kind.") and value == "change")


def form_row(row: LineRow, actor: Actor) -> FormRow:
    return FormRow(
        id=str(row.id),
        part=part_of(row, actor),
        name=row.description,
        now=_("{quantity} on {day}").format(
            quantity=show_quantity(row.ordered_quantity, row.unit), day=i18n.day(row.due_date, year=True)
        ),
        version=row.version,
        unit=unit_name(row.unit),
    )


async def counter_context(
    session: AsyncSession,
    actor: Actor,
    change_id: UUID,
    typed: Mapping[str, str] | None = None,
    error: PortalError | None = None,
) -> dict[str, Any]:
    """The same form about the deliveries of a request, with what the live offer says."""
    actor.require(Permission.REQUEST_CHANGES)
    change = await service.get_change(session, actor, change_id)
    connection = await driver(session)
    offered = await service.parts_of(session, change)
    ids = [part.line_id for part in offered if part.line_id is not None]
    rows = await _rows(connection, actor, ids, None)
    head = await get_head(connection, actor, change.contract_id)
    parts = await reads.contract_items(connection, actor, change.contract_id)
    context = _form(actor, head, rows, parts, typed if typed is not None else _offered(offered), error)
    return context | {"change": change} | await _periods(connection, actor, head, parts)


def _offered(parts: Sequence[ChangePart]) -> dict[str, str]:
    """The live offer as it would be typed."""
    typed: dict[str, str] = {}
    for pause in pauses_of(parts)[:1]:
        lines = {part.contract_line_id for part in parts if part.paused_from is not None}
        typed |= {"pause_line": str(pause.contract_line_id) if len(lines) == 1 else ""}
        typed |= {"pause_since": str(pause.since), "pause_until": str(pause.until), "pause_drop": "yes" * pause.drop}
    for part in parts:
        pieces = [piece | {"quantity": plain(Decimal(piece["quantity"]))} for piece in part.pieces["of"]]
        if part.carried is not None:
            typed |= {"carry_from": str(part.bucket_id), "carry_to": str(part.to_bucket_id)}
            typed["carry_quantity"] = plain(abs(part.carried))
            continue
        if part.paused_from is not None:
            continue
        if part.line_id is None:
            typed |= {"add_line": str(part.contract_line_id), "add_quantity": pieces[0]["quantity"]}
            typed["add_due_date"] = pieces[0]["due_date"]
            continue
        typed[f"kind.{part.line_id}"] = part.kind.value
        if part.kind is PartKind.SPLIT:
            for no, piece in enumerate(pieces, start=1):
                typed[f"piece_quantity_{no}.{part.line_id}"] = piece["quantity"]
                typed[f"piece_date_{no}.{part.line_id}"] = piece["due_date"]
        elif pieces:
            typed[f"quantity.{part.line_id}"] = pieces[0]["quantity"]
            typed[f"due_date.{part.line_id}"] = pieces[0]["due_date"]
    return typed
