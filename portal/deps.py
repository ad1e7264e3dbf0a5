"""What a handler may ask for, and what happens before any handler runs: who is it, in which language, with which right.

The only generator dependency is `session`: Litestar cleans several of them concurrently, and the commit must come last.
"""

import hashlib
import hmac
from collections.abc import AsyncGenerator
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.params import QueryParameter
from litestar.response import Response
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import identity
from portal.core import idempotency
from portal.core.actor import Actor, Origin
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Forbidden, Invalid, PortalError
from portal.core.faults import FieldUnknown, TooLong
from portal.core.i18n import N_, language
from portal.core.inputs import NUL
from portal.web.accounts import cookie_name, network_of
from portal.web.errors import CompanyNeeded, SignInNeeded
from portal.web.headers import cookie, header
from portal.web.language import chosen_language
from portal.web.pages import Page

SAFE = {"GET", "OPTIONS"}  # HEAD comes as GET
OF_BUTTONS = {"_csrf_token", "version", "line"}  # fields of forms in which nobody types


class KeyNeeded(PortalError):
    code = "key-needed"
    text = N_("Send a valid API key as “Authorization: Bearer <key>”.")


class ForeignForm(Forbidden):
    code = "foreign-form"
    text = N_("This form is out of date or belongs to another company. Open the page again and repeat the step.")


class NulInAddress(Invalid):
    code = "nul-in-address"
    text = N_("The address holds the character NUL (%00). Take it out.")


class VersionNeeded(PortalError):
    code = "version-needed"
    text = N_("Send the version you saw as If-Match, as the ETag gave it.")


class VersionStale(Conflict):
    code = "version-stale"
    text = N_("If-Match must be one version in quotes, as the ETag gave it.")


# --- before a handler -------------------------------------------------------------------------------------------------


async def recognise_browser(request: Request[Any, Any, Any]) -> None:
    """Find the session, set the language, and refuse forms that did not come from our own page for this company."""
    language.set(chosen_language(request))
    check_address(request)
    signed = await find_session(request)
    if request.method not in SAFE:
        check_origin(request)
        if signed is not None:
            await check_form(request, signed.form_token)
    if request.route_handler.opt.get("public"):
        return
    if signed is None:
        raise SignInNeeded
    if signed.actor is None:
        raise CompanyNeeded
    request.scope["state"]["actor"] = signed.actor


async def find_session(request: Request[Any, Any, Any]) -> identity.Signed | None:
    """Whose browser this is; from here on their language is spoken."""
    token = cookie(request, cookie_name())
    signed = await identity.signed_in(token) if token else None
    request.scope["state"]["signed"] = signed
    if signed is not None and signed.language is not None:
        language.set(signed.language)
    return signed


async def recognise_key(request: Request[Any, Any, Any]) -> None:
    """Find the API key's actor, and note the Idempotency-Key for the transaction."""
    language.set(chosen_language(request))
    check_address(request)
    kind, _, token = (header(request, "authorization") or "").partition(" ")
    actor = await identity.actor_of_key(token) if kind.lower() == "bearer" and token else None
    if actor is None:
        raise KeyNeeded
    request.scope["state"]["actor"] = actor
    check_query(request)
    idempotency.current.set(None)
    if request.method == "POST" and (key := header(request, "idempotency-key")):
        if len(key) > 80:
            raise TooLong(field="Idempotency-Key", limit=80)
        body = await request.body()
        digest = hashlib.sha256(b"\0".join([request.method.encode(), request.url.path.encode(), body])).hexdigest()
        # A response that names no status gets the handler's only after it was remembered.
        idempotency.current.set(idempotency.Claim(key, digest, request.route_handler.status_code))


async def remember_answer(response: Response[Any]) -> Response[Any]:
    """Hand the answer to the claim, which stores it in the transaction that is about to commit."""
    claim = idempotency.current.get()
    if claim is not None:
        claim.status = response.status_code or claim.status
        claim.headers = dict(response.headers)
        if response.media_type:
            claim.headers["Content-Type"] = response.media_type
        content = getattr(response, "body", None)
        if content is None:
            content = response.render(response.content, response.media_type or "application/json")
        claim.body = bytes(content).decode()
    return response


