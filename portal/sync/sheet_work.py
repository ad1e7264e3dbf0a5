"""An upload of contracts as a workbook, merged with what holds now and done: the same for trying and for applying."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.evidence import Content
from portal.contracts.model import Contract
from portal.contracts.service import get_contract, visible
from portal.core import files
from portal.core.actor import Actor
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_
from portal.sync.rules_sheets import (
    FOREIGN,
    FOREIGN_MEND,
    Findings,
    Refused,
    RowPlan,
    Rows,
    RowSaid,
    flat,
    is_line,
    period_key,
    plan_new,
    plan_row,
    price_key,
    repeated,
)
from portal.sync.sheet_book import Book, NotASheet
from portal.sync.sheet_columns import Sheet
from portal.sync.sheet_commands import IN_FORCE, carry_out, standing, writes_periods
from portal.sync.sheet_fields import as_kept

KIND = "contract_sheets"
Chosen = Mapping[tuple[str, str], str]  # (key, field) -> what holds now and may be replaced


class LostExport(Conflict):
    code = "lost-export"
    text = N_("What this workbook was made from is not kept any more. Download it again.")


class Exported(msgspec.Struct, frozen=True):
    """One contract as it was exported."""

    version: int
    content: Content


class Base(msgspec.Struct, frozen=True):
    """What a workbook was made from; kept in the file store under its digest, which the workbook names."""

    made: str  # export of contract sheets
    contracts: dict[str, Exported]


class Found(Findings, frozen=True, kw_only=True):
    """What an upload of contracts does, or has done."""

    effective_from: date
    drafts: int = 0  # contracts whose draft changes
    offers: int = 0  # contracts whose partner is offered an amendment
    periods: int = 0  # contracts in force that nobody signed here, whose periods change
    fields: int = 0  # contracts whose custom fields change
    contracts: int = 0  # that change in any of these ways


async def read_base(actor: Actor, digest: str) -> Base:
    try:
        base = msgspec.json.decode(await files.fetch(actor.tenant_id, digest), type=Base)
    except (NotFound, msgspec.MsgspecError):
        raise NotASheet(field="file") from None
    except files.FileMissing:
        raise LostExport from None
    if base.made != KIND:
        raise NotASheet(field="file")
    return base


async def carried_out(session: AsyncSession, actor: Actor, book: Book, effective_from: date, chosen: Chosen) -> Found:
    """Merge and do what every contract's rows say, one contract after the other."""
    base = await read_base(actor, book.export)
    twice = repeated(book.rows)
    skipped = {(refused.sheet, refused.row) for refused in twice}
    grouped, refused = _grouped([said for said in book.rows if (said.sheet, said.row) not in skipped], base)
    refused = twice + refused
    plans: list[RowPlan] = []
    counts = {"drafts": 0, "offers": 0, "periods": 0, "fields": 0, "contracts": 0}
    for contract_id in await _in_order(session, actor, grouped):  # always locked in the same order
        rows = await as_kept(session, actor, grouped.pop(contract_id))
        contract = await get_contract(session, actor, UUID(contract_id), lock=True)
        theirs = flat(await standing(session, actor, contract), contract_id)
        kept, bad = _planned(rows, contract_id, base.contracts[contract_id], theirs, contract.version, chosen)
        active = contract.status in IN_FORCE
        at_once = await writes_periods(session, actor, contract)
        bad += await carry_out(session, actor, contract, [plan for plan in kept if plan.changes], effective_from)
        plans += kept
        refused += bad
        gone = {(each.sheet, each.row) for each in bad}
        done = [plan for plan in kept if plan.changes and (plan.sheet, plan.row) not in gone]
        for way in _ways(active, at_once, done) | ({"contracts"} if done else set()):
            counts[way] += 1
    for rows in grouped.values():  # contracts that are not to be seen (any more)
        refused += [Refused(said.sheet, said.row, "", str(NotFound.text)) for said in rows]
    return _summary(book, plans, refused, effective_from, counts)


def _ways(active: bool, at_once: bool, done: Sequence[RowPlan]) -> set[str]:
    """How one contract changes: a draft at once, in force by an offer, and its periods where they still may.

    Custom fields are the factory's own and change at once.
    """
    fields = {"fields" for plan in done if plan.sheet is Sheet.FIELDS}
    return fields | {
        "drafts" if not active else "periods" if plan.sheet is Sheet.PERIODS and at_once else "offers"
        for plan in done
        if plan.sheet is not Sheet.FIELDS
    }


def _summary(
    book: Book, plans: Sequence[RowPlan], refused: list[Refused], effective_from: date, counts: dict[str, int]
) -> Found:
    gone = {(each.sheet, each.row) for each in refused}
    good = [plan for plan in plans if (plan.sheet, plan.row) not in gone]
    order = {sheet: at for at, sheet in enumerate(Sheet)}
    named = {(said.sheet, said.row): said for said in book.rows}
    changes = [change for plan in good for change in plan.changes]
    conflicts = [change for plan in good for change in plan.conflicts]
    shown = {(each.sheet, each.row) for each in [*changes, *conflicts]} | gone
    return Found(
        effective_from=effective_from,
        changes=changes,
        conflicts=conflicts,
        refused=sorted(refused, key=lambda each: (order.get(Sheet(each.sheet), 9), each.row)),
        unknown=book.unknown,
        where={f"{sheet}:{row}": _where(named[Sheet(sheet), row]) for sheet, row in shown},
        **counts,
    )


