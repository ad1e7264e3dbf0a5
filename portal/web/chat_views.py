"""The chat window's messages as the page shows them: of a bot's text nothing but Telegram's few signs is believed."""

import re
from html import escape, unescape

from markupsafe import Markup
from msgspec import Struct

from portal.accounts.chat_window import Entry
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.calendars import local_today

_SIGN = re.compile(r"(</?(?:b|i|u|s|code)>)")
STYLES = {"success": "cf-button-primary", "danger": "cf-button-danger"}


class Key(Struct, frozen=True):
    """One button below a message."""

    label: str
    data: str
    url: str
    css: str


class Bubble(Struct, frozen=True):
    """One message."""

    id: str
    own: bool
    text: Markup
    rows: list[list[Key]]
    photo: str
    time: str
    edited: bool
    answer: str  # what the bot said to the last press
    day: str  # the heading before the first message of a day


def bubbles(entries: list[Entry], actor: Actor) -> list[Bubble]:
    """All messages in their order, with the days between them."""
    found, before = [], None
    for entry in entries:
        day = local_today(entry.at, actor.time_zone)
        heading = f"{i18n.day(day)} {i18n.weekday(day)}" if day != before else ""
        found.append(_bubble(entry, actor, heading))
        before = day
    return found


def _bubble(entry: Entry, actor: Actor, heading: str) -> Bubble:
    own = entry.kind == "said"
    return Bubble(
        id=str(entry.id),
        own=own,
        text=plain(entry.text) if own else signs_of(entry.text),
        rows=[[_key(button) for button in row] for row in entry.rows],
        photo=f"/chat/photos/{entry.photo}" if entry.photo else "",
        time=i18n.moment(entry.at, actor.time_zone).rpartition(" ")[2],
        edited=entry.edited_at is not None,
        answer=entry.answer,
        day=heading,
    )


def _key(button: dict[str, str]) -> Key:
    css = STYLES.get(button.get("style", ""), "")
    return Key(button["text"], button.get("data", ""), button.get("url", ""), css)


def plain(text: str) -> Markup:
    """Words as they were typed, with their line breaks."""
    return Markup(escape(text).replace("\n", "<br>"))  # noqa: S704 - just escaped


def signs_of(text: str) -> Markup:
    """Bold and the like stay; everything else is shown as it is written."""
    parts = _SIGN.split(text)
    shown = [part if _SIGN.fullmatch(part) else escape(unescape(part)) for part in parts]
    return Markup("".join(shown).replace("\n", "<br>"))  # noqa: S704 - every part was escaped or is one of five signs
