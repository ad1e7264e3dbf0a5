"""Every refusal as a page or, for htmx, as a fragment with the same sentence; mapped once."""

import logging
from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect, Template
from litestar.types import ExceptionHandlersMap

from portal.accounts.attempts import TooManyAttempts
from portal.core import faults
from portal.core.db import is_away
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, PortalError, Unavailable
from portal.core.i18n import N_, Language, _, language, sentences
from portal.core.log import request_id
from portal.web import left_word, way_back
from portal.web.headers import header
from portal.web.pages import Page

logger = logging.getLogger(__name__)
STATUS: dict[type[PortalError], int] = {
    TooManyAttempts: 429, NotFound: 404, Forbidden: 403, Conflict: 409, Invalid: 422, Unavailable: 503,
}  # fmt: skip


UNREADABLE = N_("The portal could not read this request. Open the page again.")


class SignInNeeded(Exception):
    """Nobody is signed in; the answer is the sign-in form."""


class CompanyNeeded(Exception):
    """Signed in, but no company chosen yet; the answer is the choice."""


class BadForm(Invalid):
    code = "bad-form"
    text = N_("The form has a field that cannot be accepted: {fields}. Correct it and send the form again.")


class WrongField(Invalid):
    code = "wrong-field"
    text = N_("{label}: {what} Correct it and send the form again.")


def status_of(error: PortalError) -> int:
    """The HTTP status of a refusal, from its kind."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)


def sign_in(request: Request[Any, Any, Any], error: SignInNeeded) -> Redirect:
    """To the sign-in form and back here afterwards; only pages can be come back to."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(here)}" if request.method == "GET" and here != "/" else ""
    return go("/sign-in" + back, request)


def choose_company(request: Request[Any, Any, Any], error: CompanyNeeded) -> Redirect:
    """To the choice of company."""
    return go("/companies", request)


def go(path: str, request: Request[Any, Any, Any]) -> Redirect:
    headers = {"HX-Redirect": path} if request.headers.get("hx-request") == "true" else {}
    return Redirect(path, status_code=303, headers=headers)


def refused(request: Request[Any, Any, Any], error: PortalError) -> Template | Redirect:
    """Our own refusals, as a sentence and a way out; a press that came too late leads back to its page."""
    if isinstance(error, Conflict) and (page := pressed_on(request)):
        said = sentences(error.in_full(), _("Nothing was done. This page shows how things stand now."))
        return left_word.leave(go(page, request), said, request.scope["state"]["signed"].form_token)
    return answer(request, status_of(error), error.in_full())


def pressed_on(request: Request[Any, Any, Any]) -> str:
    """The page of a button that was pressed with nothing typed beside it; empty where something would be lost, where no
    page is left for the answer, and to programs, which want the status."""
    state = request.scope["state"]
    if not state.get("pressed") or not state.get("signed") or request.headers.get("hx-request") == "true":
        return ""
    return way_back.form_page(request) if "text/html" in (header(request, "accept") or "") else ""


def unreadable(request: Request[Any, Any, Any], error: HTTPException) -> Template:
    """Litestar's refusals: unknown addresses, forms that do not fit."""
    if isinstance(error, ValidationException):
        if known := getattr(error.__cause__, "errors", None):
            return answer(request, 422, str(_wrong(known[0])))
        fields = [str(item.get("key")) for item in (error.extra or []) if isinstance(item, dict)]
        return answer(request, 422, str(BadForm(fields=", ".join(fields))) if fields else _(UNREADABLE))
    if error.status_code in {404, 405}:
        return answer(request, error.status_code, str(NotFound()))
    if error.status_code == 413:
        return answer(request, 413, _("This file is larger than the portal accepts."))
    return answer(request, error.status_code, _(UNREADABLE))


def _wrong(fault: faults.Fault) -> WrongField:
    """What is wrong with the first field, named as pages name it where they do."""
    name = next((str(part) for part in reversed(fault["loc"]) if isinstance(part, str)), "")
    label = name.replace("_", " ").capitalize()
    unnamed = language.get() is Language.ZH and _(label) == label
    return WrongField(label=f"“{name}”" if unnamed else label, what=faults.sentence(fault))


def broken(request: Request[Any, Any, Any], error: Exception) -> Template:
    """Our fault: logged with its traceback, answered without. A database that is away is nobody's: it comes back."""
    if is_away(error):
        logger.warning("the database does not answer", extra={"error": type(error).__name__})
        return answer(request, 503, str(Unavailable()))
    logger.error("request failed", exc_info=error)
    return answer(request, 500, _("Something went wrong on our side. What you typed is kept: go back and try again."))


def answer(request: Request[Any, Any, Any], status: int, sentence: str) -> Template:
    """The error page, or the fragment that htmx puts where the result would be."""
    page = Page(request, request.scope["state"].get("signed"))
    shown: dict[str, Any] = {"code": status, "sentence": sentence, "reference": request_id.get() or ""}
    if not page.by_htmx:
        return page.render("error.html", status=status, back=way_back.form_page(request), **shown)
    fragment = page.fragment("_error.html", status=status, **shown)
    fragment.headers.update({"HX-Retarget": "#main", "HX-Reswap": "prepend"})  # what was typed stays where it is
    return fragment


HANDLERS: ExceptionHandlersMap = {
    SignInNeeded: sign_in,
    CompanyNeeded: choose_company,
    PortalError: refused,
    HTTPException: unreadable,
    Exception: broken,
}
