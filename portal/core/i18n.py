"""Two languages everywhere: English texts are the keys, `portal/locale/zh_CN/*.po` holds one catalogue a domain.

The language of the reader is a context variable that each face sets once per request, update or job.
Catalogues are read from their .po source, so there is no compiled file to forget.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

LOCALE_DIR = Path(__file__).parent.parent / "locale"
MINUS = "−"  # the real minus sign of the design guide
NBSP = "\u00a0"
_VALUE = re.compile(r"[a-z]+(?:_[a-z]+)+")  # a status as programs write it: partly_confirmed is "partly confirmed"


class Language(StrEnum):
    EN = "en"
    ZH = "zh-CN"


class Sentence(str):
    """A Chinese text with placeholders. A space stands between Chinese and Latin only, and which of the two a name
    is shows when it is filled in: 为 Mia 生成新链接, but 为王敏生成新链接."""

    __slots__ = ()

    def format(self, *args: object, **values: object) -> str:
        return self.format_map(values)

    def format_map(self, values: Mapping[str, object]) -> str:  # type: ignore[override]
        filled = ""
        for literal, name, spec, _conversion in Formatter().parse(self):
            if literal[:1] == " " and _joins(filled[-1:], literal[1:2]):
                literal = literal[1:]
            filled += literal
            if name is None:
                continue
            value = format(values[name], spec or "")
            if filled[-1:] == " " and _joins(filled[-2:-1], value[:1]):
                filled = filled[:-1]
            filled += value
        return filled


def _joins(before: str, after: str) -> bool:
    """Whether no space belongs between two characters."""
    return before >= "\u2e80" and after >= "\u2e80"


language: ContextVar[Language] = ContextVar("language", default=Language.EN)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "mark, translate later"
    """Mark a text for translation where the reader is not known yet."""
    return text


@cache
def catalogue(lang: Language) -> Mapping[str, str]:
    """All translations into one language, merged from the domains' .po files."""
    from babel.messages.pofile import read_po  # imported late: only the first translated text pays for it

    merged: dict[str, str] = {}
    for path in sorted((LOCALE_DIR / lang.replace("-", "_")).glob("*.po")):
        with path.open("rb") as source:
            for message in read_po(source):
                if message.id and message.string:
                    text = str(message.string)
                    merged[str(message.id)] = Sentence(text) if "{" in text else text
    return merged


def _(text: str) -> str:
    """Translate into the reader's language; a text without translation stays English, a value becomes its words."""
    lang = language.get()
    if lang is not Language.EN and (translated := catalogue(lang).get(text)) is not None:
        return translated
    return text.replace("_", " ") if "_" in text and _VALUE.fullmatch(text) else text


def ngettext(one: str, many: str, n: int) -> str:
    """Translate a counted text. Chinese has one form, kept under the plural key."""
    return _(one if n == 1 and language.get() is Language.EN else many)


def sentences(*said: str) -> str:
    """Sentences one after another; between Chinese ones stands no space."""
    return ("" if language.get() is Language.ZH else " ").join(filter(None, said))


@contextlib.contextmanager
def speaking(lang: Language) -> Iterator[None]:
    """Everything inside is rendered for a reader of this language."""
    token = language.set(lang)
    try:
        yield
    finally:
        language.reset(token)


def render(text: str, data: Mapping[str, Any]) -> str:
    """Translate a text and fill its placeholders with values formatted for the reader."""
    return _(text).format(**{key: shown(value) for key, value in data.items()})


def shown(value: Any) -> str:
    """One value as the reader writes it: words for statuses, digits with separators, dates with the month's name."""
    match value:
        case StrEnum():
            return _(value.value)
        case Decimal() | int() if not isinstance(value, bool):
            return number(value)
        case datetime():
            return moment(value, "UTC")
        case date():
            return day(value, year=True)
        case str():
            return _(value)
        case _:
            return str(value)


def number(value: Decimal | int, places: int | None = None) -> str:
    """Digits with thousands separators, a real minus sign and no idle zeros: 1,200 or −0.5."""
    if places is not None:
        text = f"{value:,.{places}f}"
    else:
        text = f"{value:,f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
    return MINUS + text[1:] if text.startswith("-") else text


def signed(value: Decimal | int) -> str:
    """A difference: +160, −200 or 0."""
    return f"+{number(value)}" if value > 0 else number(value)


def percent(value: Decimal, places: int = 0) -> str:
    """A share given as 0..1, shown as 63% or 88.5%."""
    return number(value * 100, places) + "%"


def rate(value: Decimal | None) -> str:
    """A measured share given as 0..1, with one decimal everywhere: 88.5%; a dash where nothing was measured."""
    return "–" if value is None else percent(value, 1)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = {
    Language.EN: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    Language.ZH: ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}


def day(value: date, *, year: bool = False) -> str:
    """24 Nov (2026) or (2026年)11月24日: the month is always a word, so no reader can swap it with the day."""
    if language.get() is Language.ZH:
        return f"{value.year}年{value.month}月{value.day}日" if year else f"{value.month}月{value.day}日"
    text = f"{value.day}{NBSP}{_MONTHS[value.month - 1]}"
    return f"{text}{NBSP}{value.year}" if year else text


def month(value: date) -> str:
    """Nov 2026 or 2026年11月."""
    if language.get() is Language.ZH:
        return f"{value.year}年{value.month}月"
    return f"{_MONTHS[value.month - 1]}{NBSP}{value.year}"


def weekday(value: date) -> str:
    """Tue or 周二."""
    return _DAYS[language.get()][value.weekday()]


def week(value: date) -> str:
    """Wk 48 or 48 周, the ISO week of a day."""
    no = value.isocalendar().week
    return f"{no} 周" if language.get() is Language.ZH else f"Wk{NBSP}{no}"


def moment(value: datetime, zone: str, *, year: bool = True) -> str:
    """An instant in a named zone: 23 Nov 2026, 18:00 or 2026年11月23日 18:00."""
    local = value.astimezone(ZoneInfo(zone))
    joint = " " if language.get() is Language.ZH else ", "
    return f"{day(local.date(), year=year)}{joint}{local:%H:%M}"
