"""Editing a contract's schedule as a grid: a set of cells is changed, all or none; a release tells it."""

import logging
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import check_calls
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar, local_today
from portal.core.days import Day
from portal.core.errors import NotFound, PortalError
from portal.core.inputs import Input
from portal.core.journal import Subject, record
from portal.core.quantities import check_scale
from portal.schedules import rules_grid
from portal.schedules.reads_grid import Cells, held_in
from portal.schedules.rules_grid import By, CellChanged, CellFixed, CellPast
from portal.schedules.rules_packs import PackWarning
from portal.schedules.service import cancel_line
from portal.schedules.service_lines import LineHead, change, lock_lines, subject
from portal.schedules.service_plans import plan_quantities, unplan_line
from portal.schedules.service_release import CallOff, call_off
from portal.schedules.service_terms import ContractHead, Terms, calendars, lock_contract, read_terms

logger = logging.getLogger(__name__)


class CellChange(Input):
    """Another quantity in one cell. was: what the reader saw there, so that nothing newer is overwritten."""

    contract_line_id: UUID
    column: Day = Field(description="first day of the column", examples=["2027-01-04"])
    quantity: Decimal = Field(ge=0, max_digits=18, decimal_places=6, examples=["800"])
    was: Decimal = Field(ge=0, max_digits=18, decimal_places=6, examples=["600"])


class EditGrid(Input):
    """Cells of a contract's schedule to be changed, all or none."""

    by: By = By.WEEK
    cells: list[CellChange] = Field(min_length=1, max_length=2000)


class Edited(Struct, frozen=True):
    """What came of it: deliveries added, changed or taken back, published ones that the next release changes."""

    added: int = 0
    changed: int = 0
    planned: int = 0
    warnings: list[PackWarning] = []  # quantities that were saved and do not fill their packs


async def edit_grid(session: AsyncSession, actor: Actor, contract_id: UUID, data: EditGrid) -> Edited:
    """Change cells. Drafts change at once, published lines with the next release; refusals name the cell."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    if not actor.is_factory:
        raise NotFound
    head = await lock_contract(session, actor, contract_id, None)
    connection = await db.driver(session)
    terms = await read_terms(connection, actor, contract_id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    span = sorted({rules_grid.column_at(data.by, cell.column) for cell in data.cells})
    held = await held_in(connection, actor, contract_id, span)
    work = _Work(session, actor, head, data.by, held)
    for cell in data.cells:
        line = terms.get(cell.contract_line_id)
        if line is None:
            raise NotFound
        try:
            await work.do(cell, line, at[line.ship_to_code])
        except PortalError as error:
            error.field = f"{cell.contract_line_id}.{cell.column}"
            raise
    done = await work.finish()
    what = Subject("contract", head.id, head.party_id, head.version, head.id, shared=False)
    record(session, actor, what, "schedule_edited", added=done.added, changed=done.changed, planned=done.planned)
    logger.info("schedule edited", extra={"contract_id": str(contract_id), "cells": len(data.cells)})
    return done


class _Work:
    """One grid being written."""

    def __init__(self, session: AsyncSession, actor: Actor, head: ContractHead, by: By, held: Cells) -> None:
        self.session, self.actor, self.head, self.by, self.held = session, actor, head, by, held
        self.today = local_today(clock.now(), head.time_zone)
        self.drafts: dict[UUID, Decimal] = {}
        self.planned: dict[UUID, Decimal] = {}
        self.calls: list[Call] = []
        self.warnings: list[PackWarning] = []
        self.added = self.gone = 0

    async def do(self, cell: CellChange, line: Terms, calendar: WorkingCalendar) -> None:
        """Find what the cell's new number means. Raises CellChanged, CellFixed, CellPast, TooFine, OverCeiling."""
        column = rules_grid.column_at(self.by, cell.column)
        mine = self.held.get((line.id, column.first), [])
        named: dict[str, Any] = {"part": line.item_code, "column": column.first}
        check_scale(cell.quantity, line.unit)
        now = rules_grid.total(mine)
        if now != cell.was:
            raise CellChanged(now=now, was=cell.was, **named)
        deeds = rules_grid.plan(mine, cell.quantity)
        if deeds is None:
            raise CellFixed(fixed=rules_grid.total([one for one in mine if one.fixed]), **named)
        self.warnings += rules_grid.loose(line, column, mine, cell.quantity)
        known = {one.id: one for one in mine}
        for deed in deeds:
            if deed.line_id is None:
                due = rules_grid.day_in(column, calendar, line.delivery_weekdays, self.head.date_rule, self.today)
                if due is None:
                    raise CellPast(**named)
                order = CallOff(contract_line_id=line.id, quantity=deed.quantity, due_date=due)
                await call_off(self.session, self.actor, self.head.id, order)
                self.added += 1
            elif deed.quantity == 0:
                await self._take_back(deed.line_id)
            else:
                one = known[deed.line_id]
                (self.drafts if one.draft else self.planned)[one.id] = deed.quantity
                more = deed.quantity - (0 if one.draft else one.quantity)  # a draft has taken nothing yet
                if more > 0:
                    self.calls.append(Call(one.id, line.id, line.item_code, one.due, more))

    async def _take_back(self, line_id: UUID) -> None:
        """At once, like any delivery that nobody has to make yet. Raises WrongState for an answered one."""
        await unplan_line(self.session, self.actor, line_id)
        await cancel_line(self.session, self.actor, line_id, None)
        self.gone += 1

    async def finish(self) -> Edited:
        """Write drafts at once and keep the rest for the next release. Raises OverCeiling for what would not fit."""
        if self.calls:
            await check_calls(self.session, self.actor, self.head.party_id, self.calls)
        if self.drafts:
            for line in await lock_lines(self.session, self.actor, dict.fromkeys(self.drafts)):
                await self._draft(line, self.drafts[line.id])
        if self.planned:
            await plan_quantities(self.session, self.actor, self.planned)
        return Edited(self.added, len(self.drafts) + self.gone, len(self.planned), self.warnings)

    async def _draft(self, line: LineHead, quantity: Decimal) -> None:
        after = await change(self.session, self.actor, line, ordered_quantity=quantity)
        figures = {"quantity": quantity, "was": line.ordered_quantity, "unit": line.unit}
        record(self.session, self.actor, subject(after), "schedule_edited", **figures)
