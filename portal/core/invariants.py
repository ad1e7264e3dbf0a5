# ruff: noqa: S608 - every piece of these queries is written in this file
"""What must hold in the data at any time, each as a query that returns no row when all is well.

`portal check` runs them as the owner, who passes row-level security. The numbers are those of the reliability rules;
numbers that are missing here belong to documents that the portal does not keep yet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from msgspec import Struct

from portal.core.audit import BREAKS
from portal.core.quantities import UNITS
from portal.core.roles import connect
from portal.core.schema import require_newest
from portal.core.settings import StartError

MOST = 20  # findings shown of one invariant
LEFT_LYING = "10 minutes"  # after which work that is due has been forgotten


class PolicyBound(StartError):
    """The given role sees nothing, so it would find nothing."""


class Invariant(Struct, frozen=True):
    code: str
    says: str
    query: str  # returns the offending rows; their columns are shown as they are
    values: tuple[Any, ...] = ()


class Finding(Struct, frozen=True):
    """One row that breaks an invariant."""

    code: str
    says: str
    where: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.code} {self.says}: " + ", ".join(f"{name} {value}" for name, value in self.where.items())


_PLACES = ", ".join(f"('{unit}', {places})" for unit, (places, _) in UNITS.items())
_UNITS = f"(values {_PLACES}) as u(unit, places)"

CONFIRMED_SUMS = f"""
select tenant_id, id as line, status, promised, confirmed_quantity, low, high from (
    select l.*, coalesce(p.promised, 0) as promised,
        least(ceil(l.ordered_quantity * (100 - l.under_percent) / 100 * 10.0 ^ u.places) / 10.0 ^ u.places,
            round(l.ordered_quantity, u.places)) as low,
        greatest(floor(l.ordered_quantity * (100 + l.over_percent) / 100 * 10.0 ^ u.places) / 10.0 ^ u.places,
            round(l.ordered_quantity, u.places)) as high
    from schedule_line l join {_UNITS} on u.unit = l.unit
    left join (
        select tenant_id, line_id, sum(quantity) as promised from confirmation where status = 'valid' group by 1, 2
    ) p on p.tenant_id = l.tenant_id and p.line_id = l.id
) l
where confirmed_quantity <> promised or promised > high
    or (status = 'confirmed' and promised < low)
    or (status = 'partly_confirmed' and (promised <= 0 or promised >= low))
    or (status in ('draft', 'published', 'proposed') and promised > 0)"""

SCALE = " union all ".join(
    f"select t.tenant_id, '{table}.{column}' as place, t.id, t.{column}::text as quantity"
    f" from {table} t left join {_UNITS} on u.unit = t.unit"
    f" where u.unit is null or t.{column} <> round(t.{column}, u.places) {also}"
    for table, column, also in (
        ("schedule_line", "ordered_quantity", "or t.ordered_quantity <= 0"),
        ("shipment_line", "quantity", "or t.quantity <= 0"),
        ("receipt_line", "counted", "or t.counted < 0"),
        ("receipt_line", "accepted", "or t.accepted < 0"),
    )
)

WHOLE_PACKS = """
select l.tenant_id, l.id as line, l.ordered_quantity, c.pack_size
from schedule_line l join contract_line c on c.tenant_id = l.tenant_id and c.id = l.contract_line_id
where l.period_start is not null and mod(l.ordered_quantity, c.pack_size) <> 0"""

IN_FORCE = """
    select r.* from receipt r where not exists (
        select 1 from receipt later where later.tenant_id = r.tenant_id and later.corrects_id = r.id)"""

ANNOUNCED = f"""
select tenant_id, id as receipt_line, announced, counted, short from receipt_line where announced <> counted + short
union all
select s.tenant_id, s.id, s.quantity, sum(l.announced), count(*)
from shipment_line s
join receipt_line l on l.tenant_id = s.tenant_id and l.shipment_line_id = s.id
join ({IN_FORCE}) r on r.tenant_id = l.tenant_id and r.id = l.receipt_id
group by s.tenant_id, s.id, s.quantity having sum(l.announced) <> s.quantity"""

DOCUMENT_SUMS = f"""
select l.tenant_id, l.id as line, l.shipped_quantity, s.shipped, l.received_quantity, r.accepted,
    l.rejected_quantity, r.rejected
