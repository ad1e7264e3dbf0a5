"""A forgotten password: asking for the link, and setting the new password with it."""

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from portal.accounts import attempts, passwords, recovery
from portal.core.errors import Invalid, NotFound
from portal.core.i18n import N_
from portal.notices.addresses import mail_works
from portal.parameters import FromPath, URLEncodedBody
from portal.web.accounts import PUBLIC, network_of
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

Browser = Request[Any, Any, Any]


class LinkOver(Invalid):
    code = "password-link-over"
    text = N_("This link was used or is over. Ask for a new one.")


class ForgottenForm(Form):
    email: str


class NewPasswordForm(Form):
    password: str = ""


def forgotten(page: Page, typed: Typed | None = None, status: int = 200, *, asked: bool = False) -> Template:
    return page.render(
        "accounts/forgotten.html", status=status, typed=typed or Typed(), asked=asked, mail_works=mail_works()
    )


@get("/forgotten", opt=PUBLIC)
async def forgotten_page(page: NamedDependency[Page]) -> Template:
    """Ask for a link by which a new password is set."""
    return forgotten(page)


@post("/forgotten", opt=PUBLIC)
async def ask(request: Browser, page: NamedDependency[Page], data: URLEncodedBody[ForgottenForm]) -> Template:
    """The same answer for known and unknown addresses."""
    try:
        if mail_works():
            await recovery.ask(data.email, network_of(request))
    except attempts.TooManyAttempts as error:
        return forgotten(page, Typed(data, error), 429)
    return forgotten(page, asked=True)


def new_password(page: Page, token: str, typed: Typed | None = None, status: int = 200) -> Template:
    return page.render("accounts/new_password.html", status=status, typed=typed or Typed(), token=token)


@get("/new-password/{token:str}", opt=PUBLIC)
async def new_password_page(page: NamedDependency[Page], token: FromPath[str]) -> Template:
    """Opening the link changes nothing, so a mail scanner does no harm."""
    try:
        await recovery.holder(token)
    except NotFound:
        return forgotten(page, Typed(error=LinkOver()), 404)
    return new_password(page, token)


@post("/new-password/{token:str}", opt=PUBLIC)
async def set_password(
    page: NamedDependency[Page], token: FromPath[str], data: URLEncodedBody[NewPasswordForm]
) -> Template | Redirect:
    """The new password; all sessions of the person end."""
    try:
        await recovery.set_password(token, data.password)
    except NotFound:
        return forgotten(page, Typed(error=LinkOver()), 404)
    except (Invalid, passwords.TooBusy) as error:
        return new_password(page, token, Typed(error=error), 422)
    return page.go("/sign-in?done=password")


ROUTES: list[Any] = [forgotten_page, ask, new_password_page, set_password]
