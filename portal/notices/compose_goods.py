"""The card of a delivery note: on the way, counted, or late."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.parts import part_of
from portal.core import db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Card
from portal.notices.model import Kind
from portal.notices.wording import acting, joined, opening
from portal.shipments import reads
from portal.shipments.model import Problem, ShipmentStatus
from portal.shipments.reads import NoteLine, ShipmentRow
from portal.shipments.rules import ON_THE_WAY
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
    buttons = (tuple(acting(verb, actions) for verb in actions), (opening(path, form=waits),))
    return Card(
        title=_title(row, actor, purpose),
        subject=joined(row.number, row.party_name if actor.is_factory else "", row.vehicle),
        facts=tuple(_facts(row, lines, actor)),
        deadline=_deadline(row, waits, purpose),
        state="" if row.status in ON_THE_WAY else await _said(session, actor, row),
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


def _title(row: ShipmentRow, actor: Actor, purpose: str) -> str:
    if row.status == ShipmentStatus.WITHDRAWN:
        return _("A delivery note was withdrawn: these goods do not come")
    if purpose in TO_COUNT and actor.side_on(row.direction) is not Side.BUYER:
        return _(TITLES[""])
    return _(TITLES.get(purpose, TITLES[""]))


def _facts(row: ShipmentRow, lines: list[NoteLine], actor: Actor) -> list[str]:
    facts = [_line(line, actor) for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        facts.append(_("and {n} more").format(n=i18n.number(len(lines) - SHOWN)))
    facts.append(_("shipped {day}").format(day=wording.day(row.shipped_on)))
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


async def _said(session: AsyncSession, actor: Actor, row: ShipmentRow) -> str:
    connection = await db.driver(session)
    return await wording.last_said(connection, actor, row.id, ["received", "withdrawn"], row.party_name)