def _where(said: RowSaid) -> str:
    return " · ".join(
        text for name in ("number", "line_no", "item_code", "label") if (text := said.cells.get(name, "").strip()[:60])
    )


async def _in_order(session: AsyncSession, actor: Actor, grouped: Mapping[str, Any]) -> list[str]:
    """The contracts that the actor may see, by id."""
    wanted = [UUID(contract_id) for contract_id in grouped]
    query = select(Contract.id).where(visible(actor), col(Contract.id).in_(wanted)).order_by(col(Contract.id))
    return [str(found) for found in (await session.exec(query)).all()]


def _grouped(rows: Sequence[RowSaid], base: Base) -> tuple[dict[str, list[RowSaid]], list[Refused]]:
    """The rows by their contract; rows of no contract of the export are refused."""
    grouped: dict[str, list[RowSaid]] = {}
    refused = []
    for said in rows:
        contract_id = said.key.partition(":")[0] if said.key else _contract_of(said, base)
        if contract_id is None:
            refused.append(Refused(said.sheet, said.row, "number", NO_CONTRACT, {}, NO_CONTRACT_MEND))
        elif contract_id not in base.contracts:
            refused.append(Refused(said.sheet, said.row, "", FOREIGN, {}, FOREIGN_MEND))
        else:
            grouped.setdefault(contract_id, []).append(said)
    return grouped, refused


NO_CONTRACT = N_("The row names no contract of this workbook.")
NO_CONTRACT_MEND = N_("Write the number of a contract that is in it, and the partner where two have the same number.")
PRICE_THERE = N_("The contract has a price of this day, order and quantity already.")
PRICE_THERE_MEND = N_("Change the row of that price instead of adding one.")
PERIOD_THERE = N_("The line has a period that begins on this day already.")
PERIOD_THERE_MEND = N_("Change the row of that period instead of adding one.")
# Sheets whose rows hang on a line: how a row is keyed, the column that names it, and what is said of a second one.
HANGING = {
    Sheet.PRICES: (price_key, "valid_from", PRICE_THERE, PRICE_THERE_MEND),
    Sheet.PERIODS: (period_key, "start", PERIOD_THERE, PERIOD_THERE_MEND),
}


def _contract_of(said: RowSaid, base: Base) -> str | None:
    """The contract that a new row is for, by its number and, where it is filled in, its partner."""
    number, partner = said.cells.get("number", "").strip(), said.cells.get("party_name", "").strip()
    found = [
        contract_id
        for contract_id, exported in base.contracts.items()
        if exported.content["number"] == number and partner in ("", exported.content["party_name"])
    ]
    if said.sheet is Sheet.CONTRACTS and base.contracts:
        return found[0] if len(found) == 1 else next(iter(base.contracts))  # refused as a new contract
    return found[0] if len(found) == 1 else None


def _planned(
    rows: Sequence[RowSaid],
    contract_id: str,
    exported: Exported,
    theirs: dict[Sheet, Rows],
    version: int,
    chosen: Chosen,
) -> tuple[list[RowPlan], list[Refused]]:
    """The rows of one contract against what was exported and what holds now, in the order in which they are done."""
    was = flat(exported.content, contract_id)
    plans: list[RowPlan] = []
    refused: list[Refused] = []
    for said in sorted(rows, key=lambda said: (list(Sheet).index(said.sheet), not said.key, said.row)):
        if said.key and said.version not in ("", str(exported.version)):
            refused.append(Refused(said.sheet, said.row, "", FOREIGN, {}, FOREIGN_MEND))
            continue
        if said.key:
            known = theirs[said.sheet].get(said.key)
            made = plan_row(said, was[said.sheet].get(said.key), known, chosen)
        else:
            made = plan_new(said, theirs[said.sheet], was[said.sheet])
        if isinstance(made, RowPlan) and made.new and _is_there(made, theirs):
            _key_of, column, text, mend = HANGING[made.sheet]
            made = [Refused(said.sheet, said.row, column, text, {}, mend)]
        if isinstance(made, RowPlan):
            plans.append(made)
        elif made:
            refused += made
    return plans, refused


def _is_there(plan: RowPlan, theirs: dict[Sheet, Rows]) -> bool:
    if plan.sheet not in HANGING:
        return False
    key_of = HANGING[plan.sheet][0]
    keys = [
        key for key, line in theirs[Sheet.LINES].items() if is_line(plan.values, line["line_no"], line["item_code"])
    ]
    return any(key_of(key, plan.values) in theirs[plan.sheet] for key in keys)
