"""A factory's own spreadsheet as its page shows it: first rows, mapping, what comes of it, what is refused."""

from uuid import UUID

from msgspec import Struct

from portal.core import i18n
from portal.core.i18n import N_, _, ngettext
from portal.core.model import ImportRun
from portal.schedules import words
from portal.schedules.rules_grid import By
from portal.sync.own_fields import FIELDS, TARGETS, Target, suggest
from portal.sync.own_rows import Grid, letter
from portal.sync.own_values import DayOrder, Marks
from portal.sync.own_work import OwnFound
from portal.sync.service_own import found_of
from portal.web import packs
from portal.web.sheet_views import labelled
from portal.web.views import Figure

SHOWN = 200  # refused rows and documents on the page
PREVIEW = 6  # rows of the file, from its first one on
SAMPLES = 3
CELL = 40

TITLES = {
    "mapping": N_("Columns to be mapped"),
    "previewed": N_("Nothing is written yet"),
    "applied": N_("Applied"),
    "undone": N_("Taken back as a whole"),
}
TONES = {"previewed": "waiting", "applied": "confirmed", "undone": "risk"}
DAYS = {
    DayOrder.YEAR_FIRST: N_("year first: 2026-08-15"),
    DayOrder.DAY_FIRST: N_("day first: 15/8/2026"),
    DayOrder.MONTH_FIRST: N_("month first: 8/15/2026"),
}
MARKS = {Marks.POINT: N_("point: 1,234.5"), Marks.COMMA: N_("comma: 1.234,5")}
DIRECTIONS = {"": N_("as the partner is"), "sale": N_("Sale"), "purchase": N_("Purchase")}
DOCUMENTS = {
    "contract": "/contracts/{id}",
    "schedule_line": "/schedule-lines/{id}",
    "opening": "/contracts/{parent}/opening",
}


class ColumnRow(Struct, frozen=True):
    """One column of the file: what it is called, what stands in it, what it is taken for."""

    at: int
    letter: str
    heading: str
    samples: str
    field: str


class RefusedRow(Struct, frozen=True):
    row: int
    column: str
    cell: str
    reason: str
    mend: str


class OwnView(Struct, frozen=True):
    """One upload."""

    id: UUID
    filename: str
    target: str
    title: str
    tone: str
    sentence: str
    figures: tuple[Figure, ...]
    refused: list[RefusedRow]
    refused_count: int
    loose: list[str]  # quantities that do not fill their packs
    made: list[tuple[str, str]]  # (label, address)
    made_count: int
    mapping: bool  # the mapping is shown
    can_map: bool
    can_apply: bool
    can_undo: bool


class MappingView(Struct, frozen=True):
    """The mapping as a form."""

    header: int
    first: list[tuple[int, list[str]]]  # the first rows: number and cells
    letters: list[str]
    columns: list[ColumnRow]
    fields: list[tuple[str, str]]
    needed: str
    days: list[tuple[str, str]]
    marks: list[tuple[str, str]]
    directions: list[tuple[str, str]]


def own_view(run: ImportRun, *, mapping: bool) -> OwnView:
    """Everything the page says of the run, in the reader's language."""
    found = found_of(run)
    shown = run.status == "mapping" or (mapping and run.status == "previewed")
    return OwnView(
        id=run.id,
        filename=run.filename,
        target=_(TARGETS[found.target]),
        title=_(TITLES[run.status]),
        tone=TONES.get(run.status, ""),
        sentence=_sentence(run.status, found),
        figures=() if run.status == "mapping" else _figures(found),
        refused=[RefusedRow(one.row, one.column, one.cell, one.reason, one.told) for one in found.refused[:SHOWN]],
        refused_count=len({one.row for one in found.refused}),
        loose=[] if run.status in ("mapping", "undone") else _loose(found),
        made=[
            (labelled(one.label), DOCUMENTS[one.kind].format(id=one.id, parent=one.parent))
            for one in found.made[:SHOWN]
        ]
        if run.status == "applied"
        else [],
        made_count=len(found.made),
        mapping=shown,
        can_map=run.status == "previewed" and not shown,
        can_apply=run.status == "previewed" and not shown and found.good > 0,
        can_undo=run.status == "applied" and bool(found.made),
    )


