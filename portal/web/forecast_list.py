"""The list of what needs attention about forecasts, the contracts that have one, and a forecast as a file."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response
from msgspec import Struct

from portal.core import clock, i18n
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import _
from portal.core.states import Side
from portal.forecasts import reads_exceptions, rules, words
from portal.forecasts.reads_exceptions import ContractRow, ExceptionFilter, ExceptionRow
from portal.forecasts.rules import Exceptional, Span
from portal.schedules.words import ZONE_NAMES
from portal.web import forecast_views, tables
from portal.web.addresses import address
from portal.web.contract_views import DIRECTION_NAMES

TONES = {Exceptional.LATE: "risk", Exceptional.CHANGED: "changed", Exceptional.UNDER: "waiting"}


class Asked(Struct, frozen=True):
    """The list's address, taken apart."""

    kind: Exceptional | None = None
    direction: Direction | None = None
    search: str = ""

    @classmethod
    def of(cls, kind: str, direction: str, search: str) -> "Asked":
        """What cannot be read restricts nothing."""
        return cls(
            Exceptional(kind) if kind in set(Exceptional) else None,
            Direction(direction) if direction in set(Direction) else None,
            search.strip()[:60],
        )

    @property
    def narrowed(self) -> bool:
        return any((self.kind, self.direction, self.search))

    def href(self, **changes: Any) -> str:
        return address("/forecasts", {"kind": self.kind, "direction": self.direction, "q": self.search} | changes)


class Shown(Struct, frozen=True):
    """One exception in the reader's words."""

    href: str
    contract: str
    partner: str
    part: str
    name: str
    week: str
    kind: str
    tone: str
    sentence: str


class ContractShown(Struct, frozen=True):
    href: str
    number: str
    partner: str
    way: str
    release: str
    commit: str
    due: str
    late: bool


async def context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What `forecasts/list.html` shows."""
    now = clock.now()
    wanted = ExceptionFilter(asked.kind, None, asked.direction, asked.search)
    async with read(actor) as connection:
        rows = await reads_exceptions.exceptions(connection, actor, wanted, now, local_today(now, actor.time_zone))
        contracts = await reads_exceptions.contracts(connection, actor, wanted)
    return {
        "asked": asked,
        "rows": [shown(row, actor) for row in rows],
        "full": len(rows) >= reads_exceptions.MOST,
        "contracts": [contract_shown(row, actor) for row in contracts],
        "kinds": [("", _("All")), *((kind.value, _(name)) for kind, name in words.KINDS.items())],
        "directions": [("", _("All")), *((one.value, _(name)) for one, name in DIRECTION_NAMES.items())],
    }


def shown(row: ExceptionRow, actor: Actor) -> Shown:
    part = f"?part={row.contract_line_id}#commit" if row.contract_line_id else ""
    return Shown(
        href=f"/contracts/{row.contract_id}/forecast{part}",
        contract=row.number,
        partner=row.party_name if actor.is_factory else "",
        part=row.item_code,
        name=row.description,
        week=f"{i18n.week(row.week)} · {i18n.day(row.week)}" if row.week else "",
        kind=_(words.KINDS[row.kind]),
        tone=TONES[row.kind],
        sentence=words.sentence(row, actor.time_zone),
    )


def contract_shown(row: ContractRow, actor: Actor) -> ContractShown:
    commit = _("Version {n}").format(n=row.commit_no) if row.commit_no else _("none yet")
    if row.commit_no and row.commit_release != row.release_no:
        commit = _("{version}, for release {n}").format(version=commit, n=row.commit_release)
    seller = actor.side_on(row.direction) is Side.SELLER
    return ContractShown(
        href=f"/contracts/{row.id}/forecast",
        number=row.number,
        partner=row.party_name if actor.is_factory else "",
        way=_("You deliver") if seller else _("You receive"),
        release=_("Release {n}").format(n=row.release_no),
        commit=commit,
        due=i18n.moment(row.due_at, actor.time_zone) if row.due_at else "",
        late=bool(row.due_at and row.due_at < clock.now()),
    )


async def export(actor: Actor, contract_id: UUID, asked: forecast_views.Asked, kind: str) -> Response[bytes]:
    """One row a part and period."""
    found = await forecast_views.find(actor, contract_id, asked)
    head = [
        _("Contract"),
        _("Item"),
        _("Description"),
        _("Period from"),
        _("Period until"),
        _("Zone"),
        _("Forecast quantity"),
    ]
    head += [_("Since the last release"), _("Committed"), _("Gap"), _("Unit")]
    rows: list[list[Any]] = []
    for part in found.parts:
        for period in found.periods:
            cell = found.of(part, period)
            if not (cell.forecast or cell.change or cell.committed):
                continue
            since = found.span.first + timedelta(weeks=period.weeks.start)
            until = found.span.first + timedelta(weeks=period.weeks.stop, days=-1)
            zone = _(ZONE_NAMES[forecast_views.zone_at(found, period).value])
            gap = rules.gap(cell.forecast, cell.committed)
            rows.append([found.head.number, part.item_code, part.description, since, until, zone, cell.forecast,
                         cell.change, cell.committed, gap, part.unit])  # fmt: skip
    span = "months" if asked.span is Span.MONTH else "weeks"
    return tables.file(f"forecast-release-{found.head.release_no}-{span}", kind, head, rows)
