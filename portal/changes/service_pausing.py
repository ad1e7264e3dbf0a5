"""The deliveries that a pause covers, as parts of an offer; and the pauses that an offer's parts came of."""

from collections.abc import Sequence
from datetime import date, timedelta

from portal.changes.impact import Head, items, lines_between
from portal.changes.inputs import NewPart, NewPause, NewPiece
from portal.changes.model import ChangePart
from portal.changes.rules_pausing import NothingToPause, Span, check_span, paused
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.schedules.service_terms import calendars

DAY = timedelta(days=1)
Covered = tuple[NewPart, Span | None]


async def covered(
    connection: Driver, actor: Actor, head: Head, pauses: Sequence[NewPause], today: date
) -> list[Covered]:
    """Every open delivery in these days, with its pause. Raises NothingToPause, or what is wrong about the days."""
    found: list[Covered] = []
    for pause in pauses:
        span = Span(pause.since, pause.until)
        check_span(span, today)
        parts = await _parts(connection, actor, head, pause)
        if not parts:
            raise NothingToPause(field="since", since=span.since, until=span.until)
        found += [(part, span) for part in parts]
    return found


async def _parts(connection: Driver, actor: Actor, head: Head, pause: NewPause) -> list[NewPart]:
    line_id = pause.contract_line_id
    if line_id is not None and not await items(connection, actor, head.id, [line_id]):
        raise NotFound
    lines = await lines_between(connection, actor, head.id, line_id, pause.since, pause.until)
    at = await calendars(connection, actor, {line.place for line in lines})
    found = []
    for line in lines:
        goes_on = at[line.place].next_working(pause.until + DAY)
        said = paused(line.due_date, line.quantity, line.shipped, goes_on, drop=pause.drop)
        if said is not None:
            pieces = [NewPiece(quantity=one.quantity, due_date=one.due_date) for one in said.pieces]
            kind, quantity, day = said.kind, said.quantity, said.due_date
            found.append(
                NewPart(
                    kind=kind, line_id=line.id, version=line.version, quantity=quantity, due_date=day, pieces=pieces
                )
            )
    return found


def pauses_of(parts: Sequence[ChangePart]) -> list[NewPause]:
    """The pauses of an offer as they would be typed again: the same days, whatever lies in them now."""
    known: list[tuple[object, ...]] = []
    pauses: list[NewPause] = []
    for part in parts:
        if part.paused_from is None or part.paused_until is None:
            continue
        drop = not any(date.fromisoformat(one["due_date"]) > part.paused_until for one in part.pieces["of"])
        key = (part.contract_line_id, part.paused_from, part.paused_until, drop)
        if key not in known:
            known.append(key)
            pauses.append(
                NewPause(
                    contract_line_id=part.contract_line_id, since=part.paused_from, until=part.paused_until, drop=drop
                )
            )
    return pauses
