"""What SCMS lines hang on: companies, places, items, contracts and their lines. Found where they are, else made.

Companies are known by their name, items by their code, contracts by partner and project code. The project code is the
customer's reference: on a purchase contract it stands in the factory's private note and nowhere else.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.sync.scms_file import SOURCE, Party, Place, ScmsFile
from portal.sync.staging import new_ids, stage


@dataclass(slots=True)
class Parents:
    """Ids by place in the file, and what a contract's new lines are numbered from."""

    changed: int = 0  # rows written
    parties: dict[str, UUID] = field(default_factory=dict)  # by name
    items: list[UUID] = field(default_factory=list)
    contracts: list[UUID] = field(default_factory=list)
    last_line_no: list[int] = field(default_factory=list)
    release_no: list[int] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    lines: list[UUID] = field(default_factory=list)
    new_contracts: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class When:
    """The moment of the import, the tenant's clock, and the day from which zones count."""

    now: datetime
    zone: str
    released_on: date


async def write_parents(connection: Driver, actor: Actor, file: ScmsFile, when: When) -> Parents:
    """Everything above the schedule lines. The caller holds the tenant's import lock."""
    made = Parents()
    await _parties(connection, actor, file, made)
    await _sites(connection, actor, file, made)
    await _items(connection, actor, file, made)
    await _contracts(connection, actor, file, made, when)
    await _contract_lines(connection, actor, file, made)
    return made


def written(status: str) -> int:
    """The rows that a statement wrote, from its status: INSERT 0 65."""
    return int(status.rpartition(" ")[2])


_INSERT_PARTIES = """
insert into party (tenant_id, id, party_id, code, name, country, is_factory, is_customer, is_supplier, version)
select $1, id, id, code, name, country, false, customer, supplier, 1 from scms_party"""
_TRADE = """
update party set is_customer = is_customer or name = any($2), is_supplier = is_supplier or name = any($3),
    version = version + 1
where tenant_id = $1 and not is_factory
    and (name = any($2) and not is_customer or name = any($3) and not is_supplier)"""


async def _parties(connection: Driver, actor: Actor, file: ScmsFile, made: Parents) -> None:
    rows = await connection.fetch("select id, name, code, is_factory from party where tenant_id = $1", actor.tenant_id)
    made.parties = {row["name"]: row["id"] for row in rows if not row["is_factory"]}
    taken = {row["code"] for row in rows}
    customers, suppliers = [p.name for p in file.customers], [p.name for p in file.suppliers]
    made.changed += written(await connection.execute(_TRADE, actor.tenant_id, customers, suppliers))
    new = [party for party in (*file.customers, *file.suppliers) if party.name not in made.parties]
    ids = new_ids(len(new))
    await stage(
        connection,
        "scms_party",
        id=("uuid", ids),
        code=("text", [_free(party.code, taken) for party in new]),
        name=("text", [party.name for party in new]),
        country=("text", [party.place.country if party.place else "" for party in new]),
        customer=("boolean", [party.place is not None for party in new]),
        supplier=("boolean", [party.place is None for party in new]),
    )
    made.changed += written(await connection.execute(_INSERT_PARTIES, actor.tenant_id))
    made.parties |= {party.name: UUID(new_id) for party, new_id in zip(new, ids, strict=True)}


def _free(code: str, taken: set[str]) -> str:
    """The code, or with the first number behind it that nobody has. Notes it as taken."""
    free, no = code, 1
    while free in taken:
        no += 1
        free = f"{code}-{no}"
    taken.add(free)
    return free


_INSERT_SITES = """
insert into site (tenant_id, id, party_id, code, name, country, address, time_zone, weekdays, version)
select $1, id, party_id, code, name, country, '', zone, '{0,1,2,3,4}', 1 from scms_site
on conflict (tenant_id, party_id, code) do nothing"""