def check_address(request: Request[Any, Any, Any]) -> None:
    """Refuse NUL in an address: PostgreSQL keeps no such text, so nothing can be found by it."""
    query: bytes = request.scope["query_string"]
    if NUL in request.scope["path"] or b"%00" in query or NUL.encode() in query:
        raise NulInAddress


def check_query(request: Request[Any, Any, Any]) -> None:
    """Refuse a parameter that the handler does not know: a filter with a typing error would show everything."""
    if request.scope["query_string"]:
        known = _queries(request.route_handler)
        for name in request.query_params:
            if name not in known:
                raise FieldUnknown(field=name)


@cache
def _queries(handler: BaseRouteHandler) -> frozenset[str]:
    """The names of what a handler takes from the query."""
    taken = handler.parsed_fn_signature.parameters.items()
    return frozenset(name for name, field in taken if isinstance(field.kwarg_definition, QueryParameter))


def check_origin(request: Request[Any, Any, Any]) -> None:
    """Refuse a write that another site's page sent. Browsers name the sender; programs that do not are not browsers."""
    site = header(request, "sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        raise ForeignForm
    origin = header(request, "origin")
    if origin is not None and urlsplit(origin).netloc != header(request, "host"):
        raise ForeignForm


async def check_form(request: Request[Any, Any, Any], expected: str) -> None:
    """Every write carries the token of this session and this company, as a header or as a field."""
    sent = header(request, "x-csrf-token")
    if sent is None:
        form = await request.form()
        request.scope["state"]["pressed"] = form.keys() <= OF_BUTTONS
        sent = str(form.get("_csrf_token", ""))
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise ForeignForm


# --- dependencies -----------------------------------------------------------------------------------------------------

# Litestar resolves dependencies that do not need each other in a group of tasks: that costs more than they do, and a
# refusal by one of them comes out as a group, which nobody knows. So each asks for the one before it: actor, page,
# session, origin in pages; actor, session, expected, origin in the interface.


def provide_actor(request: Request[Any, Any, Any]) -> Actor:
    """The member or key at work; on public pages nobody, and no handler there asks."""
    return cast(Actor, request.scope["state"].get("actor"))


async def provide_session(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor]
) -> AsyncGenerator[AsyncSession]:
    """The request's transaction; it commits after the answer is rendered and before it is sent."""
    async with unit_of_work(actor) as session:
        claim = idempotency.current.get() if request.method == "POST" else None
        if claim is not None:
            await claim.take(session, actor)
        yield session
        if claim is not None:
            await claim.store(session, actor)


async def provide_page_session(
    actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> AsyncGenerator[AsyncSession]:
    """The same for a page or a form, after the page itself, which needs no database. Forms carry no Idempotency-Key."""
    async with unit_of_work(actor) as session:
        yield session


def provide_page(request: Request[Any, Any, Any], actor: NamedDependency[Actor | None]) -> Page:
    """Renders a template with what every page shows."""
    return Page(request, request.scope["state"]["signed"])


def provide_origin(request: Request[Any, Any, Any], session: NamedDependency[AsyncSession]) -> Origin:
    """Where the answer comes from, for the evidence of an acceptance."""
    return Origin(network_of(request), header(request, "user-agent") or "")


def provide_programs_origin(request: Request[Any, Any, Any], expected: NamedDependency[int]) -> Origin:
    """The same of a program, which accepts a version that it names."""
    return Origin(network_of(request), header(request, "user-agent") or "")


def provide_expected(request: Request[Any, Any, Any], session: NamedDependency[AsyncSession]) -> int:
    """The version that the caller saw, from If-Match. Raises VersionNeeded (428) or VersionStale (412)."""
    sent = header(request, "if-match")
    if sent is None:
        raise VersionNeeded
    text = sent.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise VersionStale
    return int(text)


OF_PAGES = {
    "actor": Provide(provide_actor, sync_to_thread=False),
    "page": Provide(provide_page, sync_to_thread=False),
    "session": Provide(provide_page_session),
    "origin": Provide(provide_origin, sync_to_thread=False),
}
OF_PROGRAMS = {
    "actor": Provide(provide_actor, sync_to_thread=False),
    "session": Provide(provide_session),
    "expected": Provide(provide_expected, sync_to_thread=False),
    "origin": Provide(provide_programs_origin, sync_to_thread=False),
}
