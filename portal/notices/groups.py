"""Group chats as readers: each is told of its contracts and plants, in their topics, as its company's people are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from portal.accounts import chats
from portal.accounts.model_chats import ChatBot
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.notices.addresses import Address
from portal.notices.recipients import Company
from portal.notices.rules import Recipient, Wishes


@dataclass(frozen=True, slots=True)
class Group:
    """A place where a company lets a contract be spoken of, or all that deliver to a plant. who: whoever brought it in,
    and sees those contracts."""

    id: UUID
    contracts: frozenset[UUID]
    address: Address
    who: Recipient


_GROUPS = """
select h.id, h.bot, h.address, h.member_id, h.account_id, case when h.contract_id is not null then array[h.contract_id]
    else array(select distinct l.contract_id from contract_line l
        where l.tenant_id = $1 and l.ship_to_code = h.ship_to_code) end as contracts
from chat h where h.tenant_id = $1 and h.party_id = $2 and h.address <> '' and h.unbound_at is null"""


async def groups_of(connection: Driver, of: Company) -> list[Group]:
    """The company's group chats that the bot can write to. Their hours are those of somebody who has chosen nothing."""
    rows = await connection.fetch(_GROUPS, of.actor.tenant_id, of.actor.party_id)
    alive = await chats.alive([row["account_id"] for row in rows]) if rows else set()
    people = {who.member_id: who for who in of.people}
    return [
        _group(row, people[row["member_id"]])
        for row in rows
        if row["account_id"] in alive and row["member_id"] in people
    ]


def _group(row: asyncpg.Record, who: Recipient) -> Group:
    """With no more than whoever brought it in sees: a plant may have contracts that are not theirs."""
    contracts = frozenset(row["contracts"])
    contracts = contracts if who.contract_ids is None else contracts & who.contract_ids
    who = replace(who, wishes=Wishes(), contract_ids=contracts)
    return Group(row["id"], contracts, Address(row["bot"], row["address"]), who)


def about(groups: Iterable[Group], contract_id: UUID | None, contracts: Sequence[UUID] = ()) -> list[Group]:
    """Those of an object's contract, or of one of its contracts."""
    return [group for group in groups if group.contracts & {contract_id, *contracts}]


_SPOKEN = """
select h.address, coalesce(h.contract_id, l.contract_id) as contract_id from chat h
left join contract_line l on h.ship_to_code <> '' and l.tenant_id = $1 and l.ship_to_code = h.ship_to_code
where h.tenant_id = $1 and h.party_id = $2 and h.address = any($3) and h.unbound_at is null"""


async def spoken_at(
    connection: Driver, tenant_id: UUID, party_id: UUID, places: Iterable[tuple[str, str]]
) -> Mapping[str, frozenset[UUID]]:
    """Of which contracts may be spoken at those of these channels and addresses that are groups of the company."""
    asked = sorted({address for channel, address in places if chats.is_group(channel, address)})
    rows = await connection.fetch(_SPOKEN, tenant_id, party_id, asked) if asked else []
    return {
        address: frozenset(row["contract_id"] for row in rows if row["address"] == address and row["contract_id"])
        for address in {row["address"] for row in rows}
    }


async def shown_at(actor: Actor, channel: str, address: str) -> frozenset[UUID] | None:
    """Of which contracts a card may speak that somebody of this company asked for in a group: as when it was asked for.
    None or empty: the group is bound to nothing any more."""
    chat_id, topic = chats.place_of(address)
    return await chats.spoken_of(chats.ChatName(ChatBot(channel), chat_id, topic=topic), actor)
