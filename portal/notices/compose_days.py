"""The cards of a day: what waits for one reader in the morning, and what they agreed in the evening."""

from datetime import date, datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.office import office_hours
from portal.changes.reads import ChangeRow
from portal.contracts.parts import part_of
from portal.core import clock, db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import day_begins, local_today
from portal.core.db import Driver
from portal.core.i18n import N_, _, ngettext
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Button, Card, Rows, in_pairs
from portal.notices.compose_contracts import MOST, SHOWN, amount, confirm_all
from portal.notices.compose_news import first_lines, news
from portal.notices.compose_waiting import COUNTED, decisions, first_by, to_answer, to_receive, waits
from portal.notices.wording import opening
from portal.schedules import reads
from portal.schedules.reads import LineFilter, LineRow, View
from portal.shipments.reads import ShipmentRow

NOTES = 4  # delivery notes that have a button


def day_id(member_id: UUID, kind: str, day: date) -> UUID:
    """The id under which a person's summary of one day is known, so that it is one message that is edited."""
    return uuid5(member_id, f"{kind} {day}")


async def digest_card(session: AsyncSession, actor: Actor, object_id: UUID, purpose: str) -> Card:
    """What waits for this reader now. Never silent: a day without work says so, and names the next delivery."""
    today = local_today(clock.now(), actor.time_zone)
    connection = await db.driver(session)
    confirm = await reads.to_confirm(connection, actor, MOST) if actor.may(Permission.CONFIRM_LINES) else []
    notes, asked = await to_receive(connection, actor), await to_answer(connection, actor)
    facts = [
        *_to_confirm(confirm, actor),
        *await waits(session, actor, notes, asked),
        *await _due_next(connection, actor, today),
    ]
    risks = await at_risk(connection, actor, today)
    facts += _lines(_("At risk"), risks, actor)
    facts += await _overdue(connection, actor, today)
    return Card(
        title=_("Daily summary, {day}").format(day=wording.day(today)),
        subject=await _companies(connection, actor),
        facts=(*(facts or [await _nothing(connection, actor, today)]), *await news(connection, actor)),
        deadline="",
        state="",
        buttons=await _buttons(session, actor, object_id, confirm, risks, notes, asked),
        link=wording.address("/"),
    )


def _to_confirm(rows: list[LineRow], actor: Actor) -> list[str]:
    if not rows:
        return []
    first = min((row.respond_by for row in rows if row.respond_by), default=None)
    return [_("To confirm: {n}").format(n=i18n.number(len(rows))) + first_by(first, actor)]


async def _due_next(connection: Driver, actor: Actor, today: date) -> list[str]:
    """The deliveries of the next day that has any, today included."""
    wanted = LineFilter(View.OPEN, since=today)
    found = await reads.list_lines(connection, actor, wanted, None, COUNTED)
    due = [row for row in found if row.due_date == found[0].due_date] if found else []
    if not due or (due[0].due_date - today).days > 1:
        return []
    return _lines(_("Due {day}").format(day=wording.day(due[0].due_date)), due, actor)


async def at_risk(connection: Driver, actor: Actor, today: date) -> list[LineRow]:
    """Open deliveries whose material the seller doubts, the earliest first."""
    found = await reads.list_lines(connection, actor, LineFilter(View.AT_RISK), None, MOST)
    return [row for row in found if row.due_date >= today]


async def _overdue(connection: Driver, actor: Actor, today: date) -> list[str]:
    number = await reads.count_lines(connection, actor, LineFilter(View.OVERDUE, today=today), COUNTED)
    return [_("Due and not received: {n}").format(n=i18n.number(number))] if number else []


def _lines(label: str, rows: list[LineRow], actor: Actor) -> list[str]:
    if not rows:
        return []
    parts = [f"{part_of(row, actor)} {amount(row)}" for row in rows[:SHOWN]]
    things = wording.listed(parts)
    if len(rows) > SHOWN:
        things = _("{things}, and {n} more").format(things=things, n=i18n.number(len(rows) - SHOWN))
    return [_("{label}: {things}").format(label=label, things=things)]


async def _companies(connection: Driver, actor: Actor) -> str:
    """The reader's own company, and for a partner the workspace it is in: one person may read for several."""
    row = await connection.fetchrow(
        "select p.name, t.name from party p join tenant t on t.tenant_id = p.tenant_id"
        " where p.tenant_id = $1 and p.party_id = $2",
        *(actor.tenant_id, actor.party_id),
    )
    assert row is not None
    return str(row[1]) if actor.is_factory else wording.joined(row[0], row[1])


async def _nothing(connection: Driver, actor: Actor, today: date) -> str:
    upcoming = await reads.list_lines(connection, actor, LineFilter(View.OPEN, since=today), None, 1)
    said = _("Nothing waits for you.")
    if not upcoming:
        return said
    following = _("Next delivery {day}.").format(day=i18n.day(upcoming[0].due_date))
    return said + following if i18n.language.get() is i18n.Language.ZH else f"{said} {following}"


