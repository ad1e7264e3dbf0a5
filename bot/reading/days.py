"""Days as people write them in both languages: found in a sentence, and what each may mean."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, partial
from itertools import pairwise

from bot.reading.numbers import ZH, number_of

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EARLIER, LATER = -1, 1


@dataclass(frozen=True, slots=True)
class Said:
    """A day as it stands in a sentence."""

    kind: str
    year: int = 0
    month: int = 0
    day: int = 0
    which: int | None = None  # this, next, the one after; weekday's number is `day`
    swapped: bool = False  # 9/5 in English may be the 5th of September too
    english: bool = False
    sure: bool = True


_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:[a-z]*)\.?"
_YEAR = "(YEARS)"  # those that a sentence of today can mean; other numbers behind a day are quantities
_COUNT = rf"(?:\d+|[{ZH}]+)"
_UNIT = r"(?!\s*(?:%|件|个|只|箱|托|包|套|万|千|百|吨|公斤|千克|kg|pcs|pieces|units|boxes|cases|t\b|m\b))"
_NEXT = {"": None, "本": 0, "这": 0, "这个": 0, "本个": 0, "下": 1, "下个": 1, "下下": 2, "下下个": 2}
_NEXT_EN = {"": None, "this ": 0, "next ": 1}
_ZH_WEEKDAY = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_FIXED = {"前天": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3}
_FIXED |= {"yesterday": -1, "today": 0, "tomorrow": 1}
_PARTS = {"初": (1, 10), "上旬": (1, 10), "early": (1, 10), "中": (11, 20), "中旬": (11, 20), "mid": (11, 20)}
_PARTS |= {"下旬": (21, 31), "late": (21, 31), "": (1, 31)}

Maker = Callable[[re.Match[str]], Said]


def _int(text: str | None) -> int:
    return int(number_of(text)) if text else 0


def _month_no(name: str) -> int:
    return MONTHS.index(name[:3]) + 1


def _numeric(found: re.Match[str]) -> Said:
    first, second = int(found[1]), int(found[2])
    if first > 12:
        return Said("date", month=second, day=first)
    return Said("date", month=first, day=second, swapped=second <= 12 and first != second)


def _zh_date(found: re.Match[str]) -> Said:
    year = int(found[1]) if found[1] else {"明年": -1, "今年": 0, None: 0}.get(found[2], 0)
    plain = not found[5] and not found[4].isdigit()
    return Said("date", year=year, month=_int(found[3]), day=_int(found[4]), sure=not plain)


_SHAPES: tuple[tuple[str, Maker], ...] = (
    (rf"{_YEAR}[-/.](\d{{1,2}})[-/.](\d{{1,2}})(?!\d)", lambda m: Said("date", int(m[1]), int(m[2]), int(m[3]))),
    (rf"(?<!\d){_YEAR}(\d\d)(\d\d)(?!\d)", lambda m: Said("date", int(m[1]), int(m[2]), int(m[3]))),
    (
        rf"(?:{_YEAR}年|(明年|今年))?({_COUNT}) ?月(?: (?=\d+ ?[日号]))?({_COUNT})( ?[日号](?!门|线|楼|库|仓)|(?!\d))",
        _zh_date,
    ),
    (rf"(?:{_YEAR}年)?({_COUNT})月份?(底|末)", lambda m: Said("month_end", int(m[1] or 0), _int(m[2]))),
    (rf"({_COUNT})月份?(初|上旬|中旬|中|下旬)", lambda m: Said("span", 0, _int(m[1]), which=_span(m[2]))),
    (r"(本|这个|下个|下)?月(底|末)", lambda m: Said("month_end", which=_NEXT[m[1] or ""])),
    (r"(?:今)?年(底|末)", lambda m: Said("year_end")),
    (rf"({_COUNT})月份?(?!\d)", lambda m: Said("span", 0, _int(m[1]), which=_span(""))),
    (
        r"(下下个|下下|下个|下|本|这个|这)?(?:周|星期|礼拜)([一二三四五六日天])(?!个|[一二三四五六七八九十])",
        lambda m: Said("weekday", day=_ZH_WEEKDAY[m[2]], which=_NEXT[m[1] or ""]),
    ),
    (r"第\s*(\d{1,2}|[一二三四五六七八九十]+)\s*周", lambda m: Said("week", day=_int(m[1]))),
    (r"(下下个|下下|下个|下)(?:周|星期|礼拜)", lambda m: Said("week", which=_NEXT[m[1]])),
    (rf"(?<![\d{ZH}.])({_COUNT})[号日](?!门|线|楼|库|仓)", lambda m: Said("day", day=_int(m[1]))),
    (
        r"大后天|前天|昨天|昨日|今天|今日|明天|明日|后天|\byesterday\b|\btoday\b|\btomorrow\b",
        lambda m: Said("fixed", day=_FIXED[m[0]]),
    ),
    (r"\b(?:end of|late) (?:the )?year\b|\byear end\b", lambda m: Said("year_end")),
    (
        rf"\bend of {_MONTH}(?![a-z])|\b{_MONTH} end\b",
        lambda m: Said("month_end", month=_month_no(m[1] or m[2])),
    ),
    (
        r"\b(?:end of (?:the )?(this |next )?month|month[- ]end|eom)\b",
        lambda m: Said("month_end", which=_NEXT_EN[m[1] or ""]),
    ),
    (
        rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? {_YEAR}{_UNIT})?(?![a-z\d])",
        lambda m: Said("date", int(m[3] or 0), _month_no(m[2]), int(m[1])),
    ),
    (
        rf"\b{_MONTH} (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?!:?\d)(?:,? {_YEAR}{_UNIT})?",
        lambda m: Said("date", int(m[3] or 0), _month_no(m[1]), int(m[2])),
    ),
    (rf"\b(early|mid|late)[- ]{_MONTH}(?![a-z])", lambda m: Said("span", 0, _month_no(m[2]), which=_span(m[1]))),
    (
        r"\b(this |next )?(mon|tue|wed|thu|fri|sat|sun)(?:day|s|sday|nes|nesday|rs|rsday|urday)?\b",
        lambda m: Said("weekday", day=WEEKDAYS.index(m[2]), which=_NEXT_EN[m[1] or ""], english=True),
    ),
    (r"\b(?:cw|kw|wk|week|w) ?(\d{1,2})\b", lambda m: Said("week", day=int(m[1]))),
    (r"\bnext week\b", lambda m: Said("week", which=1)),
    (r"\b(?:the )?(\d{1,2})(?:st|nd|rd|th)\b", lambda m: Said("day", day=int(m[1]))),
    (r"(?<![\d.,/-])(\d{1,2})/(\d{1,2})(?![\d/])", _numeric),
    (rf"(?<![\d.成为])(?<!\d,)(\d{{1,2}})\.(\d{{1,2}})(?:\.(?=[\s,;]|$))?(?![\d.]){_UNIT}", _numeric),
)
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,2})/(\d{1,2})(?![\d/])")
SIGN = 0xE000  # stands in the sentence where a day stood, plus its number


@cache
def _shapes(year: int) -> tuple[tuple[re.Pattern[str], Maker], ...]:
    years = "|".join(str(year + no) for no in (-1, 0, 1, 2))
    return tuple(
        (re.compile(shape.replace("YEARS", years), re.IGNORECASE | re.ASCII), maker) for shape, maker in _SHAPES
    )


def find(text: str, today: date) -> tuple[str, list[Said]]:
    """Take the days out of the sentence: the sentence with a sign for each, and the days by the number of the sign."""
    said: list[Said] = []
    order = _order(text)

    def taken(found: re.Match[str], maker: Maker) -> str:
        try:
            day = maker(found)
        except ValueError:
            return found[0]
        if day.swapped and order:
            month, number = (day.month, day.day) if order == "month first" else (day.day, day.month)
            day = replace(day, month=month, day=number, swapped=False)
        said.append(day)
        return chr(SIGN + len(said) - 1)

    for shape, maker in _shapes(today.year):
        text = shape.sub(partial(taken, maker=maker), text)
    return text, said


def with_weekdays(text: str, said: list[Said], today: date) -> str:
    """Thu Aug 20 and 8月20日（周四）are one day, where the weekday is that day's; where it is not, they stay two."""

    def joined(match: re.Match[str]) -> str:
        signs = [sign for sign in match[0] if ord(sign) >= SIGN]
        pair = [said[ord(sign) - SIGN] for sign in signs]
        weekday, day = sorted(pair, key=lambda each: each.kind != "weekday")
        if (weekday.kind, day.kind) != ("weekday", "date") or weekday.which is not None:
            return match[0]
        near = (day_ for day_, _last in spans(day, today) if -90 <= (day_ - today).days <= 275)
        return signs[pair.index(day)] if weekday.day in {each.weekday() for each in near} else match[0]

    return re.sub(r"[\ue000-\ue0ff][ ,]?[ (]?[\ue000-\ue0ff]\)?", joined, text)


