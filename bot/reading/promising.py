"""A commit to a forecast, or a carry-over between agreed periods, in plain words: read whole or not at all."""

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial

from bot.reading import days, numbers, parts
from bot.reading.days import DAY, MONTHS, of_month
from bot.reading.model import Delivery, Why
from bot.reading.numbers import Amount
from bot.reading.parts import Named
from bot.reading.sentence import VERBS, amounts_of, flat, is_about_price, is_asked, is_conditional, is_negated, plain

P, Q = "[\ue500-\ue5ff]", "[\ue100-\ue1ff]"
PERIOD, AMOUNT = 0xE500, 0xE100
Spans = tuple[tuple[date, date], ...]  # where a period may lie: first and last day, both inclusive


class Deed(StrEnum):
    """What is to be done."""

    COMMIT = "commit"
    CARRY = "carry"


@dataclass(frozen=True, slots=True)
class Period:
    """A week, a month or a quarter as it was said; without a year it may lie in several."""

    kind: str
    spans: Spans


@dataclass(frozen=True, slots=True)
class Promise:
    """What was said; what was not is None. `period` of a carry-over is the one that has ended, `to` the later one."""

    deed: Deed
    named: Named
    percent: Decimal | None = None
    amount: Amount | None = None
    period: Period | None = None
    to: Period | None = None
    short: bool | None = None  # of a carry-over: missing, or too much


_DEEDS = {
    Deed.COMMIT: r"\bcommit\b|\bpromise\b|承诺",
    Deed.CARRY: r"\bcarry\b|\bcarry-?over\b|\broll\b.*\b(?:over|forward)\b|结转|滚存",
}
_SHORT = (
    r"\b(?:we (?:are|were) |is |was |were |are )?(?:short|missing|under-?called|open|outstanding)\b|"
    r"\bshort(?:fall|age)s?\b|\bunder(?:use|shoot)?\b|\buncalled\b|"
    r"\b(?:were |was |are |is )?not (?:called(?: off)?|delivered|taken|used)\b|"
    r"少(?:要|叫|交|送|了)?|缺口?|欠(?:量|交)?|不足|短缺|[没未](?:叫|交|要|用|完成|提)(?:完|够|足|货)?"
)
_OVER = (
    r"\btoo (?:much|many)\b|\bexcess\b|\bsurplus\b|\bover(?:call|age|shoot)\b|\bextra\b|"
    r"多(?:要|叫|交|送|出|余|了)*|超(?:出|额|量)?(?:的|部分)?"
)
_WHOLE = r"\b(?:in full|fully|all of|everything|the whole|the full|all)\b|全部|全额|全数|足额"
_FILLING = {
    Deed.COMMIT: r"\b(?:we|i|can|could|will|would|may|only|just|please|pls|to|the|a|an|at|of|for|in|on|with|and|that|"
    r"this|our|your|my|it|you|us|forecasts?|asked|ask|as|share|quantity|qty|demand|contract|part|release|now|like|"
    r"want|let|me|ok|okay|yes|then|from|is|what|each|thanks|thank|s|'d|'ll|d|ll)\b|"
    r"我们?|只能|只|最终|能够?|可以|请|麻烦|帮我?|对|在|提交|做|给|数量|为|按照?|依照|的|了|吧|预测|需求|这份|合同|物料|"
    r"比例|先|就|以|那|是|要|想|用|来|都|把|将|按|份|额|谢谢",
    Deed.CARRY: r"\b(?:over|forward|the|a|an|that|which|what|were|was|is|are|we|i|you|us|can|could|would|will|please|"
    r"pls|of|in|on|from|for|to|into|and|it|this|them|these|those|remaining|rest|left|quantity|qty|amount|target|contract|"
    r"part|period|agreed|want|like|let|me|our|count|thanks|thank|s|'d|d|be)\b|"
    r"把|将|请|麻烦|帮我?|我们?|想|要|能|可以|吗|吧|了|的|量|份|数量|差额|缺口|余量|剩余|剩下|部分|那|里|在|中|"
    r"往|后|到|至|入|进|去|转|计|算|由|从|合同|物料|期|目标|谢谢|再",
}
_MONTH = rf"({'|'.join(MONTHS)})(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\.?"
_YEAR = r"(20\d\d)"
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4}
_NEAR = {"last": -1, "previous": -1, "this": 0, "next": 1, "上": -1, "上个": -1, "本": 0, "这": 0, "这个": 0}
_NEAR |= {"下": 1, "下个": 1}
_LEAD = r"(?:(?<=in )|(?<=for )|(?<=of )|(?<=to )|(?<=into )|(?<=from )|(?<=and )|(?<=until )|(?<=over ))"
_SHAPES: tuple[tuple[str, str], ...] = (
    (
        "quarter",
        rf"(?:{_YEAR}年)?第?([一二三四1-4])季度?|\b(?:quarter ([1-4])|([1-4])(?:st|nd|rd|th) quarter)(?: {_YEAR})?\b",
    ),
    (
        "month",
        rf"(?:{_YEAR}年)?(?<![\d{numbers.ZH}])(1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月份?"
        rf"(?!\d{{1,2}}(?!\d|\s?(?:{numbers.UNIT}))|[{numbers.ZH}]+[日号]|[底末初中上下])",
    ),
    ("month", rf"{_LEAD}(may)\b(?! (?:be|i|we|\d{{1,2}}\b))|\b(may)(?='s\b)"),
    ("month", rf"\b(?!may\b){_MONTH}(?! \d{{1,2}}(?:st|nd|rd|th)?\b)(?: {_YEAR})?(?![a-z])"),
    (
        "near",
        r"\b(last|previous|this|next) (month|week|quarter)\b|"
        r"(上个|上|本|这个|这|下个|下)(月|周|星期|季度|季)(?![一二三四五六日天底末])",
    ),
    (
        "week",
        rf"(?:{_YEAR}年)?第(\d{{1,2}}|[{numbers.ZH}]+)周|"
        rf"\b(?:calendar )?(?:cw|kw|wk|week|w) ?(\d{{1,2}})(?:[ /-]{_YEAR})?\b",
    ),
)


