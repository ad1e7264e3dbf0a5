"""The second factor: set up and removed under the own account, asked for after the password."""

from typing import Any
from urllib.parse import urlencode

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from portal.accounts import passwords, rules_factor, second_factor, service_factor
from portal.accounts.attempts import TooManyAttempts
from portal.accounts.identity import Signed
from portal.accounts.rules_factor import FactorMissing, FactorNotBegun, FactorThere
from portal.accounts.second_factor import FactorUnreadable
from portal.core import i18n
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.i18n import N_, _
from portal.parameters import FromQuery, URLEncodedBody
from portal.web.accounts import (
    PUBLIC,
    Browser,
    entered,
    half_way_cookie,
    network_of,
    own_path,
    signed_of,
    with_cookie,
)
from portal.web.chats import code_of
from portal.web.errors import status_of
from portal.web.forms import Form
from portal.web.headers import cookie
from portal.web.pages import Page
from portal.web.typed import Typed

HOME, SET_UP = "/profile/second-factor", "/profile/second-factor/set-up"
UNPROVEN = (Invalid, Conflict, TooManyAttempts, FactorUnreadable, passwords.TooBusy)  # the form is shown again
DONE = {"removed": N_("Your second factor is removed. You sign in with your password alone.")}


class BeginForm(Form):
    password: str = ""
    next: str = ""


class CodeForm(Form):
    code: str = ""
    next: str = ""


class RenewForm(Form):
    code: str = ""


class RemoveForm(Form):
    password: str = ""
    code: str = ""


def beside(path: str, back: str) -> str:
    """The path with where to return to afterwards."""
    return f"{path}?{urlencode({'next': back})}" if back else path


def back_of(asked: str) -> str:
    """Where to return to; empty for the own account itself."""
    return own_path(asked) if asked else ""


# --- the own account --------------------------------------------------------------------------------------------------


async def home(page: Page, signed: Signed, back: str = "", typed: Typed | None = None, done: str = "") -> Template:
    """Whether there is a second factor, and what can be done about it."""
    found = await second_factor.state(signed.user_id)
    error = typed.error if typed else None
    return page.render(
        "accounts/second_factor.html",
        status=status_of(error) if error else 200,
        since=i18n.moment(found.since, signed.time_zone) if found.since else "",
        codes_left=found.codes_left,
        back=back,
        typed=typed or Typed(),
        done=_(DONE[done]) if done in DONE else "",
    )


@get(HOME)
async def home_page(
    request: Browser,
    page: NamedDependency[Page],
    done: FromQuery[str] = "",
    next: FromQuery[str] = "",  # noqa: A002
) -> Template:
    """Whether I have a second factor."""
    return await home(page, signed_of(request), back_of(next), done=done)


@post(HOME)
async def begin(request: Browser, page: NamedDependency[Page], data: URLEncodedBody[BeginForm]) -> Template | Redirect:
    """Begin to set up an app."""
    signed, back = signed_of(request), back_of(data.next)
    try:
        await service_factor.begin(signed, data.password, network_of(request))
    except UNPROVEN as error:
        return await home(page, signed, back, Typed(error=error))
    return page.go(beside(SET_UP, back))


async def set_up(page: Page, signed: Signed, back: str, typed: Typed | None = None) -> Template | Redirect:
    """The picture to scan and the field for its first code; back to the beginning when nothing is being set up."""
    try:
        found = await second_factor.begun(signed.user_id, signed.email)
    except (FactorThere, FactorNotBegun):
        return page.go(beside(HOME, back))
    return page.render(
        "accounts/second_factor_set_up.html",
        status=status_of(typed.error) if typed and typed.error else 200,
        picture=code_of(found.address),
        secret=rules_factor.in_fours(found.secret),
        back=back,
        typed=typed or Typed(),
    )


@get(SET_UP)
async def set_up_page(
    request: Browser,
    page: NamedDependency[Page],
    next: FromQuery[str] = "",  # noqa: A002
) -> Template | Redirect:
    """The picture for the app."""
    return await set_up(page, signed_of(request), back_of(next))


@post(SET_UP)
async def confirm(request: Browser, page: NamedDependency[Page], data: URLEncodedBody[CodeForm]) -> Template | Redirect:
    """The app's first code. The recovery codes are shown here and never again."""
    signed, back = signed_of(request), back_of(data.next)
    try:
        codes = await service_factor.confirm(signed, data.code)
    except Conflict as error:  # nothing is being set up
        return await home(page, signed, back, Typed(error=error))
    except UNPROVEN as error:
        return await set_up(page, signed, back, Typed(error=error))
    return page.render("accounts/recovery_codes.html", codes=codes, back=back, first=True)


@post(f"{HOME}/codes")
async def renew(request: Browser, page: NamedDependency[Page], data: URLEncodedBody[RenewForm]) -> Template:
    """Ten new recovery codes."""
    try:
        codes = await service_factor.renew_codes(signed_of(request), data.code)
    except UNPROVEN as error:
        return await home(page, signed_of(request), typed=Typed(error=_under("renew", error)))
    return page.render("accounts/recovery_codes.html", codes=codes, back="", first=False)


@post(f"{HOME}/remove")
async def remove(
    request: Browser, page: NamedDependency[Page], data: URLEncodedBody[RemoveForm]
) -> Template | Redirect:
    """The password alone again."""
    try:
        await service_factor.remove(signed_of(request), data.password, data.code, network_of(request))
    except UNPROVEN as error:
        return await home(page, signed_of(request), typed=Typed(error=_under("remove", error)))
    return page.go(f"{HOME}?done=removed")


def _under(form: str, error: PortalError) -> PortalError:
    """The page has two forms with the same fields; the refusal stands in its own."""
    for one in error.each():
        one.field = f"{form}.{one.field}" if one.field else None
    return error


# --- after the password -----------------------------------------------------------------------------------------------


def code_form(page: Page, back: str, error: PortalError | None = None) -> Template:
    form = {"error": str(error) if error else "", "next": back}
    return page.render("accounts/sign_in_code.html", status=status_of(error) if error else 200, form=form)


@get("/sign-in/code", opt=PUBLIC)
async def code_page(
    request: Browser,
    page: NamedDependency[Page],
    next: FromQuery[str] = "/",  # noqa: A002
) -> Template | Redirect:
    """The code after the password; whoever has not given the password begins there."""
    known = await second_factor.who_is_half_way(cookie(request, half_way_cookie()) or "")
    return code_form(page, own_path(next)) if known else page.go(beside("/sign-in", own_path(next)))


@post("/sign-in/code", opt=PUBLIC)
async def finish(request: Browser, page: NamedDependency[Page], data: URLEncodedBody[CodeForm]) -> Template | Redirect:
    """Signed in with the right code."""
    back, agent = own_path(data.next), request.headers.get("user-agent", "")
    try:
        token = await second_factor.finish_sign_in(cookie(request, half_way_cookie()) or "", data.code, agent)
    except FactorMissing:
        return page.go(beside("/sign-in", back))
    except UNPROVEN as error:
        return code_form(page, back, error)
    return with_cookie(await entered(request, page, token, back), half_way_cookie(), "", 0)


ROUTES: list[Any] = [home_page, begin, set_up_page, confirm, renew, remove, code_page, finish]
