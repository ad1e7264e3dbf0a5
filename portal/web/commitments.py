"""What a contract's page says of its periods: how many end outside their limits, and the most urgent in a sentence."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from portal.contracts.bucket_words import sentence
from portal.contracts.model import Contract, ContractLine
from portal.contracts.parts import part_of
from portal.contracts.reads_buckets import PeriodRow, current
from portal.contracts.rules_buckets import Standing
from portal.contracts.service_commitments import can_set
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _, ngettext

SHOWN = 5


class Item(Struct, frozen=True):
    """One line's period."""

    href: str
    part: str
    sentence: str
    tone: str


class Commitments(Struct, frozen=True):
    """The card on the contract's page."""

    href: str
    summary: str
    warning: bool
    items: list[Item]
    can_set: bool


async def commitments(
    connection: Driver, actor: Actor, contract: Contract, lines: Sequence[ContractLine], today: date
) -> Commitments | None:
    """The periods that run, the most urgent first; none where every line is a pure call-off and stays one."""
    rows = await current(connection, actor, contract.id, today)
    writes = can_set(contract, actor)
    if not rows and not writes:
        return None
    outside = sum(row.outlook.standing is not Standing.INSIDE for row in rows.values())
    named = [(rows[line.id], line) for line in lines if line.id in rows]
    named.sort(key=lambda pair: (urgency(pair[0]), pair[1].line_no))
    count = ngettext("{n} part has a period", "{n} parts have a period", len(rows)).format(n=len(rows))
    risk = ngettext("{n} ends outside its limits", "{n} end outside their limits", outside).format(n=outside)
    href = f"/contracts/{contract.id}/ledger"
    return Commitments(
        href=href,
        summary=" · ".join((count, risk)) if rows else _nothing_runs(lines),
        warning=outside > 0,
        items=[
            Item(f"{href}?line={line.id}", part_of(line, actor), sentence(row), tone_of(row))
            for row, line in named[:SHOWN]
        ],
        can_set=writes,
    )


def _nothing_runs(lines: Sequence[ContractLine]) -> str:
    agreed = any(line.foq is not None for line in lines)
    return _("No period runs yet, or none any more.") if agreed else _("Every line is a pure call-off.")


def urgency(row: PeriodRow) -> int:
    """Below the floor before above the ceiling before what is as agreed."""
    return [Standing.BELOW, Standing.ABOVE, Standing.INSIDE].index(row.outlook.standing)


def tone_of(row: PeriodRow) -> str:
    return "" if row.outlook.standing is Standing.INSIDE else "bad"
