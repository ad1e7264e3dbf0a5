"""Plain words: what somebody looks for, days and quantities as people type them in both languages.

Never a guess: what cannot be read for certain is None, and the reader is shown an example.
"""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_CHINESE = re.compile(r"(\d{1,2})月(\d{1,2})[日号]?")
_ENGLISH = re.compile(
    r"\b(?:(\d{1,2})(?:st|nd|rd|th)?\s+([a-z]{3})[a-z]*|([a-z]{3})[a-z]*\s+(\d{1,2})(?:st|nd|rd|th)?)\b"
)
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_ASKING = re.compile(
    r"where('s| is| are)|when( does| will| do)?|status( of)?|track|find|show( me)?|look up|my|the|our|order|delivery|"
    r"deliveries|shipment|contract|part|please|arrive|come|coming|is|are|of|for|on the way|"
    r"请问|帮我|查一下|查询|查|看看|看一下|我的|的|订单|交付|交货|送货单|合同|物料|在哪里|在哪儿|在哪|到哪里了|到哪了|到哪|"
    r"什么时候|何时|到货|到|发货|状态|进度|了|吗|呢|一下|单号",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """One form for full-width and half-width signs, without spaces around."""
    return unicodedata.normalize("NFKC", text).strip()


def sought(text: str) -> list[str]:
    """The words of a question that may name something: those with a digit first, then what is left of the others."""
    words = [word.strip(".,?!:;。，？！：；、\"'“”()（）") for word in plain(text).split()]
    left = [_bare(word) for word in words]
    named = [word for word in left if any(sign.isdigit() for sign in word)]
    if named:
        return named[:3]
    rest = " ".join(word for word in left if word)
    return [rest] if len(rest) > 1 else []


def _bare(word: str) -> str:
    """The word without the words of asking that Chinese writes in one piece with it."""
    if word.isascii():
        return "" if _ASKING.fullmatch(word) else word
    return _ASKING.sub("", word).strip("?？")


def is_question(text: str) -> bool:
    """Whether somebody asks where or when something is."""
    return bool(re.search(r"where|when|status|track|\?|哪|什么时候|何时|进度|查|吗", plain(text), re.IGNORECASE))


def read_day(text: str, near: date) -> date | None:
    """2026-11-30, 30 Nov, Nov 30, 11月30日 or 30号. near: a day without year or month is the first one from it on."""
    text = plain(text).lower()
    try:
        if found := _ISO.search(text):
            return date(*(int(part) for part in found.groups()))
        if found := _CHINESE.search(text):
            return _from(near, int(found[1]), int(found[2]))
        if found := _ENGLISH.search(text):
            name = found[2] or found[3]
            return _from(near, MONTHS.index(name) + 1, int(found[1] or found[4])) if name in MONTHS else None
        if found := re.fullmatch(r"(\d{1,2})[号日]", text):
            return _bare_day(near, int(found[1]))
    except ValueError:
        return None
    return None


def _from(near: date, month: int, day: int) -> date:
    """The day in the year that brings it closest after `near`, but not half a year back."""
    found = date(near.year, month, day)
    return found if found > near - timedelta(days=183) else date(near.year + 1, month, day)


def _bare_day(near: date, day: int) -> date | None:
    for months in range(3):
        year, month = divmod(near.year * 12 + near.month - 1 + months, 12)
        try:
            found = date(year, month + 1, day)
        except ValueError:
            continue
        if found > near:
            return found
    return None


def quantities(text: str, parts: list[str]) -> list[Decimal]:
    """The numbers of a message in their order; part numbers in it are no quantities."""
    text = plain(text)
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(re.escape(plain(part)), " ", text, flags=re.IGNORECASE)
    return [Decimal(found.replace(",", "")) for found in _NUMBER.findall(text)]