def _span(name: str) -> int:
    """First and last day of a part of a month, in one number."""
    first, last = _PARTS[name.lower()]
    return first * 100 + last


def _order(text: str) -> str:
    """Numeric days of one sentence have one order, and Chinese ones always the month first; else both are possible."""
    if re.search(r"[\u4e00-\u9fff]", text):
        return "month first"
    pairs = [(int(one), int(other)) for one, other in _NUMERIC.findall(text)]
    if any(one > 12 for one, _other in pairs):
        return "day first"
    return "month first" if any(other > 12 for _one, other in pairs) else ""


# --- what it may mean -------------------------------------------------------------------------------------------------


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def of_month(year: int, month: int, first: int, last: int) -> tuple[date, date]:
    """Two days of a month, the second one at most its end."""
    end = calendar.monthrange(year, month)[1]
    return date(year, month, first), date(year, month, min(last, end))


def _monday(day: date) -> date:
    return day - DAY * day.weekday()


def _orders(said: Said) -> list[tuple[int, int]]:
    return [(said.month, said.day), (said.day, said.month)] if said.swapped else [(said.month, said.day)]


A_LEAP_YEAR = 2028


def impossible(text: str, today: date) -> bool:
    """Whether a sentence names a day that no calendar has: 30 February, 45 August."""
    dates = [one for one in find(text, today)[1] if one.kind == "date"]
    return any(all(_made(one.year or A_LEAP_YEAR, *order) is None for order in _orders(one)) for one in dates)


