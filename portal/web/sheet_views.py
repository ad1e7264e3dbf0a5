"""An uploaded workbook as its page shows it: what changes, what both changed, what is refused."""

import re
from datetime import date
from decimal import Decimal

from msgspec import Struct

from portal.core import i18n
from portal.core.i18n import N_, _, ngettext
from portal.core.model import ImportRun
from portal.core.quantities import show_money, show_quantity
from portal.sync.model import SheetRun
from portal.sync.rules_sheets import Change, Findings, label_of
from portal.sync.service_sheets import found_of
from portal.sync.sheet_answer_words import answer_words
from portal.sync.sheet_columns import BY_NAME, TITLES, Kind, Sheet, word
from portal.sync.sheet_work import Found
from portal.web.views import Figure

SHOWN = 200  # rows of each list on the page


class ChangeRow(Struct, frozen=True):
    """One field in words. at: its place among the conflicts."""

    where: str
    row: str
    field: str
    base: str
    before: str
    after: str
    at: int = 0


class RefusedRow(Struct, frozen=True):
    where: str
    row: str
    column: str
    reason: str
    mend: str


class SheetView(Struct, frozen=True):
    """One upload."""

    path: str
    filename: str
    title: str
    tone: str
    sentence: str
    figures: tuple[Figure, ...]
    changes: list[ChangeRow]
    conflicts: list[ChangeRow]
    refused: list[RefusedRow]
    counts: dict[str, int]
    unknown: str
    can_apply: bool
    has_rest: bool


DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NEW = {Sheet.LINES: N_("New line"), Sheet.PRICES: N_("New price"), Sheet.PERIODS: N_("New period")}
TITLES_OF = {"previewed": N_("Nothing is applied yet"), "applied": N_("Applied")}


def sheet_view(run: ImportRun) -> SheetView:
    """An upload of contracts, in the reader's language."""
    found = found_of(run)
    count = found.contracts or found.drafts + found.offers + found.periods
    contracts = ngettext("in {n} contract", "in {n} contracts", count).format(n=i18n.number(count))
    sentence = _waiting(found) if run.status == "previewed" else _done(found)
    return view(f"/contracts/sheets/{run.id}", run, found, sentence, contracts)


def view(path: str, run: ImportRun | SheetRun, found: Findings, sentence: str, changed: str) -> SheetView:
    """Everything the page says of an upload. changed: what stands under the number of changes."""
    waiting = run.status == "previewed"
    return SheetView(
        path=path,
        filename=run.filename,
        title=_(TITLES_OF[run.status]),
        tone="waiting" if waiting else "confirmed",
        sentence=sentence,
        figures=_figures(found, changed),
        changes=[_row(found, change) for change in found.changes[:SHOWN]],
        conflicts=[_row(found, change, at) for at, change in enumerate(found.conflicts[:SHOWN])],
        refused=_refused(found),
        counts={"changes": len(found.changes), "conflicts": len(found.conflicts), "refused": len(found.refused)},
        unknown=_(", ").join(f"{heading} ({_(TITLES[Sheet(sheet)])})" for sheet, heading in found.unknown),
        can_apply=waiting and bool(found.changes or found.conflicts),
        has_rest=bool(found.refused or found.conflicts),
    )


def _waiting(found: Found) -> str:
    if not found.changes and not found.conflicts:
        if found.refused:
            return _("No row can be applied. Mend the refused rows and send the workbook again.")
        return _("The workbook says what the contracts say already. There is nothing to apply.")
    told = [_("Drafts change as soon as you apply.")] if found.drafts else []
    if found.offers:
        day = i18n.day(found.effective_from, year=True)
        told.append(
            _("Contracts in force stay as agreed: their partners are offered an amendment from {day} on.").format(
                day=day
            )
        )
    if found.periods:
        told.append(_("Periods of contracts that nobody signed here change as soon as you apply."))
    if found.fields:
        told.append(_("Custom fields change as soon as you apply; no partner is asked about them."))
    return " ".join(told) or _("Decide about the fields that both of you changed.")


def _done(found: Found) -> str:
    drafts = ngettext("{n} draft was changed.", "{n} drafts were changed.", found.drafts)
    offers = ngettext("{n} amendment was offered.", "{n} amendments were offered.", found.offers)
    periods = ngettext(
        "The periods of {n} contract were changed.", "The periods of {n} contracts were changed.", found.periods
    )
    fields = ngettext(
        "The custom fields of {n} contract were changed.",
        "The custom fields of {n} contracts were changed.",
        found.fields,
    )
    counted = (
        (drafts, found.drafts), (offers, found.offers), (periods, found.periods), (fields, found.fields),
    )  # fmt: skip
    told = [text.format(n=i18n.number(n)) for text, n in counted if n]
    return " ".join(told) or _("Nothing was changed.")


def _figures(found: Findings, changed: str) -> tuple[Figure, ...]:
    return (
        Figure(_("Changes"), i18n.number(len(found.changes)), changed),
        Figure(_("Conflicts"), i18n.number(len(found.conflicts)), _("changed by both since the export")),
        Figure(_("Refused"), i18n.number(len(found.refused)), _("each with its reason")),
    )


def _row(found: Findings, change: Change, at: int = 0) -> ChangeRow:
    sheet = Sheet(change.sheet)
    new = not change.field
    return ChangeRow(
        where=labelled(found.where.get(f"{sheet}:{change.row}", "")),
        row=place(change.sheet, change.row),
        field=_(NEW[sheet]) if new else _field(change),
        base=_value(change, change.base),
        before=_value(change, change.before),
        after=change.after if new else _value(change, change.after),
        at=at,
    )


def _field(change: Change) -> str:
    """The column; of a price or a period with the day that it holds from."""
    label = label_of(change.sheet, change.field)
    if change.sheet not in (Sheet.PRICES, Sheet.PERIODS):
        return label
    day = i18n.day(date.fromisoformat(change.key.split(":")[2]), year=True)
    return _("Price from {day} on").format(day=day) if change.field == "price" else f"{label} · {day}"


def labelled(text: str) -> str:
    """What a row is called, "FC-2026-021 · R100 · 2026-12-08", with its day as the reader writes it."""
    parts = text.split(" · ")
    return " · ".join(i18n.day(date.fromisoformat(part), year=True) if DAY.fullmatch(part) else part for part in parts)


def place(sheet: str, row: int) -> str:
    """Lines, row 7."""
    return _("{sheet}, row {row}").format(sheet=_(TITLES[Sheet(sheet)]), row=row)


def _value(change: Change, text: str) -> str:
    """A value as people read it, with its unit."""
    field = BY_NAME[Sheet(change.sheet)].get(change.field)
    if field is None or not text:
        return text or "–"
    if change.sheet == Sheet.ANSWERS:
        return answer_words(text, change.unit)
    match field.kind:
        case Kind.DAY:
            return i18n.day(date.fromisoformat(text), year=True)
        case Kind.NUMBER if change.field == "price":
            return show_money(Decimal(text), change.currency)
        case Kind.NUMBER:
            return show_quantity(Decimal(text), change.unit)
        case Kind.PERCENT:
            return f"{i18n.number(Decimal(text))}%"
        case Kind.WHOLE:
            return i18n.number(int(text))
        case _:
            return word(text) if field.choices else text


def _refused(found: Findings) -> list[RefusedRow]:
    return [
        RefusedRow(
            labelled(found.where.get(f"{each.sheet}:{each.row}", "")),
            place(each.sheet, each.row),
            label_of(each.sheet, each.column) if each.column else "–",
            each.reason,
            each.told,
        )
        for each in found.refused[:SHOWN]
    ]
