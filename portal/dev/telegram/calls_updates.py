"""How a bot gets its updates: by asking, or by a webhook."""

import re
from typing import Any

from portal.dev.telegram import params
from portal.dev.telegram.calls import Context
from portal.dev.telegram.refusals import bad
from portal.dev.telegram.shapes import given as present
from portal.dev.telegram.updates import USUAL, Hook

KINDS = USUAL | {
    "channel_post", "edited_channel_post", "message_reaction", "message_reaction_count", "inline_query",
    "chosen_inline_result", "shipping_query", "pre_checkout_query", "poll", "poll_answer", "chat_member",
    "chat_join_request", "chat_boost", "removed_chat_boost", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "purchased_paid_media",
}  # fmt: skip


async def get_updates(call: Context, given: params.GetUpdates) -> list[dict[str, Any]]:
    if call.bot.updates.hook is None:
        _allow(call, given.allowed_updates)
    return await call.bot.updates.poll(given.offset, given.limit, given.timeout)


async def set_webhook(call: Context, given: params.SetWebhook) -> bool:
    """An empty address removes it. Plain http is accepted, as by an own server of Telegram's in local mode."""
    if given.url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", given.url):
        raise bad("bad webhook: invalid webhook URL specified")
    if given.secret_token is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", given.secret_token):
        raise bad("secret token contains unallowed characters")
    _allow(call, given.allowed_updates)
    if given.drop_pending_updates:
        call.bot.updates.clear()
    hook = Hook(given.url, given.secret_token, given.max_connections) if given.url else None
    await call.bot.updates.set_hook(hook)
    return True


async def delete_webhook(call: Context, given: params.DeleteWebhook) -> bool:
    if given.drop_pending_updates:
        call.bot.updates.clear()
    await call.bot.updates.set_hook(None)
    return True


async def get_webhook_info(call: Context, given: params.Nothing) -> dict[str, Any]:
    updates = call.bot.updates
    info = {"url": "", "has_custom_certificate": False, "pending_update_count": len(updates.waiting)}
    if updates.allowed != USUAL:
        info["allowed_updates"] = sorted(updates.allowed)
    if (hook := updates.hook) is None:
        return info
    more = present(last_error_date=hook.failed_at, last_error_message=hook.failed_with)
    return info | {"url": hook.url, "max_connections": hook.max_connections, "ip_address": "127.0.0.1"} | more


def _allow(call: Context, kinds: list[str] | None) -> None:
    """The kinds stay as they were when nothing is said; an empty list asks for the usual ones."""
    if kinds is None:
        return
    if unknown := set(kinds) - KINDS:
        raise bad(f'unknown update type "{min(unknown)}"')
    call.bot.updates.allowed = set(kinds) or set(USUAL)