async def _sites(connection: Driver, actor: Actor, file: ScmsFile, made: Parents) -> None:
    """A customer's country is its own site. Countries without a customer are the factory's, as its own centres are."""
    owner = {party.place.code: made.parties[party.name] for party in file.customers if party.place}
    centres = file.factory.place
    places: list[tuple[Place, str]] = [(place, place.country) for place in file.ship_tos]
    if centres is not None:
        places.append((centres, "Regional distribution centres"))
    await stage(
        connection,
        "scms_site",
        id=("uuid", new_ids(len(places))),
        party_id=("uuid", [owner.get(place.code, actor.party_id).hex for place, _ in places]),
        code=("text", [place.code for place, _ in places]),
        name=("text", [name for _, name in places]),
        country=("text", [place.country for place, _ in places]),
        zone=("text", [place.zone for place, _ in places]),
    )
    made.changed += written(await connection.execute(_INSERT_SITES, actor.tenant_id))


_INSERT_ITEMS = """
insert into item (tenant_id, id, code, description, revision, unit, category, source, version)
select $1, id, code, description, '', unit, category, $2, 1 from scms_item"""


async def _items(connection: Driver, actor: Actor, file: ScmsFile, made: Parents) -> None:
    codes = [item.code for item in file.items]
    rows = await connection.fetch(
        "select code, id from item where tenant_id = $1 and code = any($2)", actor.tenant_id, codes
    )
    known = {row["code"]: row["id"] for row in rows}
    new = [item for item in file.items if item.code not in known]
    ids = new_ids(len(new))
    await stage(
        connection,
        "scms_item",
        id=("uuid", ids),
        code=("text", [item.code for item in new]),
        description=("text", [item.description for item in new]),
        unit=("text", [item.unit for item in new]),
        category=("text", [item.category for item in new]),
    )
    made.changed += written(await connection.execute(_INSERT_ITEMS, actor.tenant_id, SOURCE))
    known |= {item.code: UUID(new_id) for item, new_id in zip(new, ids, strict=True)}
    made.items = [known[code] for code in codes]


_KNOWN_CONTRACTS = """
select c.id, c.party_id, c.direction, coalesce(n.reference, c.partner_reference) as project, c.last_line_no,
    c.release_no, c.version
from contract c left join contract_note n on n.tenant_id = c.tenant_id and n.contract_id = c.id
where c.tenant_id = $1 and c.source = $2
order by c.id for no key update of c"""
_INSERT_CONTRACTS = """
insert into contract (tenant_id, id, party_id, number, direction, kind, status, title, party_name, partner_reference,
    currency, valid_from, valid_to, time_zone, response_hours, release_no, last_line_no, proposed_at, accepted_at,
    source, external_id, version)
select $1, id, party_id, number, direction, 'long_term', 'active', title, party_name, reference, currency, valid_from,
    valid_to, $2, 16, 0, 0, $3, $3, $4, nullif(reference, ''), 1
from scms_contract"""
_INSERT_NOTES = """
insert into contract_note (tenant_id, id, contract_id, reference, note)
select $1, note_id, id, project, '' from scms_contract where direction = 'purchase'"""


async def _contracts(connection: Driver, actor: Actor, file: ScmsFile, made: Parents, when: When) -> None:
    rows = await connection.fetch(_KNOWN_CONTRACTS, actor.tenant_id, SOURCE)
    known = {(row["party_id"], row["direction"], row["project"]): row for row in rows}
    counts: dict[UUID, int] = {}  # contracts of a partner, so that its numbers have no gaps
    for row in rows:
        counts[row["party_id"]] = counts.get(row["party_id"], 0) + 1
    new: list[dict[str, Any]] = []
    fresh_ids = new_ids(len(file.contracts))
    for at, contract in enumerate(file.contracts):
        partner = file.partner(at)
        party_id = made.parties[partner.name]
        before = known.get((party_id, contract.direction, contract.project_code))
        made.contracts.append(before["id"] if before else UUID(fresh_ids[at]))
        made.last_line_no.append(before["last_line_no"] if before else 0)
        made.release_no.append(before["release_no"] if before else 0)
        made.versions.append(before["version"] if before else 0)
        if before is None:
            counts[party_id] = counts.get(party_id, 0) + 1
            made.new_contracts.add(at)
            new.append({"id": fresh_ids[at], **_head(file, at, partner, party_id, counts[party_id])})
    await _insert_contracts(connection, actor, made, when, new)


