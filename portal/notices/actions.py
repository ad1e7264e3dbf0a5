"""What the buttons of messages do, and who may press them.

A button carries the id of an action row and nothing else. The row says what is done; the one who presses says, at the
press, whether they may: a forwarded button or one in a group asks its presser, never its first reader. The verb itself
is done by the domain's own command, which checks side, state, version and sight as on every other way.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Member, MemberStatus
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.arrays import array, columns
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.notices.model import Action, Press

logger = logging.getLogger(__name__)
RESULT_LENGTH = 500
OUTCOME_LENGTH = 300
Key: TypeAlias = tuple[UUID, UUID, int | None, str]  # object, member, version, data as JSON


class Verb(StrEnum):
    """What a button can do. Values are stored."""

    CONFIRM = "confirm"  # a schedule line, whole, on its due date
    CONFIRM_ALL = "confirm_all"  # data: {"lines": [[id, version], ...]}
    ACCEPT = "accept"  # an answer that differs from what was asked
    DECLINE = "decline"  # the same, and ask again
    COMMIT_ALL = "commit_all"  # to a whole forecast; data: the release, the commit that stood, the percentage
    COMMIT = "commit"  # to what a sentence said; data: the commit
    COMMIT_SHARE = "commit_share"  # begin to commit to a part of everything; data: the sentence that says what
    LATE = "late"  # begin to say that a delivery will be late
    PROBLEM = "problem"  # begin to report a problem with a delivery
    RECEIVE = "receive"  # a shipment, all complete
    COUNT = "count"  # begin to count a shipment line by line
    ACKNOWLEDGE = "acknowledge"  # a release, as a whole
    TAKE_OVER = "take_over"  # a release whose answer a colleague owes
    SHOW = "show"  # the current card of the object
    SHOW_RISKS = "show_risks"  # the deliveries at risk, as a list
    REPORT = "report"  # a delivery will be late or has a problem; data: what was chosen on the way
    OTHER_DAY = "other_day"  # the day is typed
    REASON = "reason"  # of a shipment counted line by line; data: what was counted so far
    COUNTED = "counted"  # post the count; data: the lines
    CORRECT = "correct"  # begin to count a receipt again
    RECOUNTED = "recounted"  # replace the receipt by the new count; data: the lines
    SWITCH = "switch"  # the chat speaks for another of its person's companies
    LANGUAGE = "language"  # data: the language of the chat
    APPROVE = "approve"  # an approval case
    TURN_DOWN = "turn_down"  # an approval case; data: the reason that was chosen
    AGREE = "agree"  # to the live offer of a change request, all of it
    REFUSE = "refuse"  # a change request; data: the reason that was chosen
    TODAY = "today"  # the day's summary anew
    SETTING = "setting"  # how the person is told; data: the step, or what is chosen
    COUNTER = "counter"  # begin another offer about a change request; data: what is to be different
    OFFER = "offer"  # make it; data: the parts
    WISH = "wish"  # go on with a change that is being written; data: the step, and what was chosen so far
    ASK = "ask"  # send the change; data: the change
    JOIN = "join"  # plan that deliveries of one day become one; data: the deliveries and their versions


PERMISSION: dict[Verb, Permission] = {
    Verb.CONFIRM: Permission.CONFIRM_LINES,
    Verb.CONFIRM_ALL: Permission.CONFIRM_LINES,
    Verb.ACCEPT: Permission.DECIDE_ANSWERS,
    Verb.DECLINE: Permission.DECIDE_ANSWERS,
    Verb.COMMIT_ALL: Permission.CONFIRM_LINES,
    Verb.COMMIT: Permission.CONFIRM_LINES,
    Verb.COMMIT_SHARE: Permission.CONFIRM_LINES,
    Verb.LATE: Permission.CONFIRM_LINES,
    Verb.PROBLEM: Permission.CONFIRM_LINES,
    Verb.RECEIVE: Permission.RECEIVE,
    Verb.COUNT: Permission.RECEIVE,
    Verb.ACKNOWLEDGE: Permission.CONFIRM_LINES,
    Verb.TAKE_OVER: Permission.CONFIRM_LINES,
    Verb.SHOW: Permission.READ,
    Verb.SHOW_RISKS: Permission.READ,
    Verb.REPORT: Permission.CONFIRM_LINES,
    Verb.OTHER_DAY: Permission.CONFIRM_LINES,
    Verb.REASON: Permission.RECEIVE,
    Verb.COUNTED: Permission.RECEIVE,
    Verb.CORRECT: Permission.RECEIVE,
    Verb.RECOUNTED: Permission.RECEIVE,
    Verb.SWITCH: Permission.READ,
    Verb.LANGUAGE: Permission.READ,
    Verb.APPROVE: Permission.APPROVE,
    Verb.TURN_DOWN: Permission.APPROVE,
    Verb.AGREE: Permission.REQUEST_CHANGES,
    Verb.REFUSE: Permission.REQUEST_CHANGES,
    Verb.TODAY: Permission.READ,
    Verb.SETTING: Permission.READ,
    Verb.COUNTER: Permission.REQUEST_CHANGES,
    Verb.OFFER: Permission.REQUEST_CHANGES,
    Verb.WISH: Permission.REQUEST_CHANGES,
    Verb.ASK: Permission.REQUEST_CHANGES,
    Verb.JOIN: Permission.PUBLISH_SCHEDULES,
}
REPEATABLE = frozenset(  # change nothing of the business by themselves
    {
        *(Verb.SHOW, Verb.SHOW_RISKS, Verb.LATE, Verb.PROBLEM, Verb.COUNT, Verb.OTHER_DAY, Verb.REASON, Verb.CORRECT),
        *(Verb.SWITCH, Verb.LANGUAGE, Verb.TODAY, Verb.SETTING, Verb.WISH, Verb.COMMIT_SHARE, Verb.COUNTER),
    }
)
# Made of what one person was shown, or about that person: for nobody else to press.
PERSONAL = frozenset({Verb.CONFIRM_ALL, Verb.SWITCH, Verb.LANGUAGE, Verb.SETTING})
SHARED = frozenset({Verb.CONFIRM_ALL})  # but for whoever reads the same group, where everybody is shown the same


class NotYours(Forbidden):
    code = "button-of-somebody-else"
    text = N_("This button was made for a colleague. Send /today for your own.")


class AlreadyTaken(Conflict):
    code = "button-already-used"
    text = N_("This was done already: {result}")


async def make_action(
    session: AsyncSession,
    addressee: Actor,
    verb: Verb | str,
    object_kind: str,
    object_id: UUID,
    version: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> Action:
    """A button for this reader. The session is in the reader's own scope. object_kind: the table of the object."""
    assert addressee.member_id is not None, "a button is made for a person"
    action = Action(
        tenant_id=addressee.tenant_id,
        party_id=addressee.party_id,
        member_id=addressee.member_id,
        verb=Verb(verb).value,
        object_kind=object_kind,
        object_id=object_id,
        object_version=version,
        data=dict(data or {}),
        created_at=clock.now(),
    )
    session.add(action)
    return action


