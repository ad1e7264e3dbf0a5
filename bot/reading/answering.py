"""What was typed after a question about a sentence, read as its answer: the delivery, the day or the quantity meant.

Only what is nothing but an answer is taken for one. A new whole sentence takes the place of the old one.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.reading import days, numbers, parts
from bot.reading.days import LATER, SIGN, Said
from bot.reading.model import Choice, Delivery, Open, Question, Settled, Why, World
from bot.reading.reading import signed, whole
from bot.reading.sentence import Sentence, flat, plain, roles, take_apart

Answer = Settled | Question | None  # None: it is no answer
LASTS = timedelta(minutes=15)  # how long a question waits

_FILLING = re.compile(
    r"\b(?:it|it's|is|this|that|the|a|one|ones|to|of|on|for|from|by|until|till|and|in|into|please|pls|i|i'd|we|mean|"
    r"meant|say|take|make|want|need|like|would|be|should|contract|delivery|part|quantity|qty|day|date|yes|ok|okay|then|"
    r"due|with|at|set|change|move|only|send|thanks|each)\b|"
    r"请|麻烦|谢谢|我说的是|我指的是|我是说|指的是|应该|就是|是|那|这|个|笔|批|的|到|至|成|为|改|把|将|就|吧|哦|嗯|好|要|选|用|"
    r"按|份|合同|交付|交货|物料|数量|日期|和|与|及|在|先|再|然后|送|交|分别|各|天|，"
)
_THAT_ONE = re.compile(r"\b(?:the|this|that) ones?\b|[那这]一?[笔个批]")
_FIRST = ("first", "second", "third", "fourth", "fifth", "sixth")
_ORDINAL = re.compile(
    rf"(?:the )?({'|'.join(_FIRST)}|last)(?: one| delivery)?|第([一二三四五六1-6])[个笔批条]|(最后)一?[个笔批条]"
)
_MORE = {
    False: r"(?:more )?of (?:it|that|the (?:one|delivery)(?: there is)?)|more of it|more|increase it|add(?: it)? to it|"
    r"(?:to )?the same(?: one| delivery)?|加到这笔|加在这笔|这笔加量|加量|增加这笔|同一笔|原来那笔|加到原来那?笔?",
    True: r"(?:it is |it's )?(?:a |one )?(?:new|another|extra|separate|additional)(?: one| delivery)?|"
    r"(?:a|one) (?:more )?delivery(?: more)?|one more|separately|"
    r"新增一?笔?|新的?一?笔?|另外一?笔|另一笔|单独一?笔?|再来一笔|多一笔|再加一笔|一笔新的",
}
_GIVEN_UP = re.compile(
    r"(?:cancel|stop|never ?mind|forget it|no|drop(?: it)?|算了|取消|不用了|不改了|放弃|没事了?)[.!。！]?"
)
_COUNT = rf"({numbers.NUMBER})\s?({numbers.UNIT})?"


def waits(asked_at: datetime, now: datetime) -> bool:
    """Whether the question still waits for its answer."""
    return timedelta() <= now - asked_at <= LASTS


def gives_up(text: str) -> bool:
    """Whether the writer wants no answer any more."""
    return _GIVEN_UP.fullmatch(plain(text)) is not None


def is_whole(text: str, world: World) -> bool:
    """Whether a message is a sentence of its own: it says what is to be done, and with what."""
    made = take_apart(text, world)
    if not isinstance(made, Sentence):
        return made is not Why.NOTHING
    named = made.named
    return bool(made.verbs) and bool(named.parts or named.contracts or named.alike is not None)


def answer(text: str, question: Question, world: World, settled: Settled, sentence: str) -> Answer:
    """What the message settles beside what is settled already; a narrower question where it fits several; None.

    sentence: what the question is about.
    """
    if (choice := _by_place(text, question.choices)) is not None:
        return chosen(question.open, choice, settled)
    if question.also is not None and (both := _both(text, question, world, settled, sentence)) is not None:
        return both
    match question.open:
        case Open.PART:
            return _part(text, world, settled)
        case Open.CONTRACT:
            return _contract(text, question, settled)
        case Open.WHICH | Open.NEAREST | Open.OTHER:
            return _delivery(text, question, world, settled)
        case Open.DAY | Open.PAST | Open.UNTIL:
            return _day(text, question, world, settled, sentence)
        case Open.QUANTITY | Open.UNIT:
            return _quantity(text, question, settled, take_apart(sentence, world))
        case Open.SPLIT | Open.SUM:
            return _splits(text, question, world, settled)
    return _more(text, settled) if question.open is Open.MORE else None


def chosen(asked: Open, choice: Choice, settled: Settled) -> Settled:
    """One of the choices is meant."""
    match choice:
        case Delivery():
            return replace(settled, delivery=choice.key)
        case date():
            return replace(settled, day=choice)
        case Decimal():
            return replace(settled, quantity=choice)
    return replace(settled, contract=choice) if asked is Open.CONTRACT else replace(settled, part=choice)


def _by_place(text: str, choices: Sequence[Choice]) -> Choice | None:
    """The first, 第二笔, the last one: as they were offered."""
    found = _ORDINAL.fullmatch(re.sub(r"[.!。！，,]", "", plain(text)).strip())
    if found is None:
        return None
    if found[3] or found[1] == "last":
        return choices[-1] if choices else None
    no = _FIRST.index(found[1]) if found[1] else int(numbers.number_of(found[2])) - 1
    return choices[no] if no < len(choices) else None


def _left(text: str) -> bool:
    """Whether words are left that no answer has."""
    rest = re.sub(r"[\ue000-\ue4ff]", " ", text)
    return bool(re.search(r"[a-z]{2,}|[\u4e00-\u9fff]|\d", _FILLING.sub(" ", rest)))


def _number(text: str) -> Decimal | None:
    try:
        return numbers.number_of(text)
    except (ValueError, KeyError):
        return None


# --- each kind of question --------------------------------------------------------------------------------------------


def _part(text: str, world: World, settled: Settled) -> Answer:
    named = parts.find(flat(text), world.deliveries)
    if _left(plain(named.text)):
        return None
    if len(named.parts) == 1 and named.alike is None:
        contract = next(iter(named.contracts)) if len(named.contracts) == 1 else settled.contract
        return replace(settled, part=next(iter(named.parts)), contract=contract)
    return Question(Open.PART, named.alike) if named.alike else None


def _contract(text: str, question: Question, settled: Settled) -> Answer:
    """The number of one of the contracts, or its end."""
    said = re.sub(r"[^\w/-]", "", _FILLING.sub(" ", plain(text)))
    fits = [str(one) for one in question.choices if len(said) >= 2 and str(one).lower().endswith(said)]
    return replace(settled, contract=fits[0]) if len(fits) == 1 else None


def _delivery(text: str, question: Question, world: World, settled: Settled) -> Answer:
    """One of the deliveries offered, by its contract, part, day or quantity."""
    rows = [row for row in question.choices if isinstance(row, Delivery)]
    named = parts.find(flat(text), rows)
    rest, said = days.find(plain(named.text), world.today)
    rest = _THAT_ONE.sub(" ", rest)
    counts = re.findall(_COUNT, rest, re.ASCII)
    if _left(re.sub(_COUNT, " ", rest, flags=re.ASCII)) or len(said) > 1 or len(counts) > 1:
        return None
    if named.alike is not None or not (said or counts or named.parts or named.contracts):
        return None
    fits = [row for row in rows if not named.contracts or row.contract in named.contracts]
    fits = [row for row in fits if not named.parts or row.part in named.parts]
    fits = _on(fits, said[0], world) if said else fits
    fits = _numbered(fits, counts[0][0]) if counts else fits
    if len(fits) == 1:
        return replace(settled, delivery=fits[0].key)
    return Question(question.open, tuple(fits)) if 1 < len(fits) < len(rows) else None


def _numbered(rows: Sequence[Delivery], number: str) -> list[Delivery]:
    """Those of a quantity, or of the contract whose number ends like this."""
    fits = [row for row in rows if row.quantity == _number(number)]
    return fits or [row for row in rows if len(number) > 1 and row.contract.lower().endswith(number)]


def _on(rows: Sequence[Delivery], said: Said, world: World) -> list[Delivery]:
    spans = days.spans(said, world.today)
    return [row for row in rows if any(first <= row.due <= last for first, last in spans)]


def _day(text: str, question: Question, world: World, settled: Settled, sentence: str) -> Answer:
    """One day that lies ahead; several that may be meant are asked. Without a delivery it is the day of that."""
    rest, said = days.find(plain(text), world.today)
    if len(said) != 1 or not said[0].sure or _left(rest):
        return None
    return _on_day(said[0], question, world, settled, sentence)


def _on_day(said: Said, question: Question, world: World, settled: Settled, sentence: str) -> Answer:
    if question.about is None:
        return _source(said, world, settled, sentence)
    offered = [one for one in question.choices if isinstance(one, date)]
    until = question.open is Open.UNTIL
    anchor, toward = (world.today, LATER) if until else (question.about.due, 0)
    found = days.targets(said, world.today, anchor, toward)
    bare = said.kind == "day" and question.about.due not in offered
    if bare and found == [question.about.due]:  # it is there already, so the next one is meant
        found = days.targets(said, world.today, anchor, LATER)
    fits = [day for day in found if day in offered] or [day for day in found if day >= world.today]
    if len(fits) == 1:
        return replace(settled, day=fits[0])
    return Question(Open.DAY if fits else Open.PAST, tuple(fits), question.about)


def _both(text: str, question: Question, world: World, settled: Settled, sentence: str) -> Answer:
    """The day that was asked for beside the quantity, alone or with it; of two that do not do, the quantity is asked
    again. None: the message has no day."""
    rest, said = days.find(plain(text), world.today)
    if len(said) != 1 or not said[0].sure:
        return None
    counted: Answer = settled
    if _left(rest):
        counted = _quantity(rest.replace(chr(SIGN), " "), question, settled, take_apart(sentence, world))
    if not isinstance(counted, Settled):
        return counted
    return _on_day(said[0], replace(question, open=Open.DAY, choices=()), world, counted, sentence)


def _source(said: Said, world: World, settled: Settled, sentence: str) -> Answer:
    """The delivery whose day could not be read."""
    made = take_apart(sentence, world)
    if not isinstance(made, Sentence):
        return None
    part = settled.part or next(iter(made.named.parts), None)
    fits = _on([row for row in world.deliveries if part in (None, row.part)], said, world)
    if len(fits) == 1:
        return replace(settled, delivery=fits[0].key)
    return Question(Open.WHICH, tuple(fits[:6])) if fits else None


def _quantity(text: str, question: Question, settled: Settled, made: object) -> Answer:
    """One whole quantity in a unit that the part is counted in. Where the sentence spoke of more or less, it may be
    the difference or what there shall be: then both are asked."""
    row = question.about
    found = re.fullmatch(rf"(.*?){_COUNT}(.*)", plain(text), re.ASCII)
    value = _number(found[2]) if found else None
    if found is None or value is None or row is None or _left(found[1]) or _left(found[4]):
        return None
    amount = numbers.Amount(value, numbers.UNITS.get((found[3] or "").lower()))
    counted = numbers.in_unit(amount, row.unit, row.pack)
    if counted is None:
        return Question(Open.UNIT, about=row)
    checked = whole(counted, row)
    if isinstance(checked, Question) or checked in question.choices:
        return checked if isinstance(checked, Question) else replace(settled, quantity=checked)
    after = roles(made).after if isinstance(made, Sentence) else ()
    sign = signed(made, after[0]) if isinstance(made, Sentence) and after else 0
    changed = row.quantity + sign * checked
    if sign and changed > 0 and changed != checked:
        return Question(Open.QUANTITY, tuple(sorted((checked, changed))), row)
    return replace(settled, quantity=checked)


def _splits(text: str, question: Question, world: World, settled: Settled) -> Answer:
    """Each part with its day: 300 on Aug 15 and 300 on Aug 22."""
    if question.about is None:
        return None
    rest, said = days.find(plain(text), world.today)
    counts = re.findall(_COUNT, rest, re.ASCII)
    values = [value for count, _unit in counts if (value := _number(count)) is not None]
    if _left(re.sub(_COUNT, " ", rest, flags=re.ASCII)) or len(said) < 2 or len(values) != len(said):
        return None
    order = sorted(range(len(said)), key=lambda no: rest.index(chr(SIGN + no)))
    on = days.in_order([said[no] for no in order], world.today, question.about.due)
    if len(on) != len(values):
        return Question(Open.SPLIT, about=question.about)
    return replace(settled, splits=tuple(zip(on, values, strict=True)))


def _more(text: str, settled: Settled) -> Answer:
    said = re.sub(r"[.,!?。，！？]", "", plain(text)).strip()
    fits = [new for new, shape in _MORE.items() if re.fullmatch(shape, said)]
    return replace(settled, new=fits[0]) if len(fits) == 1 else None
