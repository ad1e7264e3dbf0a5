"""A forecast in a chat: commit to all of it or to a share. Figures by period take the page."""

from dataclasses import replace
from decimal import Decimal

from aiogram import Router

from bot.answers import Answers
from bot.pressing import Press, on
from portal.core.i18n import N_, _
from portal.forecasts import service, service_requests
from portal.forecasts.service import Commit
from portal.notices.actions import Verb
from portal.notices.compose import card_for
from portal.notices.wording import opening

router = Router(name="forecasts")
SHARES = (95, 90, 80, 50)
WHICH = N_("Which share of the forecast?")


@on(Verb.COMMIT_ALL)
async def commit(press: Press) -> Answers:
    """To the release that the message showed; a later one, or another commit meanwhile, is refused."""
    _kind, request_id = press.object
    chosen = press.action.data
    request = await service_requests.get_request(press.session, press.actor, request_id)
    percent = Decimal(chosen.get("percent", 100))
    weeks = await service_requests.weeks_of(press.session, press.actor, request)
    data = Commit(release=chosen["release"], percent=percent, weeks=weeks)
    await service.commit(press.session, press.actor, request.contract_id, chosen["commit"], data)
    said = _("Committed: {percent}% of the forecast").format(percent=percent)
    await press.done(said, request.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.COMMIT_SHARE)
async def share(press: Press) -> Answers:
    """The usual shares as buttons; any other one and single weeks are given on the page."""
    kind, request_id = press.object
    request = await service_requests.get_request(press.session, press.actor, request_id)
    data = {name: press.action.data[name] for name in ("release", "commit")}
    buttons = [await press.button(f"{one}%", Verb.COMMIT_ALL, {**data, "percent": one}) for one in SHARES]
    page = opening(f"/contracts/{request.contract_id}/forecast")
    back = await press.button(_("Drop"), Verb.SHOW, {"back": True})
    card = await card_for(press.session, press.actor, kind, request_id)
    question = replace(card, title=_(WHICH), deadline="", buttons=((*buttons,), (page, back)))
    return [press.ask(question), press.talk.note()]
