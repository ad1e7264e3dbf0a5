"""What waits for one reader beside deliveries to confirm, a line for each kind, as the page of today counts it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import reads as approvals
from portal.changes import reads as changes
from portal.changes.reads import ChangeRow
from portal.contracts import reads as contracts
from portal.core import db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _
from portal.forecasts import service_requests as forecasts
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Button
from portal.notices.compose_contracts import SHOWN
from portal.schedules import reads
from portal.shipments import reads as shipments
from portal.shipments.reads import ShipmentRow

COUNTED = 1000
DECISIONS = 2  # of each kind that have a button
TO_ANSWER = contracts.ContractFilter(to_answer=True)


async def waits(
    session: AsyncSession, actor: Actor, notes: Sequence[ShipmentRow], asked: Sequence[ChangeRow]
) -> list[str]:
    """A role hears only of what it may do. notes: what is to be received; asked: the changes to answer."""
    connection = await db.driver(session)
    approve = await approvals.count_mine(connection, actor)
    return [
        *await _to_decide(connection, actor),
        *_changes(asked, actor),
        *([_("To approve: {n}").format(n=i18n.number(approve))] if approve else []),
        *_to_receive(notes),
        *await _contracts(connection, actor),
        *await _forecasts(session, actor),
    ]


def first_by(when: datetime | None, actor: Actor) -> str:
    """By when the first of several is to be answered, behind their number."""
    return _(" (first by {when})").format(when=i18n.moment(when, actor.time_zone, year=False)) if when else ""


async def _to_decide(connection: Driver, actor: Actor) -> list[str]:
    found = await reads.to_decide(connection, actor, COUNTED) if actor.may(Permission.DECIDE_ANSWERS) else []
    return [_("Answers to decide: {n}").format(n=i18n.number(len(found)))] if found else []


async def to_answer(connection: Driver, actor: Actor) -> list[ChangeRow]:
    """The changes that wait for this reader's company, where the reader may answer."""
    if not actor.may(Permission.REQUEST_CHANGES):
        return []
    return await changes.list_changes(connection, actor, changes.ChangeFilter(changes.View.TO_ANSWER), None, COUNTED)


def _changes(asked: Sequence[ChangeRow], actor: Actor) -> list[str]:
    if not asked:
        return []
    first = min((row.respond_by for row in asked if row.respond_by), default=None)
    return [_("Changes to answer: {n}").format(n=i18n.number(len(asked))) + first_by(first, actor)]


async def decisions(session: AsyncSession, actor: Actor, asked: Sequence[ChangeRow]) -> list[Button]:
    """A button for each of the first changes and approvals, so that they are decided in the chat that tells of them."""
    connection, found = await db.driver(session), list[tuple[str, str, UUID]]()
    found += [(_("Answer {number}").format(number=row.number), "change_request", row.id) for row in asked[:DECISIONS]]
    if actor.is_factory and actor.may(Permission.APPROVE):
        cases = (await approvals.list_cases(connection, actor, approvals.View.MINE, limit=DECISIONS))[:DECISIONS]
        found += [(_("Decide on {label}").format(label=case.label), "approval_case", case.id) for case in cases]
    return [
        Button(label, (await offer(session, actor, [Verb.SHOW], kind, object_id))[Verb.SHOW])
        for label, kind, object_id in found
    ]


async def to_receive(connection: Driver, actor: Actor) -> list[ShipmentRow]:
    """The delivery notes that wait for this reader's count."""
    return await shipments.to_receive(connection, actor, COUNTED) if actor.may(Permission.RECEIVE) else []


def _to_receive(notes: Sequence[ShipmentRow]) -> list[str]:
    numbers = wording.listed([row.number for row in notes[:SHOWN]])
    return [_("To receive: {n} ({numbers})").format(n=i18n.number(len(notes)), numbers=numbers)] if notes else []


async def _contracts(connection: Driver, actor: Actor) -> list[str]:
    if not actor.may(Permission.EDIT_CONTRACTS if actor.is_factory else Permission.ACCEPT_CONTRACTS):
        return []
    found = await contracts.list_contracts(connection, actor, TO_ANSWER, None, COUNTED)
    return [_("Contracts to answer: {n}").format(n=i18n.number(len(found)))] if found else []


async def _forecasts(session: AsyncSession, actor: Actor) -> list[str]:
    found = await forecasts.waiting(session, actor, COUNTED) if actor.may(Permission.CONFIRM_LINES) else []
    return [_("Forecasts to commit to: {n}").format(n=i18n.number(len(found)))] if found else []