async def _buttons(
    session: AsyncSession,
    actor: Actor,
    object_id: UUID,
    confirm: list[LineRow],
    risks: list[LineRow],
    notes: list[ShipmentRow],
    asked: list[ChangeRow],
) -> Rows:
    first: list[Button] = []
    if confirm:
        first.append(await confirm_all(session, actor, "digest", object_id, confirm))
    if risks:
        actions = await offer(session, actor, [Verb.SHOW_RISKS], "digest", object_id)
        first.append(wording.acting(Verb.SHOW_RISKS, actions))
    counting = []
    for note in notes[:NOTES]:  # who stands at the dock is one press away from the count
        actions = await offer(session, actor, [Verb.SHOW], "shipment", note.id)
        counting.append(Button(_("Receive {number}").format(number=note.number), actions[Verb.SHOW]))
    deciding = in_pairs(await decisions(session, actor, asked))
    return tuple(filter(None, (tuple(first), *deciding, *in_pairs(counting), (opening("/"),))))


# --- the evening ------------------------------------------------------------------------------------------------------

_AGREED = """
select t.verb, t.subject_id, t.subject from timeline t
where t.tenant_id = $1 and t.party_id = any(array(
        select p.party_id from party p where p.tenant_id = $1 and ($2 or p.party_id = $3)))
    and t.id > $4 and t.at >= $5 and t.member_id = $6 and t.verb = any($7)
    and ($8::uuid[] is null or t.contract_id is null or t.contract_id = any($8))
    and t.data->>'by_rule' is distinct from 'true'
order by t.id limit 1000"""
# Which deeds bind the company, by what they are done to, and how they are counted.
AGREED: dict[tuple[str, str], tuple[str, str]] = {
    ("schedule_line", "confirmed"): (N_("Confirmed: {n} delivery"), N_("Confirmed: {n} deliveries")),
    ("schedule_line", "deviated"): (
        N_("Answered otherwise than asked: {n} delivery"),
        N_("Answered otherwise than asked: {n} deliveries"),
    ),
    ("schedule_line", "deviation_accepted"): (
        N_("Accepted as the seller can: {n} delivery"),
        N_("Accepted as the seller can: {n} deliveries"),
    ),
    ("schedule_line", "rejected"): (N_("Refused: {n} delivery"), N_("Refused: {n} deliveries")),
    ("release", "acknowledged"): (N_("Acknowledged: {n} release"), N_("Acknowledged: {n} releases")),
    ("release", "rejected"): (N_("Rejected: {n} release"), N_("Rejected: {n} releases")),
    ("contract", "forecast_committed"): (N_("Committed to: {n} forecast"), N_("Committed to: {n} forecasts")),
    ("change_request", "submitted"): (N_("Asked for: {n} change"), N_("Asked for: {n} changes")),
    ("change_request", "countered"): (N_("Counter-offers made: {n}"), N_("Counter-offers made: {n}")),
    ("change_request", "accepted"): (N_("Agreed to: {n} change"), N_("Agreed to: {n} changes")),
    ("change_request", "declined"): (N_("Refused: {n} change"), N_("Refused: {n} changes")),
    ("shipment", "received"): (N_("Received: {n} delivery note"), N_("Received: {n} delivery notes")),
    ("shipment", "sent"): (N_("Shipped: {n} delivery note"), N_("Shipped: {n} delivery notes")),
    ("contract", "accepted"): (N_("Accepted: {n} contract"), N_("Accepted: {n} contracts")),
    ("contract", "declined"): (N_("Declined: {n} contract"), N_("Declined: {n} contracts")),
    ("approval_case", "approved"): (N_("Approved: {n} request"), N_("Approved: {n} requests")),
    ("approval_case", "refused"): (N_("Not approved: {n} request"), N_("Not approved: {n} requests")),
    ("contract", "amendment_accepted"): (N_("Accepted: {n} amendment"), N_("Accepted: {n} amendments")),
    ("contract", "amendment_declined"): (N_("Declined: {n} amendment"), N_("Declined: {n} amendments")),
}


async def agreed_card(session: AsyncSession, actor: Actor, object_id: UUID, purpose: str) -> Card:
    """What this person agreed today for their company. `facts` is empty when it was nothing.

    The day is that of the company, whose evening it is; the workspace may be in the next day already.
    """
    connection = await db.driver(session)
    zone, _calendar = await office_hours(connection, actor.tenant_id, actor.party_id)
    today = local_today(clock.now(), zone)
    facts = await agreed(connection, actor, day_begins(today, zone))
    return Card(
        title=_("What you agreed today, {day}").format(day=wording.day(today)),
        subject=await _companies(connection, actor),
        facts=tuple(facts),
        deadline=_("If something is not as you meant it, open the page and tell the other company today."),
        state="",
        buttons=((opening("/"),),),
        link=wording.address("/"),
    )


async def agreed(connection: Driver, actor: Actor, since: datetime) -> list[str]:
    """What this member did since an instant that binds the company, counted by kind, with the first deliveries."""
    earliest = UUID(int=int(since.astimezone(ZoneInfo("UTC")).timestamp() * 1000) << 80)
    seen = None if actor.contract_ids is None else list(actor.contract_ids)
    rows = await connection.fetch(
        _AGREED,
        *(actor.tenant_id, actor.is_factory, actor.party_id, earliest, since, actor.member_id),
        *([verb for _subject, verb in AGREED], seen),
    )
    facts = []
    for deed, (one, many) in AGREED.items():
        ids = list(dict.fromkeys(row["subject_id"] for row in rows if (row["subject"], row["verb"]) == deed))
        if ids:
            facts.append(ngettext(one, many, len(ids)).format(n=i18n.number(len(ids))))
            facts += await first_lines(connection, actor, ids) if deed == ("schedule_line", "confirmed") else []
    return facts
