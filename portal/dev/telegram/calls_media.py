"""Photos and documents that the bot sends or puts in the place of others."""

from typing import Any

from portal.dev.telegram import files, params
from portal.dev.telegram.calls import Context, caption_of, changed, keyboard_json, new_message, own_message, put
from portal.dev.telegram.refusals import bad
from portal.dev.telegram.world import Media, new_id


def media_of(call: Context, kind: str, source: str) -> Media:
    """From the body of the call, or by the id of a file that is here already. The stand-in fetches no addresses."""
    if source.startswith("attach://"):
        upload = call.uploads.get(source.removeprefix("attach://"))
        if upload is None:
            raise bad(f'file "{source}" is not in the request')
        return files.photo(call.world, upload.content) if kind == "photo" else files.document(call.world, upload)
    if source.startswith(("http://", "https://")):
        raise bad("failed to get HTTP URL content")
    return files.known(call.world, kind, source)


async def send_photo(call: Context, given: params.SendPhoto) -> dict[str, Any]:
    return _send(call, given, given, "photo", given.photo)


async def send_document(call: Context, given: params.SendDocument) -> dict[str, Any]:
    return _send(call, given, given, "document", given.document)


def _send(call: Context, given: params.Sending, captioned: params.Captioned, kind: str, source: str) -> dict[str, Any]:
    chat = call.chat(given.chat_id)
    message = new_message(call, chat, given, caption_of(captioned))
    message.media = media_of(call, kind, source)
    return put(call, chat, message, given.reply_markup)


async def send_media_group(call: Context, given: params.SendMediaGroup) -> list[dict[str, Any]]:
    """An album: all of one kind here, and either whole or not at all."""
    chat = call.chat(given.chat_id)
    if not 2 <= len(given.media) <= 10:
        raise bad("album must have 2 to 10 items")
    if len({item.type for item in given.media}) > 1:
        raise bad("documents can't be mixed with other media types")
    if given.reply_markup is not None:
        raise bad('unknown parameter "reply_markup"')
    album = new_id()
    messages = []
    for item in given.media:
        message = new_message(call, chat, given, caption_of(item))
        message.media, message.album = media_of(call, item.type, item.media), album
        messages.append(message)
    return [put(call, chat, message) for message in messages]


async def edit_message_media(call: Context, given: params.EditMessageMedia) -> dict[str, Any]:
    chat, message = own_message(call, given)
    if message.album and message.media and message.media.kind != given.media.type:
        raise bad("an item of an album can only be replaced by one of its kind")
    caption, media, before = (
        caption_of(given.media),
        media_of(call, given.media.type, given.media.media),
        message.content(),
    )
    message.text, message.entities, message.media = caption.text or None, caption.entities, media
    message.keyboard = keyboard_json(given.reply_markup)
    return changed(call, chat, message, before)
