"""Every refusal of the API as application/problem+json (RFC 9457), mapped once."""

import logging
import re
from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.types import ExceptionHandlersMap

from portal.core import faults
from portal.core.db import is_away
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, PortalError, Unavailable
from portal.core.i18n import N_, _, render
from portal.core.idempotency import Replay
from portal.core.log import request_id
from portal.core.settings import get_settings


class Unreadable(PortalError):
    code = "unreadable"
    text = N_("The body cannot be read as JSON, or as the form it should be.")


class MethodNotAllowed(PortalError):
    code = "method-not-allowed"
    text = N_("This address does not answer {method}. The header Allow says what it answers.")


class BodyTooLarge(PortalError):
    code = "body-too-large"
    text = N_("The body is larger than the portal takes: {most} MB.")


class RequestRefused(PortalError):
    code = "request-refused"
    text = N_("The request cannot be answered as it was sent.")


class Failed(PortalError):
    code = "failed"
    text = N_("Something went wrong on our side. Quote the reference when you report it.")


NOT_JSON = N_("The body is no JSON that can be read: something is wrong at byte {byte}.")
NO_END = N_("The body is no JSON that can be read. It ends too early, or holds a number or a character that cannot be.")
NO_FORM = N_("The body cannot be read as multipart/form-data with the boundary that its Content-Type names.")
NO_BODY = N_("A body is needed here, and none was sent.")
TOO_DEEP = N_("The body is nested too deeply.")
logger = logging.getLogger(__name__)
RETRY_SECONDS = "5"
TYPE = "https://calloff.example/problems/"
PROBLEM_JSON = "application/problem+json"
STATUS: dict[type[PortalError], int] = {NotFound: 404, Forbidden: 403, Conflict: 409, Invalid: 422, Unavailable: 503}
_LACKING = re.compile(r"Missing required \w+ parameter '([^']+)'")
_AT = re.compile(r"JSON is malformed: .*\(byte (\d+)\)")
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
        if _is_absent(error):
            return problem(400, Unreadable.code, _(NO_BODY))
        return problem(422, "invalid", _("Some fields cannot be accepted as they are."), errors=_fields(request, error))
    match error.status_code:
        case 400:
            if "multipart" in error.detail or isinstance(error.__cause__, SerializationException):
                return problem(400, Unreadable.code, _unreadable(error.detail))
        case 404:
            return problem(404, NotFound.code, str(NotFound()))
        case 405:
            return problem(405, MethodNotAllowed.code, str(MethodNotAllowed(method=request.scope["method"])))
        case 413:
            return problem(413, BodyTooLarge.code, str(BodyTooLarge(most=get_settings().upload_limit_mb)))
    return problem(error.status_code, RequestRefused.code, str(RequestRefused()))


def _unreadable(said: str) -> str:
    """What is wrong with a body, of which the framework speaks English."""
    if found := _AT.match(said):
        return render(NOT_JSON, {"byte": found[1]})
    if "multipart" in said:
        return _(NO_FORM)
    return _(NO_END)


def _is_absent(error: ValidationException) -> bool:
    """Whether no body came at all: the framework then misses the handler's own parameter."""
    extra = error.extra if isinstance(error.extra, list) else []
    return any(item == {"message": "'data'", "key": "data", "source": "body"} for item in extra)


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
    """Our fault: logged with its traceback, answered without. A database that is away is nobody's: it comes back."""
    if is_away(error):
        logger.warning("the database does not answer", extra={"error": type(error).__name__})
        answer = problem(503, Unavailable.code, str(Unavailable()))
        answer.headers["Retry-After"] = RETRY_SECONDS
        return answer
    logger.error("request failed", exc_info=error)
    return problem(500, Failed.code, str(Failed()))


def too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[dict[str, Any]]:
    """A body nested so deeply that nobody means it."""
    return problem(400, Unreadable.code, _(TOO_DEEP))


def replayed(request: Request[Any, Any, Any], answer: Replay) -> Response[bytes]:
    """The stored answer of an earlier request with the same key, with the headers that it had."""
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    kind = headers.pop("Content-Type", MediaType.JSON)
    return Response(answer.body.encode(), status_code=answer.status, media_type=kind, headers=headers)


HANDLERS: ExceptionHandlersMap = {
    PortalError: refused,
    HTTPException: unreadable,
    Replay: replayed,
    RecursionError: too_deep,
    Exception: broken,
}
