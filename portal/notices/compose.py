"""The current card of an object for one reader: what it is, how it stands now, and what this reader can do about it.

Notices, edits of sent messages and the bot's answers all come from here, so an old button shows what a new message
would. Everything is read in the reader's own scope; what the reader may not see raises NotFound. Never a price.
"""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.i18n import speaking
from portal.notices import (
    compose_approvals,
    compose_changes,
    compose_contracts,
    compose_cumulative,
    compose_days,
    compose_forecasts,
    compose_goods,
    compose_lines,
    compose_periods,
)
from portal.notices.cards import Card, Wanted

Composer = Callable[[AsyncSession, Actor, UUID, str], Awaitable[Card]]
COMPOSERS: dict[str, Composer] = {
    "schedule_line": compose_lines.line_card,
    "release": compose_contracts.release_card,
    "approval_case": compose_approvals.case_card,
    "change_request": compose_changes.change_card,
    "contract": compose_contracts.contract_card,
    "shipment": compose_goods.shipment_card,
    "commitment_bucket": compose_periods.period_card,
    "cumulative_entry": compose_cumulative.entry_card,
    "commit_request": compose_forecasts.request_card,
    "supply_commit": compose_forecasts.commit_card,
    "digest": compose_days.digest_card,
    "agreed": compose_days.agreed_card,
}

TOGETHER: dict[str, Callable[[AsyncSession, Sequence[Wanted]], Awaitable[list[Card | None]]]] = {
    "schedule_line": compose_lines.line_cards,
}
"""What comes by the thousand: many cards cost as many questions to the database as one."""


async def card_for(session: AsyncSession, actor: Actor, object_kind: str, object_id: UUID, purpose: str = "") -> Card:
    """The card, in the actor's language. The session is in the actor's scope; missing actions are added to it.

    purpose: a `Kind` when the card is a notice, which then says why it comes; empty when somebody asked for it.
    object_id: for the day's summaries any id that names the person and the day (`days.day_id`).
    """
    composer = COMPOSERS.get(object_kind)
    if composer is None:
        raise NotFound
    with speaking(actor.language):
        return await composer(session, actor, object_id, purpose)


async def cards_for(session: AsyncSession, wanted: Sequence[Wanted]) -> list[Card | None]:
    """The cards of readers of one company, in order; None where the reader may not see the object."""
    found: dict[int, Card | None] = {}
    for kind in {each.object_kind for each in wanted}:
        of = [(no, each) for no, each in enumerate(wanted) if each.object_kind == kind]
        cards = await _cards_of(session, kind, [each for _no, each in of])
        found |= {no: card for (no, _each), card in zip(of, cards, strict=True)}
    return [found[no] for no in range(len(wanted))]


async def _cards_of(session: AsyncSession, kind: str, wanted: Sequence[Wanted]) -> list[Card | None]:
    if kind in TOGETHER:
        return await TOGETHER[kind](session, wanted)
    cards: list[Card | None] = []
    for each in wanted:
        try:
            cards.append(await card_for(session, each.actor, kind, each.object_id, each.purpose))
        except NotFound:
            cards.append(None)
    return cards
