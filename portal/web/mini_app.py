"""A page opened from Telegram as a Mini App. Its script posts the words that Telegram signed; they open a session."""

from typing import Any
from urllib.parse import urlencode

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from pydantic import Field

from portal.accounts import mini_app
from portal.accounts.mini_app import LASTS, Opening, WordsForged
from portal.core.errors import Forbidden
from portal.core.settings import get_settings
from portal.parameters import FromQuery, URLEncodedBody
from portal.web.accounts import PUBLIC, Browser, cookie_name, end_session, own_path, with_cookie
from portal.web.forms import Form
from portal.web.pages import Page


class OpeningForm(Form):
    init_data: str = Field("", max_length=8000)
    to: str = Field("/", max_length=500)


def shown(page: Page, to: str, error: str = "", status: int = 200) -> Template:
    """The page that waits for its script, or says why nothing opens; it always leads to signing in."""
    back = own_path(to)
    sign_in = f"/sign-in?{urlencode({'next': back})}"
    return page.render("chat/mini_app.html", status=status, to=back, sign_in=sign_in, error=error)


def checked(init_data: str) -> Opening:
    """What Telegram's words say. Raises WordsForged when they are not Telegram's, or not for our bot."""
    from aiogram.utils.web_app import safe_parse_webapp_init_data  # imported late: start-up does not pay for it

    token = get_settings().telegram_token
    if not token or not init_data:
        raise WordsForged
    try:
        said = safe_parse_webapp_init_data(token, init_data)
        if said.user is None or said.user.is_bot:
            raise WordsForged
        return Opening(said.user.id, said.auth_date, said.hash)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise WordsForged from error


@get("/app", opt=PUBLIC)
async def opened(page: NamedDependency[Page], to: FromQuery[str] = "/") -> Template:
    """The words stand behind the address, where only the page's own script reads them."""
    return shown(page, to)


@post("/app", opt=PUBLIC, status_code=HTTP_200_OK)
async def enter(
    request: Browser, page: NamedDependency[Page], data: URLEncodedBody[OpeningForm]
) -> Template | Redirect:
    """Signed in for ten minutes, or a sentence that says why not."""
    present = request.state.signed.user_id if request.state.signed is not None else None
    try:
        agent = request.headers.get("user-agent", "")
        token = await mini_app.open_session(checked(data.init_data), agent, present)
    except Forbidden as error:
        return shown(page, data.to, str(error), 403)
    return page.go(own_path(data.to)) if token is None else await _entered(request, page, token, own_path(data.to))


async def _entered(request: Browser, page: Page, token: str, to: str) -> Redirect:
    await end_session(request)
    return with_cookie(page.go(to), cookie_name(), token, int(LASTS.total_seconds()))


ROUTES: list[Any] = [opened, enter]
