"""The cards of a contract and of a release with what it asks."""

from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.service_acceptance import asks_for_code
from portal.contracts import service as contracts
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.parts import part_of
from portal.contracts.rules_life import ends_soon, last_day
from portal.contracts.service_versions import get_revisions
from portal.contracts.service_versions import live as live_offer
from portal.core import clock, db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor, Scope
from portal.core.calendars import local_today
from portal.core.errors import NotFound
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Button, Card
from portal.notices.compose_duties import duty_of
from portal.notices.wording import joined, opening
from portal.schedules import reads
from portal.schedules.model import Release, ReleaseStatus
from portal.schedules.model_releases import ReleaseStanding
from portal.schedules.reads import LineRow
from portal.schedules.rules_releases import RELEASE_STATES, is_overdue
from portal.schedules.service_answers import get_standing
from portal.schedules.service_holding import waiting_release
from portal.shipments.service_opening import opening_waits

SHOWN = 5  # deliveries named in a message; the rest are counted
MOST = 200  # deliveries that one button confirms
STATE = {
    ContractStatus.PROPOSED: N_("A contract was proposed: please review it"),
    ContractStatus.COUNTERED: N_("A counter-offer to a contract was made: please review it"),
    ContractStatus.ACCEPTED: N_("A contract was accepted"),
    ContractStatus.DRAFT: N_("A contract was declined"),
    ContractStatus.ACTIVE: N_("A contract is in force"),
    ContractStatus.COMPLETED: N_("A contract was completed"),
    ContractStatus.SUSPENDED: N_("A contract is suspended for now"),
    ContractStatus.TERMINATED: N_("A contract is terminated"),
    ContractStatus.EXPIRED: N_("A contract has ended"),
}
CHANGE = N_("A change of a contract was offered: please review it")
CHANGE_BY_US = N_("An offered change of a contract waits for the other company's answer")
HELD = N_("A release leaves its tolerance: please look before it is told")
ENDS_SOON = N_("A contract ends soon: please agree on what follows")
OPENING = N_("Opening balances of a contract wait: please confirm or decline them")
OPENING_BY_US = N_("Opening balances of a contract wait for the other company")
UNDERUSED = N_("Less is called off from a contract than agreed")
OFFERED = (ContractStatus.PROPOSED, ContractStatus.COUNTERED)
IN_FORCE = (ContractStatus.ACTIVE, ContractStatus.SUSPENDED)
PROPOSED_BY_US = N_("A contract waits for the other company's answer")


async def _asked_words(session: AsyncSession, actor: Actor, open_offer: bool) -> str:
    """That an answer is wanted; and that accepting an offer asks for a code, where it does."""
    if open_offer and await asks_for_code(session, actor):
        return _("Please accept or decline it on its page. Accepting asks for a one-time code.")
    return _("Please accept or decline it on its page.")


async def contract_card(session: AsyncSession, actor: Actor, contract_id: UUID, purpose: str) -> Card:
    """One contract: what it is about and whose answer it waits for. Answering takes the page, with the whole text."""
    contract = await contracts.get_contract(session, actor, contract_id)
    lines = await contracts.get_lines(session, actor, contract_id)
    connection = await db.driver(session)
    verbs = {ContractStatus.ACCEPTED: ["accepted"], ContractStatus.DRAFT: ["declined"]}.get(contract.status, [])
    state = await wording.last_said(connection, actor, contract_id, verbs, contract.party_name) if verbs else ""
    offer = live_offer(await get_revisions(session, contract))
    ours = offer.offered_scope == actor.scope if offer else contract.status is ContractStatus.PROPOSED
    open_offer = contract.status in OFFERED or offer is not None
    asked = open_offer and not ours and contracts.may_step(actor, "accept")
    path = f"/contracts/{contract_id}"
    held = actor.is_factory and await waiting_release(session, actor, contract_id) is not None
    title = HELD if held and not open_offer else _title(contract, open_offer, ours)
    if not open_offer and not held and await opening_waits(session, contract):
        title, path = (OPENING_BY_US if actor.is_factory else OPENING), f"{path}/opening"
        asked = not actor.is_factory and actor.may(Permission.ACCEPT_CONTRACTS)
    return Card(
        title=_(title),
        subject=joined(contract.number, contract.title, contract.party_name if actor.is_factory else ""),
        facts=(_validity(contract), ngettext("{n} part", "{n} parts", len(lines)).format(n=i18n.number(len(lines)))),
        deadline=await _asked_words(session, actor, open_offer) if asked else _(wording.INFORMATION),
        state=state,
        buttons=((opening(path, _("Review") if asked else ""),),),
        link=wording.address(path),
    )


def _title(contract: Contract, open_offer: bool, ours: bool) -> str:
    """What is the matter with a contract now: an offer first, then what its calendar says, then its state."""
    if open_offer and contract.status in IN_FORCE:
        return CHANGE_BY_US if ours else CHANGE
    if open_offer and ours:
        return PROPOSED_BY_US
    today = local_today(clock.now(), contract.time_zone)
    if contract.status in IN_FORCE:
        if ends_soon(today, last_day(contract.valid_to, contract.ends_on), contract.notice_days):
            return ENDS_SOON
        if contract.reminded_use == today:
            return UNDERUSED
    return STATE[contract.status]