def _head(file: ScmsFile, at: int, partner: Party, party_id: UUID, number: int) -> dict[str, Any]:
    """One new contract. The partner reads all of it, so a supplier's says nothing of the customer but the country."""
    contract = file.contracts[at]
    sale = contract.direction is Direction.SALE
    return {
        "party_id": party_id.hex,
        "number": f"SCMS-{number:03}",
        "direction": contract.direction.value,
        "title": f"{contract.ship_to.country}: {'from stock' if sale else 'direct deliveries'}",
        "party_name": partner.name,
        "reference": contract.project_code if sale else "",
        "project": contract.project_code,
        "currency": contract.currency,
        "valid_from": contract.valid_from,
        "valid_to": contract.valid_to,
    }


async def _insert_contracts(
    connection: Driver, actor: Actor, made: Parents, when: When, new: list[dict[str, Any]]
) -> None:
    kinds = {"id": "uuid", "party_id": "uuid", "valid_from": "date", "valid_to": "date"}
    names = ("id", "party_id", "number", "direction", "title", "party_name", "reference", "project", "currency")
    columns = {name: (kinds.get(name, "text"), [row[name] for row in new]) for name in (*names, *list(kinds)[2:])}
    await stage(connection, "scms_contract", note_id=("uuid", new_ids(len(new))), **columns)
    made.changed += written(await connection.execute(_INSERT_CONTRACTS, actor.tenant_id, when.zone, when.now, SOURCE))
    made.changed += written(await connection.execute(_INSERT_NOTES, actor.tenant_id))


_KNOWN_LINES = """
select l.contract_id, l.item_id, l.id, l.line_no from contract_line l
where l.tenant_id = $1 and l.contract_id = any($2)"""
_INSERT_LINES = """
insert into contract_line (tenant_id, id, party_id, contract_id, line_no, item_id, item_code, description, revision,
    partner_part_no, unit, band_below_percent, band_above_percent, pack_size, minimum_order, under_percent,
    over_percent, firm_days, tradeoff_days, day_unit, delivery_weekdays, ship_to_code, ship_to_country, ship_to_address,
    unloading_point, receiving_window, carried_remainder, version)
select $1, id, party_id, contract_id, line_no, item_id, item_code, description, '', '', unit, 20, 20, 1, 0, 0, 0, 28,
    63, 'calendar', '{}', code, country, '', '', '', 0, 1
from scms_contract_line where new"""


async def _contract_lines(connection: Driver, actor: Actor, file: ScmsFile, made: Parents) -> None:
    """All lines of the file are staged, the known ones too: the schedule lines take their places from here."""
    rows = await connection.fetch(_KNOWN_LINES, actor.tenant_id, made.contracts)
    known = {(row["contract_id"], row["item_id"]): row["id"] for row in rows}
    last: dict[UUID, int] = {}
    for row in rows:
        last[row["contract_id"]] = max(row["line_no"], last.get(row["contract_id"], 0))
    fresh_ids = new_ids(len(file.contract_lines))
    numbers: list[int] = []
    for at, line in enumerate(file.contract_lines):
        contract_id = made.contracts[line.contract]
        before = known.get((contract_id, made.items[line.item]))
        made.lines.append(before or UUID(fresh_ids[at]))
        if before is None:
            last[contract_id] = last.get(contract_id, 0) + 1
        numbers.append(0 if before else last[contract_id])
    heads = [file.contracts[line.contract] for line in file.contract_lines]
    items = [file.items[line.item] for line in file.contract_lines]
    await stage(
        connection,
        "scms_contract_line",
        n=("integer", list(range(len(heads)))),
        id=("uuid", [line_id.hex for line_id in made.lines]),
        contract=("integer", [line.contract for line in file.contract_lines]),
        contract_id=("uuid", [made.contracts[line.contract].hex for line in file.contract_lines]),
        party_id=("uuid", [made.parties[file.partner(line.contract).name].hex for line in file.contract_lines]),
        direction=("text", [head.direction.value for head in heads]),
        line_no=("integer", numbers),
        item_id=("uuid", [made.items[line.item].hex for line in file.contract_lines]),
        item_code=("text", [item.code for item in items]),
        description=("text", [item.description for item in items]),
        unit=("text", [item.unit for item in items]),
        code=("text", [head.ship_to.code for head in heads]),
        country=("text", [head.ship_to.country for head in heads]),
        new=("boolean", [number > 0 for number in numbers]),
    )
    made.changed += written(await connection.execute(_INSERT_LINES, actor.tenant_id))
