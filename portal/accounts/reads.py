"""Lists of companies, places, people and keys. Driver rows, closed before anything is rendered.

A member restricted to contracts sees the companies and sites of those contracts, and the own company's.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.accounts import identity, second_factor
from portal.core import clock
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.db import Driver, read
from portal.core.errors import NotFound


class PartyRow(Struct, frozen=True):
    """One company."""

    id: UUID
    code: str
    name: str
    country: str
    is_factory: bool
    is_customer: bool
    is_supplier: bool
    version: int
    members: int  # active ones
    contracts: int  # that the reader may see


class DayRow(Struct, frozen=True):
    """One day out of a site's weekly pattern."""

    day: date
    working: bool
    name: str


class WindowRow(Struct, frozen=True):
    """Receiving hours of a weekday, in minutes after midnight."""

    weekday: int  # Monday is 0
    opens: int
    closes: int


class SiteRow(Struct, frozen=True):
    """One plant, warehouse or dock."""

    id: UUID
    party_id: UUID
    party_name: str
    code: str
    name: str
    country: str
    address: str
    time_zone: str
    weekdays: list[int]
    version: int


class MemberRow(Struct, frozen=True):
    """One person of a company."""

    id: UUID
    party_id: UUID
    party_name: str
    is_factory: bool
    email: str
    name: str
    role: Role
    status: str
    restricted: bool
    version: int
    contract_ids: list[UUID]
    ship_to_codes: list[str]
    second_factor: bool  # whether one is set up; of who has not joined never


class InvitationRow(Struct, frozen=True):
    """One open link, for those who may invite."""

    member: MemberRow
    link: str  # path
    expires_at: datetime | None  # none: the link ended, a new one can be made


class KeyRow(Struct, frozen=True):
    """One API key, never the key itself."""

    id: UUID
    name: str
    prefix: str
    role: Role
    scopes: list[str]
    created_at: datetime
    made_by: str
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > clock.now())


class Choice(Struct, frozen=True):
    """A contract or a site code to which a member may be restricted."""

    value: str
    label: str


def _visible(actor: Actor) -> list[UUID] | None:
    return None if actor.contract_ids is None else sorted(actor.contract_ids)


# --- companies --------------------------------------------------------------------------------------------------------

_PARTIES = """
select p.id, p.code, p.name, p.country, p.is_factory, p.is_customer, p.is_supplier, p.version,
    (select count(*) from member m
     where m.tenant_id = p.tenant_id and m.party_id = p.party_id and m.status = 'active'),
    (select count(*) from contract c
     where c.tenant_id = p.tenant_id and c.party_id = p.party_id and ($3::uuid[] is null or c.id = any($3)))
from party p
where p.tenant_id = $1
    and ($3::uuid[] is null or p.party_id = $2 or p.party_id in (
        select c.party_id from contract c where c.tenant_id = $1 and c.id = any($3)))"""


def _party_values(actor: Actor) -> tuple[Any, ...]:
    return actor.tenant_id, actor.party_id, _visible(actor)


async def list_parties(
    actor: Actor, *, limit: int, after: tuple[str, UUID] | None = None, find: str = ""
) -> list[PartyRow]:
    """Companies by name. after: name and id of the last row seen; find: part of a name or code, any case."""
    actor.require(Permission.READ)
    query = f"""{_PARTIES}
        and ($4::text is null or (lower(p.name), p.id) > (lower($4), $5::uuid))
        and ($6 = '' or strpos(lower(p.name || ' ' || p.code), lower($6)) > 0)
        order by lower(p.name), p.id limit $7"""
    name, last = after or (None, None)
    async with read(actor) as connection:
        rows = await connection.fetch(query, *_party_values(actor), name, last, find.strip(), limit)
    return [PartyRow(*row) for row in rows]


async def get_party(actor: Actor, party_id: UUID) -> PartyRow:
    """One company. Raises NotFound."""
    actor.require(Permission.READ)
    async with read(actor) as connection:
        row = await connection.fetchrow(_PARTIES + " and p.id = $4", *_party_values(actor), party_id)
    if row is None:
        raise NotFound
    return PartyRow(*row)


