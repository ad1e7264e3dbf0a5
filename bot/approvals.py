"""An approval in a chat: yes with one press, no with a reason."""

from dataclasses import replace

from bot.answers import Answers
from bot.pressing import Press, on
from portal.approvals.effects import settle
from portal.approvals.service import Decision
from portal.core.i18n import N_, _
from portal.notices.actions import Verb
from portal.notices.compose import card_for

REASONS = (N_("Outside the budget"), N_("Too little notice"), N_("Please talk to me first"))


@on(Verb.APPROVE)
async def approve(press: Press) -> Answers:
    """The open step that is the presser's, in the version that the message showed."""
    return await _decide(press, Decision.APPROVE, "", _("Approved: {label}"))


@on(Verb.TURN_DOWN)
async def turn_down(press: Press) -> Answers:
    """First the reason, then the refusal, which the colleague reads."""
    if "reason" in press.action.data:
        return await _decide(press, Decision.REFUSE, _(press.action.data["reason"]), _("Refused: {label}"))
    buttons = [await press.button(_(reason), Verb.TURN_DOWN, {"reason": reason}) for reason in REASONS]
    back = await press.button(_("Back"), Verb.SHOW, {"back": True})
    card = await card_for(press.session, press.actor, *press.object)
    rows = (*((button,) for button in buttons), (back,))
    return [press.ask(replace(card, title=_("Why is it refused?"), buttons=rows)), press.talk.note()]


async def _decide(press: Press, verdict: Decision, note: str, said: str) -> Answers:
    _kind, case_id = press.object
    version = press.action.object_version
    assert version is not None, "the button was made for a version"
    case = await settle(press.session, press.actor, case_id, version, verdict, note)
    told = said.format(label=case.label)
    await press.done(told, case.contract_id)
    return [press.current(), press.talk.note(told)]
