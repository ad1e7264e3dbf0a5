"""What happens when the seller has not answered in time: what the contract says, never silently.

Run by a job as often as it likes: a line remembers when its deadline was last missed.
"""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Lapse
from portal.core import db
from portal.core.actor import Actor
from portal.core.journal import emit, record
from portal.core.states import Side
from portal.schedules.events import AnswerLapsed
from portal.schedules.rules import default_promise
from portal.schedules.rules_answers import deemed_quantity
from portal.schedules.service_lines import LineHead, change, lock_lines, subject
from portal.schedules.service_promises import Given, Part, give_answers

logger = logging.getLogger(__name__)
MOST = 2000  # lines of one look; the next look goes on
_LAPSED = """
select l.id, coalesce(c.lapse, 'escalate') as lapse, c.lapse_percent,
    coalesce((select sum(f.quantity) from confirmation f where f.tenant_id = l.tenant_id and f.line_id = l.id
        and f.status = 'closed' and f.line_version = (select max(g.line_version) from confirmation g
            where g.tenant_id = l.tenant_id and g.line_id = l.id and g.status = 'closed')), 0) as previous
from schedule_line l join contract c on c.tenant_id = l.tenant_id and c.id = l.contract_id
where l.tenant_id = $1 and l.respond_by < $2 and l.status in ('proposed', 'partly_confirmed')
    and (l.lapsed_at is null or l.lapsed_at < l.respond_by)
order by l.id limit $3"""


async def lapse_answers(session: AsyncSession, actor: Actor, now: datetime) -> int:
    """Do for every line without an answer what its contract says. Returns how many lapsed."""
    connection = await db.driver(session)
    rows = {row["id"]: row for row in await connection.fetch(_LAPSED, actor.tenant_id, now, MOST)}
    if not rows:
        return 0
    heads = await lock_lines(session, actor, dict.fromkeys(rows))
    for head in heads:
        await _lapse(session, actor, head, rows[head.id], now)
    logger.info("answers lapsed", extra={"lines": len(heads)})
    return len(heads)


async def _lapse(session: AsyncSession, actor: Actor, head: LineHead, row: Any, now: datetime) -> None:
    lapse = Lapse(row["lapse"])
    counts = _deemed(head, lapse, row["previous"], row["lapse_percent"])
    ended = {"respond_by": None} if lapse is Lapse.NOTHING else {}  # nobody is reminded any more
    after = await change(session, actor, head, lapsed_at=now, **ended)
    record(session, actor, subject(after), "lapsed", lapse=lapse)
    emit(session, actor, head.party_id, AnswerLapsed(head.id))
    if counts > 0:
        _quantity, day = default_promise(head.ordered_quantity, head.confirmed_quantity, head.due_date, head.today(now))
        given = Given(after, [Part(counts, day)], Side.SELLER, deemed=True)
        await give_answers(session, actor, [given], now)


def _deemed(head: LineHead, lapse: Lapse, previous: Decimal, percent: Decimal | None) -> Decimal:
    return deemed_quantity(lapse, head.ordered_quantity, head.confirmed_quantity, previous, percent, head.unit)
