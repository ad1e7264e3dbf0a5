"""A sentence that an answer leaves for the page after it, which shows it once."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Redirect, Template

from portal.accounts.tokens import derived
from portal.core.settings import get_settings
from portal.web.headers import cookie

MOST = 900  # characters: in Chinese too a cookie holds so many
LASTS = 60  # seconds: the browser goes straight to the next page


def leave(answer: Redirect, sentence: str, form_token: str) -> Redirect:
    """Leave the sentence with the browser. form_token: of the session, so that nobody else puts words into its page."""
    if len(sentence) > MOST:
        sentence = sentence[: MOST - 1] + "…"
    text = urlsafe_b64encode(sentence.encode()).decode().rstrip("=")
    answer.set_cookie(_cookie(f"{_seal(text, form_token)}.{text}", LASTS))
    return answer


def left(request: Request[Any, Any, Any], form_token: str) -> str:
    """The sentence that was left for this session; empty where none was."""
    seal, _, text = (cookie(request, _name()) or "").partition(".")
    if not text or not hmac.compare_digest(seal.encode(), _seal(text, form_token).encode()):
        return ""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def taken(page: Template) -> Template:
    """The page shows it, so no other does."""
    page.set_cookie(_cookie("", 0))
    return page


def _name() -> str:
    return "__Host-word" if get_settings().tls else "word"


def _cookie(value: str, lasts: int) -> Cookie:
    tls = get_settings().tls
    return Cookie(key=_name(), value=value, path="/", max_age=lasts, secure=tls, httponly=True, samesite="lax")


def _seal(text: str, form_token: str) -> str:
    return derived(f"word {form_token} {text}")
