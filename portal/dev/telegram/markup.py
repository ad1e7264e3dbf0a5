"""Keyboards under messages, as documented; a button that Telegram would not show is refused."""

import json
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from portal.dev.telegram.refusals import Refused, bad

MOST_BUTTONS, MOST_IN_A_ROW, MOST_DATA_BYTES = 100, 8, 64
Button = TypeVar("Button")
LOCAL = {"127.0.0.1", "localhost", "::1"}  # the portal on a laptop has no certificate


class Part(BaseModel):
    """A documented object. What is not documented is refused."""

    model_config = ConfigDict(extra="forbid")


class WebApp(Part):
    url: str


class CopyText(Part):
    text: str


class InlineButton(Part):
    text: str
    icon_custom_emoji_id: str | None = None
    style: Literal["primary", "success", "danger"] | None = None
    url: str | None = None
    callback_data: str | None = None
    web_app: WebApp | None = None
    switch_inline_query: str | None = None
    switch_inline_query_current_chat: str | None = None
    copy_text: CopyText | None = None

    def check(self) -> None:
        """Exactly one action, and one that Telegram can carry out."""
        actions = self.model_fields_set - {"text", "icon_custom_emoji_id", "style"}
        if not self.text.strip():
            raise bad("can't parse inline keyboard button: Text of the button is empty")
        if not actions:
            raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if len(actions) > 1:
            raise bad(f"can't parse inline keyboard button: It has several actions: {', '.join(sorted(actions))}")
        if self.callback_data is not None and not 1 <= len(self.callback_data.encode()) <= MOST_DATA_BYTES:
            raise bad("BUTTON_DATA_INVALID")
        if self.url is not None and not _reachable(self.url, {"http", "https", "tg"}):
            raise bad(f"inline keyboard button URL '{self.url}' is invalid: Wrong HTTP URL")
        if self.web_app is not None and not _reachable(self.web_app.url, {"https"}):
            address = self.web_app.url
            raise bad(f"inline keyboard button Web App URL '{address}' is invalid: Only HTTPS links are allowed")


class InlineKeyboard(Part):
    inline_keyboard: list[list[InlineButton]]

    def check(self) -> None:
        _check_size(self.inline_keyboard)
        for button in _buttons(self.inline_keyboard):
            button.check()


class ReplyButton(Part):
    text: str
    style: Literal["primary", "success", "danger"] | None = None
    request_contact: bool | None = None
    request_location: bool | None = None
    web_app: WebApp | None = None

    def check(self) -> None:
        if not self.text.strip():
            raise bad("can't parse keyboard button: Text of the button is empty")
        if self.web_app is not None and not _reachable(self.web_app.url, {"https"}):
            raise bad("keyboard button Web App URL is invalid: Only HTTPS links are allowed")


class ReplyKeyboard(Part):
    keyboard: list[list[ReplyButton | str]]
    is_persistent: bool | None = None
    resize_keyboard: bool | None = None
    one_time_keyboard: bool | None = None
    input_field_placeholder: str | None = None
    selective: bool | None = None

    def check(self) -> None:
        _check_size(self.keyboard)
        for button in _buttons(self.keyboard):
            if isinstance(button, ReplyButton):
                button.check()


class RemoveKeyboard(Part):
    remove_keyboard: Literal[True]
    selective: bool | None = None

    def check(self) -> None:
        """Nothing can be wrong with it."""


class ForceReply(Part):
    force_reply: Literal[True]
    input_field_placeholder: str | None = None
    selective: bool | None = None

    def check(self) -> None:
        """Nothing can be wrong with it."""


Markup = InlineKeyboard | ReplyKeyboard | RemoveKeyboard | ForceReply
KINDS: dict[str, type[InlineKeyboard | ReplyKeyboard | RemoveKeyboard | ForceReply]] = {
    "inline_keyboard": InlineKeyboard,
    "keyboard": ReplyKeyboard,
    "remove_keyboard": RemoveKeyboard,
    "force_reply": ForceReply,
}


def any_markup(given: Any) -> Markup | None:
    """The keyboard of a new message; `{}` is none."""
    value = _object(given)
    kind = next((KINDS[key] for key in KINDS if key in value), None)
    if kind is None:
        if value:
            raise bad("can't parse reply keyboard markup JSON object")
        return None
    return _read(kind, value)


def inline_markup(given: Any) -> InlineKeyboard | None:
    """The keyboard of an edited message, which can only be an inline one."""
    markup = any_markup(given)
    if markup is not None and not isinstance(markup, InlineKeyboard):
        raise bad("inline keyboard expected")
    return markup


def _object(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise bad("can't parse reply keyboard markup JSON object") from None
    if not isinstance(given, dict):
        raise bad("object expected as reply markup")
    return given


def _read(kind: type[InlineKeyboard | ReplyKeyboard | RemoveKeyboard | ForceReply], value: dict[str, Any]) -> Markup:
    try:
        markup = kind.model_validate(value, strict=True)
    except ValidationError as error:
        raise _unreadable(error) from None
    markup.check()
    return markup


def _unreadable(error: ValidationError) -> Refused:
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return bad(f'can\'t parse reply keyboard markup JSON object: field "{where}": {first["msg"]}')


def _buttons(rows: list[list[Button]]) -> list[Button]:
    return [button for row in rows for button in row]


def _check_size(rows: list[list[Any]]) -> None:
    if any(not row for row in rows) or any(len(row) > MOST_IN_A_ROW for row in rows):
        raise bad(f"keyboard row must have 1 to {MOST_IN_A_ROW} buttons")
    if sum(map(len, rows)) > MOST_BUTTONS:
        raise bad("reply markup is too long")


def _reachable(address: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme == "http" and host in LOCAL:
        return True
    return parts.scheme in schemes and bool(host) and not any(character.isspace() for character in address)