def _validity(contract: Contract) -> str:
    first = i18n.day(contract.valid_from, year=True)
    if contract.valid_to is None:
        return _("Valid from {first}").format(first=first)
    return _("Valid from {first} to {last}").format(first=first, last=i18n.day(contract.valid_to, year=True))


async def release_card(session: AsyncSession, actor: Actor, release_id: UUID, purpose: str) -> Card:
    """A published release, with the deliveries that still wait for this reader's answer."""
    query = select(Release).where(Release.tenant_id == actor.tenant_id, Release.id == release_id)
    release = (await session.exec(query)).one_or_none()
    if release is None:
        raise NotFound
    contract = await contracts.get_contract(session, actor, release.contract_id)
    seller = actor.side_on(contract.direction) is Side.SELLER and actor.may(Permission.CONFIRM_LINES)
    connection = await db.driver(session)
    standing = await get_standing(session, actor, release)
    waiting = await reads.to_confirm(connection, actor, MOST, contract.id) if seller else []
    asked = _asks(actor, standing)
    duty = await duty_of(connection, actor, release, waiting, standing if asked and seller else None)
    return Card(
        title=duty.title or _release_title(release.number, len(waiting), standing, actor),
        subject=joined(contract.number, contract.title, contract.party_name if actor.is_factory else ""),
        facts=(*([standing.reason] if standing.reason else named(waiting, actor)), *duty.facts),
        deadline=confirm_by(waiting, actor) or _answer_by(standing, actor, asked, seller),
        state=_("All deliveries are answered.") if seller and not waiting else "",
        buttons=(*await _release_buttons(session, actor, release, waiting, asked), *await duty.buttons(session, actor)),
        link=wording.address(f"/contracts/{contract.id}"),
    )


def _asks(actor: Actor, standing: ReleaseStanding) -> bool:
    """Whether this reader can acknowledge the release now, and the contract asks for it."""
    actions = RELEASE_STATES.actions(standing.status, Side.SELLER)
    theirs = actor.scope is Scope.PARTNER and actor.may(Permission.CONFIRM_LINES)
    return theirs and standing.answer_by is not None and "acknowledge" in actions


def _answer_by(standing: ReleaseStanding, actor: Actor, asked: bool, seller: bool) -> str:
    if asked and standing.answer_by is not None:
        return _("Acknowledge by {when}").format(when=i18n.moment(standing.answer_by, actor.time_zone))
    return "" if seller else _(wording.INFORMATION)


def _release_title(number: int, waiting: int, standing: ReleaseStanding, actor: Actor) -> str:
    status = standing.status
    if actor.is_factory and is_overdue(status, standing.answer_by, clock.now()):
        return _("Release {no} was not acknowledged in time").format(no=number)
    if status is ReleaseStatus.REJECTED:
        return _("Release {no} was rejected").format(no=number)
    if status is ReleaseStatus.ACKNOWLEDGED and not waiting:
        return _("Release {no} is acknowledged").format(no=number)
    if not waiting:
        return _("Release {no} is published").format(no=number)
    text = ngettext(
        "Release {no} is published: please confirm {n} delivery",
        "Release {no} is published: please confirm {n} deliveries",
        waiting,
    )
    return text.format(no=number, n=i18n.number(waiting))


async def _release_buttons(
    session: AsyncSession, actor: Actor, release: Release, waiting: list[LineRow], asked: bool
) -> tuple[tuple[Button, ...], ...]:
    page = opening("/schedules?view=to_confirm" if waiting else f"/contracts/{release.contract_id}")
    if not waiting and asked:
        actions = await offer(session, actor, [Verb.ACKNOWLEDGE], "release", release.id)
        return ((wording.acting(Verb.ACKNOWLEDGE, actions), page),)
    if not waiting:
        return ((page,),)
    return ((await confirm_all(session, actor, "release", release.id, waiting), page),)


async def confirm_all(
    session: AsyncSession, actor: Actor, object_kind: str, object_id: UUID, waiting: list[LineRow]
) -> Button:
    """The button that confirms exactly the deliveries that the message named or counted, in the versions shown."""
    lines = [[str(row.id), row.version] for row in waiting]
    actions = await offer(session, actor, [Verb.CONFIRM_ALL], object_kind, object_id, data={"lines": lines})
    label = ngettext("Confirm {n} delivery", "Confirm {n} deliveries", len(waiting))
    return Button(label.format(n=i18n.number(len(waiting))), actions[Verb.CONFIRM_ALL], style="success")


def named(rows: list[LineRow], actor: Actor) -> list[str]:
    """The first deliveries by part, quantity and day, and how many more there are."""
    lines = [wording.due(f"{part_of(row, actor)} {amount(row)}", row.due_date) for row in rows[:SHOWN]]
    more = len(rows) - SHOWN
    return [*lines, _("and {n} more").format(n=i18n.number(more))] if more > 0 else lines


def amount(row: LineRow) -> str:
    return show_quantity(row.ordered_quantity, row.unit)


def confirm_by(waiting: list[LineRow], actor: Actor) -> str:
    """The earliest deadline of what waits."""
    first = min((row.respond_by for row in waiting if row.respond_by), default=None)
    return _("Confirm by {when}").format(when=i18n.moment(first, actor.time_zone)) if first else ""
