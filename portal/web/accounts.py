"""Coming in and going out: sign-in, companies, invitations, the own account, the language."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from portal.accounts import attempts, identity, passwords, second_factor, service_joining
from portal.accounts.identity import Signed, User
from portal.core.access import ROLE_NAMES
from portal.core.errors import Conflict, Forbidden, Invalid, PortalError, Unavailable
from portal.core.i18n import N_, Language, _
from portal.core.settings import get_settings
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web.errors import SignInNeeded
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

PUBLIC = {"public": True}
YEAR = 365 * 24 * 3600
Browser = Request[Any, Any, Any]


class WrongSignIn(Invalid):
    code = "wrong-sign-in"
    text = N_("E-mail and password do not belong together. Check both; capital letters count in the password.")


class SignInForm(Form):
    email: str
    password: str
    next: str = "/"


class CompanyForm(Form):
    membership_id: UUID


class JoinForm(Form):
    name: str = ""
    password: str = ""


class NameForm(Form):
    name: str


class PasswordForm(Form):
    present: str
    new: str


class LanguageForm(Form):
    language: Language
    next: str = "/"


DONE = {
    "name": N_("Your name is changed."),
    "password": N_("Your password is changed. All other devices are signed out."),
}


# --- what the handlers share ------------------------------------------------------------------------------------------


def signed_of(request: Browser) -> Signed:
    """The signed-in person, with or without a company. Raises SignInNeeded."""
    signed: Signed | None = request.state.signed
    if signed is None:
        raise SignInNeeded
    return signed


def own_path(path: str) -> str:
    """A path of this portal, or the start page: nobody is sent elsewhere by a link."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def network_of(request: Browser) -> str:
    """Where the connection comes from. Headers that anybody can write do not count; the server trusts its proxies."""
    return request.client.host if request.client else ""


def cookie_name() -> str:
    """__Host- pins the cookie to this host over TLS; on plain loopback browsers would refuse that prefix."""
    return "__Host-session" if get_settings().tls else "session"


def with_session(answer: Redirect, token: str) -> Redirect:
    """Give the browser its token; an empty one takes it away."""
    return with_cookie(answer, cookie_name(), token, get_settings().session_absolute_hours * 3600 if token else 0)


def half_way_cookie() -> str:
    """The cookie between password and code."""
    return "__Host-half-way" if get_settings().tls else "half-way"


def with_cookie(answer: Redirect, name: str, value: str, lasts: int) -> Redirect:
    """A cookie that no script reads. lasts: seconds; 0 takes it away."""
    tls = get_settings().tls
    answer.set_cookie(Cookie(key=name, value=value, path="/", max_age=lasts, secure=tls, httponly=True, samesite="lax"))
    return answer


def to_the_code(page: Page, user: User, back: str) -> Redirect:
    """The password was right; the code comes next."""
    lasts = int(second_factor.HALF_WAY.total_seconds())
    to = page.go(f"/sign-in/code?{urlencode({'next': back})}")
    return with_cookie(to, half_way_cookie(), second_factor.half_way(user), lasts)


# --- signing in and out -----------------------------------------------------------------------------------------------


def sign_in_form(
    page: Page, email: str, back: str, error: PortalError | None = None, status: int = 200, *, done: bool = False
) -> Template:
    form = {"email": email, "error": str(error) if error else "", "next": back, "done": done}
    return page.render("accounts/sign_in.html", status=status, form=form)


@get("/sign-in", opt=PUBLIC)
async def sign_in_page(request: Browser, page: NamedDependency[Page]) -> Template | Redirect:
    back = own_path(request.query_params.get("next", "/"))
    done = request.query_params.get("done") == "password"
    return page.go(back) if request.state.signed is not None else sign_in_form(page, "", back, done=done)


@post("/sign-in", opt=PUBLIC)
async def sign_in(
    request: Browser, page: NamedDependency[Page], data: URLEncodedBody[SignInForm]
) -> Template | Redirect:
    back, agent = own_path(data.next), request.headers.get("user-agent", "")
    try:
        token = await identity.sign_in(data.email, data.password, agent, network_of(request))
    except identity.SecondStep as step:
        return to_the_code(page, step.user, back)
    except (attempts.TooManyAttempts, passwords.TooBusy) as error:
        return sign_in_form(page, data.email, back, error, 429)
    if token is None:
        return sign_in_form(page, data.email, back, WrongSignIn(), 422)
    return await entered(request, page, token, back)


async def entered(request: Browser, page: Page, token: str, back: str) -> Redirect:
    """Signed in, under the fresh token alone."""
    await end_session(request)
    await service_joining.keep_language(token, page.language)
    return with_session(page.go(back), token)


async def end_session(request: Browser) -> None:
    """What this browser carried is worth nothing any more."""
    if token := request.cookies.get(cookie_name()):
        await identity.sign_out(token)


