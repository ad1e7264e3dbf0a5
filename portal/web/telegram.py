"""Where Telegram calls: the update is stored, and only then is the call answered."""

import hmac
from typing import Any

from litestar import Request, post
from litestar.exceptions import NotAuthorizedException
from litestar.status_codes import HTTP_200_OK

from portal.accounts import updates
from portal.accounts.model_chats import ChatBot
from portal.core.errors import Invalid
from portal.core.settings import get_settings
from portal.web.headers import header

SECRET = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
LARGEST = 1024 * 1024  # bytes of an update; photos are fetched later, by their number
UPDATE_IDS = range(2**62)


def check_secret(request: Request[Any, Any, Any]) -> None:
    """Raise 401 unless the call carries the secret that we gave to Telegram. Takes as long for every wrong one."""
    settings = get_settings()
    sent = (header(request, SECRET) or "").encode()
    expected = (settings.telegram_secret or "").encode()
    if not hmac.compare_digest(sent, expected) or not expected or not settings.telegram_token:
        raise NotAuthorizedException


async def take(request: Request[Any, Any, Any]) -> None:
    """Store one update. The same number again is taken and does nothing."""
    raw: Any = await request.json()
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(number, int) or number not in UPDATE_IDS:
        raise Invalid(field="update_id")
    await updates.store(ChatBot.TELEGRAM, number, updates.chat_of(raw), raw)


@post("/bot/telegram", opt={"public": True}, status_code=HTTP_200_OK, request_max_body_size=LARGEST)
async def telegram(request: Request[Any, Any, Any]) -> dict[str, bool]:
    """Answers 200 after the commit and not before, so that Telegram repeats what was not kept."""
    check_secret(request)
    await take(request)
    return {"ok": True}


ROUTES: list[Any] = [telegram]
