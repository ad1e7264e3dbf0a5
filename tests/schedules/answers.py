"""Lines that wait for an answer, for tests of answers that differ from what was asked."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.schedules import service
from portal.schedules.service import ConfirmLine, LineHead, Split
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.factories import Made, Tenant, fetch, make_contract, today

LINE = (
    "select status, version, ordered_quantity, requested_quantity, confirmed_quantity, due_date, requested_date,"
    " promised_date, deviation_id, respond_by, deemed, price from schedule_line where id = $1"
)


async def asked(
    tenant: Tenant, direction: Direction = Direction.PURCHASE, *, quantity: int = 100, in_days: int = 7, **terms: Any
) -> tuple[Made, UUID]:
    """An active contract with these terms of answers, and one published line in the firm zone."""
    made = await make_contract(tenant, direction, foq=None)
    async with unit_of_work(tenant.factory) as session:
        contract = await session.merge(made.contract)
        contract.sqlmodel_update(terms)
        session.add(contract)
    day = today() + timedelta(days=in_days)
    order = CallOff(contract_line_id=made.line.id, quantity=Decimal(quantity), due_date=day)
    async with unit_of_work(tenant.factory) as session:
        line_id = (await call_off(session, tenant.factory, made.contract.id, order)).id
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    return made, line_id


def promising(*parts: tuple[int, int], **said: Any) -> ConfirmLine:
    """Quantities, each with the number of days from today on which it is there."""
    splits = [Split(quantity=Decimal(q), delivery_date=today() + timedelta(days=days)) for q, days in parts]
    return ConfirmLine(splits=splits, **said)


async def answer(actor: Actor, line_id: UUID, data: ConfirmLine, version: int | None = None) -> LineHead:
    async with unit_of_work(actor) as session:
        return await service.confirm_line(session, actor, line_id, version, data)


async def line_of(actor: Actor, line_id: UUID) -> asyncpg.Record:
    """The line as this reader sees it."""
    (row,) = await fetch(actor, LINE, line_id)
    return row


async def answers_of(actor: Actor, line_id: UUID) -> list[tuple[int, str]]:
    """(quantity, status) of every part ever promised, the oldest first."""
    rows = await fetch(actor, "select quantity, status from confirmation where line_id = $1 order by id", line_id)
    return [(int(row["quantity"]), row["status"]) for row in rows]