@post("/sign-out", opt=PUBLIC)
async def sign_out(request: Browser, page: NamedDependency[Page]) -> Redirect:
    await end_session(request)
    answer = with_session(page.go("/sign-in"), "")
    answer.headers["Clear-Site-Data"] = '"cache"'  # not "storage": receipts waiting to be sent live there
    return answer


# --- companies --------------------------------------------------------------------------------------------------------


@get("/companies", opt=PUBLIC)
async def companies_page(request: Browser, page: NamedDependency[Page]) -> Template:
    signed = signed_of(request)
    return page.render(
        "accounts/companies.html",
        companies=await identity.companies_of(signed.user_id),
        chosen=signed.membership_id,
        role_names=ROLE_NAMES,
    )


@post("/companies", opt=PUBLIC)
async def choose_company(request: Browser, page: NamedDependency[Page], data: URLEncodedBody[CompanyForm]) -> Redirect:
    token = await identity.choose_company(signed_of(request), data.membership_id)
    return with_session(page.go("/"), token)


# --- invitations ------------------------------------------------------------------------------------------------------


async def invitation_answer(
    request: Browser, page: Page, token: str, typed: Typed | None = None, status: int = 200
) -> Template:
    """The invitation as this browser can answer it: as itself, as a new person, or after signing in."""
    signed: Signed | None = request.state.signed
    opened = await service_joining.open_invitation(token)
    return page.render(
        "accounts/invitation.html",
        status=status,
        opened=opened,
        role=_(ROLE_NAMES[opened.role]),
        token=token,
        typed=typed or Typed(name=opened.name),
        own=signed is not None and signed.email == opened.invitation.email,
        stranger=signed is not None and signed.email != opened.invitation.email,
    )


@get("/invitations/{token:str}", opt=PUBLIC)
async def invitation_page(request: Browser, page: NamedDependency[Page], token: FromPath[str]) -> Template:
    return await invitation_answer(request, page, token)


@post("/invitations/{token:str}", opt=PUBLIC)
async def join(
    request: Browser, page: NamedDependency[Page], token: FromPath[str], data: URLEncodedBody[JoinForm]
) -> Template | Redirect:
    signed: Signed | None = request.state.signed
    agent = request.headers.get("user-agent", "")
    try:
        if signed is not None:
            session = await service_joining.join_as(signed, token)
        else:
            session = await service_joining.join_as_new(token, data.name, data.password, agent, page.language)
    except (Invalid, Conflict, Forbidden, Unavailable) as error:
        return await invitation_answer(request, page, token, Typed(data, error), 422)
    return with_session(page.go("/"), session)


# --- the own account --------------------------------------------------------------------------------------------------


def profile(page: Page, signed: Signed, typed: Typed | None = None, status: int = 200, done: str = "") -> Template:
    return page.render(
        "accounts/profile.html",
        status=status,
        email=signed.email,
        typed=typed or Typed(name=signed.user_name),
        done=_(DONE[done]) if done in DONE else "",
    )


@get("/profile")
async def profile_page(request: Browser, page: NamedDependency[Page], done: FromQuery[str] = "") -> Template:
    return profile(page, signed_of(request), done=done)


@post("/profile/name")
async def change_name(
    request: Browser, page: NamedDependency[Page], data: URLEncodedBody[NameForm]
) -> Template | Redirect:
    try:
        await service_joining.change_name(signed_of(request), data.name)
    except Invalid as error:
        return profile(page, signed_of(request), Typed(data, error), 422)
    return page.go("/profile?done=name")


@post("/profile/password")
async def change_password(
    request: Browser, page: NamedDependency[Page], data: URLEncodedBody[PasswordForm]
) -> Template | Redirect:
    signed = signed_of(request)
    try:
        await service_joining.change_password(signed, data.present, data.new, network_of(request))
    except (Invalid, attempts.TooManyAttempts, passwords.TooBusy) as error:
        return profile(page, signed, Typed(error=error, name=signed.user_name), 422)
    return page.go("/profile?done=password")


@post("/language", opt=PUBLIC)
async def change_language(
    request: Browser, page: NamedDependency[Page], data: URLEncodedBody[LanguageForm]
) -> Redirect:
    signed: Signed | None = request.state.signed
    if signed is not None:
        await service_joining.change_language(signed, data.language)
    answer = page.go(own_path(data.next))
    answer.set_cookie(
        Cookie(key="language", value=data.language, path="/", max_age=YEAR, secure=get_settings().tls, samesite="lax")
    )
    return answer


ROUTES: list[Any] = [
    sign_in_page,
    sign_in,
    sign_out,
    companies_page,
    choose_company,
    invitation_page,
    join,
    profile_page,
    change_name,
    change_password,
    change_language,
]
