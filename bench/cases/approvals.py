"""Approval rules: many requests against many rules, and a draft tried on the past."""

import os
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bench import data
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, calm, repeat
from bench.machine import peak_mb
from portal.approvals import reads
from portal.approvals.facts import Facts, stored
from portal.approvals.inputs import Condition, Group, Join, Op, Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalPoint
from portal.approvals.rules_matching import compiled
from portal.approvals.rules_trial import tried
from portal.core import clock, db
from portal.core.access import Role
from portal.core.actor import Actor, Scope

REQUESTS, RULES, PAST = 1_000, 100, 10_000
CHANGE = ApprovalPoint.CHANGE

_PAST = """
insert into approval_case (tenant_id, id, point, subject, subject_id, subject_version, label, facts, currency, data,
    status, rule_no, rule, requested_name, requested_scope, requested_at, decided_at, version)
select $1, uuidv7(), 'change', 'change_request', uuidv7(), 1, 'C-' || n, f.facts, 'CNY', '{}',
    case when n % 7 = 0 then 'refused' else 'approved' end, 1, '{"name": "bench", "then": {"kind": "approve"}}',
    'bench', 'factory', now() - n * interval '10 minutes', now(), 1
from generate_series(1, $2::int) n join unnest($3::jsonb[]) with ordinality f(facts, no) on f.no = 1 + n % $4"""
_STEPS = """
insert into approval_step (tenant_id, id, case_id, step_no, role, status, escalation, decided_by, decided_name,
    decided_via, deputy_of, decided_at, note)
select c.tenant_id, uuidv7(), c.id, 1, 'sales', c.status, 'asked', c.id, 'bench', 'page', '', now(), ''
from approval_case c where c.tenant_id = $1"""


def rules(count: int) -> Rules:
    """So many rules of three conditions each, of which hardly one fits."""
    made = []
    for n in range(count):
        percent = Condition(fact="change_percent", op=Op.BEYOND, values=[f"{n + 100}.5"])
        firm = Condition(fact="zone", op=Op.ANY_OF, values=["firm"])
        late = Condition(fact="notice_days", op=Op.LESS, values=[str(n % 20)])
        when = Group(join=Join.AND, of=[percent, Group(join=Join.OR, of=[firm, late])])
        made.append(Rule(name=f"Rule {n}", when=when, then=Outcome(kind=OutcomeKind.APPROVE)))
    return Rules(rules=made)


def request(n: int) -> Facts:
    """The facts of one request; every tenth moves far."""
    facts: dict[str, Any] = {
        "kind": "quantity",
        "direction": "sale",
        "asked_by": "partner",
        "zone": ["firm", "tradeoff"] if n % 3 else ["forecast"],
        "change_percent": Decimal(n % 90) + (110 if n % 10 == 0 else 0),
        "notice_days": n % 60,
        "value": Decimal(n) * 10,
        "item": [f"A{n % 50}"],
        "party": "AURORA",
    }
    return stored(CHANGE, facts)


async def rules_1k_x_100(databases: Databases) -> Result:
    """A thousand requests, each against a hundred rules."""
    requests, ready = [request(n) for n in range(REQUESTS)], compiled(CHANGE, rules(RULES))

    async def seconds() -> float:
        calm()
        begin = time.perf_counter()
        fitting = sum(1 for facts in requests if ready.verdict(facts).rule_no)
        taken = time.perf_counter() - begin
        if not 0 < fitting < REQUESTS:
            raise RuntimeError(f"{fitting} of {REQUESTS} requests found a rule")
        return taken

    return alone("rules_1k_x_100", await repeat(seconds), peak_mb(os.getpid()))


async def rule_trial_10k(databases: Databases) -> Result:
    """A draft of twenty rules tried on ten thousand requests that people decided, from the database on."""
    settings = await databases.work()
    admin = await databases.superuser("bench_work")
    who = data.access(data.MEASURED, "factory")
    actor = Actor(who.tenant_id, who.party_id, Scope.FACTORY, Role.ADMIN, who.member_id, "bench")
    facts = [db.to_json(request(n)) for n in range(100)]
    await admin.execute(_PAST, who.tenant_id, PAST, facts, len(facts))
    await admin.execute(_STEPS, who.tenant_id)
    db.configure(settings, 2)
    ready = compiled(CHANGE, rules(20))

    async def seconds() -> float:
        calm()
        begin = time.perf_counter()
        async with db.read(actor) as connection:
            past = await reads.past_cases(connection, actor, CHANGE, clock.now() - timedelta(days=365))
        found = tried(ready, past)
        taken = time.perf_counter() - begin
        if found.total != PAST or not found.different:
            raise RuntimeError(f"{found.total} requests tried, {found.different} decided differently")
        return taken

    try:
        return alone("rule_trial_10k", await repeat(seconds), peak_mb(os.getpid()))
    finally:
        await db.dispose()
        await admin.execute("delete from approval_step where tenant_id = $1", who.tenant_id)
        await admin.execute("delete from approval_case where tenant_id = $1", who.tenant_id)
        await admin.close()


CASES = (
    Case("rules_1k_x_100", Target(most=1), rules_1k_x_100),
    Case("rule_trial_10k", Target(most=5), rule_trial_10k),
)
