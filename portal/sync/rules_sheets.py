"""The three-way merge of a workbook: what it was at the export, what the contract says now, what the user wrote.

Pure. Each field of each row is merged for itself. Rows that are missing say nothing; rows without a key are new.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from msgspec import Struct

from portal.contracts.evidence import Content
from portal.core.errors import Invalid
from portal.core.i18n import N_, _, render
from portal.sync.cells import Bad
from portal.sync.findings import REASONS
from portal.sync.sheet_answer_words import answer_words
from portal.sync.sheet_columns import BY_NAME, FIELDS, NEEDED, SHOWN_ONLY, Sheet, canonical, spoken, word

Values = dict[str, str]  # field -> canonical text
Rows = dict[str, Values]  # key -> values


class Outcome(StrEnum):
    """What becomes of one field."""

    NOTHING = "nothing"  # nobody changed it, or both to the same
    MINE = "mine"
    THEIRS = "theirs"  # kept as it is now
    CONFLICT = "conflict"


class Merged(NamedTuple):
    value: str
    outcome: Outcome


def merge(base: str, theirs: str, mine: str) -> Merged:
    """One field: whoever alone changed it is followed; both differently is a conflict, which keeps theirs."""
    if mine == theirs:
        return Merged(theirs, Outcome.NOTHING)
    if mine == base:
        return Merged(theirs, Outcome.THEIRS)
    if theirs == base:
        return Merged(mine, Outcome.MINE)
    return Merged(theirs, Outcome.CONFLICT)


# What a contract says, row by row -------------------------------------------------------------------------------------


def flat(content: Content, contract_id: str) -> dict[Sheet, Rows]:
    """A content as the rows of the sheets, by their keys."""
    head = _values(Sheet.CONTRACTS, content)
    lines: Rows = {}
    prices: Rows = {}
    periods: Rows = {}
    whose = {name: head[name] for name in ("number", "party_name", "currency")}
    for line in content["lines"]:
        key = f"{contract_id}:{line['line_no']}"
        lines[key] = _values(Sheet.LINES, line | whose)
        of_line = {name: line[name] for name in ("line_no", "item_code", "unit")}
        for price in line["prices"]:
            row = _values(Sheet.PRICES, price | whose | of_line)
            prices[price_key(key, row)] = row
        for period in line.get("periods", ()):
            row = _values(Sheet.PERIODS, period | whose | of_line)
            periods[period_key(key, row)] = row
    fields = {f"{contract_id}:{one['key']}": _values(Sheet.FIELDS, one | whose) for one in content.get("fields", ())}
    of_lines = {Sheet.LINES: lines, Sheet.PRICES: prices, Sheet.PERIODS: periods}
    return {Sheet.CONTRACTS: {contract_id: head}, **of_lines, Sheet.FIELDS: fields}


class NoSuchLine(Invalid):
    code = "no-line-for-price"
    text = N_("The contract has no such line, or the item several times. Write the number of the line.")


def is_line(said: Mapping[str, str], line_no: int | str, item_code: str) -> bool:
    """Whether a row means this line: by its number, or where that is left out by its item."""
    return str(line_no) == said["line_no"] if said.get("line_no") else item_code == said.get("item_code")


def price_key(line_key: str, row: Mapping[str, str]) -> str:
    """A price is named by its line, its day, its order and its step."""
    return f"{line_key}:{row['valid_from']}:{row.get('from_quantity') or '0'}:{row.get('order_no', '')}"


def period_key(line_key: str, row: Mapping[str, str]) -> str:
    """A period is named by its line and its first day."""
    return f"{line_key}:{row['start']}"


def _values(sheet: Sheet, said: Mapping[str, Any]) -> Values:
    return {field.name: spoken(field.name, said.get(field.name)) for field in FIELDS[sheet]}


# What the workbook says -----------------------------------------------------------------------------------------------


class RowSaid(Struct, frozen=True):
    """One row of the uploaded workbook. `cells` holds the columns that the workbook still has."""

    sheet: Sheet
    row: int
    key: str
    version: str
    cells: dict[str, str]


class Refused(Struct, frozen=True):
    """One row that is not applied, and why. `text` and `mend` are shown in the reader's language."""

    sheet: str
    row: int
    column: str  # a field's name; empty for the whole row
    text: str
    data: dict[str, Any] = {}
    mend: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, where, and how to mend it, in the reader's language."""
        where = _("{column}: {text}").format(column=label_of(self.sheet, self.column), text="") if self.column else ""
        return " ".join(filter(None, (where.strip(), self.reason, self.told)))

    @property
    def reason(self) -> str:
        return render(self.text, self.data)

    @property
    def told(self) -> str:
        """How to mend it; empty where the reason says so itself."""
        return render(self.mend, self.data) if self.mend else ""


