"""A forecast in a chat: what changed, and committing to all of it or to a share. Figures by period take the page."""

from dataclasses import replace
from decimal import Decimal

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import commits
from bot.answers import Answers
from bot.pressing import Press, on
from bot.talk import Talk
from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.forecasts import service, service_requests
from portal.forecasts.service import Commit
from portal.notices.actions import Verb
from portal.notices.cards import Card
from portal.notices.compose import card_for
from portal.notices.wording import day, joined, opening
from portal.schedules import reads_releases
from portal.schedules.reads_releases import Comparison
from portal.schedules.words import change_of, sentence

router = Router(name="forecasts")
MOST, MOST_LINES = 3, 5  # contracts and deliveries named in one message
SHARES = (95, 90, 80, 50)
WHICH = N_("Which share of the forecast?")


@router.message(Command("forecast"))
async def waiting(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """The forecasts that wait for this company's commit."""
    return await asked(session, actor, talk)


async def asked(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    """The same, as a command or in other words."""
    found = await service_requests.waiting(session, actor, MOST) if actor.may(Permission.CONFIRM_LINES) else []
    if not found:
        return [talk.say(_("No forecast waits for your commit."), ((opening("/forecasts"),),))]
    cards = [(one, await card_for(session, actor, "commit_request", one)) for one in found]
    return [talk.card(card, of=("commit_request", one)) for one, card in cards]


@router.message(Command("changes"))
async def changes(message: Message, command: CommandObject, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """What the newest releases changed; behind the command stands the number of a contract, or nothing."""
    return await changed(session, actor, talk, (command.args or "").strip())


async def changed(session: AsyncSession, actor: Actor, talk: Talk, contract: str = "") -> Answers:
    """One sentence for each contract, and the first deliveries of the release published last."""
    connection = await db.driver(session)
    found = await reads_releases.latest(connection, actor, MOST, contract)
    if not found and contract:
        return [talk.say(_("“{contract}” is no contract with a release.").format(contract=contract[:60]))]
    if not found:
        return [talk.say(_("No release is published yet."))]
    facts: list[str] = []
    buttons = []
    for row in found:
        compared = await reads_releases.compared(connection, actor, row.contract_id, row.number)
        release = _("Release {n}").format(n=row.number)
        facts.append(joined(row.contract_number, release, row.party_name if actor.is_factory else ""))
        facts.append(_said(compared))
        facts += _top(compared) if row is found[0] else []
        label = joined(row.contract_number, release)
        buttons.append((opening(f"/contracts/{row.contract_id}/releases/{row.number}", label),))
    return [talk.card(Card(_("What changed"), "", tuple(facts), "", "", tuple(buttons), ""))]


def _said(compared: Comparison) -> str:
    if compared.before is None:
        return _("The first release: nothing to compare with.")
    return sentence(compared.difference, compared.parts, compared.before.number)


def _top(compared: Comparison) -> list[str]:
    """The first deliveries that are not as they were."""
    if compared.before is None:
        return []
    rows = [(line, change_of(line, True)[1]) for line in compared.lines]
    rows = [(line, change) for line, change in rows if change][:MOST_LINES]
    return [
        joined(f"{line.item_code} {show_quantity(line.quantity, line.unit)}", day(line.due_date), change)
        for line, change in rows
    ]


@on(Verb.COMMIT_ALL)
async def commit(press: Press) -> Answers:
    """To the release that the message showed; a later one, or another commit meanwhile, is refused."""
    _kind, request_id = press.object
    chosen = press.action.data
    request = await service_requests.get_request(press.session, press.actor, request_id)
    percent = Decimal(chosen.get("percent", 100))
    weeks = await service_requests.weeks_of(press.session, press.actor, request)
    data = Commit(release=chosen["release"], percent=percent, weeks=weeks)
    made = await service.commit(press.session, press.actor, request.contract_id, chosen["commit"], data)
    said = _("Committed: {percent}% of the forecast") if made else _(commits.WAITS)
    said = said.format(percent=percent)
    await press.done(said, request.contract_id)
    return [press.current(), press.talk.note(said)]


@on(Verb.COMMIT_SHARE)
async def share(press: Press) -> Answers:
    """The usual shares as buttons; any other one is written or given on the page. Of a sentence: what it is about."""
    if "text" in press.action.data:
        return await commits.chosen(press)
    kind, request_id = press.object
    request = await service_requests.get_request(press.session, press.actor, request_id)
    data = {name: press.action.data[name] for name in ("release", "commit")}
    buttons = [await press.button(f"{one}%", Verb.COMMIT_ALL, {**data, "percent": one}) for one in SHARES]
    page = opening(f"/contracts/{request.contract_id}/forecast")
    back = await press.button(_("Drop"), Verb.SHOW, {"back": True})
    card = await card_for(press.session, press.actor, kind, request_id)
    question = replace(card, title=_(WHICH), deadline="", buttons=((*buttons,), (page, back)))
    return [press.ask(question), press.talk.note()]