from schedule_line l
left join lateral (
    select coalesce(sum(s.quantity), 0) as shipped
    from shipment_line s join shipment d on d.tenant_id = s.tenant_id and d.id = s.shipment_id
    where s.tenant_id = l.tenant_id and s.schedule_line_id = l.id and d.status not in ('draft', 'withdrawn')
) s on true
left join (
    select c.tenant_id, c.schedule_line_id, sum(c.accepted) as accepted, sum(c.rejected) as rejected
    from receipt_line c join ({IN_FORCE}) r on r.tenant_id = c.tenant_id and r.id = c.receipt_id
    group by 1, 2
) r on r.tenant_id = l.tenant_id and r.schedule_line_id = l.id
where l.shipped_quantity <> s.shipped or l.received_quantity <> coalesce(r.accepted, 0)
    or l.rejected_quantity <> coalesce(r.rejected, 0)"""

# Foreign keys hold what they can; these references carry no key of their own.
SAME_PARTY = """
select c.tenant_id, 'confirmation' as kind, c.id from confirmation c
    join release_line r on r.tenant_id = c.tenant_id and r.id = c.release_line_id
    where r.party_id <> c.party_id or r.schedule_line_id <> c.line_id
union all
select l.tenant_id, 'schedule_line', l.id from schedule_line l
    join release_line r on r.tenant_id = l.tenant_id and r.id = l.release_line_id
    where r.party_id <> l.party_id or r.schedule_line_id <> l.id
union all
select s.tenant_id, 'shipment_line', s.id from shipment_line s
    join schedule_line l on l.tenant_id = s.tenant_id and l.id = s.schedule_line_id
    where l.party_id <> s.party_id or l.contract_id <> s.contract_id or l.unit <> s.unit
union all
select c.tenant_id, 'receipt_line', c.id from receipt_line c
    join shipment_line s on s.tenant_id = c.tenant_id and s.id = c.shipment_line_id
    where s.party_id <> c.party_id or s.contract_id <> c.contract_id or s.schedule_line_id <> c.schedule_line_id
union all
select t.tenant_id, 'timeline', t.id from timeline t
    join contract c on c.tenant_id = t.tenant_id and c.id = t.contract_id where c.party_id <> t.party_id
union all
select r.tenant_id, 'member_restriction', r.id from member_restriction r
    join contract c on c.tenant_id = r.tenant_id and c.id = r.contract_id where c.party_id <> r.party_id
union all
select s.tenant_id, 'membership', s.id from membership s
    join member m on m.tenant_id = s.tenant_id and m.id = s.member_id where m.party_id <> s.party_id
union all
select s.tenant_id, 'api_key_token', s.id from api_key_token s
    join api_key k on k.tenant_id = s.tenant_id and k.id = s.key_id where k.party_id <> s.party_id"""

COMMANDS = """
select c.tenant_id, c.command_id as command, count(o.id) as told
from (select distinct tenant_id, command_id from confirmation where member_id is not null) c
left join outbox o on o.tenant_id = c.tenant_id and o.name in ('LineConfirmed', 'DeviationOffered')
    and o.data ->> 'command_id' = c.command_id::text
group by 1, 2 having count(o.id) <> 1
union all
select o.tenant_id, (o.data ->> 'command_id')::uuid, 0 from outbox o
where o.name = 'LineConfirmed' and not exists (
    select 1 from confirmation c where c.tenant_id = o.tenant_id and c.command_id::text = o.data ->> 'command_id')"""

SUBSCRIBED = """
select o.tenant_id, o.id as event, s.subscriber, count(d.id) as deliveries
from outbox o
join unnest($1::text[], $2::text[]) as s(name, subscriber) on s.name = o.name
left join delivery d on d.tenant_id = o.tenant_id and d.outbox_id = o.id and d.subscriber = s.subscriber
where o.taken_at is not null
group by 1, 2, 3 having count(d.id) <> 1"""

ONE_DELIVERY = """
select tenant_id, outbox_id as event, subscriber, count(*) as deliveries from delivery
group by 1, 2, 3 having count(*) > 1
union all
select d.tenant_id, d.outbox_id, d.subscriber, 0 from delivery d
where not exists (
    select 1 from outbox o where o.tenant_id = d.tenant_id and o.id = d.outbox_id and o.taken_at is not null)"""

LYING = f"""
select tenant_id, 'event' as kind, id, created_at as since from outbox
    where taken_at is null and created_at < now() - interval '{LEFT_LYING}'