class Change(Struct, frozen=True):
    """One field that the workbook changes, or (`field` empty) one row that is new."""

    sheet: str
    row: int
    key: str
    field: str
    base: str
    before: str  # as it is now
    after: str
    unit: str = ""  # of the line's quantities
    currency: str = ""

    @property
    def sentence(self) -> str:
        """Both changed it, as the sheet of rows that were not applied says it."""
        values = {"base": self.base, "theirs": self.before, "mine": self.after}
        in_words = partial(answer_words, unit=self.unit) if self.sheet == Sheet.ANSWERS else word
        shown = {name: in_words(value) or "–" for name, value in values.items()}
        label = label_of(self.sheet, self.field)
        return _("{column}: “{base}” at the export, “{theirs}” now, “{mine}” in the workbook.").format(
            column=label, **shown
        )


def label_of(sheet: str, name: str) -> str:
    """A column's heading in the reader's language."""
    field = BY_NAME[Sheet(sheet)].get(name)
    return _(field.label) if field else name


class Findings(Struct, frozen=True, kw_only=True):
    """What an upload does, or has done; kept with its run."""

    changes: list[Change] = []
    conflicts: list[Change] = []
    refused: list[Refused] = []
    unknown: list[tuple[str, str]] = []  # headings without a meaning: (sheet, heading)
    where: dict[str, str] = {}  # sheet:row -> the contract, line and item in words


class RowPlan(Struct, frozen=True):
    """What one row does: changed fields of a row that is there, or all of a new one."""

    sheet: Sheet
    row: int
    key: str
    theirs: Values  # what the contract says now; for a new row empty
    values: Values  # only what changes; for a new row all that was filled in
    changes: tuple[Change, ...]
    conflicts: tuple[Change, ...] = ()

    @property
    def new(self) -> bool:
        return not self.key


GONE = N_("This row is not in the contract any more: it was taken out since the export.")
GONE_MEND = N_("Take the row out of the workbook.")
FIXED = N_("This column names the row and is not changed here: it was “{before}”.")
FIXED_MEND = N_("Put it back. Where something else is meant, add a row and leave its key empty.")
FOREIGN = N_("The row is from another export.")
FOREIGN_MEND = N_("Download the workbook again and copy the changes into it.")
TWICE = N_("The row stands there twice: the other one is row {other}.")
TWICE_MEND = N_("Take one of the two out. A new row has no key.")
NO_NEW_CONTRACT = N_("A contract is not begun here.")
NO_NEW_CONTRACT_MEND = N_("Begin it on the page of contracts, then export it.")
NO_NEW_FIELD = N_("Each custom field has its row already.")
NO_NEW_FIELD_MEND = N_("Write the value into that row. New fields are defined on the page of custom fields.")
MISSING = N_("A new row needs this cell.")
MISSING_MEND = N_("Fill it in.")