async def own_company(actor: Actor) -> str:
    """The name of the company acted for, whatever the role or key may read."""
    async with read(actor) as connection:
        name: str = await connection.fetchval(
            "select name from party where tenant_id = $1 and party_id = $2", actor.tenant_id, actor.party_id
        )
    return name


# --- places -----------------------------------------------------------------------------------------------------------

_SITES = """
select s.id, s.party_id, p.name as party_name, s.code, s.name, s.country, s.address, s.time_zone, s.weekdays, s.version
from site s
join party p on p.tenant_id = s.tenant_id and p.party_id = s.party_id
where s.tenant_id = $1
    and ($3::uuid[] is null or (s.party_id = $2 and p.is_factory) or s.code in (
        select l.ship_to_code from contract_line l where l.tenant_id = $1 and l.contract_id = any($3)))"""


async def list_sites(
    actor: Actor, *, limit: int, after: tuple[str, UUID] | None = None, party_id: UUID | None = None
) -> list[SiteRow]:
    """Sites by code. after: code and id of the last row seen; party_id: of one company only."""
    actor.require(Permission.READ)
    query = f"""{_SITES}
        and ($4::text is null or (s.code, s.id) > ($4, $5::uuid)) and ($6::uuid is null or s.party_id = $6)
        order by s.code, s.id limit $7"""
    code, last = after or (None, None)
    async with read(actor) as connection:
        rows = await connection.fetch(query, *_party_values(actor), code, last, party_id, limit)
    return [SiteRow(*row) for row in rows]


async def site_windows(actor: Actor, site_id: UUID) -> list[WindowRow]:
    """The receiving hours of one site, by weekday."""
    async with read(actor) as connection:
        rows = await connection.fetch(
            "select weekday, opens, closes from site_window where tenant_id = $1 and site_id = $2 order by 1, 2",
            *(actor.tenant_id, site_id),
        )
    return [WindowRow(*row) for row in rows]


async def get_site(actor: Actor, site_id: UUID) -> tuple[SiteRow, list[DayRow]]:
    """One site and its days out of pattern, in order. Raises NotFound."""
    actor.require(Permission.READ)
    async with read(actor) as connection:
        row = await connection.fetchrow(_SITES + " and s.id = $4", *_party_values(actor), site_id)
        days = await connection.fetch(
            "select day, working, name from site_day where tenant_id = $1 and site_id = $2 order by day",
            *(actor.tenant_id, site_id),
        )
    if row is None:
        raise NotFound
    return SiteRow(*row), [DayRow(*item) for item in days]


# --- people -----------------------------------------------------------------------------------------------------------

_MEMBERS = """
select m.id, m.party_id, p.name as party_name, p.is_factory, m.email, m.name, m.role, m.status, m.restricted, m.version,
    array(select r.contract_id from member_restriction r
          where r.tenant_id = m.tenant_id and r.member_id = m.id and r.contract_id is not null),
    array(select r.ship_to_code from member_restriction r
          where r.tenant_id = m.tenant_id and r.member_id = m.id and r.ship_to_code is not null order by 1)
from member m
join party p on p.tenant_id = m.tenant_id and p.party_id = m.party_id
where m.tenant_id = $1 and m.status <> 'removed' and (m.party_id = $2 or $3)"""


async def list_members(
    actor: Actor, *, limit: int, after: tuple[str, UUID] | None = None, party_id: UUID | None = None
) -> list[MemberRow]:
    """People by name, the invited ones too. party_id: of one company; a partner only ever sees its own."""
    actor.require(Permission.MANAGE_PEOPLE)
    query = f"""{_MEMBERS}
        and ($4::text is null or (lower(m.name), m.id) > (lower($4), $5::uuid))
        and ($6::uuid is null or m.party_id = $6)
        order by lower(m.name), m.id limit $7"""
    name, last = after or (None, None)
    async with read(actor) as connection:
        rows = await connection.fetch(
            query, actor.tenant_id, actor.party_id, actor.is_factory, name, last, party_id, limit
        )
    return await _members(actor, rows)


async def _members(actor: Actor, rows: Sequence[Any]) -> list[MemberRow]:
    holders = await second_factor.holders(actor.tenant_id, [row["id"] for row in rows])
    return [_member(row, row["id"] in holders) for row in rows]


def _member(row: Any, has_factor: bool) -> MemberRow:
    values = [*row, has_factor]
    values[6] = Role(values[6])
    return MemberRow(*values)


