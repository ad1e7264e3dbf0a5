"""Fairness: how steady the buyer's plan was, beside how the seller kept its word; one row a partner and direction.

Every figure has its definition beside it. What one side caused is not counted against the other: a change that the
seller asked for does not make the buyer's plan unsteady, and a delivery that the buyer changed breaks no promise.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.i18n import N_
from portal.schedules.service import visible

YEAR = timedelta(days=365)
RATE = Decimal("0.000001")  # rates are given with six places
DEFINITIONS: dict[str, str] = {
    "stability": N_(
        "1 less the quantities that a release changed, as a share of the firm and trade-off quantities of the release "
        "before that were still due. A delivery on another day counts whole. Changes that the seller asked for and "
        "deliveries that were received do not count."
    ),
    "changed_firm": N_("Firm deliveries whose quantity or day the next release changed, of all firm ones."),
    "notice_days": N_(
        "From the release that changed a firm or trade-off delivery to its earlier day, in calendar days, on average."
    ),
    "inside": N_("Change requests of the buyer outside the firm zone and inside the agreed band, of all it sent."),
    "promises": N_(
        "Deliveries received whole, within tolerance, not later than the day first promised, of those whose promised "
        "day has passed. Deliveries that the buyer changed afterwards do not count."
    ),
    "response": N_("Median time from the first release that asked for a delivery to the seller's first answer."),
    "answers": N_("Answers of the seller for each delivery that it answered; 1 means that no promise was changed."),
}


class Asked(Struct, frozen=True):
    """Releases, requests and promised days from `since` to `until`, both inclusive."""

    since: date
    until: date
    party_id: UUID | None = None
    direction: Direction | None = None


def asked_of(
    today: date, since: date | None, until: date | None, party_id: UUID | None, direction: Direction | None
) -> Asked:
    """What is looked at; without days the year up to today."""
    last = until or today
    first = since or (last - YEAR if last > date.min + YEAR else date.min)
    return Asked(first, last, party_id, direction)


class Fairness(Struct, frozen=True):
    """One pair: the buyer's figures, then the seller's. What there was nothing to measure of is none."""

    party_id: UUID
    party_name: str
    direction: Direction  # sale: the partner buys
    planned: Decimal  # sum of the firm and trade-off quantities that releases could have changed
    moved: Decimal  # how much of it they changed
    firm_lines: int
    changed_firm: int
    notice_days: Decimal | None
    requests: int
    inside: int
    promised: int
    kept: int
    response_hours: Decimal | None
    answered: int
    answers: int

    @property
    def stability(self) -> Decimal | None:
        return (1 - self.moved / self.planned).quantize(RATE) if self.planned else None

    @property
    def inside_rate(self) -> Decimal | None:
        return (Decimal(self.inside) / self.requests).quantize(RATE) if self.requests else None

    @property
    def kept_rate(self) -> Decimal | None:
        return (Decimal(self.kept) / self.promised).quantize(RATE) if self.promised else None

    @property
    def answers_per_line(self) -> Decimal | None:
        return (Decimal(self.answers) / self.answered).quantize(Decimal("0.01")) if self.answered else None

    @property
    def key(self) -> tuple[str, str, str]:
        """What the rows are ordered by."""
        return self.party_name, self.direction.value, str(self.party_id)


_BOARD = """
with chosen as materialized (
    select c.id, c.party_id, c.direction from contract c
    where c.tenant_id = $1 and ($2::uuid[] is null or c.id = any($2)) and ($5::uuid is null or c.party_id = $5)
        and ($6::text is null or c.direction = $6)
), pairs as (
    select r.id, r.contract_id, r.number, r.calculated_on, c.party_id, c.direction,
        lag(r.id) over (partition by r.contract_id order by r.number) as earlier
    from release r join chosen c on c.id = r.contract_id where r.tenant_id = $1
), compared as (
    select p.party_id, p.direction, p.calculated_on, o.zone, o.quantity as was, o.due_date as was_on,
        n.quantity as becomes, n.due_date as becomes_on,
        n.id is null or n.quantity <> o.quantity or n.due_date <> o.due_date as changed
    from pairs p
    join release_line o on o.tenant_id = $1 and o.release_id = p.earlier and o.zone in ('firm', 'tradeoff')
        and o.due_date >= p.calculated_on
    join schedule_line l on l.tenant_id = $1 and l.id = o.schedule_line_id
    left join release_line n on n.tenant_id = $1 and n.release_id = p.id and n.schedule_line_id = o.schedule_line_id
    where p.calculated_on between $3 and $4 and (n.id is not null or l.status = 'cancelled')
        and not exists (
            select from change_request q join change_part t on t.tenant_id = $1 and t.change_id = q.id
                and t.line_id = o.schedule_line_id
            where q.tenant_id = $1 and q.contract_id = p.contract_id and q.release_no = p.number
                and (q.asked_scope = 'factory') = (p.direction = 'sale'))
), plan as (
    select party_id, direction, sum(was) as planned,
        sum(case when not changed then 0 when becomes is null or becomes_on <> was_on then was else abs(becomes - was)
            end) as moved,
        count(*) filter (where zone = 'firm')::int as firm_lines,
        count(*) filter (where zone = 'firm' and changed)::int as changed_firm,
        round(avg(least(was_on, coalesce(becomes_on, was_on)) - calculated_on) filter (where changed), 1) as notice_days
    from compared group by 1, 2
), wishes as (
    select c.party_id, c.direction, count(*)::int as requests, count(*) filter (where q.way = 'inside')::int as inside
    from change_request q join chosen c on c.id = q.contract_id
    where q.tenant_id = $1 and (q.submitted_at at time zone 'UTC')::date between $3 and $4
        and (q.asked_scope = 'factory') = (c.direction = 'purchase')
    group by 1, 2
), promises as (
    select c.party_id, c.direction, count(*)::int as promised,
        count(*) filter (where l.status = 'closed' and l.close_reason in ('complete', 'short')
            and l.last_received_on <= l.promised_date)::int as kept
    from schedule_line l join chosen c on c.id = l.contract_id
    where l.tenant_id = $1 and l.promised_date between $3 and $4 and l.promised_date < $7
        and l.status not in ('draft', 'cancelled')
        and not exists (
            select from change_part t join change_request q on q.tenant_id = $1 and q.id = t.change_id
                and q.offer_no = t.offer_no
            where t.tenant_id = $1 and t.line_id = l.id and q.status = 'applied' and t.agreed is distinct from false
                and (q.asked_scope = 'factory') = (c.direction = 'purchase'))
    group by 1, 2
), answered as (
    select c.party_id, c.direction, l.id, min(t.at) as first_at, count(*)::int as answers
    from timeline t join schedule_line l on l.tenant_id = $1 and l.id = t.subject_id
    join chosen c on c.id = l.contract_id
    where t.tenant_id = $1 and t.subject = 'schedule_line' and t.verb in ('confirmed', 'rejected')
        and (t.scope = 'factory') = (c.direction = 'sale')
    group by 1, 2, 3 having (min(t.at) at time zone 'UTC')::date between $3 and $4
), word as (
    select a.party_id, a.direction, count(*)::int as lines, sum(a.answers)::int as answers,
        percentile_cont(0.5) within group (
            order by extract(epoch from a.first_at - f.asked_at)) filter (where f.asked_at <= a.first_at) as seconds
    from answered a left join lateral (
        select coalesce(min(r.published_at) filter (where n.zone = 'firm'), min(r.published_at)) as asked_at
        from release_line n join release r on r.tenant_id = $1 and r.id = n.release_id
        where n.tenant_id = $1 and n.schedule_line_id = a.id and r.published_at <= a.first_at) f on true
    group by 1, 2
), found as (
    select party_id, direction from plan union select party_id, direction from wishes
    union select party_id, direction from promises union select party_id, direction from word
)
select e.party_id, p.name, e.direction, coalesce(plan.planned, 0), coalesce(plan.moved, 0),
    coalesce(plan.firm_lines, 0), coalesce(plan.changed_firm, 0), plan.notice_days, coalesce(wishes.requests, 0),
    coalesce(wishes.inside, 0), coalesce(promises.promised, 0), coalesce(promises.kept, 0),
    round((word.seconds / 3600)::numeric, 1), coalesce(word.lines, 0), coalesce(word.answers, 0)
from found e
left join plan using (party_id, direction) left join wishes using (party_id, direction)
left join promises using (party_id, direction) left join word using (party_id, direction)
left join party p on p.tenant_id = $1 and p.party_id = e.party_id
order by p.name collate "C", e.direction, e.party_id"""


async def fairness(connection: Driver, actor: Actor, asked: Asked, today: date) -> list[Fairness]:
    """Every pair that the actor may see and of which there is something to measure; a partner's is its own."""
    actor.require(Permission.READ)
    direction = asked.direction.value if asked.direction else None
    among = asked.since, asked.until, asked.party_id, direction, today
    rows = await connection.fetch(_BOARD, actor.tenant_id, visible(actor), *among)
    return [_pair(row) for row in rows]


def _pair(row: Any) -> Fairness:
    values = dict(zip(Fairness.__struct_fields__, row.values(), strict=True))
    return Fairness(
        **(values | {"party_name": values["party_name"] or "", "direction": Direction(values["direction"])})
    )
