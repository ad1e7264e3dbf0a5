"""What a change of a wide contract does: the impact sheet."""

import os
import time

from bench import data, machine
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, calm, repeat
from portal.changes.impact import PartAsked, get_head, impact_of, items, lines_now
from portal.changes.model import PartKind
from portal.changes.rules import After, Piece
from portal.changes.rules_impact import Curve
from portal.changes.words import sentence
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.states import Side

_ONE_EACH = """
select distinct on (contract_line_id) id from schedule_line
where tenant_id = $1 and contract_id = $2 and status <> 'draft' order by contract_line_id, due_date desc, id"""


async def impact_500(databases: Databases) -> Result:
    """The sheet of a request that moves one delivery of each of 500 contract lines, from the rows to its sentence."""
    settings = await databases.work()
    who = data.access(data.MEASURED, "factory")
    actor = Actor(who.tenant_id, who.party_id, Scope.FACTORY, Role.ADMIN, who.member_id, "bench")
    db.configure(settings)
    async with db.read(actor) as connection:
        ids = [row[0] for row in await connection.fetch(_ONE_EACH, actor.tenant_id, data.WIDE_CONTRACT)]
        lines = await lines_now(connection, actor, data.WIDE_CONTRACT, ids)
        known = await items(connection, actor, data.WIDE_CONTRACT, [line.contract_line_id for line in lines.values()])
    parts = []
    for no, line in enumerate(lines.values(), start=1):
        before = line.standing(known[line.contract_line_id].item_code, known[line.contract_line_id].unit)
        after = After((Piece(line.quantity + 40, line.due_date),), line.place, line.price)
        parts.append(PartAsked(no, PartKind.CHANGE, line.contract_line_id, line.id, before, after))

    async def seconds() -> float:
        calm()
        begin = time.perf_counter()
        async with db.read(actor) as connection:
            head = await get_head(connection, actor, data.WIDE_CONTRACT)
            sheet = await impact_of(connection, actor, head, Side.BUYER, parts)
        moved = [curve for curve in sheet.curves if _widest(curve)]
        taken = time.perf_counter() - begin
        if len(moved) < data.WIDE or not sentence(sheet):
            raise RuntimeError(f"the sheet moves {len(moved)} curves of {data.WIDE}")
        return taken

    try:
        return alone("impact_500", await repeat(seconds, 15), machine.peak_mb(os.getpid()))
    finally:
        await db.dispose()


def _widest(curve: Curve) -> bool:
    return curve.widest is not None and curve.widest[1] != 0


CASES = (Case("impact_500", Target(most=0.2), impact_500),)