async def get_member(actor: Actor, member_id: UUID) -> MemberRow:
    """One person. Raises NotFound."""
    actor.require(Permission.MANAGE_PEOPLE)
    async with read(actor) as connection:
        row = await connection.fetchrow(
            _MEMBERS + " and m.id = $4", actor.tenant_id, actor.party_id, actor.is_factory, member_id
        )
    if row is None:
        raise NotFound
    (member,) = await _members(actor, [row])
    return member


async def invitations_of(actor: Actor, members: list[MemberRow]) -> list[InvitationRow]:
    """The links of those who have not joined yet."""
    actor.require(Permission.MANAGE_PEOPLE)
    invited = [member for member in members if member.status == "invited"]
    links = await identity.open_invitations(actor.tenant_id, [member.id for member in invited])
    return [_invitation(member, links.get(member.id)) for member in invited]


def _invitation(member: MemberRow, found: identity.Invitation | None) -> InvitationRow:
    if found is None:
        return InvitationRow(member, "", None)
    return InvitationRow(member, identity.invitation_link(found.id), found.expires_at)


async def restriction_choices(actor: Actor, member: MemberRow) -> tuple[list[Choice], list[Choice]]:
    """The contracts and the ship-to codes to which this member may be restricted."""
    actor.require(Permission.MANAGE_PEOPLE)
    whose = None if member.is_factory else member.party_id
    async with read(actor) as connection:
        return await _contracts(connection, actor, whose), await _codes(connection, actor, whose)


async def _contracts(connection: Driver, actor: Actor, whose: UUID | None) -> list[Choice]:
    rows = await connection.fetch(
        "select id, number, title, party_name from contract"
        " where tenant_id = $1 and ($2::uuid is null or party_id = $2)"
        " order by number, id limit 500",
        *(actor.tenant_id, whose),
    )
    named = [(row["party_name"] if whose is None else "", row["title"]) for row in rows]
    labels = [" · ".join(filter(None, (row["number"], *words))) for row, words in zip(rows, named, strict=True)]
    return [Choice(str(row["id"]), label) for row, label in zip(rows, labels, strict=True)]


async def _codes(connection: Driver, actor: Actor, whose: UUID | None) -> list[Choice]:
    rows = await connection.fetch(
        "select ship_to_code, (select min(s.name) from site s where s.tenant_id = $1 and s.code = ship_to_code)"
        " from (select distinct ship_to_code from contract_line"
        " where tenant_id = $1 and ship_to_code <> '' and ($2::uuid is null or party_id = $2)) l order by 1 limit 500",
        *(actor.tenant_id, whose),
    )
    return [Choice(code, code if name in (None, code) else f"{code} · {name}") for code, name in rows]


# --- keys -------------------------------------------------------------------------------------------------------------

_KEYS = """
select k.id, k.name, k.prefix, k.role, array(select jsonb_object_keys(k.scopes) order by 1), k.created_at,
    coalesce(m.name, '') as made_by, k.expires_at, k.revoked_at
from api_key k
left join member m on m.tenant_id = k.tenant_id and m.id = k.created_by
where k.tenant_id = $1 and k.party_id = $2"""


async def list_keys(actor: Actor, *, limit: int, after: UUID | None = None) -> list[KeyRow]:
    """The own company's keys, newest first, ended ones too. after: id of the last row seen."""
    actor.require(Permission.MANAGE_PEOPLE)
    query = f"{_KEYS} and ($3::uuid is null or k.id < $3) order by k.id desc limit $4"
    async with read(actor) as connection:
        rows = await connection.fetch(query, actor.tenant_id, actor.party_id, after, limit)
    return [_key(row) for row in rows]


async def get_key(actor: Actor, key_id: UUID) -> KeyRow:
    """One key of the own company. Raises NotFound."""
    actor.require(Permission.MANAGE_PEOPLE)
    async with read(actor) as connection:
        row = await connection.fetchrow(_KEYS + " and k.id = $3", actor.tenant_id, actor.party_id, key_id)
    if row is None:
        raise NotFound
    return _key(row)


def _key(row: Any) -> KeyRow:
    values = list(row)
    values[3] = Role(values[3])
    return KeyRow(*values)
