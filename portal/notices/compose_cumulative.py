"""The card of a proposal about a cumulative quantity; answering takes the page, with the documents beside it."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.i18n import N_, _
from portal.notices import wording
from portal.notices.cards import Card
from portal.notices.wording import joined, opening
from portal.shipments import reads_cumulative as reads
from portal.shipments import words_cumulative as words
from portal.shipments.model_cumulative import CumulativeEntry, EntryStatus
from portal.shipments.service_cumulative import may_speak

ASKED = N_("A change of cumulative quantities was proposed: please review it")
WAITS = N_("A change of cumulative quantities waits for the other company")
ANSWERED = {
    EntryStatus.AGREED: N_("A change of cumulative quantities was agreed to"),
    EntryStatus.DECLINED: N_("A change of cumulative quantities was declined"),
    EntryStatus.WITHDRAWN: N_("A change of cumulative quantities was taken back"),
}


async def entry_card(session: AsyncSession, actor: Actor, entry_id: UUID, purpose: str) -> Card:
    """One correction, reset or opening figure as it stands now."""
    query = select(CumulativeEntry).where(
        col(CumulativeEntry.tenant_id) == actor.tenant_id, col(CumulativeEntry.id) == entry_id
    )
    entry = (await session.exec(query)).one_or_none()
    if entry is None:
        raise NotFound
    connection = await db.driver(session)
    head = await reads.head(connection, actor, entry.contract_id)
    line = await reads.line(connection, actor, head, entry.contract_line_id)
    waits = entry.status is EntryStatus.PROPOSED
    asked = waits and entry.offered_scope != actor.scope and may_speak(actor)
    path = f"/contracts/{head.id}/cumulative?line={line.id}"
    return Card(
        title=_((ASKED if asked else WAITS) if waits else ANSWERED[entry.status]),
        subject=joined(line.item_code, head.number, head.party_name if actor.is_factory else ""),
        facts=(joined(_(words.KINDS[entry.kind]), _(words.REASONS[entry.reason])), words.entry(entry, line.unit)),
        deadline=_("Please agree or decline on its page.") if asked else _(wording.INFORMATION),
        state="",
        buttons=((opening(path, _("Review") if asked else ""),),),
        link=wording.address(path),
    )
