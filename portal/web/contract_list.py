"""The list of contracts: what the reader asked for, and one page of it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Response
from msgspec import Struct

from portal.contracts import reads
from portal.contracts.model import ContractKind, ContractStatus
from portal.contracts.reads import ContractFilter
from portal.contracts.words import validity
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import _
from portal.sync import service_sheets
from portal.web import tables
from portal.web.addresses import address
from portal.web.contract_views import DIRECTION_NAMES, KIND_NAMES, SIDE_NAMES, TONES, status_name

SIZE = 50
EXPORT_LIMIT = 20_000
ENDING = "ending"  # chosen like a status: in force, and the end is within its notice


class Asked(Struct, frozen=True):
    """The list's address, taken apart. A value that is none of ours restricts nothing."""

    q: str
    status: ContractStatus | None
    ending: bool
    direction: Direction | None
    partner: UUID | None
    after: UUID | None

    @classmethod
    def of(cls, q: str, status: str, direction: str, partner: str, after: UUID | None) -> "Asked":
        return cls(
            q.strip(),
            ContractStatus(status) if status in list(ContractStatus) else None,
            status == ENDING,
            Direction(direction) if direction in list(Direction) else None,
            uuid_or_none(partner),
            after,
        )

    @property
    def state(self) -> str:
        """The choice of the status field."""
        return ENDING if self.ending else self.status or ""

    def wanted(self, actor: Actor) -> ContractFilter:
        """What to read."""
        ending = local_today(clock.now(), actor.time_zone) if self.ending else None
        return ContractFilter(self.q, self.status, self.direction, self.partner, ending=ending)

    def href(self, after: UUID | None = None) -> str:
        """The same list, from its beginning or after a row."""
        parts = {"q": self.q, "status": self.state, "direction": self.direction, "partner": self.partner}
        return address("/contracts", parts | {"after": after})

    def to(self, path: str) -> str:
        """Another page about the contracts of this list."""
        return self.href().replace("/contracts", path, 1)

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.state or self.direction or self.partner)


def uuid_or_none(text: str) -> UUID | None:
    """The id in an address, or None when it is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What `contracts/list.html` shows."""
    wanted = asked.wanted(actor)
    async with read(actor) as connection:
        rows = await reads.list_contracts(connection, actor, wanted, asked.after, SIZE)
        partners = await reads.partners(connection, actor)
    more = rows[SIZE - 1].id if len(rows) > SIZE else None
    return {
        "rows": rows[:SIZE],
        "asked": asked,
        "partners": [("", _("All")), *((str(row.id), f"{row.name} ({row.code})") for row in partners)],
        "statuses": [
            ("", _("All")),
            *((status.value, status_name(status)) for status in ContractStatus),
            (ENDING, _("Ends soon")),
        ],
        "directions": [("", _("All")), *((way.value, _(name)) for way, name in DIRECTION_NAMES.items())],
        "states": {status.value: (status_name(status), TONES.get(status, "")) for status in ContractStatus},
        "kinds": {kind.value: _(name) for kind, name in KIND_NAMES.items()},
        "ways": ways(actor),
        "validity": validity,
        "release_day": {row.id: i18n.day(row.released_on) for row in rows if row.released_on},
        "can_write": actor.is_factory and actor.may(Permission.EDIT_CONTRACTS) and actor.contract_ids is None,
        "sheets_href": asked.to("/contracts/sheets") if service_sheets.may_use(actor) else None,
        "export_href": asked.to("/contracts/export"),
        "next_href": asked.href(more) if more else None,
        "first_href": asked.href() if asked.after else None,
    }


async def ids(actor: Actor, asked: Asked, most: int) -> list[UUID]:
    """The contracts of the list, at most so many."""
    wanted = asked.wanted(actor)
    async with read(actor) as connection:
        return [row.id for row in (await reads.list_contracts(connection, actor, wanted, None, most))[:most]]


async def export(actor: Actor, asked: Asked, kind: str) -> Response[bytes]:
    """All rows of the list as XLSX or CSV, with ISO dates and plain digits."""
    wanted = asked.wanted(actor)
    async with read(actor) as connection:
        rows = await reads.list_contracts(connection, actor, wanted, None, EXPORT_LIMIT)
    way = ways(actor)
    head = [
        *(_("Contract"), _("Title"), _("Partner"), _("Direction"), _("Kind"), _("Status"), _("Partner's reference")),
        *(_("Customer's reference"), _("Currency"), _("Valid from"), _("Last day"), _("Lines"), _("Release")),
    ]
    body = [
        [
            *(row.number, row.title, row.party_name if actor.is_factory else "", way[row.direction]),
            *(_(KIND_NAMES[ContractKind(row.kind)]), status_name(ContractStatus(row.status)), row.partner_reference),
            *(row.reference, row.currency, row.valid_from, row.valid_to, Decimal(row.lines), row.release_no or None),
        ]
        for row in rows[:EXPORT_LIMIT]
    ]
    return tables.file(f"contracts-{local_today(clock.now(), actor.time_zone).isoformat()}", kind, head, body)


def ways(actor: Actor) -> dict[str, str]:
    """The factory speaks of sale and purchase; a partner is the seller or the buyer."""
    if actor.is_factory:
        return {way.value: _(name) for way, name in DIRECTION_NAMES.items()}
    return {way.value: _(SIDE_NAMES[actor.side_on(way)]) for way in Direction}
