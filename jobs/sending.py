"""Sends what is due: many addresses at once, one message an address at a time, in the pace that each channel takes.

Any number of workers may send; a message is claimed in the database before it leaves. A chat that is blocked, slow or
asked to be left alone keeps only its own messages waiting.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TypeAlias
from uuid import UUID

from jobs import bells
from jobs.outages import database_may_be_away
from jobs.outbox import Tenant
from portal.accounts.chats import is_group
from portal.accounts.model_chats import ChatBot
from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import Unavailable
from portal.core.i18n import speaking
from portal.core.memory import settle
from portal.core.settings import Settings
from portal.notices import addresses, recipients, service_noting, service_sending
from portal.notices.channels import Blocked, Channel, SlowDown
from portal.notices.mail import Mail
from portal.notices.pacing import Pacer
from portal.notices.service_noting import Sent
from portal.notices.service_sending import Claimed, Unwanted, Written

logger = logging.getLogger(__name__)
Writings: TypeAlias = Mapping[UUID, Written | Unwanted]
AT_ONCE = 120  # messages under way in one worker
TOGETHER = 40  # of them written in one go; nothing leaves while the worker writes
AHEAD = 1.0  # seconds; whose turn is later is not claimed yet, so that cards are young and other workers have some too
POLL_SECONDS = 1.0
PAUSE_SECONDS = 0.02  # between two looks, so that a burst is claimed and noted in batches
FULL_SECONDS = 0.12  # the same while more is due than there is room for
NOTE_SECONDS = 0.06  # in which what leaves is noted together then: a transaction costs more than a message in it
SECONDS = 30  # that one message may take, less than its claim


class Channels:
    """The channels by name. The chats' library takes seconds to load, so only the first message to a chat loads it."""

    def __init__(
        self,
        found: Mapping[str, Channel],
        later: Sequence[str] = (),
        load: Callable[[], Mapping[str, Channel]] | None = None,
    ) -> None:
        self._found = dict(found)
        self._load = load
        self._lock = asyncio.Lock()
        self.names = [*found, *later]

    async def get(self, name: str) -> Channel:
        """One channel, loaded if need be while everything else goes on."""
        async with self._lock:
            if name not in self._found and self._load is not None:
                self._found |= await asyncio.to_thread(self._load)
                settle()
        return self._found[name]

    async def close(self) -> None:
        for channel in self._found.values():
            await channel.close()


