"""What people do in the app. What the app would not let them do is impossible here, and says why."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from portal.dev.telegram import files, shapes
from portal.dev.telegram.entities import formatted
from portal.dev.telegram.files import Upload
from portal.dev.telegram.refusals import Refused
from portal.dev.telegram.world import Bot, Chat, Media, Message, Query, User, World, new_id

BLOCKED = "bot was blocked by the user"
KICKED = "bot was kicked from the supergroup chat"


class Impossible(Exception):
    """No app would do that; the text says why."""


class Person:
    """One user with the app open at one bot."""

    def __init__(self, world: World, bot: Bot, user_id: int) -> None:
        if user_id not in world.users:
            raise Impossible(f"There is no user {user_id}.")
        self.world = world
        self.bot = bot
        self.user = world.users[user_id]

    # --- writing --------------------------------------------------------------------------------------------------

    def say(self, text: str, chat: int | None = None, reply_to: int | None = None, thread: int | None = None) -> int:
        """Send a text; the first one to a bot opens the chat. Returns the number of the message."""
        if not text.strip():
            raise Impossible("The app sends no empty text.")
        plain = formatted(text, None)
        return self._send(self._chat(chat), plain.text, plain.entities, reply_to=reply_to, thread=thread)

    def photo(self, content: bytes, caption: str = "", chat: int | None = None) -> int:
        return self._upload(self._media(files.photo, content), caption, chat)

    def document(self, content: bytes, name: str, mime: str = "", caption: str = "", chat: int | None = None) -> int:
        return self._upload(self._media(files.document, Upload(name, content, mime)), caption, chat)

    def _media(self, make: Any, content: Any) -> Media:
        try:
            media: Media = make(self.world, content)
        except Refused as refused:
            raise Impossible(refused.description) from None
        return media

    def _upload(self, media: Media, caption: str, chat: int | None) -> int:
        plain = formatted(caption, None)
        return self._send(self._chat(chat), plain.text or None, plain.entities, media=media)

    def forward(self, message: int, chat: int | None = None, to: int | None = None) -> int:
        """Send a copy on. Buttons that call a bot stay behind, as in Telegram."""
        source = self._message(self._chat(chat), message)
        origin = source.forwarded_from or source.sender
        return self._send(self._chat(to), source.text, source.entities, media=source.media, origin=origin)

    def edit(self, message: int, text: str, chat: int | None = None) -> None:
        where = self._chat(chat)
        found = self._message(where, message)
        if found.sender is not self.user or found.media is not None:
            raise Impossible("Only one's own text can be edited.")
        plain = formatted(text, None)
        found.text, found.entities = plain.text, plain.entities
        found.edited, found.edits = self._now(), found.edits + 1
        self.world.stir()
        self._tell("edited_message", where, shapes.message_json(found, where, self.world.users))

    def _send(
        self, chat: Chat, text: str | None, entities: list[dict[str, Any]], *, media: Media | None = None,
        reply_to: int | None = None, thread: int | None = None, origin: User | None = None,
    ) -> int:  # fmt: skip
        message = Message(self.bot.message_id(), self._now(), self.user, text, entities, media)
        message.reply_to, message.thread, message.forwarded_from = reply_to, thread, origin
        chat.messages[message.id] = message
        self.world.stir()
        if self._heard(chat, message):
            self._tell("message", chat, shapes.message_json(message, chat, self.world.users))
        return message.id

    def _heard(self, chat: Chat, message: Message) -> bool:
        """In a group a bot hears everything only as an administrator; else commands, mentions and answers to it."""
        if chat.private or self.bot.reads_all or chat.members.get(self.bot.user.id) == "administrator":
            return True
        answered = chat.messages.get(message.reply_to or 0)
        text = message.text or ""
        return (
            text.startswith("/")
            or f"@{self.bot.user.username}" in text
            or (answered is not None and answered.sender is self.bot.user)
        )

    def delete_topic(self, chat: int, thread: int) -> None:
        """Take a topic out of a group, with what was said in it."""
        where = self._chat(chat)
        if where.topics.pop(thread, None) is None:
            raise Impossible(f"There is no topic {thread}.")
        for number in [message.id for message in where.messages.values() if message.thread == thread]:
            del where.messages[number]
        self.world.stir()

    # --- pressing -------------------------------------------------------------------------------------------------

    def press(
        self, message: int | None = None, label: str | None = None, data: str | None = None, chat: int | None = None
    ) -> dict[str, Any]:
        """Press a button that is there now, by its label or data; without a message, the newest that has it."""
        where = self._chat(chat)
        candidates = [self._message(where, message)] if message else [*reversed(where.messages.values())]
        for found in candidates:
            for button in buttons(found):
                if (label is None or button["text"] == label) and (data is None or button.get("callback_data") == data):
                    return self._pressed(where, found, button)
        seen = ", ".join(button["text"] for found in candidates for button in buttons(found)) or "none"
        raise Impossible(f"There is no such button now: {label or data}. There are: {seen}.")

    def _pressed(self, chat: Chat, message: Message, button: dict[str, Any]) -> dict[str, Any]:
        if "callback_data" in button:
            return {"query": self.forge(message.id, button["callback_data"], chat.id)}
        return {key: value for key, value in button.items() if key not in {"text", "style", "icon_custom_emoji_id"}}

    def forge(self, message: int, data: str, chat: int | None = None) -> str:
        """What a changed app can do: send data that no button has, for any message with buttons that it sees."""
        where = self._chat(chat)
        found = self._message(where, message)
        if found.keyboard is None or found.sender is not self.bot.user:
            raise Impossible("The message has no buttons.")
        query = Query(str(int(new_id().encode().hex()[:15], 16)), self.world.clock.now(), self.user, where.id, message)
        self.bot.queries[query.id] = query
        self.world.stir()
        self._tell("callback_query", where, shapes.query_json(query, data, where, self.world.users))
        return query.id

    def web_app(self) -> dict[str, str]:
        """Open a Mini App: its query, and the signed data that the page gets."""
        query = new_id()
        self.bot.web_apps[query] = self._chat(None).id
        fields = {
            "auth_date": str(self._now()),
            "query_id": query,
            "user": json.dumps(shapes.user_json(self.user), separators=(",", ":")),
        }
        checked = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
        key = hmac.new(b"WebAppData", self.bot.token.encode(), hashlib.sha256).digest()
        proof = hmac.new(key, checked.encode(), hashlib.sha256).hexdigest()
        return {"query_id": query, "init_data": urlencode(fields | {"hash": proof})}

    # --- blocking -------------------------------------------------------------------------------------------------

    def block(self) -> None:
        self._membership(self.world.private_chat(self.bot, self.user), BLOCKED, old="member", new="kicked")

    def unblock(self) -> None:
        self._membership(self.world.private_chat(self.bot, self.user), None, old="kicked", new="member")

    def kick(self, chat: int) -> None:
        """Take the bot out of a group."""
        where = self._chat(chat)
        old = where.members.pop(self.bot.user.id, "member")
        self._membership(where, KICKED, old=old, new="kicked")

    def upgrade(self, chat: int) -> int:
        """Make a supergroup of a basic group, as switching its topics on does. Returns the number that it has now."""
        where = self._chat(chat)
        if where.kind != "group" or where.moved is not None:
            raise Impossible("Only a basic group can be upgraded.")
        made = self.world.group(self.bot, where.title, dict(where.members), forum=True)
        where.moved = made.id
        for place, word, number in ((where, "migrate_to_chat_id", made.id), (made, "migrate_from_chat_id", where.id)):
            message = Message(self.bot.message_id(), self._now(), self.user)
            self._tell("message", place, shapes.message_json(message, place, self.world.users) | {word: number})
        return made.id

    def _membership(self, chat: Chat, closed: str | None, *, old: str, new: str) -> None:
        if chat.closed == closed:
            return
        chat.closed = closed
        self.world.stir()
        users, now = self.world.users, self._now()
        content = shapes.membership_json(chat, users, self.user, self.bot, now, old=old, new=new)
        self._tell("my_chat_member", chat, content)

    # --- finding --------------------------------------------------------------------------------------------------

    def _chat(self, chat_id: int | None) -> Chat:
        """A chat in which the person may write; by default the private one."""
        if chat_id in {None, self.user.id}:
            chat = self.world.private_chat(self.bot, self.user)
        else:
            found = self.bot.chats.get(chat_id or 0)
            if found is None or self.user.id not in found.members:
                raise Impossible(f"{self.user.first_name} is not in chat {chat_id}.")
            chat = found
        if chat.closed == BLOCKED:
            raise Impossible(f"{self.user.first_name} has blocked the bot.")
        return chat

    def _message(self, chat: Chat, number: int) -> Message:
        if number not in chat.messages:
            raise Impossible(f"There is no message {number} in this chat.")
        return chat.messages[number]

    def _now(self) -> int:
        return int(self.world.clock.now())

    def _tell(self, kind: str, chat: Chat, content: dict[str, Any]) -> None:
        if chat.closed != KICKED or kind == "my_chat_member":
            self.bot.updates.push(kind, content, chat.id)


def buttons(message: Message) -> list[dict[str, Any]]:
    rows = (message.keyboard or {}).get("inline_keyboard", [])
    return [button for row in rows for button in row]
