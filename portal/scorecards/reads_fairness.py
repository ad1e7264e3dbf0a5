"""Fairness: how steady the buyer's plan was, beside how the seller kept its word; one row a partner and direction.

Every figure has its definition beside it. What one side caused is not counted against the other: a change that the
seller asked for does not make the buyer's plan unsteady, and a delivery that the buyer changed breaks no promise.
"""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.i18n import N_
from portal.schedules.rules_stability import Steadiness
from portal.schedules.service import visible
from portal.scorecards.reads_stability import steadiness_of

YEAR = timedelta(days=365)
RATE = Decimal("0.000001")  # rates are given with six places
DEFINITIONS: dict[str, str] = {
    "stability": N_(
        "1 less the changes divided by what the release before asked for, over firm and trade-off deliveries: a "
        "change of quantity counts with its difference, a delivery that is new, gone or on another day with its whole "
        "quantity. What was delivered and what the seller asked for does not count."
    ),
    "changed_firm": N_("Deliveries that a release changed and that were firm before, or became firm at once."),
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


class Word(Struct, frozen=True):
    """What was asked for and promised in one pair."""

    requests: int = 0
    inside: int = 0
    promised: int = 0
    kept: int = 0
    response_hours: Decimal | None = None
    answered: int = 0
    answers: int = 0


class Fairness(Struct, frozen=True):
    """One pair: the buyer's figures, then the seller's. What there was nothing to measure of is none."""

    party_id: UUID
    party_name: str
    direction: Direction  # sale: the partner buys
    plan: Steadiness
    word: Word

    @property
    def stability(self) -> Decimal | None:
        return None if self.plan.stability is None else self.plan.stability.quantize(RATE)

    @property
    def changed_firm(self) -> int | None:
        return self.plan.firm_lines if self.plan.pairs else None

    @property
    def notice_days(self) -> Decimal | None:
        return None if self.plan.mean_notice is None else self.plan.mean_notice.quantize(Decimal("0.1"))

    @property
    def inside_rate(self) -> Decimal | None:
        return (Decimal(self.word.inside) / self.word.requests).quantize(RATE) if self.word.requests else None

    @property
    def kept_rate(self) -> Decimal | None:
        return (Decimal(self.word.kept) / self.word.promised).quantize(RATE) if self.word.promised else None

    @property
    def answers_per_line(self) -> Decimal | None:
        word = self.word
        return (Decimal(word.answers) / word.answered).quantize(Decimal("0.01")) if word.answered else None


_BOARD = """
with chosen as materialized (
    select c.id, c.party_id, c.direction from contract c
    where c.tenant_id = $1 and ($2::uuid[] is null or c.id = any($2)) and ($5::uuid is null or c.party_id = $5)
        and ($6::text is null or c.direction = $6)
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
    select party_id, direction from wishes
    union select party_id, direction from promises union select party_id, direction from word
)
select e.party_id, p.name, e.direction, coalesce(wishes.requests, 0), coalesce(wishes.inside, 0),
    coalesce(promises.promised, 0), coalesce(promises.kept, 0), round((word.seconds / 3600)::numeric, 1),
    coalesce(word.lines, 0), coalesce(word.answers, 0)
from found e
left join wishes using (party_id, direction) left join promises using (party_id, direction)
left join word using (party_id, direction)
left join party p on p.tenant_id = $1 and p.party_id = e.party_id"""


async def fairness(connection: Driver, actor: Actor, asked: Asked, today: date) -> list[Fairness]:
    """Every pair that the actor may see and of which there is something to measure; a partner's is its own."""
    plans = {
        pair: plan
        for pair, plan in (await steadiness_of(connection, actor, asked.since, asked.until)).items()
        if asked.party_id in {None, pair[0]} and asked.direction in {None, pair[2]}
    }
    direction = asked.direction.value if asked.direction else None
    among = asked.since, asked.until, asked.party_id, direction, today
    rows = await connection.fetch(_BOARD, actor.tenant_id, visible(actor), *among)
    words = {(row[0], Direction(row[2])): (row[1] or "", Word(*list(row.values())[3:])) for row in rows}
    names = {(party, way): name for party, name, way in plans} | {key: name for key, (name, _word) in words.items()}
    plan_of = {(party, way): plan for (party, _name, way), plan in plans.items()}
    found = [
        Fairness(party, name, way, plan_of.get((party, way), Steadiness()), words.get((party, way), ("", Word()))[1])
        for (party, way), name in names.items()
    ]
    return sorted(found, key=lambda pair: (pair.party_name.lower(), pair.direction.value, str(pair.party_id)))
