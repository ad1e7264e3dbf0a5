"""The card of a period that people are told of: it has ended, or more may be called off from it than agreed."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.bucket_words import sentence
from portal.contracts.model_buckets import CommitmentBucket, Consequence
from portal.contracts.parts import part_of
from portal.contracts.reads_buckets import PeriodRow, get_period
from portal.contracts.rules_buckets import Standing
from portal.contracts.service import get_contract, get_line
from portal.contracts.service_commitments import all_terms, terms_on
from portal.contracts.use_words import CONSEQUENCES
from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.notices import wording
from portal.notices.cards import Card
from portal.notices.wording import joined, opening

BELOW = N_("A period has ended below its floor")
ENDED = N_("A period has ended")
MORE = N_("More may be called off from a period than its ceiling")


async def period_card(session: AsyncSession, actor: Actor, bucket_id: UUID, purpose: str) -> Card:
    """One period of a contract as it stands now, with what follows below the floor."""
    query = select(CommitmentBucket).where(
        col(CommitmentBucket.tenant_id) == actor.tenant_id, col(CommitmentBucket.id) == bucket_id
    )
    bucket = (await session.exec(query)).one_or_none()
    if bucket is None:
        raise NotFound
    contract = await get_contract(session, actor, bucket.contract_id)
    line = await get_line(session, actor, contract.id, bucket.contract_line_id)
    row = await get_period(await db.driver(session), actor, contract.id, bucket_id)
    if row is None:
        raise NotFound
    terms = terms_on(await all_terms(session, contract), contract, row.period_start)
    part = part_of(line, actor)
    path = f"/contracts/{contract.id}/ledger/{bucket_id}"
    return Card(
        title=_(_title(row)),
        subject=joined(part, contract.number, contract.party_name if actor.is_factory else ""),
        facts=_facts(row, terms.consequence),
        deadline=_(wording.INFORMATION),
        state="",
        buttons=((opening(path, ""),),),
        link=wording.address(path),
    )


def _title(row: PeriodRow) -> str:
    if row.closed_at is None:
        return MORE
    return BELOW if row.outlook.standing is Standing.BELOW else ENDED


def _facts(row: PeriodRow, consequence: Consequence) -> tuple[str, ...]:
    facts = [sentence(row)]
    if row.sums.carried_out:
        facts.append(_("Carried on: {quantity}").format(quantity=show_quantity(-row.sums.carried_out, row.unit)))
    if row.closed_at is None and row.sums.over_called:
        facts.append(_("Over-call: {quantity}").format(quantity=show_quantity(row.sums.over_called, row.unit)))
    if row.closed_at is not None and row.outlook.standing is Standing.BELOW and consequence is not Consequence.NONE:
        facts.append(_("Below the floor was agreed: {consequence}").format(consequence=_(CONSEQUENCES[consequence])))
    return tuple(facts)
