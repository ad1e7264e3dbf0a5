"""The description of the interface, for programs and as a page of ours; nothing comes from outside."""

import json
from functools import cache
from typing import Any

from litestar import Litestar, Request, get
from litestar.di import NamedDependency
from litestar.enums import OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.response import Template
from msgspec import Struct

from portal.web.examples import JSON, METHODS, document
from portal.web.pages import Page


class Operation(Struct, frozen=True):
    """One call, as the page shows it."""

    method: str
    path: str
    summary: str
    parameters: list[tuple[str, str, str, bool]]  # name, where, type, required
    fields: list[tuple[str, str, bool]]  # of the body: name, type, required
    sent: str  # an example of the body; empty without one
    told: str  # the same of the answer
    answers: list[str]


@get(
    ["/api", "/api/openapi.json"], media_type=OpenAPIMediaType.OPENAPI_JSON, opt={"public": True}, sync_to_thread=False
)
def description(request: Request[Any, Any, Any]) -> bytes:
    """What programs can call, as OpenAPI tells it."""
    return JsonRenderPlugin.render_json(request, document(request.app))


@get("/api/docs", opt={"public": True}, sync_to_thread=False)
def api_docs(request: Request[Any, Any, Any], page: NamedDependency[Page]) -> Template:
    """What programs can call."""
    return page.render("api/docs.html", active="keys", groups=describe(request.app))


@cache
def describe(app: Litestar) -> dict[str, list[Operation]]:
    """The operations of the schema by tag, in the order of their paths."""
    schema = document(app)
    groups: dict[str, list[Operation]] = {}
    for path, item in sorted(schema["paths"].items()):
        for method in METHODS:
            if method in item:
                found = operation(schema, method, path, item[method])
                groups.setdefault((item[method].get("tags") or ["Other"])[0], []).append(found)
    return dict(sorted(groups.items()))


def operation(schema: dict[str, Any], method: str, path: str, raw: dict[str, Any]) -> Operation:
    """One operation of the schema, flattened."""
    sent = [resolve(schema, part) for part in raw.get("parameters", [])]
    parameters = [(p["name"], p["in"], type_name(p.get("schema", {})), p.get("required", False)) for p in sent]
    contents: list[dict[str, Any]] = list(raw.get("requestBody", {}).get("content", {}).values())
    body: dict[str, Any] = contents[0].get("schema", {}) if contents else {}
    model = resolve(schema, body)
    required = set(model.get("required", []))
    answers = sorted(raw.get("responses", {}).items())
    fields = [(name, type_name(part), name in required) for name, part in model.get("properties", {}).items()]
    return Operation(
        method.upper(),
        path,
        raw.get("description") or raw.get("summary") or "",
        parameters,
        fields,
        example_of(raw.get("requestBody", {})),
        next((text for status, answer in answers if status < "3" and (text := example_of(answer))), ""),
        [status for status, _ in answers],
    )


def resolve(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The model or the parameter that a reference names."""
    if "$ref" not in part:
        return part
    kind, name = part["$ref"].split("/")[-2:]
    found: dict[str, Any] = schema.get("components", {}).get(kind, {}).get(name, part)
    return found


def type_name(part: dict[str, Any]) -> str:
    """A type in one word: string (date), array of Split, one of several."""
    if ref := part.get("$ref"):
        return str(ref).rpartition("/")[2]
    if options := part.get("oneOf") or part.get("anyOf"):
        return " / ".join(dict.fromkeys(type_name(option) for option in options))
    if isinstance(part.get("type"), list):
        return " / ".join(part["type"])
    if part.get("type") == "array":
        return f"[{type_name(part.get('items', {}))}]"
    if values := part.get("enum"):
        return " | ".join(map(str, values))
    return f"{part.get('type', 'any')}" + (f" ({part['format']})" if "format" in part else "")


def example_of(holder: dict[str, Any]) -> str:
    """The example of a body or an answer, as indented JSON; empty where it is no JSON."""
    content = (holder.get("content") or {}).get(JSON)
    if content is None:
        return ""
    said = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
    return json.dumps(said, ensure_ascii=False, indent=2)


ROUTES: list[HTTPRouteHandler] = [api_docs]
