"""Lists of contracts as driver rows."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from portal.contracts.model import Contract, ContractKind, ContractStatus
from portal.contracts.rules_life import NOTICE
from portal.core.actor import Actor, Direction
from portal.core.conditions import Conditions, beginning, containing
from portal.core.db import Driver


class ContractFilter(Struct, frozen=True):
    """What the reader asked to see; empty parts restrict nothing."""

    search: str = ""  # in number, title, references, partner; or the beginning of an item code
    status: ContractStatus | None = None
    direction: Direction | None = None
    party_id: UUID | None = None
    to_answer: bool = False  # only those with an offer of the other company that waits for the reader's
    ending: date | None = None  # only those in force whose end is within their notice on this day


class ContractRow(Struct, frozen=True):
    """One contract in a list."""

    id: UUID
    number: str
    party_id: UUID
    party_name: str
    direction: Direction
    kind: ContractKind
    status: ContractStatus
    title: str
    partner_reference: str
    currency: str
    valid_from: date
    valid_to: date | None
    release_no: int
    released_on: date | None
    version: int
    lines: int
    reference: str  # of the customer behind a purchase contract; the factory alone reads it


class PartnerChoice(Struct, frozen=True):
    """A partner that contracts can be made with, or be filtered by."""

    id: UUID
    code: str
    name: str
    is_customer: bool
    is_supplier: bool


_COLUMNS = """c.id, c.number, c.party_id, c.party_name, c.direction, c.kind, c.status, c.title, c.partner_reference,
    c.currency, c.valid_from, c.valid_to, c.release_no, c.released_on, c.version,
    (select count(*)::int from contract_line l where l.tenant_id = $1 and l.contract_id = c.id)"""
_REFERENCE = "coalesce((select reference from contract_note n where n.tenant_id = $1 and n.contract_id = c.id), '')"
_SEARCH = """ and (number ilike {0} or title ilike {0} or partner_reference ilike {0} or party_name ilike {0}
    or exists (select from contract_line l where l.tenant_id = $1 and l.contract_id = contract.id
               and (l.item_code ilike {1} or l.partner_part_no ilike {1})){2})"""
_ENDING = """ and status in ('active', 'suspended') and least(valid_to, ends_on) >= {0}
    and least(valid_to, ends_on) <= {0}::date + coalesce(notice_days, {1})"""
_ASKED = {True: "countered", False: "proposed"}  # by whether the reader is the factory
_TO_ANSWER = """ and (status = {1} or status in ('active', 'suspended') and exists (
    select from contract_revision r where r.tenant_id = $1 and r.contract_id = contract.id and r.status = 'proposed'
        and r.offered_scope <> {0}))"""
_SEARCH_NOTES = """
    or id in (select n.contract_id from contract_note n where n.tenant_id = $1 and n.reference ilike {0})"""


async def list_contracts(
    connection: Driver, actor: Actor, wanted: ContractFilter, after: UUID | None, limit: int
) -> list[ContractRow]:
    """One page, the newest first, after an id; one row more than `limit` when there is a next page."""
    where = _where(actor, wanted)
    if after is not None:
        where.also("id <", after)
    reference = _REFERENCE if actor.is_factory else "''"
    query = (
        f"select {_COLUMNS}, {reference} from (select * from contract where {where.sql}"  # noqa: S608 - own text, bound values
        f" order by id desc limit {limit + 1}) c order by c.id desc"
    )
    return [ContractRow(*row) for row in await connection.fetch(query, *where.args)]


async def ending_soon(connection: Driver, actor: Actor, day: date, limit: int) -> tuple[list[ContractRow], int]:
    """Those in force whose end is within their notice, the first to end before the others; and how many there are."""
    where = _where(actor, ContractFilter(ending=day))
    reference = _REFERENCE if actor.is_factory else "''"
    query = (
        f"select {_COLUMNS}, {reference} from (select * from contract where {where.sql}"  # noqa: S608 - own text, bound values
        f" order by least(valid_to, ends_on), id limit {limit}) c order by least(c.valid_to, c.ends_on), c.id"
    )
    rows = [ContractRow(*row) for row in await connection.fetch(query, *where.args)]
    if len(rows) < limit:
        return rows, len(rows)
    return rows, await connection.fetchval(f"select count(*) from contract where {where.sql}", *where.args)  # noqa: S608 - as above


def _where(actor: Actor, wanted: ContractFilter) -> Conditions:
    """What this reader may see and asked for; `service.visible` in the words of the driver."""
    where = Conditions(actor, contract="id")
    if not actor.is_factory:
        where.sql += f" and {Contract.partner_sees}"
    where.equal(status=wanted.status, direction=wanted.direction, party_id=wanted.party_id)
    if wanted.to_answer:
        where.sql += _TO_ANSWER.format(where.arg(actor.scope.value), where.arg(_ASKED[actor.is_factory]))
    if wanted.ending is not None:
        where.sql += _ENDING.format(where.arg(wanted.ending), where.arg(NOTICE))
    if words := wanted.search.strip():
        anywhere, start = where.arg(containing(words)), where.arg(beginning(words))
        notes = _SEARCH_NOTES.format(anywhere) if actor.is_factory else ""  # partners may not even ask
        where.sql += _SEARCH.format(anywhere, start, notes)
    return where


async def delivered_to(connection: Driver, actor: Actor) -> list[str]:
    """The codes of the sites to which contracts deliver that the reader sees."""
    where = _where(actor, ContractFilter())
    query = (
        f"select distinct ship_to_code from contract_line where tenant_id = $1 and ship_to_code <> ''"  # noqa: S608 - own text, bound values
        f" and contract_id in (select id from contract where {where.sql}) order by ship_to_code limit 500"
    )
    return [row["ship_to_code"] for row in await connection.fetch(query, *where.args)]


_PARTNERS = """
select id, code, name, is_customer, is_supplier from party
where tenant_id = $1 and not is_factory and ($2::uuid[] is null or party_id in (
    select party_id from contract where tenant_id = $1 and id = any($2)))
order by lower(name), code limit 2000"""


async def partners(connection: Driver, actor: Actor) -> list[PartnerChoice]:
    """The partners by name, for the factory's forms and filters; partners get none."""
    if not actor.is_factory:
        return []
    restricted = None if actor.contract_ids is None else list(actor.contract_ids)
    return [PartnerChoice(*row) for row in await connection.fetch(_PARTNERS, actor.tenant_id, restricted)]
