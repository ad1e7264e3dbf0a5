"""Sending: refusals lead to another way, a slow chat delays nobody, and an overtaken try marks nothing."""

import asyncio
from dataclasses import replace

from jobs import sending
from jobs.sending import Sender
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.notices import service_sending
from portal.notices.cards import Card
from portal.notices.channels import Blocked, ChannelUnavailable, MessageRefused, SlowDown
from portal.notices.pacing import Pacer
from portal.notices.service_noting import ATTEMPTS, Sent, note_sent
from portal.notices.service_sending import Claimed, Written
from tests.factories import Tenant, fetch
from tests.notices.channel import MemoryChat
from tests.notices.conftest import Post
from tests.notices.test_compose import published
from tests.notices.test_planning import hire

LOG = "select state, attempts, error, next_try, message_id from dispatch where tenant_id = $1 order by created_at, id"


def mail_of(actor: Actor) -> str:
    assert actor.member_id is not None
    return f"{actor.member_id.hex}@example.com"


async def due_again(tenant: Tenant) -> None:
    """Let the pauses be over."""
    async with db.unit_of_work(tenant.factory) as session:
        connection = await db.driver(session)
        await connection.execute(
            "update dispatch set next_try = now() where tenant_id = $1 and state = 'waiting'", tenant.id
        )


