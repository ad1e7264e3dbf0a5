"""The web application: routes, dependencies, headers, and what starts and stops with it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.config.app import AppConfig
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.status_codes import HTTP_405_METHOD_NOT_ALLOWED
from litestar.types import Message, Scope
from litestar_htmx import HTMXRequest

import portal.catalog.service_fields
import portal.changes.projection
import portal.changes.supplies
import portal.contracts.effects
import portal.contracts.service_fields
import portal.forecasts.effects  # noqa: F401 - the same
from portal import deps
from portal.accounts import bot_state, identity, updates
from portal.accounts.model_chats import ChatBot
from portal.api import ROUTES as API_ROUTES
from portal.api import problems
from portal.core import clock, db, health, live
from portal.core.i18n import language
from portal.core.ids import uuid7
from portal.core.log import request_id
from portal.core.memory import settle
from portal.core.settings import Settings, get_settings
from portal.routing import Face, Portal, Unserved
from portal.web import ROUTES as WEB_ROUTES
from portal.web import errors, pages
from portal.web.api_docs import description
from portal.web.language import chosen_language

logger = logging.getLogger(__name__)
CSP = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP.format(wasm=""),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
SCAN_HEADERS = HEADERS | {  # the scan page alone reads the camera and compiles a decoder
    "content-security-policy": CSP.format(wasm=" 'wasm-unsafe-eval'"),
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
SENT, SENT_WITH_SCAN = (
    [(name.encode(), value.encode()) for name, value in headers.items()] for headers in (HEADERS, SCAN_HEADERS)
)


async def add_headers(message: Message, scope: Scope) -> None:
    """The security headers on every answer; a handler's own value stays."""
    if message["type"] != "http.response.start":
        return
    headers = message["headers"] = list(message["headers"])
    own = {name.lower() for name, _ in headers}
    ours = SENT_WITH_SCAN if scope["path"] == "/scan" else SENT
    headers += [(name, value) for name, value in ours if name not in own]
    if (reference := request_id.get()) is not None and b"x-request-id" not in own:
        headers.append((b"x-request-id", reference.encode()))


async def begin_request(request: Request[Any, Any, Any]) -> None:
    """Give the request its reference, which logs, problems and error pages quote."""
    request_id.set(str(uuid7()))


async def recognise_browser(request: Request[Any, Any, Any]) -> None:
    await begin_request(request)
    await deps.recognise_browser(request)


async def recognise_key(request: Request[Any, Any, Any]) -> None:
    await begin_request(request)
    await deps.recognise_key(request)


async def recognise_unrouted(error: Exception, scope: Scope) -> None:
    """Where no route was found nobody was recognised: do it for the page that says so, which has a menu for them.

    A database that does not answer costs them the menu, not the answer.
    """
    routed: object = scope.get("route_handler")
    if scope["type"] != ScopeType.HTTP or routed is not None:
        return
    request: HTMXRequest = HTMXRequest(scope)
    await begin_request(request)
    language.set(chosen_language(request))
    if not for_programs(request):
        try:
            await deps.find_session(request)
        except Exception as failure:  # noqa: BLE001 - whatever it is, there is an answer to give
            logger.warning("nobody was recognised at an unknown address", extra={"error": type(failure).__name__})


