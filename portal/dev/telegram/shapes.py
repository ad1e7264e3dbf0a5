"""World to JSON, in the shape of Telegram's documented types."""

from typing import Any

from portal.dev.telegram.world import Bot, Chat, File, Message, Query, User

ADMIN_RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members", "can_promote_members",
    "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories",
    "can_send_welcome_messages", "can_pin_messages", "can_manage_topics",
)  # fmt: skip


def given(**fields: Any) -> dict[str, Any]:
    """Only what there is: Telegram leaves out what it does not have."""
    return {name.rstrip("_"): value for name, value in fields.items() if value not in (None, [], "")}


def user_json(user: User) -> dict[str, Any]:
    return {"id": user.id, "is_bot": user.is_bot} | given(
        first_name=user.first_name,
        last_name=user.last_name,
        username=user.username,
        language_code=user.language_code,
    )


def me_json(bot: Bot) -> dict[str, Any]:
    return user_json(bot.user) | {
        "can_join_groups": True,
        "can_read_all_group_messages": bot.reads_all,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def chat_json(chat: Chat, users: dict[int, User]) -> dict[str, Any]:
    if chat.private:
        user = users[chat.id]
        names = given(first_name=user.first_name, last_name=user.last_name, username=user.username)
        return {"id": chat.id, "type": chat.kind} | names
    return {"id": chat.id, "type": chat.kind, "title": chat.title} | ({"is_forum": True} if chat.forum else {})


def full_chat_json(chat: Chat, users: dict[int, User]) -> dict[str, Any]:
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    return chat_json(chat, users) | {
        "accent_color_id": chat.id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }


def file_json(file: File) -> dict[str, Any]:
    return {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": len(file.content)}


def media_json(message: Message) -> dict[str, Any]:
    media = message.media
    if media is None:
        return {}
    if media.kind == "photo":
        return {"photo": [file_json(file) | {"width": file.width, "height": file.height} for file in media.files]}
    return {"document": file_json(media.best) | given(file_name=media.best.name, mime_type=media.best.mime)}


def message_json(message: Message, chat: Chat, users: dict[int, User], *, nested: bool = False) -> dict[str, Any]:
    """A message; the one it answers stands inside, without its own."""
    text, entities = ("caption", "caption_entities") if message.media else ("text", "entities")
    answered = chat.messages.get(message.reply_to or 0)
    origin = message.forwarded_from
    return (
        {
            "message_id": message.id,
            "from": user_json(message.sender),
            "chat": chat_json(chat, users),
            "date": message.date,
        }
        | given(
            message_thread_id=message.thread,
            is_topic_message=True if message.thread and chat.forum else None,
            edit_date=message.edited,
            media_group_id=message.album,
            reply_markup=message.keyboard,
            forward_origin=origin and {"type": "user", "date": message.date, "sender_user": user_json(origin)},
            reply_to_message=message_json(answered, chat, users, nested=True) if answered and not nested else None,
        )
        | given(**{text: message.text, entities: message.entities})
        | media_json(message)
    )


def query_json(query: Query, data: str, chat: Chat, users: dict[int, User]) -> dict[str, Any]:
    return {
        "id": query.id,
        "from": user_json(query.user),
        "chat_instance": str(abs(chat.id) * 7919),
        "message": message_json(chat.messages[query.message_id], chat, users),
        "data": data,
    }


def member_json(user: User, status: str) -> dict[str, Any]:
    member = {"user": user_json(user), "status": status}
    match status:
        case "administrator":
            return member | {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(ADMIN_RIGHTS, True)
        case "creator":
            return member | {"is_anonymous": False}
        case "kicked":
            return member | {"until_date": 0}
    return member


def membership_json(
    chat: Chat, users: dict[int, User], by: User, bot: Bot, date: int, *, old: str, new: str
) -> dict[str, Any]:
    """What a bot hears when it is blocked, let in again, added or removed."""
    return {
        "chat": chat_json(chat, users),
        "from": user_json(by),
        "date": date,
        "old_chat_member": member_json(bot.user, old),
        "new_chat_member": member_json(bot.user, new),
    }
