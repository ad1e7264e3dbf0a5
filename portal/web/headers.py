"""One header or cookie of a request, as it came: every page asks for one or two, and the framework parses all."""

from typing import Any

from litestar import Request


def header(request: Request[Any, Any, Any], name: str) -> str | None:
    """The first header of this name, in lower case; None when it was not sent."""
    wanted = name.encode()
    for key, value in request.scope["headers"]:
        if key == wanted:
            return value.decode("latin-1")
    return None


def cookie(request: Request[Any, Any, Any], name: str) -> str | None:
    """One of our cookies, whose values need no unquoting; None when it was not sent."""
    sent = header(request, "cookie")
    if sent is None:
        return None
    for part in sent.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            return value.strip()
    return None
