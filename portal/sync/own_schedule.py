"""Rows of a factory's own spreadsheet as drafted deliveries of contracts in force."""

from collections import defaultdict
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.db import driver
from portal.core.errors import PortalError
from portal.core.journal import part
from portal.core.quantities import UNITS
from portal.schedules.service_release import CallOff, call_off
from portal.sync.cells import Bad, bad
from portal.sync.own_fields import folded
from portal.sync.own_rows import OwnRow
from portal.sync.own_work import Made, OwnLoose, Work

NAMES = {"contract_line_id": "item_code", "ordered_quantity": "quantity"}


class Line(NamedTuple):
    contract_id: UUID
    id: UUID
    line_no: int
    item_code: str
    unit: str


class Wrong(NamedTuple):
    field: str
    why: Bad


class _Contract(NamedTuple):
    id: UUID
    partner: str  # its code and name, folded
    code: str


_CONTRACTS = """
select c.number, c.id, p.name, p.code from contract c
join party p on p.tenant_id = c.tenant_id and p.party_id = c.party_id and p.id = c.party_id
where c.tenant_id = $1 and c.number = any($2) and c.status <> 'draft' and ($3::uuid[] is null or c.id = any($3))"""
_LINES = """
select contract_id, id, line_no, item_code, unit from contract_line where tenant_id = $1 and contract_id = any($2)"""


async def call_rows_off(session: AsyncSession, work: Work) -> None:
    """A drafted delivery for each row; nothing is published."""
    places = await Places.read(session, work)
    for row in work.rows:
        line = places.find(row)
        if isinstance(line, Wrong):
            work.refuse(row, line.field, line.why)
        elif unit_fits(work, row, line):
            await _call(session, work, row, line)


class Places:
    """The contracts and lines that rows can mean."""

    def __init__(self, contracts: dict[str, list[_Contract]], lines: dict[UUID, list[Line]], work: Work) -> None:
        self.contracts, self.lines, self.work = contracts, lines, work

    @classmethod
    async def read(cls, session: AsyncSession, work: Work) -> "Places":
        connection = await driver(session)
        numbers = list({row.values["number"] for row in work.rows})
        restricted = None if work.actor.contract_ids is None else list(work.actor.contract_ids)
        contracts: dict[str, list[_Contract]] = defaultdict(list)
        for number, contract_id, name, code in await connection.fetch(
            _CONTRACTS, work.actor.tenant_id, numbers, restricted
        ):
            contracts[number].append(_Contract(contract_id, folded(name), folded(code)))
        ids = [contract.id for found in contracts.values() for contract in found]
        lines: dict[UUID, list[Line]] = defaultdict(list)
        for row in await connection.fetch(_LINES, work.actor.tenant_id, ids):
            lines[row["contract_id"]].append(Line(*row))
        return cls(contracts, lines, work)

    def find(self, row: OwnRow) -> Line | Wrong:
        """The contract line that a row means, or the field that is wrong and why."""
        number, partner = row.values["number"], folded(row.values.get("partner", ""))
        found = [one for one in self.contracts.get(number, []) if partner in ("", one.partner, one.code)]
        if len(found) != 1:
            return Wrong("number", bad("several-contracts" if found else "no-contract", number))
        return self._line(row, self.lines[found[0].id])

    def _line(self, row: OwnRow, lines: list[Line]) -> Line | Wrong:
        line_no, item = row.values.get("line_no"), row.values.get("item_code")
        if line_no is None and item is None:
            return Wrong("item_code", Bad("blank"))
        found = [one for one in lines if line_no in (None, one.line_no) and item in (None, one.item_code)]
        if len(found) == 1:
            return found[0]
        named = "item_code" if item is not None else "line_no"
        return Wrong(named, bad("several-contract-lines" if found else "no-contract-line", str(item or line_no)))


def unit_fits(work: Work, row: OwnRow, line: Line, number: str = "quantity") -> bool:
    """Whether a row's unit is the line's. number: where the unit may stand beside a figure."""
    unit = row.values.get("unit")
    if unit is None or unit == line.unit:
        return True
    field = "unit" if "unit" in work.mapping.columns else number
    work.refuse(row, field, bad("unit-differs", work.cell(row, field) or unit, unit=UNITS[line.unit][1]))
    return False


async def _call(session: AsyncSession, work: Work, row: OwnRow, line: Line) -> None:
    said = row.values
    try:
        async with part(session):
            data = CallOff(
                contract_line_id=line.id,
                quantity=said["quantity"],
                due_date=said["due_date"],
                order_no=said.get("order_no", ""),
            )
            called = await call_off(session, work.actor, line.contract_id, data)
    except (PortalError, ValidationError) as error:
        work.fail(row, error, NAMES)
        return
    label = f"{said['number']} · {line.item_code} · {said['due_date'].isoformat()}"
    work.made.append(Made("schedule_line", called.id, label, 1))
    work.loose += [OwnLoose(row.row, one) for one in called.warnings]