def _loose(found: OwnFound) -> list[str]:
    """Row 7: A100, 7 Dec 2026: 505 pcs is not a multiple of the pack size 10 pcs."""
    rows = ((one.row, one.found) for one in found.loose)
    told = [(row, words.pack_sentence(one, words.column_words(By.DAY, one.column))) for row, one in rows]
    return packs.shortened([_("Row {row}: {sentence}").format(row=row, sentence=sentence) for row, sentence in told])


def _sentence(status: str, found: OwnFound) -> str:
    match status:
        case "mapping":
            return _("Say what each column holds; then the file is tried, and nothing of it is written.")
        case "previewed" if found.good and found.target is Target.OPENING:
            return _("The good rows are put before the partners, who confirm or decline them; the others come back.")
        case "previewed" if found.good:
            return _("The good rows become drafts that no partner sees; the others come back with their reasons.")
        case "previewed":
            return _("No row can be applied. Mend the file or the mapping.")
        case "undone":
            return _("What this import had made is gone.")
        case "applied" if found.target is Target.OPENING:
            return _("The figures wait for the partners. Until one has answered, the import can be undone as a whole.")
        case _:
            return _("Drafts were made. As long as nobody has worked on them, the import can be undone as a whole.")


def _figures(found: OwnFound) -> tuple[Figure, ...]:
    bad = len({one.row for one in found.refused})
    made = len(found.made)
    if found.target is Target.CONTRACTS:
        documents = ngettext("{n} draft contract", "{n} draft contracts", made)
    elif found.target is Target.OPENING:
        documents = ngettext("{n} contract with opening balances", "{n} contracts with opening balances", made)
    else:
        documents = ngettext("{n} drafted delivery", "{n} drafted deliveries", made)
    return (
        Figure(_("Rows"), i18n.number(found.rows), _("below the heading")),
        Figure(_("Good"), i18n.number(found.good), documents.format(n=i18n.number(made))),
        Figure(_("Refused"), i18n.number(bad), _("each with its reason")),
    )


def mapping_view(found: OwnFound, grid: Grid, header: int | None) -> MappingView:
    """The form, as it was mapped last; with another row as heading, as its headings suggest."""
    row = found.mapping.header if header is None or header not in grid.numbers else header
    headings = grid.header(row)
    columns = found.mapping.columns if row == found.mapping.header else suggest(found.target, headings)
    taken = {at: name for name, at in columns.items()}
    fields = FIELDS[found.target]
    return MappingView(
        header=row,
        first=[
            (number, [_short(cell) for cell in cells]) for number, cells in zip(grid.numbers, grid.rows, strict=True)
        ][:PREVIEW],
        letters=[letter(at) for at in range(len(headings))],
        columns=[
            ColumnRow(at, letter(at), heading, _samples(grid, row, at), taken.get(at, ""))
            for at, heading in enumerate(headings)
        ],
        fields=[("", _("not used")), *((f.name, _(f.label) + (" *" if f.needed else "")) for f in fields)],
        needed=_(", ").join(_(f.label) for f in fields if f.needed),
        days=[(one.value, _(text)) for one, text in DAYS.items()],
        marks=[(one.value, _(text)) for one, text in MARKS.items()],
        directions=[(value, _(text)) for value, text in DIRECTIONS.items()],
    )


def _samples(grid: Grid, header: int, column: int) -> str:
    """What stands in the column, each text once."""
    texts = (cells[column].strip() for _row, cells in grid.below(header))
    return " · ".join(list(dict.fromkeys(_short(text) for text in texts if text))[:SAMPLES])


def _short(cell: str) -> str:
    text = " ".join(cell.split())
    return text if len(text) <= CELL else text[: CELL - 1] + "…"
