"""The card of a change request: before and after, the zone, who must agree by when. Never a price."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

import portal.changes.projection
import portal.changes.supplies  # noqa: F401 - both register what they know of a change elsewhere
from portal.changes import service, words
from portal.changes.impact import Impact
from portal.changes.model import ChangeRequest, ChangeStatus, PartKind
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Card
from portal.notices.wording import acting, joined, opening

S = ChangeStatus
SHOWN = 5  # deliveries named in a message
EFFECTS = 2  # of the change elsewhere, named in a message
ASKED = {
    S.SUBMITTED: N_("A change is asked for: please agree or refuse"),
    S.IN_REVIEW: N_("A change is asked for: please agree or refuse"),
    S.COUNTERED: N_("A counter-offer was made: please agree or refuse"),
}
TITLES = {
    S.DRAFT: N_("A change request"),
    S.SUBMITTED: N_("A change request waits for the other company's answer"),
    S.IN_REVIEW: N_("A change request waits for the other company's answer"),
    S.COUNTERED: N_("A change request waits for the other company's answer"),
    S.ACCEPTED: N_("A change was agreed and is being applied"),
    S.APPLIED: N_("A change was agreed and applied"),
    S.DECLINED: N_("A change was refused"),
    S.WITHDRAWN: N_("A change request was withdrawn"),
    S.EXPIRED: N_("A change request has lapsed: nobody answered in time"),
    S.APPLY_FAILED: N_("A change was agreed, but could not be applied"),
}
BUTTONS = {"accept": Verb.AGREE, "decline": Verb.REFUSE}


async def change_card(session: AsyncSession, actor: Actor, change_id: UUID, purpose: str) -> Card:
    """One request as it stands now. Raises NotFound when this colleague may not see it."""
    change = await service.get_change(session, actor, change_id)
    sheet = await service.impact(session, actor, change, curves=False)
    can = service.actions(change, actor)
    verbs = [verb for action, verb in BUTTONS.items() if action in can]
    here = len(sheet.stakes) == 1 and sheet.stakes[0].kind is PartKind.CHANGE  # else the page has room for it
    verbs += [Verb.COUNTER] if here and "counter" in can else []
    actions = await offer(session, actor, verbs, "change_request", change.id, change.version) if verbs else {}
    path = f"/changes/{change_id}"
    pages = [opening(f"{path}/counter", _("Counter-offer"), form=True)] if "counter" in can and not here else []
    rows = (tuple(acting(verb, actions) for verb in verbs), (*pages, opening(path, form=bool(verbs))))
    said = told(sheet)
    return Card(
        title=_(ASKED[change.status] if verbs else TITLES[change.status]),
        subject=joined(change.number or "", sheet.head.number, sheet.head.party_name if actor.is_factory else ""),
        facts=tuple(filter(None, (*said, _(words.WAYS[sheet.way]) if verbs else "", words.band(sheet)))),
        deadline=_deadline(change, actor, bool(verbs)),
        state=_("Refused: {reason}").format(reason=_(change.decline_reason)) if change.decline_reason else "",
        buttons=tuple(filter(None, rows)),
        link=wording.address(path),
    )


def told(sheet: Impact) -> list[str]:
    """A pause or a carry-over in one sentence; else the first deliveries."""
    if sheet.carries or all(stake.pause for stake in sheet.stakes):
        return [words.what(sheet), *_elsewhere(sheet)]
    said = words.joined(sheet.stakes)
    said += [words.one_line(stake.kind, stake.before, stake.after) for stake in sheet.stakes[:SHOWN]]
    if len(sheet.stakes) > SHOWN:
        said.append(_("and {n} more").format(n=i18n.number(len(sheet.stakes) - SHOWN)))
    return [*said, *_elsewhere(sheet)]


def _elsewhere(sheet: Impact) -> list[str]:
    """What later domains know of it, such as stock, capacity and suppliers' lines: the factory's alone."""
    return [_("Effect: {what}").format(what=one.text) for one in sheet.touched[:EFFECTS]]


def _deadline(change: ChangeRequest, actor: Actor, asked: bool) -> str:
    if asked and change.respond_by is not None:
        return _("Agree to or refuse it by {when}").format(when=i18n.moment(change.respond_by, actor.time_zone))
    return "" if asked else _(wording.INFORMATION)
