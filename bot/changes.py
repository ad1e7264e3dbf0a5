"""A change request in a chat: agree with one press, refuse with a reason; a counter-offer takes the page."""

from dataclasses import replace

from bot.answers import Answers
from bot.pressing import Press, on
from portal.changes import service_answering, words
from portal.changes.inputs import Accept, Refuse
from portal.changes.model import ChangeReason
from portal.core.i18n import _
from portal.notices.actions import Verb
from portal.notices.compose import card_for

REASONS = (ChangeReason.CAPACITY, ChangeReason.MATERIAL, ChangeReason.PRODUCTION, ChangeReason.OTHER)


@on(Verb.AGREE)
async def agree(press: Press) -> Answers:
    """To all of the live offer, in the version that the message showed."""
    _kind, change_id = press.object
    version = press.action.object_version
    change = await service_answering.accept_change(press.session, press.actor, change_id, Accept(), version)
    said = _("Agreed: {number}").format(number=change.number)
    await press.done(said, change.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.REFUSE)
async def refuse(press: Press) -> Answers:
    """First the reason, then the refusal, which the other company reads in its own language."""
    _kind, change_id = press.object
    if "reason" not in press.action.data:
        buttons = []
        for reason in REASONS:
            data = {"reason": words.REASONS[reason]}
            buttons.append(await press.button(_(words.REASONS[reason]), Verb.REFUSE, data))
        back = await press.button(_("Back"), Verb.SHOW, {"back": True})
        card = await card_for(press.session, press.actor, *press.object)
        rows = (tuple(buttons[:2]), tuple(buttons[2:]), (back,))
        return [press.ask(replace(card, title=_("Why is it refused?"), buttons=rows)), press.talk.note()]
    refusal, version = Refuse(reason=press.action.data["reason"]), press.action.object_version
    change = await service_answering.decline_change(press.session, press.actor, change_id, refusal, version)
    said = _("Refused: {number}").format(number=change.number)
    await press.done(said, change.contract_id)
    return [press.current(), press.talk.note(said)]
