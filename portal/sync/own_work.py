"""A factory's own spreadsheet done: its rows become drafts by the commands that the pages use. The same for trying and
for applying."""

from uuid import UUID

from msgspec import Struct
from pydantic import ValidationError

from portal.core import faults
from portal.core.actor import Actor
from portal.core.errors import PortalError
from portal.schedules.rules_packs import PackWarning
from portal.sync.cells import Bad
from portal.sync.findings import shortened
from portal.sync.own_fields import BY_NAME, Target
from portal.sync.own_rows import FileMapping, Grid, OwnRefused, OwnRow, heading, read_rows, refusal


class Made(Struct, frozen=True):
    """One document that an import has made, with the version that it was left in."""

    kind: str  # contract, schedule_line, opening
    id: UUID
    label: str
    version: int
    parent: UUID | None = None  # the contract that an opening belongs to


class OwnLoose(Struct, frozen=True):
    """A row whose quantity does not fill its packs; it is not held back."""

    row: int
    found: PackWarning


class OwnFound(Struct, frozen=True):
    """What an upload does, or has done; kept with its run."""

    target: Target
    mapping: FileMapping
    headings: list[str]
    saved: str = ""  # the mapping's name
    rows: int = 0  # below the heading
    good: int = 0
    refused: list[OwnRefused] = []
    made: list[Made] = []
    loose: list[OwnLoose] = []


class Work:
    """One upload on its way: what the rows say, and what came of them."""

    def __init__(self, actor: Actor, grid: Grid, mapping: FileMapping) -> None:
        self.actor, self.grid, self.mapping = actor, grid, mapping
        self.header = grid.header(mapping.header)
        self.rows, self.refused = read_rows(grid, mapping)
        self.count = len(self.rows) + len({each.row for each in self.refused})
        self.cells = dict(grid.below(mapping.header))
        self.made: list[Made] = []
        self.loose: list[OwnLoose] = []

    def refuse(self, row: OwnRow, field: str, why: Bad) -> None:
        self.refused.append(refusal(row.row, self.header, self.mapping, field, self.cell(row, field), why))

    def fail(self, row: OwnRow, error: PortalError | ValidationError, names: dict[str, str]) -> None:
        """A refusal of a command, at the column that it means. names: what the command calls a column's field."""
        if isinstance(error, ValidationError):
            fault = error.errors()[0]
            error = faults.refusal(fault, str(fault["loc"][-1]) if fault["loc"] else "")
        field = (error.field or "").rpartition(".")[2]
        field = names.get(field, field)
        known = field if field in BY_NAME[self.mapping.target] else ""
        data = {name: value if isinstance(value, int) else str(value) for name, value in error.data.items()}
        column = heading(self.header, self.mapping, known) if known else ""
        self.refused.append(OwnRefused(row.row, column, self.cell(row, known), error.text, data))

    def cell(self, row: OwnRow, field: str) -> str:
        column = self.mapping.columns.get(field)
        cells = self.cells[row.row]
        return shortened(cells[column].strip()) if column is not None and column < len(cells) else ""

    def found(self, saved: str = "") -> OwnFound:
        bad = {each.row for each in self.refused}
        return OwnFound(
            target=self.mapping.target,
            mapping=self.mapping,
            headings=self.header,
            saved=saved,
            rows=self.count,
            good=sum(row.row not in bad for row in self.rows),
            refused=sorted(self.refused, key=lambda each: each.row),
            made=self.made,
            loose=self.loose,
        )
