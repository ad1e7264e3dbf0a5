"""The factory's portfolio: consumption across contracts by partner, kind, currency, end or risk."""

from decimal import Decimal
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template
from msgspec import Struct

from portal.contracts.model import ContractKind
from portal.contracts.reads_buckets import UseFilter
from portal.contracts.reads_portfolio import Portfolio, portfolio
from portal.contracts.rules_portfolio import By, Group, Risk
from portal.core import clock, i18n
from portal.core.actor import Actor, Direction
from portal.core.db import read
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_money
from portal.parameters import FromQuery
from portal.web.addresses import address
from portal.web.contract_views import DIRECTION_NAMES, KIND_NAMES
from portal.web.ledger_use import risk_words, share
from portal.web.pages import Page
from portal.web.views import Figure

PATH = "/contracts/portfolio"
NAMES = {
    By.PARTNER: N_("Partner"),
    By.KIND: N_("Kind"),
    By.CURRENCY: N_("Currency"),
    By.END: N_("Last day"),
    By.RISK: N_("Risk"),
}
RISKS = {
    Risk.BELOW: N_("Below the floor"),
    Risk.ABOVE: N_("Above the ceiling"),
    Risk.INSIDE: N_("Inside the band"),
    Risk.NONE: N_("No period today"),
}
ENDS = {"over": N_("Past its last day"), "later": N_("Later than a year"), "open": N_("Open end")}
SAID = N_("Values in {currency} at the prices and exchange rates of {day}, over the periods begun so far.")
LISTED = {By.PARTNER: "partner", By.KIND: "kind", By.CURRENCY: "currency"}  # what the list of contracts narrows by


class GroupView(Struct, frozen=True):
    """One row in words."""

    name: str
    href: str
    contracts: int
    lines: int
    risk: str
    tone: str
    use: str
    received: str
    target: str
    called: str
    remaining: str
    negative: bool
    of_value: str
    bar: int | None


@get(PATH)
async def portfolio_page(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    by: FromQuery[str] = "",
    direction: FromQuery[str] = "",
) -> Template:
    """Consumption across contracts."""
    kind = By(by) if by in list(By) else By.PARTNER
    way = Direction(direction) if direction in list(Direction) else None
    async with read(actor) as connection:
        found = await portfolio(connection, actor, kind, clock.now(), UseFilter(direction=way))
    return page.render("ledger/portfolio.html", active="contracts", **context(found, kind, way))


def context(found: Portfolio, by: By, way: Direction | None) -> dict[str, Any]:
    """What `ledger/portfolio.html` shows."""
    kept = {"direction": way.value} if way else {}
    return {
        "by": by.value,
        "heading": _(NAMES[by]),
        "direction": way.value if way else "",
        "choices": [(_(name), address(PATH, {"by": one.value} | kept), None, one is by) for one, name in NAMES.items()],
        "directions": [("", _("All")), *((one.value, _(name)) for one, name in DIRECTION_NAMES.items())],
        "rows": [view(row, by, found.currency, kept) for row in found.items],
        "figures": figures(found.total, found.currency),
        "unvalued": found.total.unvalued,
        "said": _(
            "Values in {currency} at the prices and exchange rates of {day}, over the periods begun so far."
        ).format(currency=found.currency, day=i18n.day(found.day, year=True)),
    }


def figures(total: Group, currency: str) -> tuple[Figure, ...]:
    """The four figures above the table."""
    outside = total.below + total.above
    contracts = ngettext("{n} contract", "{n} contracts", total.contracts).format(n=total.contracts)
    values = total.values
    return (
        Figure(_("Agreed to date"), show_money(values.target, currency), contracts),
        Figure(
            _("Called off"), show_money(values.called, currency),
            _("{share} of the target").format(share=share(values.use)), bar=bar(values.use),
        ),
        Figure(
            _("Remaining"), show_money(values.remaining, currency),
            _("received: {value}").format(value=show_money(values.received, currency)), warning=values.remaining < 0,
        ),
        Figure(
            _("Outside the band"), i18n.number(outside),
            ngettext("of {n} part with a period", "of {n} parts with a period", total.lines).format(n=total.lines),
            warning=outside > 0,
        ),
    )  # fmt: skip


def bar(value: Decimal | None) -> int | None:
    """A share as a bar shows it."""
    return None if value is None else max(0, min(100, int(value * 100)))


def view(row: Group, by: By, currency: str, kept: dict[str, str]) -> GroupView:
    """One row in words."""
    values = row.values
    return GroupView(
        name=name_of(row, by),
        href=address("/contracts/use", narrowed(row, by) | kept),
        contracts=row.contracts,
        lines=row.lines,
        risk=risk_words(row.below, row.above),
        tone="risk" if row.below else "waiting" if row.above else "confirmed",
        use=share(row.use),
        received=share(row.received),
        target=show_money(values.target, currency),
        called=show_money(values.called, currency),
        remaining=show_money(values.remaining, currency),
        negative=values.remaining < 0,
        of_value=share(values.use),
        bar=bar(values.use),
    )  # fmt: skip


def narrowed(row: Group, by: By) -> dict[str, str]:
    """Where a row leads in the list of contracts."""
    if by in LISTED:
        return {LISTED[by]: row.key}
    if by is By.RISK:
        return {"only": "risk"} if row.key in (Risk.BELOW, Risk.ABOVE) else {"order": "risk"}
    return {"order": "end"}


def name_of(row: Group, by: By) -> str:
    """What a row is called."""
    if by is By.PARTNER:
        return row.name
    if by is By.KIND:
        return _(KIND_NAMES[ContractKind(row.key)])
    if by is By.RISK:
        return _(RISKS[Risk(row.key)])
    if by is By.END and row.key.isdigit():
        return _("Within {n} days").format(n=row.key)
    return _(ENDS[row.key]) if by is By.END else row.key


ROUTES: list[HTTPRouteHandler] = [portfolio_page]
