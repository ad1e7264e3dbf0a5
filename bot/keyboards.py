"""Cards as chats show them: Telegram's subset of HTML, and buttons that carry an action's id and nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from html import escape
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from aiogram.filters import Filter
from aiogram.types import CallbackQuery, InlineKeyboardMarkup

from portal.accounts.model_chats import ChatBot
from portal.core.settings import get_settings
from portal.notices.cards import Button, Card, shortened

VERSION = "v1:"
LONGEST = 3800  # characters of text; Telegram takes 4,096 after its entities
MOST_BUTTONS = 40


def pack(action_id: UUID) -> str:
    """v1: and 22 characters."""
    return VERSION + urlsafe_b64encode(action_id.bytes).decode().rstrip("=")


def parse(data: str | None) -> UUID | None:
    """The action of a button; None for anything that we did not make."""
    if not data or not data.startswith(VERSION) or len(data) != len(VERSION) + 22:
        return None
    try:
        return UUID(bytes=urlsafe_b64decode(data[len(VERSION) :] + "=="))
    except ValueError:
        return None


class ActionButton(Filter):
    """A press of one of our buttons; the handler gets `action_id`."""

    async def __call__(self, query: CallbackQuery) -> dict[str, UUID] | bool:
        action_id = parse(query.data)
        return {"action_id": action_id} if action_id else False


def text_of(card: Card, *, links: bool) -> str:
    """The card's lines, the first one set off. links: where buttons cannot open the page, its address is the last."""
    lines = [escape(line, quote=False) for line in shortened(card, LONGEST).lines]
    if lines and card.title:
        lines[0] = f"<b>{lines[0]}</b>"
    if links and card.link:
        lines.append(escape(card.link, quote=False))
    return "\n".join(lines)


def keyboard_of(card: Card, *, links: bool, within: bool = False) -> InlineKeyboardMarkup | None:
    """The card's buttons as aiogram's object, see `rows_of`."""
    rows = rows_of(card, links=links, within=within)
    return InlineKeyboardMarkup.model_validate({"inline_keyboard": rows}) if rows else None


def rows_of(card: Card, *, links: bool, within: bool = False) -> list[list[dict[str, Any]]]:
    """The card's buttons in their rows, as Telegram takes them. links: buttons that open pages are left out. within:
    forms open in the chat."""
    rows = [[_button(button, within) for button in row if button.action_id or not links] for row in card.buttons]
    return [row for row in rows if row][:MOST_BUTTONS]


def opens_within(bot: ChatBot, chat_id: int) -> bool:
    """Whether forms open within the chat: Telegram does that in private chats, for addresses with a certificate."""
    return bot is ChatBot.TELEGRAM and chat_id > 0 and get_settings().tls


def _mini_app(address: str) -> str:
    """The page that recognises the chat and then goes to this one."""
    parts = urlsplit(address)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{get_settings().base_url}/app?{urlencode({'to': path})}"


def _button(button: Button, within: bool) -> dict[str, Any]:
    if button.action_id is None and button.form and within:
        return {"text": button.label, "web_app": {"url": _mini_app(button.url)}}
    if button.action_id is None:
        return {"text": button.label, "url": button.url}
    style = {"style": button.style} if button.style else {}
    return {"text": button.label, "callback_data": pack(button.action_id), **style}


@cache
def reachable(address: str) -> bool:
    """Whether a chat service accepts the address on a button: it refuses names without a dot and private addresses."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host