def promised(text: str, lines: list[Delivery], today: date) -> Promise | Why | None:
    """The promise, why there is none, or None when it is about something else. lines: what it can be about."""
    said = plain(text)
    deeds = _deeds(said)
    if not deeds:
        return None
    if len(deeds) > 1:
        return Why.SEVERAL
    named = parts.find(re.sub(r"\bq([1-4])\b", r"quarter \1", flat(text), flags=re.IGNORECASE), lines)
    return _refused(said, deeds[0]) or _read(deeds[0], named, today)


def deed_of(text: str) -> Deed | None:
    """What a message is about; None when it is something else, and when another change is wished for beside it."""
    said = plain(text)
    if _CHANGED.search(said):
        return None
    return next(iter(_deeds(said)), None)


def _deeds(said: str) -> list[Deed]:
    deeds = [deed for deed, pattern in _DEEDS.items() if re.search(pattern, said, re.ASCII)]
    wished = re.sub(r"(?<=\w )(?:was|were)\b", " ", said) if Deed.CARRY in deeds else said  # what was missing
    return [] if is_asked(wished) else deeds


_CHANGED = re.compile("|".join(VERBS[name] for name in ("move", "set", "cancel", "split", "pause")), re.ASCII)


def _refused(said: str, deed: Deed) -> Why | None:
    if is_about_price(said):
        return Why.PRICE
    if is_negated(re.sub(_SHORT, " ", said) if deed is Deed.CARRY else said):
        return Why.NEGATED
    return Why.CONDITION if is_conditional(said) else None


def _read(deed: Deed, named: Named, today: date) -> Promise | Why:
    rest, found = _periods(_shares(plain(named.text)), today)
    rest, amounts = amounts_of(rest)
    percents = [amount for amount in amounts if amount.percent]
    counted = [amount for amount in amounts if not amount.percent]
    whole = re.search(_WHOLE, rest) if deed is Deed.COMMIT and not amounts else None
    if _unread(deed, rest):
        return Why.UNCLEAR
    if len(percents) > 1 or len(counted) > 1 or (percents and counted) or len(named.parts) > 1:
        return Why.SEVERAL
    if any(amount.to is not None or amount.signed for amount in amounts) or (deed is Deed.CARRY and percents):
        return Why.UNCLEAR
    percent = percents[0].value if percents else Decimal(100) if whole else None
    made = Promise(deed, named, percent, counted[0] if counted else None)
    return _committed(made, found) if deed is Deed.COMMIT else _carried(made, rest, found)


def _committed(made: Promise, found: list[Period]) -> Promise | Why:
    if len(found) > 1:
        return Why.SEVERAL
    return replace(made, period=found[0] if found else None)


def _carried(made: Promise, rest: str, found: list[Period]) -> Promise | Why:
    """Which of the periods is the later one stands in the words before it."""
    source: list[Period] = []
    to: list[Period] = []
    for at, sign in enumerate(rest):
        if PERIOD <= ord(sign) < PERIOD + 0x100:
            later = re.search(r"(?:\bto|\binto|\btowards|到|至|入|进|结转|转|往)(?: the)? ?$", rest[:at])
            (to if later else source).append(found[ord(sign) - PERIOD])
    short, over = re.search(_SHORT, rest), re.search(_OVER, rest)
    if len(source) > 1 or len(to) > 1:
        return Why.SEVERAL
    if short and over:
        return Why.CONTRADICTION
    first, then = (each[0] if each else None for each in (source, to))
    return replace(made, period=first, to=then, short=True if short else False if over else None)


