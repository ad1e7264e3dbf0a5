"""In which language a reader is answered."""

from functools import lru_cache
from typing import Any

from litestar import Request

from portal.core.i18n import Language
from portal.core.settings import get_settings
from portal.web.headers import cookie, header

_SPOKEN = {each.value: each for each in Language}


def chosen_language(request: Request[Any, Any, Any]) -> Language:
    """The cookie's, else the browser's, else the instance's: of a reader who is not known, or has not chosen."""
    if chosen := _SPOKEN.get(cookie(request, "language") or ""):
        return chosen
    return wanted(header(request, "accept-language") or "") or get_settings().default_language


@lru_cache(64)
def wanted(accepted: str) -> Language | None:
    """The best of Accept-Language that the portal speaks: zh, zh-HK;q=0.8, en-GB;q=0.5. None where it names neither."""
    weighed: dict[Language, float] = {}
    for part in accepted.lower().split(","):
        tag, _, weight = part.partition(";")
        spoken = next((each for each in Language if tag.strip().partition("-")[0] == each.partition("-")[0]), None)
        if spoken is not None:
            weighed.setdefault(spoken, _weight(weight))
    best = max(weighed, key=weighed.__getitem__, default=None)  # of equals the first
    return best if best is not None and weighed[best] > 0 else None


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q="))
    except ValueError:
        return 1.0
