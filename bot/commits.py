"""A commit to a forecast in plain words: read, then a card to check with the button that commits. Never a guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.answers import Answers
from bot.pressing import NumbersOnly, Press, on
from bot.reading import numbers
from bot.reading.model import Delivery
from bot.reading.promising import Deed, Period, Promise, promised
from bot.talk import Talk
from bot.wishes import unit_name
from portal.core import clock, db, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import UNITS, show_quantity
from portal.forecasts import reads, rules, service, service_requests
from portal.forecasts.reads_lines import SoldLine, sold_lines
from portal.forecasts.rules import Span, share_of
from portal.forecasts.service import Commit, CommittedPeriod
from portal.notices.actions import Verb, make_action
from portal.notices.cards import Button, Card
from portal.notices.wording import joined, listed, opening

MOST = 6  # choices
DAY = timedelta(days=1)
EXAMPLE = N_("For example: commit to 90%, or: commit 800 of A100 for week 45")
NOTHING = N_("There is no release of a contract of yours to commit to.")
NO_PART = N_("I find no forecast of yours for this part.")
WHICH = N_("Several forecasts fit. Which one is meant?")
WHAT = N_("Which share or quantity?")
WHEN = N_("For which week or month?")
QUARTER = N_("A forecast is committed to by weeks or months, not by quarters.")
BOUNDS = N_("Write a share from 0% to 200%, with at most two decimals.")
NO_WEEKS = N_("The forecast asks for nothing then.")
OTHER_UNIT = N_("The part is counted in {unit}. Write the quantity in it.")
BEHIND = N_("That period has passed. Name one that lies ahead.")
READ_AS = N_("I read this as:")


class Unclear(Exception):
    """What the sentence leaves open, in words for its writer."""


@dataclass(frozen=True, slots=True)
class About:
    """One forecast that the sentence may mean, and of it one line or all."""

    lines: tuple[SoldLine, ...]

    @property
    def contract_id(self) -> UUID:
        return self.lines[0].contract_id


async def answer(
    session: AsyncSession, actor: Actor, talk: Talk, text: str, said: Promise, lines: Sequence[SoldLine]
) -> Answers:
    """The card to check, the question which forecast is meant, or what is missing."""
    actor.require(Permission.CONFIRM_LINES)
    if talk.numbers_only:
        raise NumbersOnly
    if not lines:
        return [talk.say(_(NOTHING), ((opening("/forecasts"),),))]
    try:
        found = meant(said, lines, actor)
        if len(found) == 1:
            return [talk.card(await _checked(session, actor, said, found[0]))]
    except Unclear as left:
        return [talk.card(Card(str(left), "", (f"“{text}”", _(EXAMPLE)), "", "", ((opening("/forecasts"),),), ""))]
    return [talk.card(await _which(session, actor, text, found))]


def as_deliveries(lines: Sequence[SoldLine], actor: Actor) -> list[Delivery]:
    """The lines as the grammar knows names."""
    return [
        Delivery(
            key=str(line.id), contract=line.contract_number, part=line.part(actor), due=date.min, quantity=Decimal(0),
            unit=line.unit, other=line.partner_part_no if actor.is_factory else line.item_code,
            description=line.description,
        )
        for line in lines
    ]  # fmt: skip


def meant(said: Promise, lines: Sequence[SoldLine], actor: Actor) -> list[About]:
    """The forecasts that fit what is named. Raises Unclear with all that is missing or wrong."""
    rows = [row for row in lines if not said.named.contracts or row.contract_number in said.named.contracts]
    rows = [row for row in rows if not said.named.parts or row.part(actor) in said.named.parts]
    if left := [*_quantity_left(said), *_period_left(said), *_part_left(said, rows)]:
        raise Unclear(i18n.sentences(*left))
    if said.named.parts or said.amount is not None:
        return [About((row,)) for row in rows]
    contracts = dict.fromkeys(row.contract_id for row in rows)
    return [About(tuple(row for row in rows if row.contract_id == one)) for one in contracts]


def _quantity_left(said: Promise) -> list[str]:
    if said.percent is None and said.amount is None:
        return [_(WHAT)]
    within = said.percent is None or (said.percent <= 200 and said.percent == round(said.percent, 2))
    return [] if within else [_(BOUNDS)]


def _period_left(said: Promise) -> list[str]:
    if said.period is not None and said.period.kind == "quarter":
        return [_(QUARTER)]
    return [_(WHEN)] if said.amount is not None and said.period is None else []


def _part_left(said: Promise, rows: Sequence[SoldLine]) -> list[str]:
    if said.named.alike:
        return [_("I find no such part. Is {parts} meant?").format(parts=listed(list(said.named.alike)))]
    return [] if rows and said.named.alike is None else [_(NO_PART)]


# --- the card to check ------------------------------------------------------------------------------------------------


async def _checked(session: AsyncSession, actor: Actor, said: Promise, about: About) -> Card:
    """What would be committed, beside the forecast and what stands now. Raises Unclear, or what refuses the commit."""
    connection = await db.driver(session)
    head = await reads.head(connection, actor, about.contract_id)
    today = local_today(clock.now(), head.time_zone)
    first = rules.monday(today)
    cells = await reads.cells(connection, actor, head, first, rules.LONGEST)
    data = _commit(said, about, head, cells, first)
    head, first, new = await service.proposed(session, actor, about.contract_id, data)
    if not new:
        raise Unclear(_(NO_WEEKS))
    request = await service_requests.asked_about(session, actor, head.id)
    kind, object_id = ("commit_request", request) if request else ("contract", head.id)
    chosen = {"contract": str(head.id), "commit": data.model_dump(mode="json")}
    send = await make_action(session, actor, Verb.COMMIT, kind, object_id, head.commit_no, chosen)
    drop = await make_action(session, actor, Verb.SHOW, kind, object_id, None, {"back": True})
    share = "" if said.percent is None else _("{percent}% of the forecast").format(percent=i18n.number(said.percent))
    when = _when(said.period, data, first) if said.period else _weeks(head)
    facts = (joined(share, when), *_by_part(actor, about, new, cells), _("What else is committed stays as it is."))
    partner = head.party_name if actor.is_factory else ""
    return Card(
        title=_(READ_AS),
        subject=joined(head.number, _("Release {n}").format(n=head.release_no), partner),
        facts=facts,
        deadline="",
        state="",
        buttons=(
            (Button(_("Commit"), send.id, style="success"),),
            (opening(f"/contracts/{head.id}/forecast"), Button(_("Not this"), drop.id)),
        ),
        link="",
    )


def _by_part(actor: Actor, about: About, new: service.Standing, cells: reads.Cells) -> list[str]:
    """A100: 720 of 800 pcs, 600 until now."""
    found = []
    for line in about.lines:
        keys = [key for key in new if key[0] == line.id]
        if not keys:
            continue
        asked, done = (sum((new[key][no] for key in keys), rules.ZERO) for no in (0, 1))
        before = [cells[key].committed for key in keys if key in cells and cells[key].committed is not None]
        text = _("{part}: commit to {done}, the forecast is {asked}").format(
            part=line.part(actor), done=show_quantity(done, line.unit), asked=show_quantity(asked, line.unit)
        )
        total = sum((value for value in before if value is not None), rules.ZERO)
        found.append(joined(text, _("until now {before}").format(before=i18n.number(total)) if before else ""))
    if len(found) > MOST:
        rest = len(found) - MOST
        found[MOST:] = [ngettext("and {n} more part", "and {n} more parts", rest).format(n=rest)]
    return found


def _weeks(head: reads.Head) -> str:
    weeks = head.terms_weeks or rules.ASKED
    return ngettext("the next {n} week", "the next {n} weeks", weeks).format(n=i18n.number(weeks))


def _when(period: Period, data: Commit, first: date) -> str:
    start = data.periods[0].start
    if period.kind == "month":
        return i18n.month(ahead(period, first)[0])
    days = f"{i18n.day(start)} – {i18n.day(start + 6 * DAY)}"
    return joined(i18n.week(start), days)


def ahead(period: Period, first: date) -> tuple[date, date]:
    """The next one of those that may be meant. Raises Unclear when all have passed."""
    if is_behind(period, first):
        raise Unclear(_(BEHIND))
    return next(each for each in period.spans if each[1] >= first)


def is_behind(period: Period, first: date) -> bool:
    """Whether all that may be meant has passed."""
    return all(until < first for _start, until in period.spans)


def _commit(said: Promise, about: About, head: reads.Head, cells: reads.Cells, first: date) -> Commit:
    """The command. A share of one part or of one period is its quantities week by week."""
    if said.percent is not None and said.period is None and not said.named.parts:
        weeks = head.terms_weeks or rules.ASKED
        return Commit(release=head.release_no, percent=said.percent, weeks=weeks)
    if said.percent is None:
        return _quantity(said, about.lines[0], head, first)
    among = set(range(head.terms_weeks or rules.ASKED))
    if said.period is not None:
        start, last = ahead(said.period, first)
        among = {no for no in range(rules.LONGEST) if start <= first + timedelta(weeks=no) <= last}
    given: list[dict[str, Any]] = []
    for line in about.lines:
        keys = sorted(key for key in cells if key[0] == line.id and key[1] in among)
        shares = share_of([cells[key].forecast for key in keys], said.percent, line.unit)
        given += [
            {"contract_line_id": line.id, "start": first + timedelta(weeks=key[1]), "quantity": share}
            for key, share in zip(keys, shares, strict=True)
        ]
    if not given:
        raise Unclear(_(NO_WEEKS))
    return Commit(release=head.release_no, periods=[CommittedPeriod(**each) for each in given])


def _quantity(said: Promise, line: SoldLine, head: reads.Head, first: date) -> Commit:
    assert said.amount is not None
    assert said.period is not None
    quantity = numbers.in_unit(said.amount, line.unit, line.pack_size if line.pack_size > 1 else None)
    places = UNITS[line.unit][0]
    if quantity is None or quantity < 0 or quantity >= 10**12 or quantity != round(quantity, places):
        behind = _(BEHIND) if is_behind(said.period, first) else ""
        raise Unclear(i18n.sentences(_(OTHER_UNIT).format(unit=unit_name(line.unit)), behind))
    start, _last = ahead(said.period, first)
    one = CommittedPeriod(contract_line_id=line.id, start=start, quantity=quantity)
    return Commit(release=head.release_no, span=Span(said.period.kind), periods=[one])


# --- which forecast ---------------------------------------------------------------------------------------------------


async def _which(session: AsyncSession, actor: Actor, text: str, found: list[About]) -> Card:
    """The forecasts that fit as buttons."""
    buttons = []
    for about in found[:MOST]:
        line = about.lines[0]
        one = line.part(actor) if len(about.lines) == 1 else ""
        label = joined(line.contract_number, one, line.party_name if actor.is_factory else "")
        data = {
            "text": text,
            "lines": [str(each.id) for each in about.lines] if one else [],
            "of": str(line.contract_id),
        }
        action = await make_action(session, actor, Verb.COMMIT_SHARE, "contract", line.contract_id, None, data)
        buttons.append((Button(label, action.id),))
    more = ((opening("/forecasts"),),) if len(found) > MOST else ()
    return Card(_(WHICH), "", (f"“{text}”",), "", "", (*buttons, *more), "")


async def chosen(press: Press) -> Answers:
    """One of them was chosen: the sentence again, about it alone."""
    data = press.action.data
    rows = await sold_lines(await db.driver(press.session), press.actor, data["text"])
    rows = [row for row in rows if str(row.contract_id) == data["of"]]
    rows = [row for row in rows if not data["lines"] or str(row.id) in data["lines"]]
    today = local_today(clock.now(), press.actor.time_zone)
    said = promised(data["text"], as_deliveries(rows, press.actor), today)
    if not rows or not isinstance(said, Promise) or said.deed is not Deed.COMMIT:
        return [press.ask(Card(_(NOTHING), "", (), "", "", ((opening("/forecasts"),),), "")), press.talk.note()]
    try:
        card = await _checked(press.session, press.actor, said, About(tuple(rows)))
    except Unclear as left:
        card = Card(str(left), "", (_(EXAMPLE),), "", "", ((opening("/forecasts"),),), "")
    return [press.ask(card), press.talk.note()]


@on(Verb.COMMIT)
async def commit(press: Press) -> Answers:
    """To the release that the card showed; a later one, or another commit meanwhile, is refused."""
    contract_id = UUID(press.action.data["contract"])
    data = Commit.model_validate(press.action.data["commit"])
    made = await service.commit(press.session, press.actor, contract_id, press.action.object_version, data)
    said = _("The commit is made. The buyer sees it.") if made else _(WAITS)
    await press.done(said, contract_id)
    page = opening(f"/contracts/{contract_id}/forecast")
    return [press.ask(Card(said, "", (), "", "", ((page,),), "")), press.talk.note(said)]


WAITS = N_("The commit waits for a colleague's approval; nothing is committed yet.")