union all
select tenant_id, 'delivery', id, next_try from delivery
    where done_at is null and next_try < now() - interval '{LEFT_LYING}'
union all
select tenant_id, 'unsealed audit', id, at from audit
    where seal is null and at < now() - interval '{LEFT_LYING}'"""

IMPORTS = """
select tenant_id, id as run, status, rows, done, created_at from import_run
where (kind = 'scms' and status = 'applied' and done <> rows)
    or (status in ('applied', 'refused', 'undone')) <> (finished_at is not null)
    or (status in ('reading', 'applying') and created_at < now() - interval '1 day')"""

IMPORTED_ONCE = """
select tenant_id, source, external_id, count(*) from schedule_line where external_id is not null
group by 1, 2, 3 having count(*) > 1"""

ACTORS = """
select a.tenant_id, a.id as audit, a.member_id as actor from audit a
where a.member_id is not null
    and not exists (select 1 from member m where m.tenant_id = a.tenant_id and m.id = a.member_id)
    and not exists (select 1 from api_key k where k.tenant_id = a.tenant_id and k.id = a.member_id)"""

# A schedule line has one entry a version; other documents may be mentioned again without being changed. The first
# version may come from an import or from the generation of many lines, which is one entry of the contract.
LINE_HISTORY = """
select l.tenant_id, l.id as line, l.version, count(t.id) as entries, count(distinct t.version) as versions
from schedule_line l
left join timeline t on t.tenant_id = l.tenant_id and t.subject_id = l.id and t.subject = 'schedule_line'
    and t.version > 1
group by 1, 2, 3
having count(t.id) <> l.version - 1 or count(distinct t.version) <> l.version - 1
    or coalesce(max(t.version), 1) <> l.version"""

HISTORY = " union all ".join(
    f"select d.tenant_id, '{table}' as kind, d.id, d.version, count(distinct t.version) as versions"
    f" from {table} d left join timeline t on t.tenant_id = d.tenant_id and t.subject_id = d.id"
    f" and t.subject = '{table}' and t.version > 1 group by 1, 2, 3, 4"
    " having count(distinct t.version) <> d.version - 1 or coalesce(max(t.version), 1) <> d.version"
    for table in ("contract", "shipment")
)

ONE_TRANSACTION = """
select t.tenant_id, t.subject, t.subject_id, t.verb, t.version from timeline t
where not exists (
    select 1 from audit a where a.tenant_id = t.tenant_id and a.transaction = t.transaction
        and a.subject_id = t.subject_id and a.action = t.subject || '.' || t.verb)
union all
select o.tenant_id, 'schedule_line', (o.data ->> 'line_id')::uuid, o.name, 0 from outbox o
where o.name = 'LineConfirmed' and not exists (
    select 1 from audit a where a.tenant_id = o.tenant_id and a.transaction = o.transaction
        and a.subject_id = (o.data ->> 'line_id')::uuid)"""

FUTURE = """
select tenant_id, 'timeline' as kind, id, at from timeline where at > now()
union all select tenant_id, 'audit', id, at from audit where at > now()"""

LEDGER_SUMS = """
select b.tenant_id, b.id as period, b.consumed, e.consumed as entries, b.allowance, e.allowance as allowed,
    b.tolerance_used, e.tolerance
