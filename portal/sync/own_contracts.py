"""Rows of a factory's own spreadsheet as drafts of contracts, one for each number and partner."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Party
from portal.catalog.model import Item
from portal.catalog.service import items_by_code
from portal.contracts.inputs import NewContract, NewLine, NewPrice
from portal.contracts.service_drafts import create_contract
from portal.core.actor import Actor, Direction
from portal.core.errors import PortalError
from portal.core.journal import part
from portal.core.quantities import UNITS
from portal.sync.cells import Bad, bad
from portal.sync.own_fields import folded
from portal.sync.own_rows import HEAD, OwnRow
from portal.sync.own_work import Made, Work

NEAR = 60  # from here on a name is offered instead
LINE = ("description", "partner_part_no", "unit", "foq", "cadence", "target_quantity", "pack_size", "minimum_order")
HEAD_TERMS = ("valid_to", "title", "partner_reference", "payment_terms")
NAMES = {"party_id": "partner", "partner": "partner"}


async def make_contracts(session: AsyncSession, work: Work) -> None:
    """A draft for each contract of the rows, with the lines that can stand in it."""
    partners = Partners((await session.exec(_partners(work.actor))).all())
    items = await items_by_code(session, work.actor, {row.values["item_code"] for row in work.rows})
    for rows in _grouped(work.rows):
        party = partners.find(rows[0].values["partner"])
        if isinstance(party, Bad):
            for row in rows:
                work.refuse(row, "partner", party)
            continue
        good = [row for row in rows if _agrees(work, rows[0], row) and _unit_fits(work, items, row)]
        if good:
            await _make(session, work, party, good)


def _partners(actor: Actor) -> Any:
    return select(Party).where(Party.tenant_id == actor.tenant_id, col(Party.is_factory).is_(False))


class Partners:
    """The partners by what they are called: code or whole name, whatever case, width and spaces."""

    def __init__(self, parties: Sequence[Party]) -> None:
        self.called: dict[str, list[Party]] = {}
        self.names: dict[str, str] = {}
        for party in parties:
            for name in {folded(party.code), folded(party.name)}:
                self.called.setdefault(name, []).append(party)
            self.names |= {folded(party.code): party.name, folded(party.name): party.name}

    def find(self, cell: str) -> Party | Bad:
        found = self.called.get(folded(cell), [])
        if len(found) == 1:
            return found[0]
        if found:
            return bad("several-partners", cell)
        from rapidfuzz import fuzz, process  # imported late: it is not needed to start

        near = process.extractOne(folded(cell), self.names.keys(), scorer=fuzz.ratio, score_cutoff=NEAR)
        return bad("no-partner-near", cell, near=self.names[near[0]]) if near else bad("no-partner", cell)


def _grouped(rows: Sequence[OwnRow]) -> list[list[OwnRow]]:
    groups: dict[tuple[str, str], list[OwnRow]] = {}
    for row in rows:
        groups.setdefault((folded(row.values["partner"]), row.values["number"]), []).append(row)
    return list(groups.values())


def _agrees(work: Work, first: OwnRow, row: OwnRow) -> bool:
    """Whether a row says of its contract what the first one says; what it leaves out it does not say."""
    for name in HEAD[2:]:
        if name in row.values and row.values[name] != first.values.get(name, row.values[name]):
            work.refuse(row, name, bad("head-differs", work.cell(row, name), other=first.row))
            return False
    return True


def _unit_fits(work: Work, items: Mapping[str, Item], row: OwnRow) -> bool:
    item, unit = items.get(row.values["item_code"]), row.values.get("unit")
    if item is None or unit is None or item.unit == unit:
        return True  # an item that is not there is refused with its own sentence
    field = "unit" if "unit" in work.mapping.columns else "target_quantity"
    work.refuse(row, field, bad("unit-differs", work.cell(row, field) or unit, unit=UNITS[item.unit][1]))
    return False


async def _make(session: AsyncSession, work: Work, party: Party, rows: list[OwnRow]) -> None:
    """One draft: what is refused by name leaves, and the rest is tried again."""
    left = list(rows)
    while left:
        built = [(row, _line(work, row)) for row in left]
        lines = [(row, line) for row, line in built if line is not None]
        if not lines:
            return
        left = [row for row, _line_ in lines]
        try:
            async with part(session):
                data = _contract(work, party, left, [line for _row, line in lines])
                contract = await create_contract(session, work.actor, data)
        except (PortalError, ValidationError) as error:
            guilty = _guilty(error, left)
            for row in guilty:
                work.fail(row, error, NAMES)
            left = [row for row in left if row not in guilty]
            continue
        work.made.append(Made("contract", contract.id, contract.number, contract.version))
        return


def _guilty(error: PortalError | ValidationError, rows: list[OwnRow]) -> list[OwnRow]:
    at = (error.field or "").split(".") if isinstance(error, PortalError) else []
    return [rows[int(at[1])]] if len(at) > 1 and at[0] == "lines" and at[1].isdecimal() else rows


def _line(work: Work, row: OwnRow) -> NewLine | None:
    said = {name: row.values[name] for name in LINE if name in row.values}
    try:
        prices = []
        if "price" in row.values:
            prices = [NewPrice(valid_from=row.values["valid_from"], price=row.values["price"])]
        more = {"ship_to_code": row.values["ship_to_code"]} if "ship_to_code" in row.values else {}
        return NewLine(item_code=row.values["item_code"], prices=prices, **said, **more)
    except ValidationError as error:
        work.fail(row, error, NAMES)
        return None


def _contract(work: Work, party: Party, rows: Sequence[OwnRow], lines: list[NewLine]) -> NewContract:
    first = rows[0].values
    return NewContract(
        party_id=party.id,
        direction=_direction(work, party),
        number=first["number"],
        currency=first.get("currency") or work.mapping.currency,
        valid_from=first["valid_from"],
        lines=lines,
        **{name: first[name] for name in HEAD_TERMS if name in first},
    )


def _direction(work: Work, party: Party) -> Direction:
    """As the mapping says; without it what the partner is: of one that is both, a customer."""
    if work.mapping.direction:
        return Direction(work.mapping.direction)
    return Direction.SALE if party.is_customer else Direction.PURCHASE
