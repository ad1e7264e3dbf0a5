"""Which page a reader who sent a form can come back to: a form's own address often takes forms only."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.exceptions import HTTPException
from litestar.response import Template

from portal.web.headers import header


def here(request: Request[Any, Any, Any]) -> str:
    """The page that is shown or, where a form was sent, the page it was on."""
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["path"] + (f"?{query}" if query else "")
    return path if request.method == "GET" else form_page(request) or nearest(request, request.scope["path"])


def form_page(request: Request[Any, Any, Any]) -> str:
    """The page a form was sent from; empty when it was not ours."""
    sender = urlsplit(header(request, "referer") or "")
    if request.method == "GET" or not sender.netloc or sender.netloc != header(request, "host"):
        return ""
    page = nearest(request, sender.path)
    return f"{page}?{sender.query}" if sender.query and page == sender.path else page


def nearest(request: Request[Any, Any, Any], path: str) -> str:
    """This address or the closest above it that can be opened: a form refused twice is sent from its own address."""
    while path and not opens(request, path):
        path = path.rpartition("/")[0]
    return path or "/"


def opens(request: Request[Any, Any, Any], path: str) -> bool:
    """Whether there is a page at this address, whoever may see it; a file is none."""
    try:
        handler = request.app.asgi_router.handle_routing(path=path, method="GET")[1]
    except HTTPException:
        return False
    answer = handler.parsed_fn_signature.return_type
    return answer.is_subclass_of(Template) or answer.has_inner_subclass_of(Template)