from commitment_bucket b left join lateral (
    select coalesce(sum(quantity) filter (where kind in ('called', 'released', 'opening_called')), 0) as consumed,
        coalesce(sum(quantity) filter (where kind in ('carried_in', 'carried_out', 'over_call')), 0) as allowance,
        coalesce(sum(quantity) filter (where kind = 'tolerance'), 0) as tolerance
    from bucket_entry where tenant_id = b.tenant_id and bucket_id = b.id) e on true
where b.consumed <> e.consumed or b.allowance <> e.allowance or b.tolerance_used <> e.tolerance"""

# By line: confirmations, goods and what is consumed are those of the delivery itself, whichever periods they lie in.
LEDGER_LINES = """
select l.tenant_id, l.id as line, l.status, l.ordered_quantity, l.received_quantity, e.called, e.shipped, e.received
from schedule_line l left join (
    select tenant_id, line_id, sum(quantity) filter (where kind in ('called', 'released')) as called,
        coalesce(sum(quantity) filter (where kind = 'confirmed'), 0) as confirmed,
        coalesce(sum(quantity) filter (where kind = 'shipped'), 0) as shipped,
        coalesce(sum(quantity) filter (where kind = 'received'), 0) as received,
        coalesce(sum(quantity) filter (where kind = 'returned'), 0) as returned
    from bucket_entry group by 1, 2) e on e.tenant_id = l.tenant_id and e.line_id = l.id
where l.bucket_id is not null and (l.status = 'draft' or e.called is null
    or e.called <> case when l.status in ('closed', 'cancelled') then l.received_quantity else l.ordered_quantity end
    or e.confirmed <> l.confirmed_quantity or e.shipped <> l.shipped_quantity or e.received <> l.received_quantity
    or e.returned <> l.rejected_quantity)"""

LEDGER_CARRIED = """
select e.tenant_id, e.bucket_id as period, e.kind, e.quantity from bucket_entry e
where e.kind in ('carried_in', 'carried_out') and not exists (
    select from bucket_entry o where o.tenant_id = e.tenant_id and o.bucket_id = e.document_id
        and o.document_id = e.bucket_id and o.kind in ('carried_in', 'carried_out') and o.kind <> e.kind
        and o.quantity = -e.quantity)"""

FOUR_EYES = """
select c.tenant_id, c.id as approval, 'was decided by whoever asked for it' as what from approval_case c
    join approval_step s on s.tenant_id = c.tenant_id and s.case_id = c.id where s.decided_by = c.requested_by
union all
select tenant_id, case_id, 'has two decisions of one person' from approval_step
    where decided_by is not null group by tenant_id, case_id, decided_by having count(*) > 1
union all
select c.tenant_id, c.id, 'was approved without all its words' from approval_case c
    join approval_step s on s.tenant_id = c.tenant_id and s.case_id = c.id
    where c.status = 'approved' and s.status <> 'approved'"""

DISABLED = """
select u.id as account, 'session' as opens, s.id from user_account u join user_session s on s.user_id = u.id
    where u.disabled_at is not null and s.expires_at > now()
union all
select m.id, 'key', k.id from member m join api_key k on k.tenant_id = m.tenant_id and k.created_by = m.id
    where m.status = 'removed' and k.revoked_at is null
union all
select m.id, 'chat', c.id from member m join chat c on c.tenant_id = m.tenant_id and c.member_id = m.id
    where m.status = 'removed' and c.unbound_at is null"""

# A group is about a contract and asks whoever presses; any other chat speaks for the user who approved it.
CHATS = """
select c.tenant_id, c.id as chat, c.member_id from chat c
join chat_account a on a.id = c.account_id
left join membership m on m.tenant_id = c.tenant_id and m.member_id = c.member_id
where c.unbound_at is null and c.contract_id is null
    and (m.user_id is null or a.user_id is distinct from m.user_id)"""


VERSIONS = """
select tenant_id, contract_id, 'two offers wait' as what, max(number) as number from contract_revision
    where status = 'proposed' group by 1, 2 having count(*) > 1
union all
select later.tenant_id, later.contract_id, 'begins before the version agreed earlier', later.number
    from contract_revision later
    join contract_revision former on former.tenant_id = later.tenant_id and former.contract_id = later.contract_id
        and former.status = 'agreed' and former.number < later.number
    where later.status = 'agreed' and later.effective_from < former.effective_from
