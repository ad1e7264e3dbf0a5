"""Group chats as readers: each is told of its contracts, in their topics, as its company's people are told of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from portal.accounts import chats
from portal.core.db import Driver
from portal.notices.addresses import Address
from portal.notices.recipients import Company
from portal.notices.rules import Recipient, Wishes


@dataclass(frozen=True, slots=True)
class Group:
    """A place where a company lets one contract be spoken of. who: whoever brought it in, and sees that contract."""

    id: UUID
    contract_id: UUID
    address: Address
    who: Recipient


_GROUPS = """
select id, contract_id, bot, address, member_id, account_id from chat
where tenant_id = $1 and party_id = $2 and contract_id is not null and unbound_at is null"""


async def groups_of(connection: Driver, of: Company) -> list[Group]:
    """The company's group chats that the bot can write to. Their hours are those of somebody who has chosen nothing."""
    rows = await connection.fetch(_GROUPS, of.actor.tenant_id, of.actor.party_id)
    alive = await chats.alive([row["account_id"] for row in rows]) if rows else set()
    people = {who.member_id: who for who in of.people}
    return [
        Group(
            row["id"], row["contract_id"], Address(row["bot"], row["address"]),
            replace(people[row["member_id"]], wishes=Wishes(), contract_ids=frozenset({row["contract_id"]})),
        )
        for row in rows
        if row["account_id"] in alive and row["member_id"] in people
    ]  # fmt: skip


def about(groups: Iterable[Group], contract_id: UUID | None, contracts: Sequence[UUID] = ()) -> list[Group]:
    """Those of an object's contract, or of one of its contracts."""
    return [group for group in groups if group.contract_id == contract_id or group.contract_id in contracts]


_SPOKEN = """
select address, contract_id from chat
where tenant_id = $1 and party_id = $2 and address = any($3) and contract_id is not null and unbound_at is null"""


async def spoken_at(
    connection: Driver, tenant_id: UUID, party_id: UUID, places: Iterable[tuple[str, str]]
) -> Mapping[str, frozenset[UUID]]:
    """Of which contracts may be spoken at those of these channels and addresses that are groups of the company."""
    asked = sorted({address for channel, address in places if chats.is_group(channel, address)})
    rows = await connection.fetch(_SPOKEN, tenant_id, party_id, asked) if asked else []
    return {
        address: frozenset(row["contract_id"] for row in rows if row["address"] == address)
        for address in {row["address"] for row in rows}
    }
