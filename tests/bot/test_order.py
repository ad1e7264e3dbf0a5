"""However updates travel - three times, in any order, a day late - the rows end as if each had come once, in time."""

import asyncio
import random
import secrets
from contextlib import suppress
from typing import Any

from bot.main import tidy
from portal.accounts import updates
from portal.accounts.model_chats import ChatBot
from portal.core import db
from portal.core.actor import Direction
from portal.core.db import to_json
from portal.core.ids import uuid7
from portal.core.settings import Settings, get_settings
from tests.accounts.test_identity import as_identity
from tests.bot.makers import House
from tests.factories import Tenant, fetch, make_contract, make_deliveries, make_tenant
from tests.shipments.makers import sent

LINES = """
select ordered_quantity, status, version, confirmed_quantity, supply_state, received_quantity from schedule_line
where tenant_id = $1 order by ordered_quantity"""
DONE = """select (select count(*) from confirmation where tenant_id = $1) as promises,
    (select count(*) from line_report where tenant_id = $1) as reports,
    (select count(*) from receipt where tenant_id = $1) as receipts,
    (select count(*) from outbox where tenant_id = $1 and name not like 'Chat%') as events"""


async def scene(house: House, tenant: Tenant) -> list[dict[str, Any]]:
    """Two people press and write; the updates of it, as Telegram would send them, none of which is fed yet."""
    bought = await make_contract(tenant, Direction.PURCHASE, number="FC-100")
    sold = await make_contract(tenant, Direction.SALE, number="FC-200")
    for no, status in enumerate(("proposed", "proposed", "confirmed")):
        await make_deliveries(tenant, bought, [100 * (no + 1)], status=status)
    (line,) = await make_deliveries(tenant, sold, [50])
    shipment, _ = await sent(tenant, (line, 50), direction=Direction.SALE)
    ben, ann = await house.linked(tenant.supplier), await house.linked(tenant.customer)
    await ben.phone.say("/schedule")
    listed = await ben.phone.wait_for("Next deliveries")
    for data in listed.data:
        await ben.phone.press(data=data, message=listed.id)
    await house.quiet()
    cards = [bubble for bubble in await ben.phone.messages() if bubble.by_bot and "Confirm" in bubble.labels]
    await ann.phone.say(shipment.number)
    note = await ann.phone.wait_for(shipment.number)
    first = 2**50 + secrets.randbelow(2**50)  # numbers that no other update has
    await house.world.delivery(drop=100)
    for card in cards:
        await ben.phone.press("Confirm", message=card.id, seconds=0)
    await ann.phone.press("All complete", message=note.id, seconds=0)
    await house.world.delivery(drop=0)
    return [
        pressed(number, who, bubble)
        for number, (who, bubble) in enumerate([(ben, card) for card in cards] + [(ann, note)], first)
    ]


def pressed(number: int, who: Any, bubble: Any) -> dict[str, Any]:
    person = {"id": who.phone.id, "is_bot": False, "first_name": who.phone.name}
    message = {key: value for key, value in bubble.raw.items() if key not in {"by_bot", "edits", "silent"}}
    query = {"id": str(number), "from": person, "chat_instance": "1", "message": message, "data": bubble.data[0]}
    return {"update_id": number, "callback_query": query}


async def ended(tenant: Tenant) -> tuple[Any, ...]:
    rows = await fetch(tenant.factory, LINES, tenant.id)
    (done,) = await fetch(tenant.factory, DONE, tenant.id)
    return [tuple(row) for row in rows], tuple(done)


async def test_updates_three_times_in_any_order_and_a_day_late_end_the_same(
    house: House, tenant: Tenant, database: Settings
) -> None:
    other = await make_tenant(str(database.database_url))
    straight, bent = await scene(house, tenant), await scene(house, other)

    for update in straight:
        await updates.store(ChatBot.TELEGRAM, update["update_id"], updates.chat_of(update), update)
        await house.quiet()
    chaos = bent * 3
    random.Random(20261128).shuffle(chaos)
    for update in chaos:
        await updates.store(ChatBot.TELEGRAM, update["update_id"] + 10**7, updates.chat_of(update), update)
    await as_identity(
        database, "update bot_update set received_at = received_at - interval '23 hours' where done_at is null"
    )
    await house.quiet()
    for update in bent:  # once more, after all is done
        await updates.store(ChatBot.TELEGRAM, update["update_id"] + 10**7, updates.chat_of(update), update)
    await house.quiet()

    assert await ended(tenant) == await ended(other)
    (lines, done) = await ended(other)
    assert [line[1] for line in lines] == ["closed", "confirmed", "confirmed", "confirmed"]
    assert done[0] == 2
    assert done[2] == 1


STORED = """
insert into bot_update (id, bot, update_id, chat_id, raw, received_at, next_try, tries, sent, last_error)
values ($1, 'telegram', $2, $3, $4::jsonb, now(), now(), 20, 0, '')"""
WAITS = "select 1 from bot_update where update_id = $1 and done_at is null and last_error <> ''"


async def test_an_outage_never_gives_an_update_up(house: House, tenant: Tenant) -> None:
    """However often kills and outages came in between: what somebody wrote is answered once the way is free."""
    ben, number = await house.linked(tenant.supplier), 2**50 + secrets.randbelow(2**50)
    person = {"id": ben.phone.id, "is_bot": False, "first_name": "Ben"}
    chat = {"id": ben.phone.id, "type": "private", "first_name": "Ben"}
    message = {"message_id": 999_999, "date": 1, "chat": chat, "from": person, "text": "/help"}
    raw = to_json({"update_id": number, "message": message})
    await house.world.fail("cut", "sendMessage", chat=ben.phone.id, count=1)

    await as_identity(get_settings(), STORED, uuid7(), number, ben.phone.id, raw)
    house.feeder.woken.set()
    async with asyncio.timeout(20):
        while not await as_identity(get_settings(), WAITS, number):
            with suppress(TimeoutError):
                await asyncio.wait_for(house.feeder.fed.wait(), 0.1)
    await as_identity(get_settings(), "update bot_update set next_try = now() where update_id = $1", number)
    house.feeder.woken.set()
    await ben.phone.wait_for("What this chat can do")


async def test_tidying_waits_out_a_database_that_is_away(database: Settings) -> None:
    nobody = "postgresql+asyncpg://portal_identity:pw@127.0.0.1:1/portal"
    await db.dispose()
    db.configure(database.model_copy(update={"database_identity_url": nobody}), pool_size=1)
    try:
        await tidy()
    finally:
        await db.dispose()
        db.configure(database)
