"""A change that is being written in a chat: what it says, what it would do, and the card that sends it.

Nothing is kept before it is sent: the sheet of the card comes of a draft that is undone at once. The button carries the
whole change with the versions of its deliveries, so that what moved meanwhile is refused, not overwritten.
"""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.reading.model import Kind, Reading
from portal.changes import words
from portal.changes.impact import Impact
from portal.changes.inputs import NewChange, NewPart, NewPause, NewPiece
from portal.changes.model import ChangeReason, ChangeRequest, ChangeStatus, PartKind
from portal.changes.reads_open import OpenDelivery
from portal.changes.service import impact
from portal.changes.service_asking import draft_change
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import N_, _, day, moment
from portal.core.journal import part
from portal.core.quantities import UNITS
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card, Style
from portal.notices.wording import joined
from portal.schedules.service_terms import calendars

READ_AS = N_("I read this as:")
CHECK = N_("Please check and send")
LINE, CONTRACT = "schedule_line", "contract"


class _Undone(Exception):
    """Ends a draft that was only looked at."""


def wish_of(reading: Reading, rows: dict[str, OpenDelivery], actor: Actor, reason: ChangeReason) -> NewChange | None:
    """The change that a sentence asks for; none when a pause meets no delivery."""
    if reading.kind in {Kind.ADD, Kind.PAUSE}:
        about = [
            row for row in rows.values() if (row.contract_number, row.part(actor)) == (reading.contract, reading.part)
        ]
    else:
        assert reading.delivery is not None
        about = [rows[reading.delivery.key]]
    contract_id = about[0].contract_id
    if reading.kind is not Kind.PAUSE:
        return NewChange(contract_id=contract_id, reason=reason, parts=_parts(reading, about[0]))
    assert reading.since is not None
    assert reading.day is not None
    if not any(reading.since <= row.due_date <= reading.day for row in about):
        return None
    pause = NewPause(contract_line_id=about[0].contract_line_id, since=reading.since, until=reading.day)
    return NewChange(contract_id=contract_id, reason=reason, pauses=[pause])


def _parts(reading: Reading, first: OpenDelivery) -> list[NewPart]:
    match reading.kind:
        case Kind.ADD:
            return [
                NewPart(
                    kind=PartKind.ADD,
                    contract_line_id=first.contract_line_id,
                    quantity=reading.quantity,
                    due_date=reading.day,
                )
            ]
        case Kind.SPLIT:
            pieces = [NewPiece(quantity=quantity, due_date=on) for on, quantity in reading.splits]
            return [NewPart(kind=PartKind.SPLIT, line_id=first.id, version=first.version, pieces=pieces)]
        case Kind.CANCEL:
            return [NewPart(kind=PartKind.CANCEL, line_id=first.id, version=first.version)]
    return [NewPart(line_id=first.id, version=first.version, quantity=reading.quantity, due_date=reading.day)]


def moved(row: OpenDelivery, reason: ChangeReason, quantity: Decimal | None, on: date | None) -> NewChange:
    """Another day, another quantity, or both, of one delivery."""
    part_ = NewPart(line_id=row.id, version=row.version, quantity=quantity, due_date=on)
    return NewChange(contract_id=row.contract_id, reason=reason, parts=[part_])


async def looked_at(session: AsyncSession, actor: Actor, wish: NewChange) -> Impact:
    """What the change would do. Raises the refusal of a wish that cannot be."""
    sheet: Impact | None = None
    try:
        async with part(session):
            sheet = await impact(session, actor, await draft_change(session, actor, wish), curves=False)
            raise _Undone
    except _Undone:
        assert sheet is not None
        return sheet


async def proposal(session: AsyncSession, actor: Actor, wish: NewChange, title: str = CHECK) -> Card:
    """The card that asks before anything is sent: before and after, the zone, the band, and who must agree."""
    sheet = await looked_at(session, actor, wish)
    facts = [words.what(sheet)] if wish.pauses or sheet.carries else words.joined(sheet.stakes)
    facts += [words.one_line(stake.kind, stake.before, stake.after) for stake in sheet.stakes[: 6 - len(facts)]]
    facts += [joined(*dict.fromkeys(words.zones(stake) for stake in sheet.stakes))]
    facts += [words.band(sheet), _(words.WAYS[sheet.way]), *await _closed_days(session, actor, sheet)]
    if wish.reason is not ChangeReason.OTHER:
        facts.append(_("Reason: {reason}").format(reason=_(words.REASONS[wish.reason])))
    partner = sheet.head.party_name if actor.is_factory else ""
    subject = joined(sheet.head.number, partner)
    return Card(_(title), subject, tuple(filter(None, facts)), "", "", await _choices(session, actor, wish), "")


