"""What a contract's calendar does by itself each day: amendments begin, contracts end, people are reminded.

Every step remembers in the contract what it has done, so the job may run as often as it likes.
"""

import logging
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import ContractEndingSoon, ContractUnderused
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.reads_buckets import running
from portal.contracts.rules_life import ends_soon, last_day, underused
from portal.contracts.service_amendments import apply_due_amendments
from portal.contracts.service_life import expire_contracts
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import driver
from portal.core.journal import emit

logger = logging.getLogger(__name__)
DAY = timedelta(days=1)
AGAIN = timedelta(days=30)  # how often somebody is told that too little is called off
_USED = """
select l.contract_id, sum(l.target_quantity),
    sum(least(l.target_quantity, coalesce((
        select sum(case when s.status in ('closed', 'cancelled') then s.received_quantity else s.ordered_quantity end)
        from schedule_line s
        where s.tenant_id = l.tenant_id and s.contract_line_id = l.id and s.status <> 'draft'
            and s.due_date <= $3), 0)))
from contract_line l
where l.tenant_id = $1 and l.contract_id = any($2) and l.target_quantity is not null and l.ended_from is null
group by l.contract_id, l.unit"""


async def contract_day(session: AsyncSession, actor: Actor, now: datetime) -> dict[str, int]:
    """Everything that is due in one workspace. Returns how many of each. Safe to repeat."""
    return {
        "applied": await apply_due_amendments(session, actor, now),
        "ended": await expire_contracts(session, actor, now),
        "reminded": await remind_contracts(session, actor, now),
    }


async def remind_contracts(session: AsyncSession, actor: Actor, now: datetime) -> int:
    """Tell once that a contract ends within its notice, and every 30 days that too little of it is called off."""
    query = select(Contract).where(
        Contract.tenant_id == actor.tenant_id,
        col(Contract.status).in_((ContractStatus.ACTIVE, ContractStatus.SUSPENDED)),
    )
    contracts = (await session.exec(query.order_by(col(Contract.id)).with_for_update())).all()
    shares = await _used(session, actor, [contract.id for contract in contracts], now.date())
    behind = await _behind(session, actor, [one.id for one in contracts if one.status is ContractStatus.ACTIVE], now)
    told = 0
    for contract in contracts:
        today = local_today(now, contract.time_zone)
        last = last_day(contract.valid_to, contract.ends_on)
        if ends_soon(today, last, contract.notice_days) and contract.reminded_end != last:
            contract.reminded_end = last
            emit(session, actor, contract.party_id, ContractEndingSoon(contract.id))
            told += 1
        rested = contract.reminded_use is None or today - contract.reminded_use >= AGAIN
        little = contract.id in behind or any(
            underused(contract.valid_from, last, today, target, used) for target, used in shares.get(contract.id, [])
        )
        if rested and little:
            contract.reminded_use = today
            emit(session, actor, contract.party_id, ContractUnderused(contract.id))
            told += 1
    return told


async def _used(
    session: AsyncSession, actor: Actor, contract_ids: list[UUID], today: date
) -> dict[UUID, list[tuple[Decimal, Decimal]]]:
    """By contract, a pair for each unit: its target quantities and how much of them was called off by today."""
    found: dict[UUID, list[tuple[Decimal, Decimal]]] = {}
    for contract_id, target, used in await (await driver(session)).fetch(_USED, actor.tenant_id, contract_ids, today):
        found.setdefault(contract_id, []).append((target, used))
    return found


async def _behind(session: AsyncSession, actor: Actor, contract_ids: list[UUID], now: datetime) -> set[UUID]:
    """Contracts with a period that runs and is called off too slowly to reach its floor."""
    rows = await running(await driver(session), actor, contract_ids, now.date())
    return {
        contract_id
        for contract_id, row in rows
        if underused(row.period_start, row.period_end - DAY, now.date(), row.outlook.floor, row.sums.called)
    }
