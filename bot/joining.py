"""Deliveries that become one, by a sentence or by buttons.

On one day the factory plans it: nothing else is asked for, so what was promised goes on, and the next release tells it.
On different days, and for a partner, it is a change that the other company answers: one is raised, the others end.
"""

from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import wishes
from bot.answers import Answers
from bot.pressing import Press, on
from bot.reading.model import Reading
from portal.changes.inputs import NewChange, NewPart
from portal.changes.model import ChangeReason, PartKind
from portal.changes.reads_open import OpenDelivery, open_deliveries
from portal.core import db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.core.journal import part
from portal.core.quantities import show_quantity
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card
from portal.notices.wording import joined as together
from portal.notices.wording import opening
from portal.schedules.service_splitting import Joined, JoinLines, NotJoinable, join_lines

MOST = 6  # choices
WITH = N_("Which delivery becomes part of this one?")
NONE_ELSE = N_("No other open delivery of this part goes to the same place.")
PLANNED = N_("What was promised goes on. Nobody is asked anew; the next release tells it.")


class _Undone(Exception):
    """Ends a plan that was only looked at."""


def rows_of(reading: Reading, rows: dict[str, OpenDelivery]) -> list[OpenDelivery]:
    """The deliveries of a sentence, first the one that stays."""
    assert reading.delivery is not None
    return [rows[each.key] for each in (reading.delivery, *reading.others)]


async def proposal(
    session: AsyncSession, actor: Actor, rows: list[OpenDelivery], day: date | None, title: str = wishes.CHECK
) -> Card:
    """The card that asks before anything is planned or sent. day: another one than that of the first delivery.
    Raises the refusal of deliveries that cannot become one."""
    into, others = rows[0], rows[1:]
    if len({(row.contract_line_id, row.place) for row in rows}) > 1:
        raise NotJoinable(field="line_ids")
    same_day = day is None and len({row.due_date for row in rows}) == 1
    if same_day and actor.is_factory and actor.may(Permission.PUBLISH_SCHEDULES):
        return await _planned(session, actor, into, others, title)
    return await wishes.proposal(session, actor, _wish(into, others, day), title)


def _wish(into: OpenDelivery, others: list[OpenDelivery], day: date | None) -> NewChange:
    total = sum((row.quantity for row in others), into.quantity)
    parts = [NewPart(line_id=into.id, version=into.version, quantity=total, due_date=day)]
    parts += [NewPart(kind=PartKind.CANCEL, line_id=row.id, version=row.version) for row in others]
    return NewChange(contract_id=into.contract_id, reason=ChangeReason.OTHER, parts=parts)


# --- on one day -------------------------------------------------------------------------------------------------------


async def _planned(
    session: AsyncSession, actor: Actor, into: OpenDelivery, others: list[OpenDelivery], title: str
) -> Card:
    versions = {row.id: row.version for row in (into, *others)}
    made = await _looked_at(session, actor, into.id, versions)
    each = " + ".join(show_quantity(row.quantity, row.unit) for row in (into, *others))
    total = together(i18n.day(made.due_date), show_quantity(made.quantity, into.unit))
    facts = (f"{into.part(actor)}: {each} → {total}", _(PLANNED))
    data = {"lines": [[str(key), version] for key, version in versions.items()]}
    action = await make_action(session, actor, Verb.JOIN, wishes.LINE, into.id, into.version, data)
    drop = await wishes.step_button(session, actor, _("Not this"), "drop", _wish(into, others, None))
    rows = ((Button(_("Join"), action.id, style="success"),), (drop,))
    return Card(_(title), together(into.contract_number, into.party_name), facts, "", "", rows, "")


async def _looked_at(session: AsyncSession, actor: Actor, line_id: UUID, versions: dict[UUID, int]) -> Joined:
    """What the plan would be."""
    made: Joined | None = None
    try:
        async with part(session):
            made = await _join(session, actor, line_id, versions)
            raise _Undone
    except _Undone:
        assert made is not None
        return made


async def _join(session: AsyncSession, actor: Actor, line_id: UUID, versions: dict[UUID, int]) -> Joined:
    data = JoinLines(line_ids=[key for key in versions if key != line_id])
    return await join_lines(session, actor, line_id, None, data, versions)


@on(Verb.JOIN)
async def plan(press: Press) -> Answers:
    """Plan it as the card showed it; a delivery that changed meanwhile stops it."""
    _kind, line_id = press.object
    versions = {UUID(key): version for key, version in press.action.data["lines"]}
    made = await _join(press.session, press.actor, line_id, versions)
    figures = together(i18n.day(made.due_date), show_quantity(made.quantity, made.unit))
    said = _("Joined: {delivery}. The next release tells it.").format(delivery=figures)
    await press.done(said, made.contract_id)
    card = Card(said, "", (), "", "", ((opening(f"/schedule-lines/{line_id}#plan"),),), "")
    return [press.ask(card), press.talk.note(said)]


# --- by buttons -------------------------------------------------------------------------------------------------------


async def choose(press: Press, wish: NewChange) -> Answers:
    """With which other delivery of the part?"""
    into, rows = await _of_line(press.session, press.actor, wish)
    others = sorted(rows, key=lambda row: (abs(row.due_date - into.due_date), row.due_date))[:MOST]
    if not others:
        return [press.talk.alert(_(NONE_ELSE))]
    buttons = []
    for row in others:
        label = together(i18n.day(row.due_date), show_quantity(row.quantity, row.unit))
        step = await wishes.step_button(press.session, press.actor, label, "joined", wish, other=str(row.id))
        buttons.append((step,))
    now = together(show_quantity(into.quantity, into.unit), i18n.day(into.due_date))
    subject = together(into.contract_number, f"{into.part(press.actor)} {into.description}")
    return [press.ask(Card(_(WITH), subject, (now,), "", "", tuple(buttons), "")), press.talk.note()]


async def chosen(press: Press, wish: NewChange, other: UUID) -> Answers:
    """The card to check."""
    into, rows = await _of_line(press.session, press.actor, wish)
    picked = [row for row in rows if row.id == other]
    if not picked:
        raise NotJoinable(field="line_ids")
    return [press.ask(await proposal(press.session, press.actor, [into, *picked], None)), press.talk.note()]


async def _of_line(session: AsyncSession, actor: Actor, wish: NewChange) -> tuple[OpenDelivery, list[OpenDelivery]]:
    """The delivery of the change, and the others of its contract's line and place."""
    connection = await db.driver(session)
    found = await open_deliveries(connection, actor, line_id=wish.parts[0].line_id)
    if not found:
        raise NotJoinable(field="line_ids")
    into = found[0]
    rows = await open_deliveries(connection, actor, contract_line_id=into.contract_line_id)
    return into, [row for row in rows if row.id != into.id and row.place == into.place]
