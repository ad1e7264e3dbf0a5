"""The portfolio: contracts in force by risk, use and end, as the factory or a partner sees its own."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.contracts import reads, reads_buckets
from portal.contracts.model import ContractKind
from portal.contracts.reads_buckets import Order, UseFilter, UseRow
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.db import read
from portal.core.i18n import N_, _, ngettext
from portal.web.addresses import address
from portal.web.contract_list import uuid_or_none, ways
from portal.web.contract_views import DIRECTION_NAMES, KIND_NAMES

SIZE = 50
SOON = 90  # days
ORDERS = {Order.RISK: N_("Most at risk"), Order.USE: N_("Least used"), Order.END: N_("Next to end")}


class Asked(Struct, frozen=True):
    """The page's address, taken apart. A value that is none of ours restricts nothing."""

    q: str
    order: Order
    direction: Direction | None
    only: str  # risk, soon or nothing
    partner: UUID | None
    kind: ContractKind | None
    currency: str
    no: int

    @classmethod
    def of(
        cls, q: str, order: str, direction: str, only: str, partner: str, kind: str, currency: str, no: str
    ) -> "Asked":
        return cls(
            q.strip(),
            Order(order) if order in list(Order) else Order.RISK,
            Direction(direction) if direction in list(Direction) else None,
            only if only in {"risk", "soon"} else "",
            uuid_or_none(partner),
            ContractKind(kind) if kind in list(ContractKind) else None,
            currency if currency.isascii() and currency.isalpha() and len(currency) == 3 else "",
            int(no) if no.isascii() and no.isdigit() and len(no) < 5 else 0,
        )

    def href(self, no: int = 0) -> str:
        parts: dict[str, object] = {"q": self.q, "order": self.order, "direction": self.direction, "only": self.only}
        parts |= {"partner": self.partner, "kind": self.kind, "currency": self.currency, "no": no}
        return address("/contracts/use", parts)

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.direction or self.only or self.partner or self.kind or self.currency)

    @property
    def wanted(self) -> UseFilter:
        soon = SOON if self.only == "soon" else None
        narrow = (self.partner, self.kind, self.currency or None)
        return UseFilter(self.order, self.q, self.direction, self.only == "risk", soon, *narrow)


class UseView(Struct, frozen=True):
    """One contract in the portfolio."""

    href: str
    number: str
    title: str
    partner: str
    way: str
    ends: str
    left: str
    ending: bool
    lines: int
    risk: str
    tone: str
    use: str
    to_date: str
    received: str
    bar: int | None


def share(value: Decimal | None) -> str:
    return "–" if value is None else i18n.percent(value)


def risk_words(below: int, above: int) -> str:
    """How many parts end outside their limits if nothing changes."""
    words = [
        ngettext("{n} part below the floor", "{n} parts below the floor", below).format(n=below) if below else "",
        ngettext("{n} part above the ceiling", "{n} parts above the ceiling", above).format(n=above) if above else "",
    ]
    return " · ".join(filter(None, words)) or _("inside the band")


def use_view(row: UseRow, way: dict[str, str]) -> UseView:
    """One contract in words."""
    left = "" if row.days_left is None else ngettext("{n} day left", "{n} days left", row.days_left)
    return UseView(
        href=f"/contracts/{row.id}/ledger",
        number=row.number,
        title=row.title,
        partner=row.party_name,
        way=way[row.direction],
        ends=_("open end") if row.valid_to is None else i18n.day(row.valid_to, year=True),
        left=left.format(n=i18n.number(row.days_left or 0)),
        ending=row.days_left is not None and row.days_left <= SOON,
        lines=row.lines,
        risk=risk_words(row.below, row.above),
        tone="risk" if row.below else "waiting" if row.above else "confirmed",
        use=share(row.use),
        to_date=share(row.use_to_date),
        received=share(row.received_to_date),
        bar=None if row.use is None else max(0, min(100, int(row.use * 100))),
    )


async def context(actor: Actor, asked: Asked) -> dict[str, Any]:
    """What `ledger/use.html` shows."""
    async with read(actor) as connection:
        rows = await reads_buckets.use_of_contracts(connection, actor, asked.wanted, clock.now(), asked.no * SIZE, SIZE)
        partners = await reads.partners(connection, actor)
    way = ways(actor)
    return {
        "asked": asked,
        "rows": [use_view(row, way) for row in rows[:SIZE]],
        "orders": [(order.value, _(name)) for order, name in ORDERS.items()],
        "partners": [("", _("All")), *((str(row.id), f"{row.name} ({row.code})") for row in partners)],
        "kinds": [("", _("All")), *((kind.value, _(name)) for kind, name in KIND_NAMES.items())],
        "portfolio": actor.is_factory and actor.may(Permission.SEE_PRICES),
        "directions": [("", _("All")), *((kind.value, _(name)) for kind, name in DIRECTION_NAMES.items())],
        "choices": [
            ("", _("All")), ("risk", _("Outside the band")), ("soon", _("Ending within {n} days").format(n=SOON)),
        ],
        "next_href": asked.href(asked.no + 1) if len(rows) > SIZE else None,
        "first_href": asked.href() if asked.no else None,
    }  # fmt: skip