@dataclass(frozen=True, slots=True)
class Offer:
    """What one reader of a card can do about its object in this version. data: what the verbs need to know."""

    addressee: Actor
    verbs: Sequence[Verb]
    object_kind: str
    object_id: UUID
    version: int | None = None
    data: Mapping[str, Any] | None = None

    @property
    def key(self) -> Key:
        """What an action has in common with one that was made for the same before."""
        assert self.addressee.member_id is not None, "a button is made for a person"
        data = db.to_json(self.data) if self.data else "{}"
        return self.object_id, self.addressee.member_id, self.version, data


# The actions of an object are looked through once, however many readers it has.
_OFFERED = """
with open as materialized (
    select object_id, member_id, object_version, data, verb, id from action
    where tenant_id = $1 and party_id = $2 and object_id = any($3::text::uuid[]) and member_id = any($4::text::uuid[])
        and used_at is null
)
select r.no, a.verb, a.id
from unnest($5::text::int[], $6::text::uuid[], $7::text::uuid[], $8::text::int[], $9::text::text[]) as r(no, object_id,
    member_id, version, data)
join open a on a.object_id = r.object_id and a.member_id = r.member_id
where a.object_version is not distinct from r.version and a.data = r.data::jsonb"""
_OFFER = """
insert into action (tenant_id, id, party_id, member_id, verb, object_kind, object_id, object_version, data, created_at,
    used_channel, result)
select $1, r.id, $2, r.member_id, r.verb, r.object_kind, r.object_id, r.version, r.data::jsonb, $3, '', ''
from unnest($4::text::uuid[], $5::text::text[], $6::text::text[], $7::text::uuid[], $8::text::uuid[], $9::text::int[],
    $10::text::text[]) as r(id, verb, object_kind, object_id, member_id, version, data)"""


