"""The page of a contract's penalties: what late deliveries cost, and how each amount comes about."""

from typing import Any
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.contracts.words import show_price, terms_of_trade
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.i18n import _, ngettext
from portal.core.quantities import show_money, show_quantity
from portal.parameters import FromPath
from portal.shipments import service_penalties
from portal.shipments.service_penalties import Penalties, Penalty
from portal.web.pages import Page
from portal.web.views import Figure

SHOWN = 200


class PenaltyView(Struct, frozen=True):
    """One late delivery in words."""

    href: str
    delivery: str
    part: str
    due: str
    arrived: str
    waits: bool
    days: str
    value: str
    why: str
    share: str
    amount: str


@get("/contracts/{contract_id:uuid}/penalties")
async def penalties(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template:
    """What late deliveries of a contract cost."""
    return page.render("ledger/penalties.html", active="contracts", **await context(session, actor, contract_id))


async def context(session: AsyncSession, actor: Actor, contract_id: UUID) -> dict[str, Any]:
    """What `ledger/penalties.html` shows."""
    found = await service_penalties.penalties(session, actor, contract_id)
    contract = await get_contract(session, actor, contract_id)
    return {
        "contract": contract,
        "clause": next((said for label, said in terms_of_trade(contract) if label == _("Penalty")), ""),
        "rows": [view(one, actor, found.currency) for one in found.items[:SHOWN]],
        "more": max(0, len(found.items) - SHOWN),
        "figures": figures(found),
        "unpriced": found.unpriced,
    }


def figures(found: Penalties) -> tuple[Figure, ...]:
    """The two sums, of what is over and of what still grows."""
    came = sum(one.receipt_id is not None for one in found.items)
    waiting = len(found.items) - came
    late = ngettext("{n} late receipt", "{n} late receipts", came).format(n=came)
    overdue = ngettext("{n} delivery overdue today", "{n} deliveries overdue today", waiting).format(n=waiting)
    return (
        Figure(_("Arrived late"), show_money(found.settled, found.currency), late),
        Figure(_("Still running"), show_money(found.running, found.currency), overdue, warning=waiting > 0),
    )


def view(one: Penalty, actor: Actor, currency: str) -> PenaltyView:
    """One row with the way to its amount."""
    days = ngettext("{n} day late", "{n} days late", one.days).format(n=i18n.number(one.days))
    quantity = show_quantity(one.quantity, one.unit)
    share = i18n.number(one.share * 100) + "%"
    return PenaltyView(
        href=f"/schedule-lines/{one.line_id}" if one.receipt_id is None else f"/receipts/{one.receipt_id}",
        delivery=str(one.line_no) + (f" · {one.order_no}" if one.order_no else ""),
        part=(one.partner_part_no if not actor.is_factory else "") or one.item_code,
        due=i18n.day(one.due_date, year=True),
        arrived=_("not yet") if one.received_on is None else i18n.day(one.received_on, year=True),
        waits=one.receipt_id is None,
        days=days,
        value=quantity if one.price is None else f"{quantity} × {show_price(one.price, currency)}",
        why=one.price_why,
        share=_("{share}, the cap").format(share=share) if one.capped else share,
        amount="–" if one.amount is None else show_money(one.amount, currency),
    )


ROUTES: list[HTTPRouteHandler] = [penalties]
