"""In which language a reader is answered."""

from typing import Any

from litestar import Request

from portal.core.i18n import Language
from portal.core.settings import get_settings
from portal.web.headers import cookie, header


def chosen_language(request: Request[Any, Any, Any], of_user: Language | None) -> Language:
    """The person's choice, else the cookie's, else the browser's, else the instance's."""
    if of_user is not None:
        return of_user
    chosen = cookie(request, "language")
    if chosen in list(Language):
        return Language(chosen)
    wanted = (header(request, "accept-language") or "").lower()
    if wanted.startswith("zh"):
        return Language.ZH
    return Language.EN if wanted.startswith("en") else get_settings().default_language
