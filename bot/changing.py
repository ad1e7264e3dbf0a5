"""A change of a delivery by buttons: contract, part, delivery, what is to be different, why, and the card to send."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import joining, sentences, wishes
from bot.answers import Answers
from bot.phrases import quantities, read_day
from bot.pressing import Press, on
from bot.steps import Steps, begin
from bot.talk import Talk
from portal.changes import service_asking
from portal.changes.inputs import NewChange, NewPart
from portal.changes.model import ChangeReason, PartKind
from portal.changes.reads_open import OpenDelivery, open_deliveries
from portal.changes.words import REASONS
from portal.core import db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.i18n import N_, _
from portal.core.quantities import check_scale, show_quantity
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card, Rows
from portal.notices.wording import joined, opening

router = Router(name="changing")
PAGE = 6  # choices at once
DAY_WANTED = N_("Which day? Write it as 2026-11-30 or 30 Nov.")
NO_DAY = N_("I cannot read a day in this. Write it as 2026-11-30 or 30 Nov.")
QUANTITY_WANTED = N_("Which quantity, in {unit}? Write a number.")
NO_QUANTITY = N_("I cannot read one quantity in this. Write a number, for example 800.")


@router.message(Command("change"))
async def change(message: Message, session: AsyncSession, actor: Actor, talk: Talk) -> Answers:
    """Ask for a change step by step."""
    actor.require(Permission.REQUEST_CHANGES)
    if talk.numbers_only:
        return [sentences.on_the_page(talk)]
    return [talk.card(await _choose(session, actor, {}))]


# --- contract, part, delivery -----------------------------------------------------------------------------------------


async def _choose(session: AsyncSession, actor: Actor, chosen: dict[str, Any]) -> Card:
    """The next question of the way: what has one answer only is not asked."""
    contract, line = (UUID(chosen[name]) if name in chosen else None for name in ("contract", "line"))
    rows = await open_deliveries(await db.driver(session), actor, contract_id=contract, contract_line_id=line)
    if not rows:
        return Card(_("No open delivery is ahead."), "", (), "", "", (), "")
    contracts = {str(row.contract_id): joined(row.contract_number, _partner(row, actor)) for row in rows}
    if len(contracts) > 1:
        return await _page(session, actor, _("Which contract?"), "contract", contracts, chosen)
    chosen = chosen | {"contract": next(iter(contracts))}
    parts = {str(row.contract_line_id): joined(row.part(actor), row.description) for row in rows}
    if len(parts) > 1:
        return await _page(session, actor, _("Which part?"), "line", parts, chosen)
    chosen = chosen | {"line": next(iter(parts))}
    deliveries = {str(row.id): joined(i18n.day(row.due_date), show_quantity(row.quantity, row.unit)) for row in rows}
    return await _page(session, actor, _("Which delivery?"), "delivery", deliveries, chosen, rows[0])


async def _page(
    session: AsyncSession,
    actor: Actor,
    title: str,
    name: str,
    offered: dict[str, str],
    chosen: dict[str, Any],
    about: OpenDelivery | None = None,
) -> Card:
    """Six of the choices, and the way to the others."""
    first = int(chosen.get("from", 0))
    known = {key: value for key, value in chosen.items() if key != "from"}
    items = list(offered.items())
    buttons = [await _step(session, actor, label, known | {name: key}) for key, label in items[first : first + PAGE]]
    turning = []
    if first:
        turning.append(await _step(session, actor, _("Earlier ones"), known | {"from": max(0, first - PAGE)}))
    if first + PAGE < len(items):
        turning.append(await _step(session, actor, _("More"), known | {"from": first + PAGE}))
    subject = joined(about.contract_number, f"{about.part(actor)} {about.description}") if about else ""
    rows: Rows = (*((button,) for button in buttons), *((tuple(turning),) if turning else ()))
    return Card(title, subject, (), "", "", rows, "")


async def _step(session: AsyncSession, actor: Actor, label: str, chosen: dict[str, Any]) -> Button:
    assert actor.member_id is not None
    data = {"step": "choose", "chosen": chosen}
    action = await make_action(session, actor, Verb.WISH, "member", actor.member_id, None, data)
    return Button(label, action.id)


def _partner(row: OpenDelivery, actor: Actor) -> str:
    return row.party_name if actor.is_factory else ""


# --- what is to be different ------------------------------------------------------------------------------------------


async def _delivery(session: AsyncSession, actor: Actor, line_id: UUID) -> OpenDelivery:
    """One open delivery. Raises NotFound when it is over, or not to be seen."""
    rows = await open_deliveries(await db.driver(session), actor, line_id=line_id)
    if not rows:
        raise NotFound
    return rows[0]


async def _different(session: AsyncSession, actor: Actor, row: OpenDelivery) -> Card:
    """What is to be different of the delivery?"""
    wish = NewChange(
        contract_id=row.contract_id, reason=ChangeReason.OTHER, parts=[NewPart(line_id=row.id, version=row.version)]
    )
    cancel = wish.model_copy(update={"parts": [NewPart(kind=PartKind.CANCEL, line_id=row.id, version=row.version)]})
    buttons = (
        await wishes.step_button(session, actor, _("Date"), "day", wish, form=True),
        await wishes.step_button(session, actor, _("Quantity"), "quantity", wish, form=True),
        await wishes.step_button(session, actor, _("Cancel it"), "reason", cancel),
        await wishes.step_button(session, actor, _("Join with another"), "join", wish),
    )
    drop = await wishes.step_button(session, actor, _("Drop"), "drop", wish)
    return Card(
        _("What is to be different?"), _subject(row, actor), _now(row), "", "", (buttons[:3], (buttons[3], drop)), ""
    )


def _subject(row: OpenDelivery, actor: Actor) -> str:
    return joined(row.contract_number, f"{row.part(actor)} {row.description}", _partner(row, actor))


def _now(row: OpenDelivery) -> tuple[str, ...]:
    return (joined(show_quantity(row.quantity, row.unit), i18n.day(row.due_date)),)


@on(Verb.WISH)
async def go_on(press: Press) -> Answers:
    """The next step of a change that is being written."""
    data = press.action.data
    match data["step"]:
        case "sentence":
            return await sentences.go_on(press)
        case "begin":
            return [press.talk.card(await _choose(press.session, press.actor, {})), press.talk.note()]
        case "choose":
            return await _chosen(press, data["chosen"])
        case "day" | "quantity":
            return await _type(press, data["step"], data["wish"], form=data.get("form", False))
        case "join":
            return await joining.choose(press, wishes.again(data["wish"]))
        case "joined":
            return await joining.chosen(press, wishes.again(data["wish"]), UUID(data["other"]))
        case "reason":
            return [
                press.ask(await _reasons(press.session, press.actor, wishes.again(data["wish"]))),
                press.talk.note(),
            ]
        case "check":
            card = await wishes.proposal(press.session, press.actor, wishes.again(data["wish"]))
            return [press.ask(card), press.talk.note()]
    await press.state.clear()
    return [press.ask(Card(_("Nothing was sent."), "", (), "", "", (), "")), press.talk.note()]


async def _chosen(press: Press, chosen: dict[str, Any]) -> Answers:
    if "delivery" not in chosen:
        return [press.ask(await _choose(press.session, press.actor, chosen)), press.talk.note()]
    row = await _delivery(press.session, press.actor, UUID(chosen["delivery"]))
    return [press.ask(await _different(press.session, press.actor, row)), press.talk.note()]


async def _reasons(session: AsyncSession, actor: Actor, wish: NewChange) -> Card:
    """Why? Each answer leads to the card."""
    buttons = [
        await wishes.step_button(session, actor, _(label), "check", wish.model_copy(update={"reason": reason}))
        for reason, label in REASONS.items()
    ]
    drop = await wishes.step_button(session, actor, _("Drop"), "drop", wish)
    rows: Rows = tuple(tuple(buttons[no : no + 2]) for no in range(0, len(buttons), 2))
    return Card(_("Reason?"), "", (), "", "", (*rows, (drop,)), "")


# --- typed days and quantities ----------------------------------------------------------------------------------------


async def _type(press: Press, field: str, wish: dict[str, Any], *, form: bool) -> Answers:
    """The next message is the day or the quantity."""
    kind, object_id = press.object
    await begin(press.state, Steps.wishing, kind, object_id, wish=wish, field=field, form=form)
    if field == "day":
        return [press.talk.say(_(DAY_WANTED)), press.talk.note()]
    row = await _about(press.session, press.actor, wishes.again(wish))
    return [press.talk.say(_(QUANTITY_WANTED).format(unit=wishes.unit_name(row.unit))), press.talk.note()]


@router.message(Steps.wishing, F.text, ~F.text.startswith("/"))
async def typed(message: Message, session: AsyncSession, actor: Actor, talk: Talk, state: FSMContext) -> Answers:
    """What was typed goes into the change; a change without a reason is asked for one."""
    form = await state.get_data()
    wish = wishes.again(form["wish"])
    row = await _about(session, actor, wish)
    text = message.text or ""
    on_, quantity = (
        (read_day(text, row.due_date, wishes.today_at([row], actor)), None)
        if form["field"] == "day"
        else (None, one_quantity(text, row.unit))
    )
    if on_ is None and quantity is None:
        return [talk.say(_(NO_DAY if form["field"] == "day" else NO_QUANTITY))]
    wish = wishes.with_field(wish, quantity=quantity, on=on_)
    card = await wishes.proposal(session, actor, wish)  # a refusal leaves the step open for another answer
    await state.clear()
    return [talk.card(await _reasons(session, actor, wish) if form["form"] else card)]


async def _about(session: AsyncSession, actor: Actor, wish: NewChange) -> OpenDelivery:
    """The delivery of the change, or of an addition any of its contract's line."""
    first = wish.parts[0]
    if first.line_id is not None:
        return await _delivery(session, actor, first.line_id)
    rows = await open_deliveries(await db.driver(session), actor, contract_line_id=first.contract_line_id)
    if not rows:
        raise NotFound
    return rows[0]


def one_quantity(text: str, unit: str) -> Decimal | None:
    """The one quantity of a message. Raises TooFine where the unit has no such decimals."""
    found = quantities(text, [])
    if len(found) != 1 or not 0 < found[0] < 10**12:
        return None
    check_scale(found[0], unit)
    return found[0]


# --- sending ----------------------------------------------------------------------------------------------------------


@on(Verb.ASK)
async def ask(press: Press) -> Answers:
    """Send it: inside the band and outside the firm zone it is agreed by that, else the other company is asked."""
    made = await service_asking.ask_change(press.session, press.actor, wishes.again(press.action.data["wish"]))
    await press.state.clear()
    said = wishes.sent(made, press.actor)
    await press.done(said, made.contract_id)
    card = Card(said, "", (), "", "", ((opening(f"/changes/{made.id}"),),), "")
    return [press.ask(card), press.talk.note(said)]
