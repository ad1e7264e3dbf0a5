"""One update's place: who writes in which chat, and the answers that fit there."""

from dataclasses import dataclass, field
from html import escape
from typing import Any
from uuid import UUID

from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import LinkPreviewOptions

from bot.answers import Answer, Shown
from bot.keyboards import keyboard_of, opens_within, reachable, text_of
from portal.accounts.chats import ChatName, Known
from portal.accounts.model_chats import ChatBot
from portal.core.actor import Actor
from portal.core.i18n import _
from portal.core.settings import get_settings
from portal.notices.cards import OPEN_THE_PAGE, Card, Rows, number_only

ALERT_LENGTH = 200  # characters of the answer to a press
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(slots=True)
class Talk:
    """Made for each update before any handler runs."""

    chat: ChatName  # where the answers go
    writer: ChatName  # the private chat of whoever writes or presses; in private the same
    known: Known | None = None  # whose chat the writer's is
    actor: Actor | None = None  # for whom it speaks here and now
    update_id: int = 0
    message_id: int | None = None  # of a press: the message with the button
    query_id: str | None = None
    numbers_only: bool = False  # the workspace sends no figures through foreign services
    heard: dict[str, Any] = field(default_factory=dict)

    @property
    def bot(self) -> ChatBot:
        return self.chat.bot

    @property
    def is_group(self) -> bool:
        return self.chat.chat_id != self.writer.chat_id

    # --- the forms of answers -----------------------------------------------------------------------------------------

    def say(self, text: str, buttons: Rows = (), *, figures: bool = False) -> Answer:
        """A new message of plain words. figures: they tell of business, so they may have to stay in the house."""
        text = _(OPEN_THE_PAGE) if figures and self.numbers_only else text
        return self._send(escape(text, quote=False), Card("", "", (), "", "", buttons, ""))

    def card(
        self, card: Card, *, of: tuple[str, UUID] | None = None, edit: bool = False, business: bool = True
    ) -> Answer:
        """A card. of: table and id of its object, by which it is edited later; edit: in place of the pressed one.
        business: False for what is about the chat alone, which may be said anywhere."""
        card = number_only(card) if self.numbers_only and business else card
        shown = Shown(of[0], of[1], "", card.rendering) if of else None
        text = text_of(card, links=self._needs_links)
        return self._edit(text, card, shown) if edit and self.message_id is not None else self._send(text, card, shown)

    def note(self, text: str = "") -> Answer:
        """The short answer to a press, or nothing but the end of its waiting."""
        assert self.query_id is not None
        if not text:
            return Answer(AnswerCallbackQuery(callback_query_id=self.query_id))
        return Answer(AnswerCallbackQuery(callback_query_id=self.query_id, text=_cut(text)))

    def alert(self, text: str) -> Answer:
        """A refusal: to a press a window that must be closed, to a message a message."""
        if self.query_id is None:
            return self.say(text)
        return Answer(AnswerCallbackQuery(callback_query_id=self.query_id, text=_cut(text), show_alert=True))

    @property
    def _needs_links(self) -> bool:
        return self.bot is not ChatBot.PORTAL and not reachable(get_settings().base_url)

    def _send(self, text: str, card: Card, shown: Shown | None = None) -> Answer:
        markup = keyboard_of(card, links=self._needs_links, within=opens_within(self.bot, self.chat.chat_id))
        more: dict[str, Any] = {"reply_markup": markup} if markup else {}
        more |= {"message_thread_id": self.chat.topic} if self.chat.topic is not None else {}
        method = SendMessage(
            chat_id=self.chat.chat_id, text=text, parse_mode="HTML", link_preview_options=NO_PREVIEW, **more
        )
        return Answer(method, shown)

    def _edit(self, text: str, card: Card, shown: Shown | None) -> Answer:
        markup = keyboard_of(card, links=self._needs_links, within=opens_within(self.bot, self.chat.chat_id))
        more: dict[str, Any] = {"reply_markup": markup} if markup else {}
        method = EditMessageText(
            chat_id=self.chat.chat_id,
            message_id=self.message_id,
            text=text,
            parse_mode="HTML",
            link_preview_options=NO_PREVIEW,
            **more,
        )
        return Answer(method, shown)


def _cut(text: str) -> str:
    return text if len(text) <= ALERT_LENGTH else text[: ALERT_LENGTH - 1] + "…"