def read_cells(said: RowSaid) -> tuple[Values, list[Refused]]:
    """The canonical values of a row, and its cells that cannot be read."""
    values: Values = {}
    refused = []
    for name, cell in said.cells.items():
        field = BY_NAME[said.sheet][name]
        if not said.key and not cell.strip():
            continue  # a new row leaves out what takes its default
        value = canonical(field, cell)
        if isinstance(value, Bad):
            text, mend = REASONS[value.code]
            refused.append(Refused(said.sheet, said.row, name, text, dict(value.data), mend))
        else:
            values[name] = value
    return values, refused


def plan_row(
    said: RowSaid, base: Values | None, theirs: Values | None, chosen: Mapping[tuple[str, str], str]
) -> RowPlan | list[Refused] | None:
    """What a row with a key does; None: nothing. chosen: (key, field) -> the value of now that mine may replace."""
    if base is None:
        return [Refused(said.sheet, said.row, "", FOREIGN, {}, FOREIGN_MEND)]
    mine, refused = read_cells(said)
    refused += [
        Refused(said.sheet, said.row, name, FIXED, {"before": base[name]}, FIXED_MEND)
        for name, value in mine.items()
        if BY_NAME[said.sheet][name].fixed and value != base[name]
    ]
    if refused:
        return refused
    touched = {name: value for name, value in mine.items() if value != base[name]}
    if not touched:
        return None
    if theirs is None:
        return [Refused(said.sheet, said.row, "", GONE, {}, GONE_MEND)]
    changes, conflicts = [], []
    for name, value in touched.items():
        measured = {"unit": theirs.get("unit", ""), "currency": theirs.get("currency", "")}
        change = Change(said.sheet, said.row, said.key, name, base[name], theirs[name], value, **measured)
        outcome = merge(base[name], theirs[name], value).outcome
        if outcome is Outcome.MINE or (outcome is Outcome.CONFLICT and chosen.get((said.key, name)) == theirs[name]):
            changes.append(change)
        elif outcome is Outcome.CONFLICT:
            conflicts.append(change)
    if not changes and not conflicts:
        return None
    values = {change.field: change.after for change in changes}
    return RowPlan(said.sheet, said.row, said.key, theirs, values, tuple(changes), tuple(conflicts))


def plan_new(said: RowSaid, known: Rows, base: Rows) -> RowPlan | list[Refused] | None:
    """What a row without a key does; None where the contract has just such a row since the export."""
    if said.sheet is Sheet.CONTRACTS:
        return [Refused(said.sheet, said.row, "", NO_NEW_CONTRACT, {}, NO_NEW_CONTRACT_MEND)]
    if said.sheet is Sheet.FIELDS:
        return [Refused(said.sheet, said.row, "", NO_NEW_FIELD, {}, NO_NEW_FIELD_MEND)]
    mine, refused = read_cells(said)
    refused += [
        Refused(said.sheet, said.row, name, MISSING, {}, MISSING_MEND)
        for name in NEEDED[said.sheet]
        if not mine.get(name) and not any(each.column == name for each in refused)
    ]
    if refused:
        return refused
    if said.sheet is Sheet.LINES:
        mine.pop("line_no", None)  # lines are numbered by the contract
    told = {name: value for name, value in mine.items() if name not in SHOWN_ONLY}
    for key, row in known.items():
        if (said.sheet is not Sheet.LINES or key not in base) and told.items() <= row.items():
            return None
    return RowPlan(said.sheet, said.row, "", {}, told, (Change(said.sheet, said.row, "", "", "", "", _label(told)),))


def _label(told: Values) -> str:
    names = ("item_code", "line_no", "valid_from", "price", "foq", "start", "last_day", "target")
    return " · ".join(told[name] for name in names if told.get(name))


def repeated(rows: Sequence[RowSaid]) -> list[Refused]:
    """Rows whose key stands there before."""
    first: dict[tuple[str, str], int] = {}
    return [
        Refused(said.sheet, said.row, "", TWICE, {"other": other}, TWICE_MEND)
        for said in rows
        if said.key and (other := first.setdefault((said.sheet, said.key), said.row)) != said.row
    ]