def _shares(text: str) -> str:
    """Tenths and halves as percentages: 九成, 八成五, half."""

    def taken(match: re.Match[str]) -> str:
        value = numbers.number_of(match[1]) * 10 + (numbers.number_of(match[2]) if match[2] else 0)
        return f"{value}%"

    text = re.sub(r"([一二三四五六七八九1-9])成([一二三四五六七八九1-9])?(?![一-龥]{0,1}功)", taken, text)
    return re.sub(r"\bhalf(?: of)?\b|一半", "50%", text)


def _unread(deed: Deed, rest: str) -> bool:
    """Whether words or figures are left that the grammar does not know."""
    known = (_WHOLE,) if deed is Deed.COMMIT else (_SHORT, _OVER)
    for pattern in (_DEEDS[deed], *known, _FILLING[deed]):
        rest = re.sub(pattern, " ", rest, flags=re.ASCII)
    return bool(re.search(r"[a-z0-9\u4e00-\u9fff\ue000-\ue0ff]", rest))


# --- periods ----------------------------------------------------------------------------------------------------------


def _periods(text: str, today: date) -> tuple[str, list[Period]]:
    """Weeks, months and quarters out of the sentence; a week may be named by a day in it."""
    found: list[Period] = []

    def kept(kind: str, match: re.Match[str]) -> str:
        period = _made(kind, match, today)
        if period is None or not period.spans:
            return match[0]
        found.append(period)
        return chr(PERIOD + len(found) - 1)

    for kind, shape in _SHAPES:
        text = re.sub(shape, partial(kept, kind), text, flags=re.ASCII)
    return _named_by_day(text, found, today), found


def _named_by_day(text: str, found: list[Period], today: date) -> str:
    """The week of Dec 7, 12月7日那周."""
    text, said = days.find(text, today)
    for no, each in enumerate(said):
        sign = chr(days.SIGN + no)
        shape = (
            rf"\bweek (?:of|from|starting|beginning)(?: on)?(?: the)? {sign}|{sign}(?:的?那一?周|所在周|当周|的?一周)"
        )
        hits = {day - DAY * day.weekday() for day, _last in days.spans(each, today)} if each.kind == "date" else set()
        if hits and re.search(shape, text):
            found.append(Period("week", tuple((monday, monday + 6 * DAY) for monday in sorted(hits))))
            text = re.sub(shape, chr(PERIOD + len(found) - 1), text)
    return text


def _made(kind: str, match: re.Match[str], today: date) -> Period | None:
    groups = [group for group in match.groups() if group]
    years = [int(group) for group in groups if re.fullmatch(_YEAR, group)]
    names = [group for group in groups if not re.fullmatch(_YEAR, group)]
    if kind == "near":
        return _near(names[-1], _NEAR[names[0]], today)
    among = years or [today.year - 1, today.year, today.year + 1]
    if kind == "week":
        return Period("week", _weeks(int(numbers.number_of(names[0])), among))
    if kind == "quarter":
        no = _QUARTERS.get(names[0]) or int(names[0])
        return Period("quarter", tuple(_quarter(year, no) for year in among))
    month = _month(names[0])
    return Period("month", tuple(of_month(year, month, 1, 31) for year in among))


def _month(name: str) -> int:
    return MONTHS.index(name[:3]) + 1 if name.isascii() and name.isalpha() else int(numbers.number_of(name))


def _weeks(number: int, years: list[int]) -> Spans:
    found = []
    for year in years:
        try:
            monday = date.fromisocalendar(year, number, 1)
        except ValueError:
            continue
        found.append((monday, monday + 6 * DAY))
    return tuple(found)


def _quarter(year: int, number: int) -> tuple[date, date]:
    last = number * 3
    return date(year, last - 2, 1), of_month(year, last, 1, 31)[1]


def _near(unit: str, steps: int, today: date) -> Period:
    """The week, month or quarter so many before or after the one that runs."""
    if unit in {"week", "周", "星期"}:
        monday = today - DAY * today.weekday() + 7 * DAY * steps
        return Period("week", ((monday, monday + 6 * DAY),))
    if unit in {"month", "月"}:
        month = today.year * 12 + today.month - 1 + steps
        return Period("month", (of_month(month // 12, month % 12 + 1, 1, 31),))
    no = today.year * 4 + (today.month - 1) // 3 + steps
    return Period("quarter", (_quarter(no // 4, no % 4 + 1),))