async def offer(
    session: AsyncSession,
    addressee: Actor,
    verbs: Sequence[Verb],
    object_kind: str,
    object_id: UUID,
    version: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> dict[Verb, UUID]:
    """One unused action for each verb, in their order, made now or left from an earlier card of the same version."""
    (actions,) = await offer_each(session, [Offer(addressee, verbs, object_kind, object_id, version, data)])
    return actions


async def offer_each(session: AsyncSession, offers: Sequence[Offer]) -> list[dict[Verb, UUID]]:
    """The same for many readers of one company, in their order, with one question and one insert.

    Statements instead of rows of the session: ten thousand reminders make twenty thousand of these.
    """
    wanted = {offer.key: offer for offer in offers if offer.verbs}
    if not wanted:
        return [{} for _offer in offers]
    connection = await db.driver(session)
    company = offers[0].addressee.tenant_id, offers[0].addressee.party_id
    found: dict[Key, dict[Verb, UUID]] = {key: {} for key in wanted}
    objects, members = (array(list({key[n] for key in wanted})) for n in (0, 1))
    asked = columns((no, *key) for no, key in enumerate(wanted))
    keys = list(wanted)
    for no, verb, action_id in await connection.fetch(_OFFERED, *company, objects, members, *asked):
        found[keys[no]][Verb(verb)] = action_id
    new = [
        (uuid7(), verb, offer.object_kind, key)
        for key, offer in wanted.items()
        for verb in offer.verbs
        if verb not in found[key]
    ]
    if new:
        rows = ((action_id, verb.value, kind, *key) for action_id, verb, kind, key in new)
        await connection.execute(_OFFER, *company, clock.now(), *columns(rows))
    for action_id, verb, _kind, key in new:
        found[key][verb] = action_id
    return [{verb: found[offer.key][verb] for verb in offer.verbs} for offer in offers]


async def take_action(session: AsyncSession, actor: Actor, action_id: UUID, *, in_group: bool = False) -> Action:
    """Lock the action that this person presses, before its command is done in the same transaction.

    Absent or another company's: NotFound. Somebody who left, or may not: Forbidden. A colleague's own: NotYours. Done
    before: AlreadyTaken, which says the first result.
    """
    query = select(Action).where(
        Action.tenant_id == actor.tenant_id, Action.party_id == actor.party_id, Action.id == action_id
    )
    action = (await session.exec(query.with_for_update())).one_or_none()
    if action is None:
        raise NotFound
    await _check_presser(session, actor)
    verb = Verb(action.verb)
    actor.require(PERMISSION[verb])
    if verb in (PERSONAL - SHARED if in_group else PERSONAL) and action.member_id != actor.member_id:
        raise NotYours
    if action.used_at is not None and verb not in REPEATABLE:
        raise AlreadyTaken(result=action.result)
    return action


async def _check_presser(session: AsyncSession, actor: Actor) -> None:
    """Raise Forbidden unless the presser is an active member of the company now."""
    live = select(col(Member.id)).where(
        Member.tenant_id == actor.tenant_id,
        Member.party_id == actor.party_id,
        Member.id == actor.member_id,
        Member.status == MemberStatus.ACTIVE,
    )
    if (await session.exec(live)).one_or_none() is None:
        raise Forbidden


async def finish_action(
    session: AsyncSession, actor: Actor, action: Action, result: str, channel: str, contract_id: UUID | None = None
) -> None:
    """Keep what came of the press, for a second press and for the log. result: a sentence as the presser was told."""
    action.used_at, action.used_channel = clock.now(), channel
    action.result = result[:RESULT_LENGTH]
    log_press(session, actor, action, channel, result, contract_id)
    logger.info("a button was pressed", extra={"action_id": str(action.id), "verb": action.verb})


def log_press(
    session: AsyncSession, actor: Actor, action: Action, channel: str, outcome: str, contract_id: UUID | None = None
) -> None:
    """Write one press into the log. A refused press rolls back its command, so it is logged in a session of its own."""
    assert actor.member_id is not None
    session.add(
        Press(
            id=uuid7(),
            tenant_id=actor.tenant_id,
            party_id=actor.party_id,
            action_id=action.id,
            member_id=actor.member_id,
            verb=action.verb,
            object_kind=action.object_kind,
            object_id=action.object_id,
            contract_id=contract_id,
            channel=channel,
            outcome=outcome[:OUTCOME_LENGTH],
            at=clock.now(),
        )
    )


async def refused_press(
    session: AsyncSession, actor: Actor, action_id: UUID, channel: str, outcome: str
) -> Action | None:
    """Log a press that was refused, in a session of its own after the command's was rolled back."""
    query = select(Action).where(
        Action.tenant_id == actor.tenant_id, Action.party_id == actor.party_id, Action.id == action_id
    )
    action = (await session.exec(query)).one_or_none()
    if action is not None:
        log_press(session, actor, action, channel, outcome)
    return action
