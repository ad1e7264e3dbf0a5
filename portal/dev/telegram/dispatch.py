"""One call from its name to its answer: method, parameters, fault, limit, effect, log."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from portal.dev.telegram import calls, calls_media, calls_updates, params
from portal.dev.telegram.calls import Context
from portal.dev.telegram.files import Upload
from portal.dev.telegram.refusals import NOT_FOUND, Refused
from portal.dev.telegram.world import Bot, Call, World


class Method(NamedTuple):
    """What it takes, what it does, and whether Telegram counts it as a message sent."""

    name: str
    takes: type[params.Params]
    run: Callable[[Context, Any], Awaitable[Any]]
    counted: bool = False


METHODS = {
    method.name.lower(): method
    for method in (
        Method("getMe", params.Nothing, calls.get_me),
        Method("getUpdates", params.GetUpdates, calls_updates.get_updates),
        Method("setWebhook", params.SetWebhook, calls_updates.set_webhook),
        Method("deleteWebhook", params.DeleteWebhook, calls_updates.delete_webhook),
        Method("getWebhookInfo", params.Nothing, calls_updates.get_webhook_info),
        Method("sendMessage", params.SendMessage, calls.send_message, counted=True),
        Method("sendPhoto", params.SendPhoto, calls_media.send_photo, counted=True),
        Method("sendDocument", params.SendDocument, calls_media.send_document, counted=True),
        Method("sendMediaGroup", params.SendMediaGroup, calls_media.send_media_group, counted=True),
        Method("sendChatAction", params.SendChatAction, calls.send_chat_action),
        Method("editMessageText", params.EditMessageText, calls.edit_message_text, counted=True),
        Method("editMessageCaption", params.EditMessageCaption, calls.edit_message_caption, counted=True),
        Method("editMessageMedia", params.EditMessageMedia, calls_media.edit_message_media, counted=True),
        Method("editMessageReplyMarkup", params.Editing, calls.edit_message_reply_markup, counted=True),
        Method("deleteMessage", params.OneMessage, calls.delete_message),
        Method("answerCallbackQuery", params.AnswerCallbackQuery, calls.answer_callback_query),
        Method("answerWebAppQuery", params.AnswerWebAppQuery, calls.answer_web_app_query),
        Method("setMessageReaction", params.SetMessageReaction, calls.set_message_reaction),
        Method("getFile", params.GetFile, calls.get_file),
        Method("getChat", params.GetChat, calls.get_chat),
        Method("getChatMember", params.GetChatMember, calls.get_chat_member),
        Method("createForumTopic", params.CreateForumTopic, calls.create_forum_topic),
        Method("setMyCommands", params.SetMyCommands, calls.set_my_commands),
        Method("getMyCommands", params.GetMyCommands, calls.get_my_commands),
    )
}


async def answer(world: World, bot: Bot, name: str, given: dict[str, Any], uploads: dict[str, Upload]) -> Call:
    """Carry out a call and keep it in the log, whatever comes of it. A cut connection is logged too, as status 0."""
    method = METHODS.get(name.lower())
    call = Call(method.name if method else name, _chat_of(given), given, world.clock.now(), status=0)
    try:
        if method is None:
            raise NOT_FOUND
        call.result = await _carry_out(Context(world, bot, uploads), method, call)
        call.status = 200
    except Refused as refused:
        call.status, call.description, call.result = refused.code, refused.description, refused.body()
    finally:
        world.keep(call)
        if call.method != "getUpdates":
            world.stir()
    return call


async def _carry_out(context: Context, method: Method, call: Call) -> Any:
    fault = context.world.faults.choose(method.name, call.chat)
    await fault.before()
    given = params.read(method.takes, call.params)
    if method.counted and call.chat is not None:
        chat = context.chat(call.chat)
        count = len(given.media) if isinstance(given, params.SendMediaGroup) else 1
        context.bot.limits.count(chat.id, call.at, group=not chat.private, count=count)
    result = await method.run(context, given)
    await fault.after()
    return {"ok": True, "result": result}


def _chat_of(given: dict[str, Any]) -> int | None:
    """The chat of a call before its parameters are read, for faults and the log."""
    try:
        return int(given["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None
