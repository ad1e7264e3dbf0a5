"""Where a delivery is, for somebody who asks: what was agreed, what was promised first, and what of it is where."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db, i18n
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Button
from portal.schedules import reads
from portal.schedules.model import LineStatus
from portal.schedules.reads import LineRow
from portal.shipments import reads_tracing
from portal.shipments.reads_tracing import Part

MOST = 3  # promises, and delivery notes, named in one message


async def where(session: AsyncSession, actor: Actor, row: LineRow) -> tuple[list[str], tuple[Button, ...]]:
    """The lines of the answer, and a button for each delivery note that is named."""
    connection = await db.driver(session)
    parts = await reads_tracing.parts_of(connection, actor, row.id, MOST)
    facts = [*await _agreed(connection, actor, row), *(_part(part, row.unit) for part in parts)]
    if row.received_quantity:
        done, asked = i18n.number(row.received_quantity), show_quantity(row.ordered_quantity, row.unit)
        facts.append(_("Received {done} of {asked}").format(done=done, asked=asked))
    elif not parts and row.status != LineStatus.CANCELLED:
        facts.append(_("Nothing was shipped yet."))
    return facts, tuple([await _button(session, actor, part) for part in parts])


async def _agreed(connection: Driver, actor: Actor, row: LineRow) -> list[str]:
    """What holds between the companies, and the day that the seller named first, which stays for ever."""
    said = [part for part in await reads.promises(connection, actor, row.id) if part.status == "valid"]
    facts = [_promised(show_quantity(part.quantity, row.unit), wording.day(part.delivery_date)) for part in said[:MOST]]
    if not said and row.status in (LineStatus.CONFIRMED, LineStatus.CLOSED):
        facts = [_promised(show_quantity(row.ordered_quantity, row.unit), wording.day(row.due_date))]
    if not facts and row.deviation_id is None and row.status != LineStatus.CANCELLED:
        facts = [_("Asked for {day}, not agreed yet").format(day=wording.day(row.due_date))]
    if row.promised_date is not None:
        facts.append(_("First promised for {day}").format(day=wording.day(row.promised_date)))
    return facts


def _promised(quantity: str, day: str) -> str:
    return _("Agreed: {quantity}, {day}").format(quantity=quantity, day=day)


def _part(part: Part, unit: str) -> str:
    """One delivery note: under way, or what was accepted of it."""
    quantity = show_quantity(part.quantity, unit)
    if part.accepted is not None:
        return _("{number}: {done} of {asked} received").format(
            number=part.number, done=i18n.number(part.accepted), asked=quantity
        )
    if part.expected_on is not None:
        return _("{number}: {quantity} under way, expected {day}").format(
            number=part.number, quantity=quantity, day=wording.day(part.expected_on)
        )
    return _("{number}: {quantity} under way, shipped {day}").format(
        number=part.number, quantity=quantity, day=wording.day(part.shipped_on)
    )


async def _button(session: AsyncSession, actor: Actor, part: Part) -> Button:
    actions = await offer(session, actor, [Verb.SHOW], "shipment", part.shipment_id)
    return Button(part.number, actions[Verb.SHOW])
