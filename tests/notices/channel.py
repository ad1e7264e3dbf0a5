"""A chat service that lives in memory: it keeps every message as it now stands, and can refuse as real ones do."""

import asyncio
from dataclasses import dataclass, field

from portal.notices.cards import Card
from portal.notices.channels import Abilities, Blocked, ChannelUnavailable, SlowDown

ABILITIES = Abilities(buttons=True, edit=True, media_in=True, text_in=True, max_len=4096, max_buttons=8, outside=False)


@dataclass(slots=True)
class Message:
    """One message, with what it showed before."""

    id: str
    card: Card
    silent: bool
    former: list[Card] = field(default_factory=list)


@dataclass(slots=True)
class MemoryChat:
    """The channel. `refusals` are raised once each, in order, for an address."""

    name: str = "email"
    abilities: Abilities = ABILITIES
    messages: dict[str, list[Message]] = field(default_factory=dict)
    refusals: dict[str, list[Exception]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)

    async def send(self, address: str, card: Card, *, silent: bool = False) -> str:
        await self._take(address)
        messages = self.messages.setdefault(address, [])
        messages.append(Message(f"{address}/{len(messages)}", card, silent))
        return messages[-1].id

    async def edit(self, address: str, message_id: str, card: Card) -> None:
        await self._take(address)
        message = next(each for each in self.messages[address] if each.id == message_id)
        message.former.append(message.card)
        message.card = card

    async def close(self) -> None:
        """It holds nothing."""

    async def _take(self, address: str) -> None:
        if address in self.slow:
            await asyncio.sleep(self.slow[address])
        if self.refusals.get(address):
            raise self.refusals[address].pop(0)

    def of(self, address: str) -> list[Message]:
        return self.messages.get(address, [])


BLOCKED, SLOW, AWAY = Blocked, SlowDown, ChannelUnavailable