async def test_a_blocked_address_is_given_up_at_once(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    post.chat.refusals[mail_of(tenant.supplier)] = [Blocked("blocked by the user")]
    await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()

    (row,) = await fetch(tenant.factory, LOG, tenant.id)
    assert (row["state"], row["attempts"], row["error"]) == ("dead", 1, "blocked by the user")
    assert row["next_try"] is None


async def test_a_channel_that_is_away_is_tried_again(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    post.chat.refusals[mail_of(tenant.supplier)] = [ChannelUnavailable(), ChannelUnavailable()]
    await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()
    (first,) = await fetch(tenant.factory, LOG, tenant.id)
    await due_again(tenant)
    await post.deliver()
    await due_again(tenant)
    await post.deliver()

    (last,) = await fetch(tenant.factory, LOG, tenant.id)
    assert (first["state"], first["attempts"]) == ("waiting", 1)
    assert first["error"].startswith("ChannelUnavailable")
    assert (last["state"], last["attempts"], last["error"]) == ("sent", 3, "")
    assert len(post.read(tenant.supplier)) == 1


async def test_an_outage_gives_no_message_up(post: Post, tenant: Tenant) -> None:
    """However long the service is away: without another way the message waits, and leaves once it is back."""
    await post.awake(tenant.supplier)
    post.chat.refusals[mail_of(tenant.supplier)] = [ChannelUnavailable() for _ in range(2 * ATTEMPTS)]
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    for _ in range(2 * ATTEMPTS):
        await due_again(tenant)
        await post.deliver()
    (away,) = await fetch(tenant.factory, LOG, tenant.id)
    assert (away["state"], away["attempts"], post.read(tenant.supplier)) == ("waiting", ATTEMPTS - 1, [])
    await due_again(tenant)
    await post.deliver()

    (last,) = await fetch(tenant.factory, LOG, tenant.id)
    assert (last["state"], len(post.read(tenant.supplier))) == ("sent", 1)


async def test_a_message_that_the_service_does_not_take_is_given_up(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    post.chat.refusals[mail_of(tenant.supplier)] = [MessageRefused() for _ in range(2 * ATTEMPTS)]
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    for _ in range(2 * ATTEMPTS):
        await due_again(tenant)
        await post.deliver()

    (row,) = await fetch(tenant.factory, LOG, tenant.id)
    assert (row["state"], row["attempts"], post.read(tenant.supplier)) == ("dead", ATTEMPTS, [])


async def test_being_asked_to_wait_is_no_failure(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    post.chat.refusals[mail_of(tenant.supplier)] = [SlowDown(30)]
    await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()
    (row,) = await fetch(tenant.factory, "select attempts, state, next_try > now() + interval '25 s' as later"
                         " from dispatch where tenant_id = $1", tenant.id)  # fmt: skip

    assert tuple(row) == (0, "waiting", True)


async def test_a_slow_chat_delays_nobody(post: Post, tenant: Tenant) -> None:
    slow, quick = await hire(tenant, tenant.supplier, Role.CLERK), await hire(tenant, tenant.supplier, Role.CLERK)
    await post.awake(slow, quick)
    gate = asyncio.Event()

    class Gate(MemoryChat):
        async def _take(self, address: str) -> None:
            if address == mail_of(slow):
                await gate.wait()

    post.chat = Gate()
    for _ in range(3):
        await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    sender = Sender({"email": post.chat}, Pacer(None))
    async with asyncio.timeout(20):
        while len(post.read(quick)) < 3:
            await sender.round(post.place)
            await asyncio.sleep(0.01)
    assert post.read(slow) == []
    gate.set()
    await sender.idle()
    await post.deliver()
    assert len(post.read(slow)) == 3


async def written_of(post: Post, claimed: Claimed) -> Written:
    """The one message, written."""
    written = (await service_sending.write([claimed], {claimed.channel: post.chat.abilities}))[claimed.id]
    assert isinstance(written, Written)
    return written


async def test_one_that_cannot_be_written_spoils_no_other(post: Post, tenant: Tenant) -> None:
    clerks = [await hire(tenant, tenant.supplier, Role.CLERK) for _ in range(3)]
    await post.awake(*clerks)
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    claims = await service_sending.claim(post.system, [], ["email"], 10)
    broken = [replace(each, channel="pigeon") if each.member_id == clerks[0].member_id else each for each in claims]
    sender = Sender({"email": post.chat}, Pacer(None))
    sender._begin(broken)
    await sender.idle()

    assert [len(post.read(clerk)) for clerk in clerks] == [0, 1, 1]
    rows = await fetch(tenant.factory, "select member_id, state from dispatch where tenant_id = $1", tenant.id)
    assert {row["member_id"]: row["state"] for row in rows}[clerks[0].member_id] == "waiting"


async def test_what_has_left_is_noted_although_the_worker_ends(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    left = asyncio.Event()

    class Leaving(MemoryChat):
        async def send(self, address: str, card: Card, *, silent: bool = False) -> str:
            sent = await super().send(address, card, silent=silent)
            left.set()
            return sent

    sender = Sender({"email": Leaving()}, Pacer(None))
    await sender.round(post.place)
    await left.wait()
    await asyncio.sleep(0)
    for task in list(sender._busy.values()):
        task.cancel()
    await sender.idle()
    await sender._noter.rest()
    (row,) = await fetch(tenant.factory, LOG, tenant.id)
    assert (row["state"], row["attempts"]) == ("sent", 1)


async def test_a_try_that_was_overtaken_marks_nothing(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    (first,) = await service_sending.claim(post.system, [], ["email"], 10)
    assert await service_sending.claim(post.system, [], ["email"], 10) == []  # it is in one pair of hands
    await due_again(tenant)
    (second,) = await service_sending.claim(post.system, [], ["email"], 10)
    written = await written_of(post, first)

    assert await note_sent([Sent(first, written, "first", remembered=True)]) == set()
    assert await note_sent([Sent(second, written, "second", remembered=True)]) == {second.id}
    (row,) = await fetch(tenant.factory, LOG, tenant.id)
    assert (row["state"], row["attempts"], row["message_id"]) == ("sent", 2, "second")


async def test_two_senders_send_each_message_once(post: Post, tenant: Tenant) -> None:
    clerks = [await hire(tenant, tenant.supplier, Role.CLERK) for _ in range(6)]
    await post.awake(*clerks)
    await published(tenant, Direction.PURCHASE, [100])
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    pacer = Pacer(None)
    senders = [Sender({"email": post.chat}, pacer) for _ in range(2)]
    while sum(await asyncio.gather(*(sender.round(post.place) for sender in senders))):
        await asyncio.gather(*(sender.idle() for sender in senders))

    assert [len(post.read(clerk)) for clerk in clerks] == [2] * 6


async def test_a_card_that_moves_on_while_it_is_sent_is_sent_again(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()
    (card,) = await fetch(tenant.supplier, "select object_kind, object_id from card_message where tenant_id = $1",
                          tenant.id)  # fmt: skip
    from portal.core import clock
    from portal.notices.service_planning import outdate

    async def move_on() -> None:
        async with db.unit_of_work(tenant.supplier) as session:
            connection = await db.driver(session)
            await outdate(connection, tenant.supplier, [(card["object_kind"], card["object_id"])], clock.now())

    await move_on()
    (claimed,) = await service_sending.claim(post.system, [], ["email"], 10)
    await move_on()
    written = await written_of(post, claimed)

    assert await note_sent([Sent(claimed, written, written.edits, remembered=True)]) == set()
    await post.deliver()
    rows = await fetch(tenant.factory, LOG, tenant.id)
    assert [row["state"] for row in rows] == ["sent", "sent"]


async def test_whoever_has_nothing_to_do_is_not_asked_for(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    assert tenant.id not in [each.id for each in await sending.sending_tenants()]
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()

    assert tenant.id in [each.id for each in await sending.sending_tenants()]


async def test_no_more_is_claimed_than_has_its_turn_soon(post: Post, tenant: Tenant) -> None:
    """What would wait for minutes is left to other workers, and to be written when it is time."""
    clerks = [await hire(tenant, tenant.supplier, Role.CLERK) for _ in range(4)]
    await post.awake(*clerks)
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()

    class Crowded(Pacer):
        waits = 60.0

        def ahead(self, channel: str) -> float:
            return self.waits

    pacer = Crowded(None)
    sender = Sender({"email": post.chat}, pacer)
    assert await sender.round(post.place) == 0
    untouched = await fetch(tenant.factory, LOG, tenant.id)
    pacer.waits = sending.AHEAD
    assert await sender.round(post.place) == 4
    await sender.idle()

    assert [(row["state"], row["attempts"]) for row in untouched] == [("waiting", 0)] * 4
    assert [len(post.read(clerk)) for clerk in clerks] == [1] * 4
