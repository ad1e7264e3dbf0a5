"""Somebody who writes faster than a person can: answered once, then heard no more until the minute is over."""

from bot.answers import Answers
from bot.talk import Talk
from portal.accounts import attempts
from portal.core.i18n import N_, _

KNOWN = attempts.Allowance(60, 1, "chat")
UNKNOWN = attempts.Allowance(10, 1, "chat")  # chats that are bound to nobody
WARNED = attempts.Allowance(1, 1, "chat-warned")
TOO_FAST = N_("Too many messages. Wait a minute, then go on.")


async def passes(talk: Talk) -> bool:
    """Count the update; False above what a person does in a minute."""
    who = f"{talk.bot}:{talk.writer.chat_id}"
    if await attempts.allowed(KNOWN if talk.actor else UNKNOWN, who):
        return True
    talk.heard["warn"] = await attempts.allowed(WARNED, who)
    return False


def answer(talk: Talk) -> Answers:
    """A press is always answered, so that its button does not wait; a message only once a minute."""
    if talk.query_id is not None or talk.heard["warn"]:
        return [talk.alert(_(TOO_FAST))]
    return []
