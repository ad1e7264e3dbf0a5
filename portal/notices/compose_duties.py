"""What the card of a release says of who answers it: a deputy may take it over, the others learn that somebody did."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, i18n
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _
from portal.notices import reads_duties
from portal.notices.actions import Verb, offer
from portal.notices.cards import Rows
from portal.notices.wording import acting, opening
from portal.schedules.model import Release
from portal.schedules.model_releases import ReleaseStanding
from portal.schedules.reads import LineRow


@dataclass(frozen=True, slots=True)
class DutyShown:
    """What is added to the card. offered: the release that the reader may take over."""

    title: str = ""
    facts: tuple[str, ...] = ()
    offered: UUID | None = None
    path: str = ""

    async def buttons(self, session: AsyncSession, actor: Actor) -> Rows:
        """Taking over, and the page that names the colleague: a chat never does."""
        if self.offered is None:
            return ()
        actions = await offer(session, actor, [Verb.TAKE_OVER], "release", self.offered)
        return ((acting(Verb.TAKE_OVER, actions), opening(self.path, _("Contact your colleague"))),)


async def duty_of(
    connection: Driver, actor: Actor, release: Release, waiting: list[LineRow], unread: ReleaseStanding | None
) -> DutyShown:
    """Nothing where nothing waits. unread: the standing of a release that this reader can acknowledge."""
    if actor.member_id is None or not (waiting or unread):
        return DutyShown()
    taken = await reads_duties.taken(connection, actor, release.id)
    if taken is not None:
        mine = taken.member_id == actor.member_id
        said = _("You took over the answer to release {no}") if mine else _("A colleague answers release {no} for you")
        return DutyShown(said.format(no=release.number))
    dates = [line.respond_by for line in waiting if line.respond_by is not None]
    dates += [unread.answer_by] if unread and unread.answer_by else []
    if not dates or min(dates) > clock.now():
        return DutyShown()
    people = reads_duties.absent(await reads_duties.asked(connection, actor, release.contract_id), actor)
    if not people:
        return DutyShown()
    when = i18n.moment(min(dates), actor.time_zone, year=False)
    phones = [_("Your colleague’s telephone: {phone}").format(phone=who.phone) for who in people if who.phone]
    title = _("No answer from your colleague by {when}. You are the deputy: release {no}")
    path = f"/contracts/{release.contract_id}/releases/{release.number}#duty"
    return DutyShown(title.format(when=when, no=release.number), tuple(phones), release.id, path)