def spans(said: Said, today: date) -> list[tuple[date, date]]:
    """Where a delivery of this day may lie: first and last day, both inclusive. Deliveries decide between them."""
    years = range(today.year - 1, today.year + 2)
    match said.kind:
        case "date":
            chosen = [said.year] if said.year > 0 else [today.year + 1] if said.year else years
            days = [_made(year, *order) for year in chosen for order in _orders(said)]
        case "day":
            first = today.year * 12 + today.month - 1
            days = [_made((first + no) // 12, (first + no) % 12 + 1, said.day) for no in range(-1, 3)]
        case "span":
            first, last = divmod(said.which or 131, 100)
            return [of_month(year, said.month, first, last) for year in years] if 1 <= said.month <= 12 else []
        case "week":
            return [(monday, monday + 6 * DAY) for monday in _weeks(said, today)]
        case _:
            days = list(targets(said, today, today, 0))
    return [(day, day) for day in days if day is not None]


def _weeks(said: Said, today: date) -> list[date]:
    if said.which is not None:
        return [_monday(today) + WEEK * said.which]
    found = []
    for year in (today.isocalendar().year + no for no in (-1, 0, 1)):
        try:
            found.append(date.fromisocalendar(year, said.day, 1))
        except ValueError:
            continue
    return found


def targets(said: Said, today: date, anchor: date, direction: int) -> list[date]:
    """The days that may be meant as a new day of a delivery due on `anchor`; several are asked, none asks openly.

    direction: -1 when the sentence says earlier, 1 later, 0 neither.
    """
    match said.kind:
        case "date":
            found = [_nearest(said, order, today, anchor) for order in _orders(said)]
        case "day":
            found = _bare(said.day, today, anchor, direction)
        case "weekday":
            found = _weekday(said, today, anchor, direction)
        case "week":
            mondays = _weeks(said, today)
            monday = min(mondays, key=lambda day: abs(day - anchor), default=None)
            found = [monday + DAY * no for no in range(5)] if monday else []
        case "month_end" | "year_end":
            found = _ends(said, today, anchor)
        case "fixed":
            found = [today + DAY * said.day]
        case "after":
            found = [today + DAY * said.day, anchor + DAY * said.day]
        case _:
            found = []
    return sorted({day for day in found if day is not None})


def _nearest(said: Said, order: tuple[int, int], today: date, anchor: date) -> date | None:
    if said.year > 0:
        return _made(said.year, *order)
    years = [today.year + 1] if said.year else [anchor.year - 1, anchor.year, anchor.year + 1]
    days = [day for year in years if (day := _made(year, *order))]
    if said.swapped:
        days = [day for day in days if day > today] or days
    return min(days, key=lambda day: abs(day - anchor), default=None)


def _bare(day: int, today: date, anchor: date, direction: int) -> list[date | None]:
    """A day without a month takes the month of the delivery and rolls forward; where both may be meant, both."""
    month = anchor.year * 12 + anchor.month - 1
    before, here, after = (_made((month + no) // 12, (month + no) % 12 + 1, day) for no in (-1, 0, 1))
    if direction == EARLIER:
        return [max((each for each in (before, here) if each and today < each < anchor), default=None)]
    if direction == LATER:
        return [min((each for each in (here, after) if each and each > anchor), default=None)]
    if here is None or here >= anchor:
        return [here]
    return [each for each in (here, after) if each and each > today]


def _weekday(said: Said, today: date, anchor: date, direction: int) -> list[date | None]:
    this = _monday(today) + DAY * said.day
    coming = this if this > today else this + WEEK
    if said.which is None:
        near = _monday(anchor) + DAY * said.day
        after = near if near > anchor else near + WEEK
        found = [day for day in (coming, near, after) if day > today and day != anchor]
        return [day for day in found if not direction or (day > anchor) == (direction == LATER)]
    if said.which != 1:
        return [this + WEEK * said.which]
    found = [this + WEEK]
    if said.english:
        found.append(coming)
    if today.weekday() == 6:  # some begin the week on Sunday
        found.append(this + 2 * WEEK)
    return list(found)


def _ends(said: Said, today: date, anchor: date) -> list[date | None]:
    if said.kind == "year_end":
        return [date(anchor.year, 12, 31)]
    if said.month:
        if said.month > 12:
            return []
        years = [said.year] if said.year else [anchor.year - 1, anchor.year, anchor.year + 1]
        ends = [of_month(year, said.month, 1, 31)[1] for year in years]
        return [min(ends, key=lambda day: abs(day - anchor))]
    bases = [anchor] if said.which is None else [today, anchor]
    found: list[date | None] = []
    for base in bases:
        month = base.year * 12 + base.month - 1 + (said.which or 0)
        found.append(of_month(month // 12, month % 12 + 1, 1, 31)[1])
    return found


def in_order(said: list[Said], today: date, anchor: date) -> list[date]:
    """Days of a split, in their order: a bare day lies in the delivery's month, or after the day before it."""
    found: list[date] = []
    for each in said:
        days = targets(each, today, anchor, 0)
        if each.kind == "day":
            days = [day for day in _bare_after(each.day, found[-1] if found else anchor.replace(day=1)) if day > today]
        if len(days) != 1:
            return []
        found.append(days[0])
    return found if all(one < next_ for one, next_ in pairwise(found)) else []


def _bare_after(day: int, since: date) -> list[date]:
    month = since.year * 12 + since.month - 1
    for no in (0, 1):
        found = _made((month + no) // 12, (month + no) % 12 + 1, day)
        if found and found >= since:
            return [found]
    return []
