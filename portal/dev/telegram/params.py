"""What each method takes, as documented. A field that is not here is refused, so that a slip of the pen is seen."""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from portal.dev.telegram.markup import InlineKeyboard, Markup, any_markup, inline_markup
from portal.dev.telegram.refusals import Refused, bad

MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
}


def _decoded(given: Any) -> Any:
    """Nested values are JSON in forms and in the query."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        raise ValueError("must be JSON") from None


def _chat(given: Any) -> int | str:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise ValueError("must be a number or @name")
    if isinstance(given, str) and re.fullmatch(r"-?\d{1,18}", given):
        return int(given)
    if given == "":
        raise bad("chat_id is empty")
    return given


def _number(given: Any) -> Any:
    """Digits of a form, or a JSON number; nothing that merely looks like one."""
    if isinstance(given, bool) or (isinstance(given, str) and not re.fullmatch(r"-?\d{1,18}", given)):
        raise ValueError("must be an integer")
    return given


def _yes_or_no(given: Any) -> Any:
    return given.lower() if isinstance(given, str) else given


ChatId = Annotated[int | str, PlainValidator(_chat)]
Int = Annotated[int, BeforeValidator(_number)]
Bool = Annotated[bool, BeforeValidator(_yes_or_no)]
AnyMarkup = Annotated[Markup | None, PlainValidator(any_markup)]
InlineMarkup = Annotated[InlineKeyboard | None, PlainValidator(inline_markup)]


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Entity(Params):
    type: Literal[
        "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline",
        "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention",
        "custom_emoji",
    ]  # fmt: skip
    offset: int
    length: int
    url: str | None = None
    user: dict[str, Any] | None = None
    language: str | None = None
    custom_emoji_id: str | None = None


Entities = Annotated[list[Entity] | None, BeforeValidator(_decoded)]


class LinkPreview(Params):
    is_disabled: bool | None = None
    url: str | None = None
    prefer_small_media: bool | None = None
    prefer_large_media: bool | None = None
    show_above_text: bool | None = None


class ReplyTo(Params):
    message_id: int
    chat_id: ChatId | None = None
    allow_sending_without_reply: bool | None = None
    quote: str | None = None
    quote_parse_mode: str | None = None
    quote_position: int | None = None


Preview = Annotated[LinkPreview | None, BeforeValidator(_decoded)]


class Text(Params):
    """A text with its formatting."""

    text: str
    parse_mode: str | None = None
    entities: Entities = None
    link_preview_options: Preview = None
    disable_web_page_preview: Bool | None = None


class Captioned(Params):
    """What stands under a photo or a document."""

    caption: str | None = None
    parse_mode: str | None = None
    caption_entities: Entities = None
    show_caption_above_media: Bool | None = None


class Sending(Params):
    """What every new message may say."""

    chat_id: ChatId
    message_thread_id: Int | None = None
    disable_notification: Bool | None = None
    protect_content: Bool | None = None
    reply_parameters: Annotated[ReplyTo | None, BeforeValidator(_decoded)] = None
    reply_to_message_id: Int | None = None
    allow_sending_without_reply: Bool | None = None
    reply_markup: AnyMarkup = None


class SendMessage(Sending, Text):
    pass


class SendPhoto(Sending, Captioned):
    photo: str
    has_spoiler: Bool | None = None


class SendDocument(Sending, Captioned):
    document: str
    thumbnail: str | None = None
    disable_content_type_detection: Bool | None = None


class InputMedia(Captioned):
    type: Literal["photo", "document"]
    media: str
    thumbnail: str | None = None
    has_spoiler: bool | None = None
    disable_content_type_detection: bool | None = None


class SendMediaGroup(Sending):
    media: Annotated[list[InputMedia], BeforeValidator(_decoded)]


class Editing(Params):
    """The message to edit. Inline messages are not among what the stand-in plays."""

    chat_id: ChatId
    message_id: Int
    reply_markup: InlineMarkup = None


class EditMessageText(Editing, Text):
    pass


class EditMessageCaption(Editing, Captioned):
    pass


class EditMessageMedia(Editing):
    media: Annotated[InputMedia, BeforeValidator(_decoded)]


class OneMessage(Params):
    chat_id: ChatId
    message_id: Int


class AnswerCallbackQuery(Params):
    callback_query_id: str
    text: str | None = None
    show_alert: Bool | None = None
    url: str | None = None
    cache_time: Int | None = None


class SendChatAction(Params):
    chat_id: ChatId
    message_thread_id: Int | None = None
    action: Literal[
        "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
        "choose_sticker", "find_location", "record_video_note", "upload_video_note",
    ]  # fmt: skip


class Reaction(Params):
    type: Literal["emoji"]
    emoji: str


class SetMessageReaction(OneMessage):
    reaction: Annotated[list[Reaction] | None, BeforeValidator(_decoded)] = None
    is_big: Bool | None = None


class CreateForumTopic(Params):
    chat_id: ChatId
    name: str = Field(min_length=1, max_length=128)
    icon_color: Int | None = None
    icon_custom_emoji_id: str | None = None


class Nothing(Params):
    pass


class GetFile(Params):
    file_id: str


class GetChat(Params):
    chat_id: ChatId


class GetChatMember(Params):
    chat_id: ChatId
    user_id: Int


class Command(Params):
    command: str = Field(pattern=r"^[a-z0-9_]{1,32}$")
    description: str = Field(min_length=1, max_length=256)


class Scope(Params):
    type: Literal[
        "default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat", "chat_administrators",
        "chat_member",
    ]  # fmt: skip
    chat_id: ChatId | None = None
    user_id: int | None = None


class GetMyCommands(Params):
    scope: Annotated[Scope | None, BeforeValidator(_decoded)] = None
    language_code: str = Field("", pattern="^([a-z]{2})?$")


class SetMyCommands(GetMyCommands):
    commands: Annotated[list[Command], BeforeValidator(_decoded), Field(max_length=100)]


class TextContent(Params):
    message_text: str
    parse_mode: str | None = None
    entities: list[Entity] | None = None
    link_preview_options: LinkPreview | None = None


class Article(Params):
    type: Literal["article"]
    id: str = Field(min_length=1, max_length=64)
    title: str
    input_message_content: TextContent
    reply_markup: InlineMarkup = None
    url: str | None = None
    description: str | None = None
    thumbnail_url: str | None = None


class AnswerWebAppQuery(Params):
    web_app_query_id: str
    result: Annotated[Article, BeforeValidator(_decoded)]


Allowed = Annotated[list[str] | None, BeforeValidator(_decoded)]


class GetUpdates(Params):
    offset: Int = 0
    limit: Int = Field(100, ge=1, le=100)
    timeout: Int = Field(0, ge=0)
    allowed_updates: Allowed = None


class SetWebhook(Params):
    url: str
    certificate: str | None = None
    ip_address: str | None = None
    max_connections: Int = Field(40, ge=1, le=100)
    allowed_updates: Allowed = None
    drop_pending_updates: Bool = False
    secret_token: str | None = None


class DeleteWebhook(Params):
    drop_pending_updates: Bool = False


def read(kind: type[Params], given: dict[str, Any]) -> Params:
    """The parameters of a call, or the first thing that is wrong with them."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> Refused:
    first = error.errors()[0]
    name = ".".join(str(step) for step in first["loc"])
    match first["type"]:
        case "missing":
            return bad(MISSING.get(name, f'parameter "{name}" is required'))
        case "extra_forbidden":
            return bad(f'unknown parameter "{name}"')
    return bad(f'parameter "{name}": {first["msg"]}')
