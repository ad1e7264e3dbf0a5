"""What each operation asks for and may refuse with, put into the description of the interface from what the code knows.

Shared answers and headers stand once under `components`; each operation only points at them. Who takes `expected` asks
for If-Match (`deps.provide_expected`); who has a body can be sent a wrong one. Any can find nothing:
what is for the factory alone is not there for partners.
"""

from collections.abc import Iterator
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

Part = dict[str, Any]
PROBLEM_JSON = "application/problem+json"
WRITES = {"post", "put", "patch", "delete"}
REFUSALS = {
    "400": ("Unreadable", "unreadable", "The body cannot be read as JSON, or as the form it should be."),
    "401": ("KeyNeeded", "key-needed", "There is no valid API key."),
    "403": ("Forbidden", "forbidden", "The key's role, its scopes or the terms do not allow this."),
    "404": ("NotFound", "not-found", "There is no such thing, or it is not shared with the company of the key."),
    "409": ("Conflict", "conflict", "The state of the thing does not allow this now, or somebody was faster."),
    "412": ("VersionStale", "version-stale", "If-Match names another version than the present one."),
    "413": ("BodyTooLarge", "body-too-large", "The body is larger than the portal takes."),
    "422": ("Invalid", "invalid", "Something can be read but breaks a rule; `errors` names the fields."),
    "428": ("VersionNeeded", "version-needed", "If-Match is missing."),
    "500": ("Failed", "failed", "Something went wrong on the portal's side; nothing was changed."),
    "503": ("Unavailable", "unavailable", "Something the portal depends on does not answer. Try again in a minute."),
}
REFUSAL: Part = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {
            "type": "string",
            "description": "What is wrong and how to mend it, in the reader's language.",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "request_id": {"type": "string", "description": "Quote it when you report a problem."},
    },
}
IF_MATCH: Part = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The version that was seen, in quotes, as the ETag gave it; bodies say it as `version`.",
    "schema": {"type": "string"},
    "example": '"3"',
}
IDEMPOTENCY_KEY: Part = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same key and body, the request has no second effect and gets the first answer "
    "once more: its status, its headers such as ETag and Location, and its body; Idempotency-Replayed says so. Keys "
    "are known for 30 days.",
    "schema": {"type": "string", "maxLength": 80},
    "example": "erp-2026-000814",
}


def describe_refusals(app: Litestar, schema: Part) -> None:
    """Add to each operation of the interface the headers it reads and the refusals it can answer with."""
    shared = schema["components"]
    shared["schemas"]["Refusal"] = REFUSAL
    shared["responses"] = {name: _answer(status, *said) for status, (name, *said) in REFUSALS.items()}
    shared["parameters"] = {"IfMatch": IF_MATCH, "IdempotencyKey": IDEMPOTENCY_KEY}
    for method, path, handler in operations(app):
        operation = schema["paths"][path][method]
        operation.pop("deprecated", None)
        for parameter in operation.get("parameters", ()):
            parameter.pop("deprecated", None)
        versioned = "expected" in handler.parsed_fn_signature.parameters
        for name in ["IfMatch"] * versioned + ["IdempotencyKey"] * (method == "post"):
            operation.setdefault("parameters", []).append({"$ref": f"#/components/parameters/{name}"})
        answers = operation["responses"]
        answers.pop("400", None)  # the framework's own, spelled out, and not what we answer
        for status in refusals(method, operation, versioned=versioned) | set(handler.opt.get("refuses", ())):
            answers[status] = {"$ref": f"#/components/responses/{REFUSALS[status][0]}"}
        operation["responses"] = dict(sorted(answers.items()))


def operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Method, path and handler of each operation of the interface."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1"):
            for method, (handler, _) in route.route_handler_map.items():
                if method != "OPTIONS" and handler.resolve_include_in_schema():
                    yield str(method).lower(), route.path_format, handler


def refusals(method: str, operation: Part, *, versioned: bool) -> set[str]:
    """The statuses that an operation refuses with by what it takes; a handler's `refuses` names those beyond."""
    asked = any(part.get("in") == "query" for part in operation.get("parameters", ()))
    found = {"401", "403", "404", "500", "503"}
    if "requestBody" in operation:
        found |= {"400", "413"}
    if method in WRITES:
        found |= {"409", "422"}
    if versioned:
        found |= {"412", "428"}
    return found | {"422"} if asked else found


def _answer(status: str, code: str, text: str) -> Part:
    example = {
        "type": f"https://calloff.example/problems/{code}",
        "title": code.replace("-", " "),
        "status": int(status),
        "detail": text,
    }
    schema = {"$ref": "#/components/schemas/Refusal"}
    return {"description": text, "content": {PROBLEM_JSON: {"schema": schema, "example": example}}}
