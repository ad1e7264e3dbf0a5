"""Plain words: what somebody looks for, one day, and quantities as people type them in both languages.

Never a guess: what cannot be read for certain is None, and the reader is shown an example.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal

from bot.reading import days

_NEGATIVE = re.compile(r"(?:^|[\s,，、;；:：])[-−]\d")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_ASKING = re.compile(
    r"where('s| is| are)?|when('s| is| does| will| do)?|status( of)?|track|find|show( me)?|look up|my|the|our|orders?|"
    r"delivery|deliveries|shipments?|goods|contract|part|please|arrived?|come|coming|is|are|has|have|been|shipped|yet|"
    r"will|does|did|of|for|on the way|"
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


_WHERE = re.compile(
    r"\bwhere\b|\bwhen\b|\bstatus\b|\btrack\b|\bmy orders?\b|哪|什么时候|何时|到货|发货|状态|进度|查订单|我的订单",
    re.IGNORECASE,
)


def asks_where(text: str) -> bool:
    """Whether somebody asks for an order, also without saying for which."""
    return _WHERE.search(plain(text)) is not None


def _bare(word: str) -> str:
    """The word without the words of asking that Chinese writes in one piece with it."""
    if word.isascii():
        return "" if _ASKING.fullmatch(word) else word
    return _ASKING.sub("", word).strip("?？")


def read_day(text: str, near: date, today: date | None = None, direction: int = 0) -> date | None:
    """2026-11-30, 30 Nov, Nov 30, 11月30日, 30号, tomorrow. near: a day without year or month is the one that lies next
    to it, a bare one the first from it on; tomorrow and next week count from today. What may be several days is none.

    direction: days.LATER where only a day after `near` is wanted.
    """
    today = today or near
    _rest, said = days.find(plain(text).lower(), today)
    if len(said) != 1 or not said[0].sure:
        return None
    found = days.targets(said[0], today, near, days.LATER if said[0].kind == "day" else direction)
    if len(found) > 1 and direction == days.LATER:
        found = [day for day in found if day > near]
    return found[0] if len(found) == 1 else None


def quantities(text: str, parts: list[str]) -> list[Decimal]:
    """The numbers of a message in their order; part numbers in it are no quantities, and none is below zero: whoever
    writes -5 is asked again."""
    text = plain(text)
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(re.escape(plain(part)), " ", text, flags=re.IGNORECASE)
    if _NEGATIVE.search(text):
        return []
    return [Decimal(found.replace(",", "")) for found in _NUMBER.findall(text)]
