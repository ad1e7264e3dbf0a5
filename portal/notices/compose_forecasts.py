"""The cards of a forecast: the seller is asked to commit, and the buyer reads what was committed."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.model import ApprovalPoint
from portal.approvals.reads import waiting_about
from portal.contracts.model import ContractStatus
from portal.core import clock, db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.forecasts import reads, rules
from portal.forecasts.model import CommitRequest, RequestStatus, SupplyCommit
from portal.forecasts.reads import Cells, Head, Part
from portal.forecasts.service_requests import get_request
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Button, Card
from portal.notices.wording import acting, joined, opening

SHOWN = 5  # parts named in a message
R = RequestStatus
ASKED = N_("Please commit to a forecast")
LATE = N_("No commit yet: please commit to a forecast")
MISSING = N_("A seller did not commit to a forecast in time")
WAITING = N_("A forecast waits for the seller's commit")
DONE = N_("A forecast was committed to")
OVER = N_("A later release asks for a commit")
HELD = N_("A commit waits for a colleague's approval. The buyer sees nothing of it yet.")
SHORT = N_("Less than the forecast was committed")


async def request_card(session: AsyncSession, actor: Actor, request_id: UUID, purpose: str) -> Card:
    """What one release asks the seller for, as it stands now."""
    request = await get_request(session, actor, request_id)
    connection = await db.driver(session)
    head = await reads.head(connection, actor, request.contract_id)
    seller = actor.side_on(head.direction) is Side.SELLER
    waits = request.status in (R.OPEN, R.LAPSED)
    able = waits and seller and actor.may(Permission.CONFIRM_LINES) and head.status == ContractStatus.ACTIVE
    data = {"release": head.release_no, "commit": head.commit_no}
    verbs = [Verb.COMMIT_ALL, Verb.COMMIT_SHARE] if able else []
    actions = await offer(session, actor, verbs, "commit_request", request_id, head.commit_no, data)
    held = await waiting_about(connection, actor, ApprovalPoint.COMMIT, head.id) if waits and seller else None
    path = f"/contracts/{head.id}/forecast"
    when = i18n.moment(request.due_at, actor.time_zone)
    return Card(
        title=_(_title(request, seller)),
        subject=joined(head.number, _("Release {n}").format(n=request.release_no), _partner(head, actor)),
        facts=await _facts(connection, actor, head),
        deadline=_("Commit by {when}").format(when=when) if able else "",
        state=(_(HELD) if held else "") if waits else _(DONE if request.status == R.ANSWERED else OVER),
        buttons=((*_buttons(actions, head),), (opening(path),)) if able else ((opening(path),),),
        link=wording.address(path),
    )


def _buttons(actions: dict[Verb, UUID], head: Head) -> tuple[Button, ...]:
    """As much as is asked for, in so many weeks; or a share of it."""
    weeks = head.terms_weeks or rules.ASKED
    whole = ngettext("Commit as asked, {n} week", "Commit as asked, {n} weeks", weeks).format(n=i18n.number(weeks))
    return (
        Button(whole, actions[Verb.COMMIT_ALL], style="success"),
        acting(Verb.COMMIT_SHARE, actions),
    )


def _title(request: CommitRequest, seller: bool) -> str:
    late = request.status == R.LAPSED or request.due_at < clock.now()
    if request.status not in (R.OPEN, R.LAPSED):
        return WAITING
    if seller:
        return LATE if late else ASKED
    return MISSING if late else WAITING


def _partner(head: Head, actor: Actor) -> str:
    return head.party_name if actor.is_factory else ""


async def commit_card(session: AsyncSession, actor: Actor, commit_id: UUID, purpose: str) -> Card:
    """What was committed, part by part."""
    query = select(SupplyCommit).where(
        col(SupplyCommit.tenant_id) == actor.tenant_id, col(SupplyCommit.id) == commit_id
    )
    commit = (await session.exec(query)).one_or_none()
    if commit is None:
        raise NotFound
    connection = await db.driver(session)
    head = await reads.head(connection, actor, commit.contract_id)
    cells = await _cells(connection, actor, head)
    short = any((cell.covered or 0) < cell.forecast for cell in cells.values())
    path = f"/contracts/{head.id}/forecast"
    version = _("Version {n}").format(n=commit.number)
    return Card(
        title=_(SHORT if short else DONE),
        subject=joined(head.number, version, _("Release {n}").format(n=commit.release_no), _partner(head, actor)),
        facts=_of_parts(await reads.parts(connection, actor, head.id), cells),
        deadline=_(wording.INFORMATION) if purpose else "",
        state="",
        buttons=((opening(path),),),
        link=wording.address(path),
    )


async def _cells(connection: Driver, actor: Actor, head: Head) -> Cells:
    """The weeks that are asked for, from this one on."""
    first = rules.monday(local_today(clock.now(), head.time_zone))
    return await reads.cells(connection, actor, head, first, head.terms_weeks or rules.ASKED)


async def _facts(connection: Driver, actor: Actor, head: Head) -> tuple[str, ...]:
    cells = await _cells(connection, actor, head)
    weeks = _("The next {n} weeks:").format(n=head.terms_weeks or rules.ASKED)
    return weeks, *_of_parts(await reads.parts(connection, actor, head.id), cells)


def _of_parts(parts: list[Part], cells: Cells) -> tuple[str, ...]:
    """A100: 480 of 600 pcs committed; the parts without a forecast are left out."""
    said = []
    for part in parts:
        mine = [cell for key, cell in cells.items() if key[0] == part.id]
        forecast = sum((cell.forecast for cell in mine), rules.ZERO)
        covered = sum((cell.covered or rules.ZERO for cell in mine), rules.ZERO)
        if forecast or covered:
            words = _("{part}: {done} of {asked} committed")
            asked = show_quantity(forecast, part.unit)
            said.append(words.format(part=part.item_code, done=i18n.number(covered), asked=asked))
    if len(said) > SHOWN:
        rest = len(said) - SHOWN
        said[SHOWN:] = [ngettext("and {n} more part", "and {n} more parts", rest).format(n=rest)]
    return tuple(said)
