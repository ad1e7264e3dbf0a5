"""Every refusal of the API as application/problem+json (RFC 9457), mapped once."""

import logging
import re
from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from portal.core import faults
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, PortalError, Unavailable
from portal.core.i18n import _
from portal.core.idempotency import Replay
from portal.core.log import request_id

logger = logging.getLogger(__name__)
TYPE = "https://calloff.example/problems/"
PROBLEM_JSON = "application/problem+json"
STATUS: dict[type[PortalError], int] = {NotFound: 404, Forbidden: 403, Conflict: 409, Invalid: 422, Unavailable: 503}
_LACKING = re.compile(r"Missing required \w+ parameter '([^']+)'")
BY_CODE = {"key-needed": 401, "version-needed": 428, "version-stale": 412}


def status_of(error: PortalError) -> int:
    """The HTTP status of a refusal, from its kind."""
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)


def problem(status: int, code: str, detail: str, **more: Any) -> Response[dict[str, Any]]:
    """One problem document."""
    body = {"type": TYPE + code, "title": code.replace("-", " "), "status": status, "detail": detail, **more}
    if (reference := request_id.get()) is not None:
        body["request_id"] = reference
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response(body, status_code=status, media_type=PROBLEM_JSON, headers=headers)


def refused(request: Request[Any, Any, Any], error: PortalError) -> Response[dict[str, Any]]:
    """Our own refusals: the sentence, and the fields that are at fault."""
    status = status_of(error)
    if isinstance(error, Conflict) and error.code == "stale" and request.headers.get("if-match"):
        status = 412
    fields = [{"field": one.field, "detail": str(one)} for one in error.each() if one.field]
    return problem(status, error.code, str(error), **({"errors": fields} if fields else {}))


def unreadable(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Litestar's refusals: a body that cannot be parsed is 400, content that breaks its form 422."""
    if isinstance(error, ValidationException):
        return problem(422, "invalid", _("Some fields cannot be accepted as they are."), errors=_fields(request, error))
    code = {400: "unreadable", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
    name = code.get(error.status_code, "request-refused")
    detail = str(NotFound()) if error.status_code == 404 else error.detail
    return problem(error.status_code, name, detail)


def _fields(request: Request[Any, Any, Any], error: ValidationException) -> list[dict[str, str]]:
    """Each field with what is wrong, in the reader's words. A command's input knows its faults itself; of a query and
    a path only msgspec's sentence is left."""
    if known := getattr(error.__cause__, "errors", None):
        return [{"field": faults.place(fault), "detail": faults.sentence(fault)} for fault in known]
    if lacking := _LACKING.match(error.detail):
        return [{"field": lacking[1], "detail": str(faults.FieldEmpty())}]
    sent = {**request.path_params, **request.query_params}
    return [
        {"field": key, "detail": faults.sentence(faults.from_words(str(item.get("message", "")), sent.get(key)))}
        for item in error.extra or []
        if isinstance(item, dict)
        for key in [str(item.get("key", ""))]
    ]


def broken(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Our fault: logged with its traceback, answered without."""
    logger.error("request failed", exc_info=error)
    return problem(500, "failed", _("Something went wrong on our side. Quote the reference when you report it."))


def too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[dict[str, Any]]:
    """A body nested so deeply that nobody means it."""
    return problem(400, "unreadable", _("The body is nested too deeply."))


def replayed(request: Request[Any, Any, Any], answer: Replay) -> Response[bytes]:
    """The stored answer of an earlier request with the same key."""
    return Response(
        answer.body.encode(),
        status_code=answer.status,
        media_type=MediaType.JSON,
        headers={"Idempotency-Replayed": "true"},
    )


HANDLERS: ExceptionHandlersMap = {
    PortalError: refused,
    HTTPException: unreadable,
    Replay: replayed,
    RecursionError: too_deep,
    Exception: broken,
}
