"""Errands within our own database, done in batches where the events are taken: what a person waits for should not
take a bell, a queue and two more transactions an event.

As everywhere a claim lapses when its worker dies, each failing delivery is put off alone, and an errand may run twice.
"""

import asyncio
from collections.abc import Sequence

from jobs import outbox
from jobs.outbox import Claim, Tenant
from jobs.subscribers import Subscriber, Subscriptions

BATCH = 50  # deliveries claimed at once
AT_ONCE = 6  # of them under way, fewer than database connections


async def do(tenant: Tenant, subscribers: Sequence[Subscriber], subscriptions: Subscriptions) -> int:
    """Do what is due to these subscribers, one batch. Returns how many deliveries; fewer than BATCH: none is left."""
    claims = await outbox.claim_many(tenant, subscribers, subscriptions, BATCH)
    turnstile = asyncio.Semaphore(AT_ONCE)
    done = await asyncio.gather(*(_try(claimed, turnstile) for claimed in claims))
    await outbox.done_many(tenant, [claimed for claimed, good in zip(claims, done, strict=True) if good])
    return len(claims)


async def _try(claimed: Claim, turnstile: asyncio.Semaphore) -> bool:
    """One errand. Whatever goes wrong is noted with its delivery and stops none of the others."""
    assert claimed.subscriber.errand is not None
    async with turnstile:
        try:
            async with asyncio.timeout(claimed.subscriber.seconds):
                await claimed.subscriber.errand(claimed.actor, claimed.occurrence)
        except Exception as error:  # noqa: BLE001 - whatever an errand raises is kept with the delivery
            await outbox.failed(claimed, error)
            return False
    return True