class Sender:
    """Claims and sends until cancelled."""

    def __init__(self, channels: Mapping[str, Channel] | Channels, pacer: Pacer) -> None:
        self._channels = channels if isinstance(channels, Channels) else Channels(channels)
        self._pacer = pacer
        self._woken = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}  # by address
        self._room = asyncio.Event()
        self._writing: set[asyncio.Task[Writings]] = set()
        self._noter = Noter(self._full)

    async def run(self) -> None:
        bells.listen(self._woken)
        try:
            while True:
                self._woken.clear()
                found = 0
                with database_may_be_away("sending"):
                    found = await self.rounds()
                await self._pause(found)
        finally:
            bells.deafen(self._woken)
            for task in (*self._writing, *self._busy.values()):
                task.cancel()
            if self._busy:
                await asyncio.wait(list(self._busy.values()))
            await self._noter.rest()
            await self._channels.close()

    def _full(self) -> bool:
        """Whether more may be due than there is room for."""
        return len(self._busy) >= AT_ONCE or any(self._pacer.ahead(name) > AHEAD for name in self._channels.names)

    async def _pause(self, found: int) -> None:
        """At once when messages are under way and more may be due, else after a bell or a second."""
        await asyncio.sleep(FULL_SECONDS if self._full() else PAUSE_SECONDS)
        self._room.clear()
        waiting = [asyncio.create_task(self._woken.wait())]
        waiting += [asyncio.create_task(self._room.wait())] if self._busy or found else []
        try:
            await asyncio.wait(waiting, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def rounds(self) -> int:
        """One round in every workspace that has something due."""
        begun = 0
        for tenant in await sending_tenants() if self._channels.names else []:
            begun += await self.round(tenant)
        return begun

    async def round(self, tenant: Tenant) -> int:
        """Claim what is due as far as there is room, and begin to send it. Returns how many messages."""
        room = AT_ONCE - len(self._busy)
        open_now = [name for name in self._channels.names if self._pacer.ahead(name) <= AHEAD]
        if room <= 0 or not open_now:
            return 0
        claimed = await service_sending.claim(tenant.system, list(self._busy), open_now, room)
        for _of, group in groupby(sorted(claimed, key=_company), key=_company):
            claims = list(group)
            for first in range(0, len(claims), TOGETHER):
                self._begin(claims[first : first + TOGETHER])
        return len(claimed)

    async def idle(self) -> None:
        """Wait until everything that is under way has ended."""
        while self._busy:
            await asyncio.wait(list(self._busy.values()))

    def _begin(self, claims: list[Claimed]) -> None:
        """The messages of one company are written together, then each goes its own way."""
        writing = asyncio.create_task(self._write(claims))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        for each in claims:
            task = asyncio.create_task(self._try(each, writing))
            self._busy[each.address] = task
            task.add_done_callback(partial(self._ended, each.address))

    async def _write(self, claims: list[Claimed]) -> Writings:
        names = {each.channel for each in claims}
        abilities = {name: (await self._channels.get(name)).abilities for name in names}
        return await service_sending.write(claims, abilities)

    def _ended(self, address: str, task: asyncio.Task[None]) -> None:
        self._busy.pop(address, None)
        self._room.set()

    async def _try(self, claimed: Claimed, writing: "asyncio.Task[Writings]") -> None:
        """One try of one message. Whatever happens, its claim lapses and it comes back, unless its end was noted."""
        try:
            with database_may_be_away("sending a message"):
                async with asyncio.timeout(SECONDS):
                    await self._send(claimed, await self._written(claimed, writing))
        except TimeoutError:
            logger.warning("a message took too long", extra={"dispatch_id": str(claimed.id)})
        except Exception as error:  # one message that cannot be written must not end the worker
            logger.exception("a message cannot be written", extra={"dispatch_id": str(claimed.id)})
            with database_may_be_away("noting a failure"):
                await service_noting.note_failure(claimed, error, [])

    async def _written(self, claimed: Claimed, writing: "asyncio.Task[Writings]") -> Written | Unwanted:
        """This message of those that are written together; by itself where one of the others spoils it for all."""
        await asyncio.wait([writing])
        alone = writing.exception() is not None
        return (await self._write([claimed]) if alone else writing.result())[claimed.id]

    async def _send(self, claimed: Claimed, written: Written | Unwanted) -> None:
        if isinstance(written, Unwanted):
            await service_noting.note_unwanted(claimed, written)
            return
        channel = await self._channels.get(claimed.channel)
        if written.same:
            await self._noter.note(Sent(claimed, written, written.edits, channel.abilities.edit))
            return
        try:
            async with self._pacer.turn(claimed.channel, claimed.address) as later:
                message_id = await hand_over(channel, claimed, written) if later == 0 else ""
        except SlowDown as error:
            await self._pacer.pause(claimed.channel, claimed.address, error.retry_after)
            await service_noting.note_later(claimed, error.retry_after, str(error), counts=False)
        except Blocked as error:
            await service_noting.give_up(claimed, str(error) or "blocked", await ways_of(claimed))
        except Unavailable as error:
            await service_noting.note_failure(claimed, error, await ways_of(claimed))
        else:
            if later > 0:
                await service_noting.note_later(claimed, later, counts=False)
            else:
                await self._noter.note(Sent(claimed, written, message_id, channel.abilities.edit))


class Noter:
    """Notes what has left, many at a time: one transaction for what leaves of one company in the same moment."""

    def __init__(self, full: Callable[[], bool]) -> None:
        self._full = full
        self._waiting: list[tuple[Sent, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def note(self, sent: Sent) -> None:
        """Returns once it is noted."""
        noted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sent, noted))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        await noted

    async def rest(self) -> None:
        """What has left is noted before the worker ends, so that a release of the portal repeats no message."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(NOTE_SECONDS if self._full() else PAUSE_SECONDS)
            batch, self._waiting = self._waiting, []
            for _of, group in groupby(sorted(batch, key=_company_of), key=_company_of):
                await self._note(list(group))

    async def _note(self, group: list[tuple[Sent, "asyncio.Future[None]"]]) -> None:
        """Together, and where that fails each by itself."""
        done = service_noting.note_sent([sent for sent, _noted in group])
        (failure,) = await asyncio.gather(done, return_exceptions=True)
        if isinstance(failure, BaseException) and len(group) > 1:
            for each in group:
                await self._note([each])
            return
        for _sent, noted in group:
            if noted.done():
                continue
            if isinstance(failure, BaseException):
                noted.set_exception(failure)
            else:
                noted.set_result(None)


def _company(claimed: Claimed) -> tuple[UUID, UUID]:
    return claimed.tenant_id, claimed.party_id


def _company_of(waiting: tuple[Sent, "asyncio.Future[None]"]) -> tuple[UUID, UUID]:
    return _company(waiting[0].claimed)


async def hand_over(channel: Channel, claimed: Claimed, written: Written) -> str:
    """Send, or change the message that is there. Returns the provider's id of it."""
    with speaking(written.actor.language):
        if not written.edits:
            return await channel.send(claimed.address, written.card, silent=claimed.silent)
        await channel.edit(claimed.address, written.edits, written.card)
        return written.edits


async def ways_of(claimed: Claimed) -> list[tuple[str, str]]:
    """The person's channels and addresses, in their order; a chat that was just blocked is not among them, and what is
    for a group is for no person."""
    if is_group(claimed.channel, claimed.address):
        return []
    actor = recipients.speaker(claimed.tenant_id, claimed.party_id, claimed.scope)
    async with db.read(actor) as connection:
        of = await recipients.company(connection, actor)
        found = [who for who in of.people if who.member_id == claimed.member_id]
        known = await addresses.addresses_of(connection, actor, found)
    return [(each.channel, each.ref) for each in known.get(claimed.member_id, [])]


async def sending_tenants() -> list[Tenant]:
    """The tenants with messages that are due. Ids only, across tenants."""
    nobody = Actor.system(UUID(int=0), UUID(int=0))
    async with db.read(nobody) as connection:
        rows = await connection.fetch("select tenant_id, factory_party_id from sending_tenants()")
    return [Tenant(row["tenant_id"], row["factory_party_id"]) for row in rows]


def channels_of(settings: Settings) -> Channels:
    """Every channel that this installation has."""

    def load() -> Mapping[str, Channel]:
        from bot.channels import chat_channels

        return chat_channels(settings)

    chats = [bot.value for bot in ChatBot if bot is not ChatBot.TELEGRAM or settings.telegram_token]
    return Channels({"email": Mail(settings)} if settings.smtp_url else {}, chats, load)
