"""A page opened from a chat: signed words of the chat service become a short session of the person behind the chat.

The words are checked by the face that knows the service. Here they open something only while they are fresh, once, and
as long as the chat is bound and its member lives; a person with a second factor signs in with it instead.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.accounts import attempts, chats, identity, second_factor
from portal.accounts.chats import ChatName
from portal.accounts.model_chats import ChatBot
from portal.core import clock
from portal.core.errors import Forbidden
from portal.core.i18n import N_

logger = logging.getLogger(__name__)
LASTS = timedelta(minutes=10)  # the session
FRESH = timedelta(minutes=10)  # the words
AHEAD = timedelta(minutes=1)  # by which the other service's clock may be ahead of ours
ONCE = attempts.Allowance(1, 60, "mini-app")  # longer than the words are fresh


class WordsForged(Forbidden):
    code = "mini-app-forged"
    text = N_("This page was not opened by your chat. Press its button in the chat again, or sign in.")


class WordsStale(Forbidden):
    code = "mini-app-stale"
    text = N_("This page was opened more than ten minutes ago. Press its button in the chat again, or sign in.")


class WordsUsed(Forbidden):
    code = "mini-app-used"
    text = N_("This opening was used already. Press the button in the chat again, or sign in.")


class ChatSpeaksForNobody(Forbidden):
    code = "mini-app-not-linked"
    text = N_("This chat is not linked to anybody. Sign in, and open My account > Chat for a link.")


class FactorNeeded(Forbidden):
    code = "mini-app-second-factor"
    text = N_("You sign in with a one-time code, which a chat cannot give. Sign in on the page of the portal.")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the service's words say, once their signature is checked."""

    chat_id: int
    at: datetime
    proof: str  # the signature, which no two openings share


async def open_session(opening: Opening, agent: str, present: UUID | None = None) -> str | None:
    """A session's token for the company that the chat speaks for; None where the present session is this person's.

    present: who is signed in already, as after a reload. Raises WordsStale, ChatSpeaksForNobody, FactorNeeded,
    WordsUsed.
    """
    now = clock.now()
    if not now - FRESH <= opening.at <= now + AHEAD:
        raise WordsStale
    known = await chats.known(ChatName(ChatBot.TELEGRAM, opening.chat_id))
    if known is None or known.actor is None or known.user_id is None:
        raise ChatSpeaksForNobody
    if await second_factor.is_enrolled(known.actor):
        raise FactorNeeded
    if not await attempts.allowed(ONCE, f"mini-app:{opening.proof}"):
        if present == known.user_id:
            return None
        raise WordsUsed
    logger.info("a page was opened from a chat", extra={"account_id": str(known.account_id)})
    return await identity.open_session(known.user_id, known.membership_id, agent, LASTS)
