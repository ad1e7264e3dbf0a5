"""A carry-over in plain words: what an ended period is short of counts in a later one, once both agree."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import wishes
from bot.answers import Answers
from bot.pressing import NumbersOnly
from bot.reading import numbers
from bot.reading.model import Delivery
from bot.reading.promising import Period, Promise
from bot.talk import Talk
from bot.wishes import unit_name
from portal.changes import words
from portal.changes.inputs import NewChange, NewPart
from portal.changes.model import ChangeReason, PartKind
from portal.changes.reads_carrying import EndedPeriod
from portal.changes.rules_carrying import PeriodNow
from portal.changes.service_carrying import offered
from portal.core import clock, db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.notices.cards import Button, Card, Rows
from portal.notices.wording import joined, listed, opening

MOST = 6  # choices
DAY = timedelta(days=1)
EXAMPLE = N_("For example: carry the 400 short in November over to December")
NOTHING = N_("No agreed period that has ended is short or has too much there.")
RUNS = N_("That period has not ended, so it is open what it will be short of.")
NO_LATER = N_("There is no later period into which it could count.")
NO_PART = N_("I find no period of this part.")
WHICH = N_("Several periods fit. Which one is meant?")


@dataclass(frozen=True, slots=True)
class Pair:
    """An ended period and a later one of the same line."""

    ended: EndedPeriod
    to: PeriodNow


async def answer(
    session: AsyncSession, actor: Actor, talk: Talk, text: str, said: Promise, ended: list[EndedPeriod]
) -> Answers:
    """The card that asks the other company, the question which periods are meant, or why there are none."""
    actor.require(Permission.REQUEST_CHANGES)
    if talk.numbers_only:
        raise NumbersOnly
    today = local_today(clock.now(), actor.time_zone)
    fitting = fits(said, ended, actor)
    found = await _pairs(session, actor, said, fitting)
    if not found:
        why = why_none(said, bool(fitting), today)
        return [talk.card(Card(why, "", (f"“{text}”", _(EXAMPLE)), "", "", ((opening("/changes"),),), ""))]
    given = [wish_of(said, pair) for pair in found[: MOST + 1]]
    if len(found) == 1:
        if given[0] is None:
            unit = unit_name(found[0].ended.unit)
            return [talk.say(_("The part is counted in {unit}. Write the quantity in it.").format(unit=unit))]
        return [talk.card(await wishes.proposal(session, actor, given[0], wishes.READ_AS))]
    return [talk.card(await _which(session, actor, text, found, given))]


def as_deliveries(ended: list[EndedPeriod], actor: Actor) -> list[Delivery]:
    """The lines of the periods as the grammar knows names."""
    return [
        Delivery(
            key=str(row.contract_line_id), contract=row.contract_number, part=row.part(actor), due=date.min,
            quantity=Decimal(0), unit=row.unit, other=row.partner_part_no if actor.is_factory else row.item_code,
            description=row.description,
        )
        for row in {row.contract_line_id: row for row in ended}.values()
    ]  # fmt: skip


def fits(said: Promise, ended: list[EndedPeriod], actor: Actor) -> list[EndedPeriod]:
    """The ended periods that the sentence can mean; of several, those that are short by exactly what it says."""
    rows = [row for row in ended if said.named.alike is None]
    rows = [row for row in rows if not said.named.contracts or row.contract_number in said.named.contracts]
    rows = [row for row in rows if not said.named.parts or row.part(actor) in said.named.parts]
    rows = [row for row in rows if said.short is None or (row.period.left > 0) == said.short]
    rows = [row for row in rows if said.period is None or is_in(row.period, said.period)]
    exact = [row for row in rows if _counted(said, row) == abs(row.period.left)]
    return exact or rows


def is_in(one: PeriodNow, period: Period) -> bool:
    """Whether a period is the one that was named: more than half of both is the same."""
    last = one.end - DAY
    for first, until in period.spans:
        same = (min(last, until) - max(one.start, first)).days + 1
        if same * 2 > max((last - one.start).days + 1, (until - first).days + 1):
            return True
    return False


def why_none(said: Promise, some: bool, today: date) -> str:
    """What is said where no two periods fit. some: ended ones do."""
    if said.named.alike is not None:
        like = listed(list(said.named.alike))
        return _("I find no such part. Is {parts} meant?").format(parts=like) if like else _(NO_PART)
    if some:
        return _(NO_LATER)
    running = said.period is not None and any(first <= today <= last for first, last in said.period.spans)
    return _(RUNS if running else NOTHING)


async def _pairs(session: AsyncSession, actor: Actor, said: Promise, ended: list[EndedPeriod]) -> list[Pair]:
    """Each with the later periods that were named, else with all later ones."""
    connection = await db.driver(session)
    found = []
    later: dict[object, list[PeriodNow]] = {}
    for row in ended[:MOST]:
        if row.contract_id not in later:
            today = local_today(clock.now(), row.time_zone)
            later[row.contract_id] = (await offered(connection, actor, row.contract_id, today))[1]
        found += [
            Pair(row, one)
            for one in later[row.contract_id]
            if one.contract_line_id == row.contract_line_id and one.start >= row.period.end
            and (said.to is None or is_in(one, said.to))
        ]  # fmt: skip
    return found


def _counted(said: Promise, row: EndedPeriod) -> Decimal | None:
    if said.amount is None:
        return None
    return numbers.in_unit(said.amount, row.unit, row.pack_size if row.pack_size > 1 else None)


def wish_of(said: Promise, pair: Pair) -> NewChange | None:
    """The request; none where the quantity is in a unit that the part is not counted in."""
    quantity = _counted(said, pair.ended)
    if said.amount is not None and (quantity is None or not 0 < quantity < 10**12):
        return None
    part = NewPart(kind=PartKind.CARRY_OVER, bucket_id=pair.ended.period.id, to_bucket_id=pair.to.id, quantity=quantity)
    return NewChange(contract_id=pair.ended.contract_id, reason=ChangeReason.OTHER, parts=[part])


async def _which(
    session: AsyncSession, actor: Actor, text: str, found: list[Pair], wishes_: list[NewChange | None]
) -> Card:
    """The pairs as buttons, each of which leads to the card to check."""
    buttons: list[Button] = []
    facts = [f"“{text}”"]
    for pair, wish in zip(found[:MOST], wishes_, strict=False):
        if wish is None:
            continue
        one = pair.ended
        left = show_quantity(abs(one.period.left), one.unit)
        short = _("{quantity} missing") if one.period.left > 0 else _("{quantity} too much")
        partner = one.party_name if actor.is_factory else ""
        facts.append(
            joined(one.part(actor), words.period(one.period), short.format(quantity=left), one.contract_number, partner)
        )
        label = f"{one.part(actor)} {i18n.day(one.period.start)} → {i18n.day(pair.to.start)}"
        buttons.append(await wishes.step_button(session, actor, label, "check", wish))
    rows: Rows = tuple((button,) for button in buttons)
    return Card(_(WHICH), "", tuple(dict.fromkeys(facts)), "", "", rows, "")
