"""The card of a delivery note: on the way, counted, or late."""

from dataclasses import replace
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.parts import part_of
from portal.core import clock, db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Button, Card
from portal.notices.model import Kind
from portal.notices.wording import acting, joined, opening
from portal.shipments import reads
from portal.shipments.model import Problem, ShipmentStatus
from portal.shipments.reads import NoteLine, ShipmentRow
from portal.shipments.rules import ON_THE_WAY
from portal.shipments.rules_documents import may_correct
from portal.shipments.words import PROBLEMS

SHOWN = 8  # lines named in a message
TITLES: dict[str, str] = {
    Kind.SHIPPED: N_("Goods are on the way: please count them on arrival"),
    Kind.RECEIPT_DUE: N_("Goods should have arrived: please count them"),
    Kind.RECEIVED: N_("Goods were received as announced"),
    Kind.DIFFERENCE: N_("A receipt differs from the delivery note"),
    "": N_("Delivery note"),
}
TO_COUNT = (Kind.SHIPPED, Kind.RECEIPT_DUE)


async def shipment_card(session: AsyncSession, actor: Actor, shipment_id: UUID, purpose: str) -> Card:
    """One delivery note with its lines and what was counted of them. Raises NotFound."""
    connection = await db.driver(session)
    row = await reads.get_shipment(connection, actor, shipment_id)
    lines = await reads.note_lines(connection, actor, shipment_id)
    waits = _waits(row, actor, lines)
    actions = await offer(session, actor, [Verb.RECEIVE, Verb.COUNT], "shipment", row.id, row.version) if waits else {}
    path = f"/receipts/new?shipment={row.id}" if waits else f"/shipments/{row.id}"
    buttons = (
        *(tuple(acting(verb, actions) for verb in actions), await _correcting(session, actor, row, lines)),
        (opening(path, form=waits),),
    )
    return Card(
        title=_title(row, purpose, waits=waits),
        subject=joined(row.number, row.party_name if actor.is_factory else "", row.vehicle),
        facts=tuple(_facts(row, lines, actor)),
        deadline=_deadline(row, waits, purpose),
        state="" if row.status in ON_THE_WAY else await _said(session, actor, row, lines),
        buttons=tuple(filter(None, buttons)),
        link=wording.address(path),
    )


def _waits(row: ShipmentRow, actor: Actor, lines: list[NoteLine]) -> bool:
    """Whether this reader is to count it: lines that have a receipt are not counted twice."""
    return (
        row.status in ON_THE_WAY
        and actor.side_on(row.direction) is Side.BUYER
        and actor.may(Permission.RECEIVE)
        and any(line.receipt_id is None for line in lines)
    )


async def _correcting(
    session: AsyncSession, actor: Actor, row: ShipmentRow, lines: list[NoteLine]
) -> tuple[Button, ...]:
    """The way back for whoever counted, in the first quarter of an hour: the last receipt is counted again."""
    counted = [line.receipt_id for line in lines if line.receipt_id is not None]
    if not counted or actor.side_on(row.direction) is not Side.BUYER or not actor.may(Permission.RECEIVE):
        return ()
    receipt = await reads.get_receipt(await db.driver(session), actor, max(counted))
    if not may_correct(Side.BUYER, receipt.posted_at, clock.now(), receipt.replaced_by is not None):
        return ()
    actions = await offer(session, actor, [Verb.CORRECT], "receipt", receipt.id)
    return (replace(acting(Verb.CORRECT, actions), afterwards=True),)


def _title(row: ShipmentRow, purpose: str, *, waits: bool) -> str:
    if row.status == ShipmentStatus.WITHDRAWN:
        return _("A delivery note was withdrawn: these goods do not come")
    if purpose in TO_COUNT and not waits:  # counted meanwhile, or for others to count
        return _(TITLES[""])
    return _(TITLES.get(purpose, TITLES[""]))


def _facts(row: ShipmentRow, lines: list[NoteLine], actor: Actor) -> list[str]:
    facts = [_line(line, actor) for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        facts.append(_("and {n} more").format(n=i18n.number(len(lines) - SHOWN)))
    facts.append(_("Shipped {day}").format(day=wording.day(row.shipped_on)))
    return facts


def _line(line: NoteLine, actor: Actor) -> str:
    part = part_of(line, actor)
    announced = show_quantity(line.quantity, line.unit)
    if line.receipt_id is None or line.accepted is None:
        return f"{part} {announced}"
    counted = _("{part}: {accepted} of {announced} accepted").format(
        part=part, accepted=i18n.number(line.accepted), announced=announced
    )
    return joined(
        counted,
        _("{n} missing").format(n=i18n.number(line.short)) if line.short and line.short > 0 else "",
        _("{n} too many").format(n=i18n.number(-line.short)) if line.short and line.short < 0 else "",
        _("{n} rejected").format(n=i18n.number(line.rejected)) if line.rejected else "",
        _(PROBLEMS[Problem(line.problem)]) if line.problem else "",
    )


def _deadline(row: ShipmentRow, waits: bool, purpose: str) -> str:
    if waits and row.expected_on is not None:
        return _("Expected {day}").format(day=wording.day(row.expected_on))
    return _(wording.INFORMATION) if purpose and not waits and purpose != Kind.DIFFERENCE else ""


async def _said(session: AsyncSession, actor: Actor, row: ShipmentRow, lines: list[NoteLine]) -> str:
    """The receipts in force, and who counted when."""
    connection = await db.driver(session)
    said = await wording.last_said(connection, actor, row.id, ["received", "withdrawn"], row.party_name)
    numbers = dict.fromkeys(line.receipt_number for line in lines if line.receipt_number)
    return joined(wording.listed(list(numbers)), said)
