"""The card of one delivery."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.parts import part_of
from portal.core import db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.i18n import N_, _, speaking
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.notices import wording
from portal.notices.actions import Offer, Verb, offer_each
from portal.notices.cards import Button, Card, Wanted
from portal.notices.compose_where import where
from portal.notices.model import Kind
from portal.notices.wording import acting, joined, opening
from portal.schedules import reads, rules
from portal.schedules.model import LineStatus, SupplyState
from portal.schedules.reads import LineRow, PromiseRow

S = LineStatus
ENDED = {S.CONFIRMED: "confirmed", S.REJECTED: "rejected", S.CANCELLED: "cancelled"}
TITLES: dict[str, str] = {
    Kind.TO_CONFIRM: N_("Please confirm a delivery"),
    Kind.REMINDER: N_("Reminder: a delivery is due soon"),
    Kind.OVERDUE: N_("No answer yet: please confirm a delivery"),
    Kind.CONFIRMED: N_("A delivery was confirmed"),
    Kind.REJECTED: N_("A delivery was refused: please decide what follows"),
    Kind.AT_RISK: N_("A delivery is at risk"),
    Kind.CANCELLED: N_("A delivery was cancelled: do not deliver it"),
    "deputy": N_("No answer from your colleague. You are the deputy: please confirm a delivery"),
    "admin": N_("No answer from your company: please see that a delivery is confirmed"),
    "": N_("Delivery"),
}
ANSWERED_OTHERWISE = N_("A delivery was answered otherwise than asked: the buyer decides")
ZONES = {"firm": N_("firm zone"), "tradeoff": N_("trade-off zone"), "forecast": N_("forecast zone")}


async def line_card(session: AsyncSession, actor: Actor, line_id: UUID, purpose: str) -> Card:
    """One delivery as it stands now. Raises NotFound when this colleague may not see it."""
    (card,) = await line_cards(session, [Wanted(actor, "schedule_line", line_id, purpose)])
    if card is None:
        raise NotFound
    return card


async def line_cards(session: AsyncSession, wanted: Sequence[Wanted]) -> list[Card | None]:
    """Deliveries for readers of one company, in order, with as many questions as for one; None where the reader may
    not see it."""
    connection = await db.driver(session)
    rows = await _rows(connection, wanted)
    ended = {row.id: [ENDED[S(row.status)]] for row in rows if row is not None and S(row.status) in ENDED}
    answers = await wording.last_answers(connection, wanted[0].actor.tenant_id, ended)
    there = [(each.actor, row) for each, row in zip(wanted, rows, strict=True) if row is not None]
    offers = [Offer(actor, offered(row, actor), "schedule_line", row.id, row.version) for actor, row in there]
    actions = iter(await offer_each(session, offers))
    cards: list[Card | None] = []
    for each, row in zip(wanted, rows, strict=True):
        if row is None:
            cards.append(None)
            continue
        with speaking(each.actor.language):
            cards.append(await _card(session, each, row, next(actions), answers.get(row.id)))
    return cards


async def _rows(connection: Driver, wanted: Sequence[Wanted]) -> list[LineRow | None]:
    """The deliveries, read once for all who see the same contracts."""
    found: dict[frozenset[UUID] | None, dict[UUID, LineRow]] = {}
    for each in wanted:
        sight = each.actor.contract_ids
        if sight not in found:
            ids = {other.object_id for other in wanted if other.actor.contract_ids == sight}
            found[sight] = await reads.rows_of(connection, each.actor, list(ids))
    return [found[each.actor.contract_ids].get(each.object_id) for each in wanted]


async def _card(
    session: AsyncSession, wanted: Wanted, row: LineRow, actions: dict[Verb, UUID], answer: asyncpg.Record | None
) -> Card:
    actor, purpose, path = wanted.actor, wanted.purpose, f"/schedule-lines/{row.id}"
    verbs = offered(row, actor)
    rows = tuple(acting(verb, actions) for verb in verbs)
    facts, title = _facts(row), _(TITLES.get(purpose, TITLES[""]))
    found, notes = await where(session, actor, row) if not purpose else ([], ())
    facts += found
    if row.deviation_id is not None:
        title, connection = _(ANSWERED_OTHERWISE), await db.driver(session)
        facts += [_said_otherwise(part, row.unit) for part in await reads.promises(connection, actor, row.id)]
    return Card(
        title=title,
        subject=joined(f"{part_of(row, actor)} {row.description}", row.contract_number, _partner(row, actor)),
        facts=tuple(facts),
        deadline=_deadline(row, actor, verbs, purpose),
        state=wording.said(answer, actor, row.party_name),
        buttons=tuple(filter(None, (rows, notes, (opening(path), *_asking(row, actor))))),
        link=wording.address(path),
    )


def _said_otherwise(part: PromiseRow, unit: str) -> str:
    return _("Answer: {quantity}, {day}").format(
        quantity=show_quantity(part.quantity, unit), day=wording.day(part.delivery_date)
    )


def offered(row: LineRow, actor: Actor) -> list[Verb]:
    """What this reader can do with the delivery from a message."""
    if row.deviation_id is not None and actor.side_on(row.direction) is Side.BUYER:
        return [Verb.ACCEPT, Verb.DECLINE] if actor.may(Permission.DECIDE_ANSWERS) else []
    if actor.side_on(row.direction) is not Side.SELLER or not actor.may(Permission.CONFIRM_LINES):
        return []
    status = S(row.status)
    verbs = [Verb.CONFIRM] if "confirm" in rules.LINE_STATES.actions(status, Side.SELLER) else []
    if status not in rules.SHIPPABLE:
        return verbs
    rest = row.shipped_quantity < row.ordered_quantity  # what is on the way keeps its day; its note says when it comes
    return [*verbs, Verb.LATE, Verb.PROBLEM] if rest else [*verbs, Verb.PROBLEM]


def _asking(row: LineRow, actor: Actor) -> list[Button]:
    """The form of a change, where this reader may ask for one."""
    if row.status not in rules.OPEN or not actor.may(Permission.REQUEST_CHANGES):
        return []
    return [opening(f"/changes/new?line={row.id}", _("Ask for a change"), form=True)]


def _partner(row: LineRow, actor: Actor) -> str:
    return row.party_name if actor.is_factory else ""


def _facts(row: LineRow) -> list[str]:
    facts = [joined(show_quantity(row.ordered_quantity, row.unit), wording.day(row.due_date), row.ship_to_code)]
    facts += [_(ZONES[row.zone])] if row.zone in ZONES else []
    if row.status == S.PARTLY_CONFIRMED:
        done, asked = i18n.number(row.confirmed_quantity), show_quantity(row.ordered_quantity, row.unit)
        facts.append(_("Confirmed {done} of {asked}").format(done=done, asked=asked))
    if row.shipped_quantity:
        facts.append(_("Shipped: {quantity}").format(quantity=show_quantity(row.shipped_quantity, row.unit)))
    if row.deemed:
        facts.append(_("Deemed: nobody answered in time"))
    if row.supply_state == SupplyState.AT_RISK:
        facts.append(_("At risk: {note}").format(note=row.supply_note) if row.supply_note else _("Material at risk"))
    return facts


def _deadline(row: LineRow, actor: Actor, verbs: list[Verb], purpose: str) -> str:
    if Verb.CONFIRM in verbs and row.status == S.PROPOSED and row.respond_by is not None:
        return _("Confirm by {when}").format(when=i18n.moment(row.respond_by, actor.time_zone))
    asks = (row.status == S.REJECTED or row.deviation_id is not None) and actor.side_on(row.direction) is Side.BUYER
    return _(wording.INFORMATION) if purpose and not asks and Verb.CONFIRM not in verbs else ""