async def _closed_days(session: AsyncSession, actor: Actor, sheet: Impact) -> list[str]:
    """New days on which the receiving site does not work; it may still be wanted, so it is only said."""
    connection = await db.driver(session)
    at = await calendars(connection, actor, {stake.after.place for stake in sheet.stakes})
    closed = [
        piece.due_date
        for stake in sheet.stakes
        for piece in stake.after.pieces
        if piece.due_date != stake.before.due_date and not at[stake.after.place].is_working(piece.due_date)
    ]
    return [_("The receiving site does not work on {day}.").format(day=day(on)) for on in sorted(set(closed))[:3]]


async def _choices(session: AsyncSession, actor: Actor, wish: NewChange) -> tuple[tuple[Button, ...], ...]:
    send = await _ask_button(session, actor, wish)
    fields = {"day": N_("Date"), "quantity": N_("Quantity"), "reason": N_("Reason")}
    if [part.kind for part in wish.parts] not in ([PartKind.CHANGE], [PartKind.ADD]):
        fields = {"reason": fields["reason"]}
    steps = [await step_button(session, actor, _(label), field, wish) for field, label in fields.items()]
    drop = await step_button(session, actor, _("Not this"), "drop", wish)
    return ((send,), tuple(steps), (drop,))


async def _ask_button(session: AsyncSession, actor: Actor, wish: NewChange) -> Button:
    kind, object_id, version = about(wish)
    action = await make_action(session, actor, Verb.ASK, kind, object_id, version, {"wish": kept(wish)})
    return Button(_("Send request"), action.id, style="success")


async def step_button(
    session: AsyncSession, actor: Actor, label: str, step: str, wish: NewChange, style: Style = "", **more: Any
) -> Button:
    """A button that goes on with the change."""
    kind, object_id, version = about(wish)
    data = {"step": step, "wish": kept(wish), **more}
    action = await make_action(session, actor, Verb.WISH, kind, object_id, version, data)
    return Button(label, action.id, style=style)


def about(wish: NewChange) -> tuple[str, UUID, int | None]:
    """What the buttons of the change are about: its delivery, else its contract."""
    first = wish.parts[0] if wish.parts else None
    if first is None or first.line_id is None:
        return CONTRACT, wish.contract_id, None
    return LINE, first.line_id, first.version


def kept(wish: NewChange) -> dict[str, Any]:
    """As a button carries it."""
    return wish.model_dump(mode="json", exclude_defaults=True)


def again(stored: dict[str, Any]) -> NewChange:
    """As a button carried it."""
    return NewChange.model_validate(stored)


def with_field(wish: NewChange, *, quantity: Decimal | None = None, on: date | None = None) -> NewChange:
    """The change with another quantity or day."""
    first = wish.parts[0]
    changed = first.model_copy(update={"quantity": quantity or first.quantity, "due_date": on or first.due_date})
    return wish.model_copy(update={"parts": [changed]})


def sent(change: ChangeRequest, actor: Actor) -> str:
    """What became of it, in one sentence."""
    if change.status in {ChangeStatus.ACCEPTED, ChangeStatus.APPLIED}:
        return _("{number} is agreed by rule. The other company is told.").format(number=change.number)
    if change.respond_by is None:
        return _("{number} is sent. The other company must agree.").format(number=change.number)
    until = moment(change.respond_by, actor.time_zone, year=False)
    return _("{number} is sent. The other company must agree by {until}.").format(number=change.number, until=until)


def today_at(rows: list[OpenDelivery], actor: Actor) -> date:
    """The day at the contract's place, as days are read there."""
    return local_today(clock.now(), rows[0].time_zone if rows else actor.time_zone)


def unit_name(unit: str) -> str:
    """The unit as it stands behind a figure."""
    return _(UNITS[unit][1])