def unrouted(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Where no route was found no face has spoken yet: a program gets its problem, everybody else a page."""
    face = problems if for_programs(request) else errors
    answer: Response[Any] = face.unreadable(request, error)
    if error.status_code == HTTP_405_METHOD_NOT_ALLOWED and isinstance(request.app, Portal):
        answer.headers["Allow"] = request.app.methods_at(request.scope["path"])
    return answer


def for_programs(request: Request[Any, Any, Any]) -> bool:
    return f"{request.scope['path']}/".startswith("/api/")


@get("/healthz", opt={"public": True}, sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", opt={"public": True})
async def readyz() -> Response[dict[str, Any]]:
    """The process can do its work: each pool of the database answers. Degraded: it can, but a bot wants a look."""
    broken = await db.failing_pools()
    bots = {} if broken else await bot_health()
    wrong = list(health.concerns(bots))
    status = "unready" if broken else "degraded" if wrong else "ok"
    said = {"status": status, "failing": broken, "concerns": wrong, "bot": bots}
    return Response(said, status_code=503 if broken else 200)


async def bot_health() -> dict[str, Any]:
    """How far the bots are behind, and what Telegram last said. Never a reason to be unready: pages work without."""
    found: dict[str, Any] = {}
    for bot in ChatBot:
        waits = await updates.waiting(bot)
        oldest = (clock.now() - waits.oldest).total_seconds() if waits.oldest else 0
        found[bot.value] = {"waiting": waits.count, "oldest_seconds": round(oldest)}
        if waits.last_received is not None:
            found[bot.value]["last_received_seconds"] = round((clock.now() - waits.last_received).total_seconds())
    state = await bot_state.read()
    if get_settings().telegram_token:
        found["telegram"] |= {"pending": state.pending, "error": state.error} if state else {"error": "no bot runs"}
    return found


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """Open the pools, listen for revocations and changes, and freeze what start-up has allocated."""
    settings: Settings = app.state.settings
    db.configure(settings, settings.pool_size)
    listeners = [
        asyncio.create_task(identity.listen_for_revocations(str(settings.database_direct_url))),
        asyncio.create_task(live.listen(str(settings.database_direct_url))),
        asyncio.create_task(live.ringer(str(settings.database_direct_url))),
    ]
    settle()  # a page's worst case falls from 52 to 8 ms
    try:
        yield
    finally:
        for task in listeners:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await db.dispose()


def create_app(settings: Settings | None = None) -> Litestar:
    """The application for one process."""
    settings = settings or get_settings()
    web = Face(
        "/",
        route_handlers=WEB_ROUTES,
        before_request=recognise_browser,
        exception_handlers=errors.HANDLERS,
        dependencies=deps.OF_PAGES,
        include_in_schema=False,
    )
    api = Face(
        "/api/v1",
        route_handlers=API_ROUTES,
        before_request=recognise_key,
        after_request=deps.remember_answer,
        exception_handlers=problems.HANDLERS,
        dependencies=deps.OF_PROGRAMS,
    )
    # Nobody is recognised here, so that it answers whatever becomes of the database.
    anybody = Face("/", route_handlers=[healthz, readyz, description], include_in_schema=False)
    return Portal(
        [web, api, anybody],
        request_class=HTMXRequest,
        template_config=pages.template_config(),
        lifespan=[lifespan],
        before_send=[add_headers],
        after_exception=[recognise_unrouted],
        exception_handlers={**errors.HANDLERS, HTTPException: unrouted},
        openapi_config=OPENAPI,
        request_max_body_size=settings.upload_limit_mb * 1024 * 1024,
        on_app_init=[remember(settings)],
        debug=False,
        logging_config=None,
    )


def remember(settings: Settings) -> Any:
    """Keep the settings where the lifespan finds them."""

    def on_init(config: AppConfig) -> AppConfig:
        config.state.settings = settings
        return config

    return on_init


OPENAPI = OpenAPIConfig(
    title="Calloff",
    version="1",
    description="Framework contracts, delivery schedules, shipments and receipts of one company. "
    "Every call carries an API key as a bearer token; lists come in cursor pages; writes of versioned documents carry "
    "If-Match; repeatable POSTs carry an Idempotency-Key. HEAD is answered wherever GET is. Exact numbers are answered "
    "as text and sent as text or as numbers. Fields and parameters that are not described are refused. Refusals are "
    "problem+json in the language of Accept-Language, English or Chinese; the last part of `type` is a stable code.",
    servers=[Server(url="/")],
    components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
    security=[{"key": []}],
    openapi_router=Unserved("/api", route_handlers=[]),  # web/api_docs.py serves the description
    render_plugins=[JsonRenderPlugin()],
    create_examples=False,
    use_handler_docstrings=True,
)