union all
select r.tenant_id, r.contract_id, 'was not put in force on its day', r.number
    from contract_revision r join contract c on c.tenant_id = r.tenant_id and c.id = r.contract_id
    where r.applies and r.effective_from < current_date - 1 and c.status in ('active', 'suspended')
        and r.answered_at < now() - interval '1 day'"""


def invariants(subscribers: Mapping[str, Sequence[str]]) -> list[Invariant]:
    """All of them. subscribers: the declared subscribers' names by event."""
    pairs = [(event, name) for event, names in subscribers.items() for name in names]
    declared = ([event for event, _ in pairs], [name for _, name in pairs])
    return [
        Invariant("I01", "promises add up and stay inside the tolerance", CONFIRMED_SUMS),
        Invariant("I02", "quantities are positive and as fine as their unit", SCALE),
        Invariant("I02", "generated deliveries are whole packs", WHOLE_PACKS),
        Invariant("I03", "announced is counted and short", ANNOUNCED),
        Invariant("I03", "a delivery's sums are those of its documents", DOCUMENT_SUMS),
        Invariant("I03", "a period's sums are those of its entries", LEDGER_SUMS),
        Invariant("I03", "a delivery's entries in the ledger are its own figures", LEDGER_LINES),
        Invariant("I03", "what is carried out of a period is carried into another", LEDGER_CARRIED),
        Invariant("I04", "child and parent belong to the same company", SAME_PARTY),
        Invariant("I10", "each confirmation was told once", COMMANDS),
        Invariant("I10", "each event has one delivery a subscriber", SUBSCRIBED, declared),
        Invariant("I11", "no delivery is recorded twice, and each has its event", ONE_DELIVERY),
        Invariant("I12", "nothing that is due is left lying", LYING),
        Invariant("I13", "the audit chain has no gap, no fork and no edit", BREAKS, (None,)),
        Invariant("I15", "an import is whole or nothing", IMPORTS),
        Invariant("I16", "the same content is imported once", IMPORTED_ONCE),
        Invariant("I17", "each act is under a known member or key", ACTORS),
        Invariant("I17", "a chat speaks for the person who approved it", CHATS),
        Invariant("I18", "a delivery's version is its history, without a missing or doubled step", LINE_HISTORY),
        Invariant("I18", "a document's version is its history", HISTORY),
        Invariant("I21", "deed, audit and event are of one transaction", ONE_TRANSACTION),
        Invariant("I23", "nothing happened in the future", FUTURE),
        Invariant("I24", "nobody approves what he asked for himself", FOUR_EYES),
        Invariant("I27", "on each day one version of a contract is in force", VERSIONS),
        Invariant("I25", "nobody who was disabled or removed can still enter", DISABLED),
    ]


async def run(owner_url: str, subscribers: Mapping[str, Sequence[str]] | None = None) -> list[Finding]:
    """All findings of one snapshot, at most 20 of each invariant. Raises PolicyBound when policies hide rows,
    RolesError when nobody answers, and SchemaError when the schema is not the one that the queries are about.

    subscribers: `jobs.subscriptions.names()`; without it the deliveries of each event are not counted.
    """
    connection = await connect(owner_url)
    try:
        if not await connection.fetchval("select rolsuper or rolbypassrls from pg_roles where rolname = current_user"):
            raise PolicyBound("The owner of PORTAL_DATABASE_URL needs BYPASSRLS to look at every tenant's data.")
        await require_newest(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await find(connection, subscribers or {})
    finally:
        await connection.close()


async def find(connection: asyncpg.Connection, subscribers: Mapping[str, Sequence[str]]) -> list[Finding]:
    """What is broken as this connection sees it."""
    findings = []
    for each in invariants(subscribers):
        rows = await connection.fetch(f"select * from ({each.query}) broken limit {MOST}", *each.values)
        findings += [Finding(each.code, each.says, dict(row)) for row in rows]
    return findings
