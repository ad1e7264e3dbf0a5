"""Another offer about a change request, in a chat: what is to be different, the day or the quantity, and the card."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import changes as changes  # registers what agreeing and refusing do
from bot import wishes
from bot.answers import Answers
from bot.changing import DAY_WANTED, NO_DAY, NO_QUANTITY, QUANTITY_WANTED, one_quantity
from bot.phrases import read_day
from bot.pressing import Press, on
from bot.steps import Steps, begin
from bot.talk import Talk
from portal.changes import service, service_answering, words
from portal.changes.inputs import Counter, NewPart
from portal.changes.model import ChangePart
from portal.core import clock
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import N_, _
from portal.core.journal import part as undoable
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card
from portal.notices.compose import card_for

router = Router(name="countering")
REQUEST = "change_request"
OFFERED = N_("Your counter-offer: please check and send")


@on(Verb.COUNTER)
async def counter(press: Press) -> Answers:
    """First what is to be different; then the next message is the day or the quantity."""
    field = press.action.data.get("field")
    if field is None:
        names = {"day": N_("Date"), "quantity": N_("Quantity")}
        first = [await press.button(_(label), Verb.COUNTER, {"field": name}) for name, label in names.items()]
        back = await press.button(_("Back"), Verb.SHOW, {"back": True})
        card = await card_for(press.session, press.actor, *press.object)
        rows = ((*first,), (back,))
        return [press.ask(replace(card, title=_("What is to be different?"), buttons=rows)), press.talk.note()]
    live = await _live(press.session, press.actor, press.object[1])
    await begin(press.state, Steps.countering, *press.object, version=press.action.object_version, field=field)
    said = _(DAY_WANTED) if field == "day" else _(QUANTITY_WANTED).format(unit=wishes.unit_name(live.unit))
    return [press.talk.say(said), press.talk.note()]


async def _live(session: AsyncSession, actor: Actor, change_id: UUID) -> ChangePart:
    """The one part of the live offer."""
    change = await service.get_change(session, actor, change_id)
    return (await service.parts_of(session, change))[0]


@router.message(Steps.countering, F.text, ~F.text.startswith("/"))
async def typed(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """The offer with what was typed, as a card to check."""
    form = await state.get_data()
    change_id, text = UUID(form["id"]), message.text or ""
    live = await _live(session, actor, change_id)
    same = service_answering.wish(live)
    if form["field"] == "day":
        near = same.due_date or live.before_date
        day = read_day(text, near, local_today(clock.now(), actor.time_zone)) if near else None
        changed = same.model_copy(update={"due_date": day}) if day else None
    else:
        quantity = one_quantity(text, live.unit)
        changed = same.model_copy(update={"quantity": quantity}) if quantity else None
    if changed is None:
        return [talk.say(_(NO_DAY if form["field"] == "day" else NO_QUANTITY))]
    card = await _proposal(session, actor, change_id, form["version"], changed)
    await state.clear()
    return [talk.card(card)]


class _Undone(Exception):
    """Ends an offer that was only looked at."""


async def _proposal(session: AsyncSession, actor: Actor, change_id: UUID, version: int, changed: NewPart) -> Card:
    """What the offer would do. Raises the refusal of an offer that cannot be."""
    facts: list[str] = []
    try:
        async with undoable(session):
            made = await service_answering.counter_change(session, actor, change_id, Counter(parts=[changed]), version)
            sheet = await service.impact(session, actor, made, curves=False)
            facts = [words.one_line(stake.kind, stake.before, stake.after) for stake in sheet.stakes]
            facts.append(words.band(sheet))
            raise _Undone
    except _Undone:
        pass
    data: dict[str, Any] = {"parts": [changed.model_dump(mode="json", exclude_defaults=True)]}
    send = await make_action(session, actor, Verb.OFFER, REQUEST, change_id, version, data)
    drop = await make_action(session, actor, Verb.SHOW, REQUEST, change_id, version, {"back": True})
    buttons = ((Button(_("Make this offer"), send.id, style="success"), Button(_("Drop"), drop.id)),)
    return Card(_(OFFERED), "", tuple(filter(None, facts)), "", "", buttons, "")


@on(Verb.OFFER)
async def offer(press: Press) -> Answers:
    """Make it: from now on it is the only live offer, and the other company answers."""
    parts = [NewPart.model_validate(one) for one in press.action.data["parts"]]
    version = press.action.object_version
    made = await service_answering.counter_change(
        press.session, press.actor, press.object[1], Counter(parts=parts), version
    )
    said = _("Counter-offer to {number} is sent. The other company answers it.").format(number=made.number)
    await press.done(said, made.contract_id)
    return [press.current(), press.talk.note(said)]
