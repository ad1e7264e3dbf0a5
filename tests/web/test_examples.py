"""The description of the interface: every JSON body and every JSON answer is shown by an example that holds."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from pydantic import TypeAdapter

from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.core.access import Permission
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.web.examples import JSON, METHODS, document
from tests.factories import Tenant

FORMATS: dict[str, Callable[[str], object]] = {
    "uuid": UUID,
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
}
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


def contents(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON body and every JSON answer of success, with a name to say in a failure."""
    for path, item in schema["paths"].items():
        for method in (method for method in METHODS if method in item):
            operation = item[method]
            holders = {"body": operation.get("requestBody", {})} | operation["responses"]
            for where, holder in holders.items():
                if (where == "body" or where.startswith("2")) and (content := (holder.get("content") or {}).get(JSON)):
                    yield f"{method} {path} {where}", content


def example_of(content: dict[str, Any]) -> Any:
    """The example, in the one form or the other."""
    if "example" in content:
        return content["example"]
    return next(iter(content["examples"].values()))["value"]


def faults(models: dict[str, Any], part: dict[str, Any], value: Any, at: str) -> Iterator[str]:
    """Where a value breaks its schema: types, formats, lengths, bounds, required and unknown fields."""
    if "$ref" in part:
        part = models[part["$ref"].rpartition("/")[2]]
    for options in (part[word] for word in ("oneOf", "anyOf", "allOf") if word in part):
        found = [list(faults(models, option, value, at)) for option in options]
        if all(found):
            yield from min(found, key=len)
            return
    if "enum" in part and value not in part["enum"]:
        yield f"{at}: {value!r} is none of {part['enum']}"
    kinds = [part["type"]] if isinstance(part.get("type"), str) else part.get("type", [])
    if kinds and not any(isinstance(value, KINDS[kind]) for kind in kinds):
        yield f"{at}: {value!r} is not {kinds}"
        return
    yield from (f"{at}: {told}" for told in broken_bounds(part, value))
    if isinstance(value, list):
        for each in value:
            yield from faults(models, part.get("items", {}), each, f"{at}[]")
    if isinstance(value, dict) and "properties" in part:
        fields = part["properties"]
        yield from (f"{at}.{name}: missing" for name in part.get("required", []) if name not in value)
        yield from (f"{at}.{name}: unknown" for name in value if name not in fields)
        for name in value.keys() & fields.keys():
            yield from faults(models, fields[name], value[name], f"{at}.{name}")


def broken_bounds(part: dict[str, Any], value: Any) -> Iterator[str]:
    """What a text, a number or a list breaks of its format and bounds."""
    if isinstance(value, str) and part.get("format") in FORMATS:
        try:
            FORMATS[part["format"]](value)
        except ValueError:
            yield f"{value!r} is no {part['format']}"
    if isinstance(value, str) and not part.get("minLength", 0) <= len(value) <= part.get("maxLength", len(value)):
        yield f"{value!r} has a wrong length"
    if isinstance(value, list) and not part.get("minItems", 0) <= len(value) <= part.get("maxItems", len(value)):
        yield f"{value!r} has a wrong length"
    if isinstance(value, int | float) and not part.get("minimum", value) <= value <= part.get("maximum", value):
        yield f"{value!r} is out of bounds"


def texts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every text of an example with the name of its field."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from texts(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each, name)
    elif isinstance(value, str):
        yield name, value


async def test_every_body_and_every_answer_has_an_example_that_keeps_its_schema(app: Litestar) -> None:
    schema = document(app)
    models = schema["components"]["schemas"]
    told = list(contents(schema))
    assert len(told) > 280
    for where, content in told:
        assert content["schema"], f"{where} does not say what it is"
        assert example_of(content) not in (None, {}), f"{where} has no example"
    wrong = [
        fault for where, content in told for fault in faults(models, content["schema"], example_of(content), where)
    ]
    assert not wrong, "\n".join(wrong)


async def test_no_example_holds_a_placeholder(app: Litestar) -> None:
    """A field that is new here needs `examples=[...]` of its own or a value in portal/web/example_values.py."""
    empty = {
        f"{where}: {name} = {text!r}"
        for where, content in contents(document(app))
        for name, text in texts(example_of(content), "")
        if text in ("", "string", name) or re.fullmatch(r"(?i)(lorem|foo|bar|todo|example)\b.*", text)
    }
    assert not empty, "\n".join(sorted(empty))


async def test_every_example_of_a_body_is_accepted_by_its_own_model(app: Litestar) -> None:
    schema, tried = document(app), 0
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items():
            item = schema["paths"].get(route.path_format, {}).get(str(method).lower(), {})
            content = item.get("requestBody", {}).get("content", {}).get(JSON)
            if content is not None:
                said = handler.parsed_fn_signature.parameters["data"]
                TypeAdapter(said.annotation).validate_python(example_of(content))
                tried += 1
    assert tried > 80


async def test_every_write_of_a_versioned_thing_asks_for_the_version_seen(app: Litestar, tenant: Tenant) -> None:
    """Each write that takes the version: 428 without If-Match, 412 when it is no version, before anything is done."""
    async with unit_of_work(tenant.factory) as session:
        _key, token = await create_key(session, tenant.factory, CreateKey(name="ERP", scopes=[Permission.READ]))
    schema, tried = document(app), []
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type, unused-ignore]
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
        for method, route in versioned(app):
            item = schema["paths"][route.path_format][method]
            assert {"409", "412", "428"} <= item["responses"].keys(), f"{method} {route.path} does not say so"
            assert {"$ref": "#/components/parameters/IfMatch"} in item["parameters"], f"{method} {route.path}"
            content = item.get("requestBody", {}).get("content", {}).get(JSON)
            path = re.sub(r"\{(\w+)\}", lambda part: SAMPLES.get(part[1], str(uuid7())), route.path_format)
            for sent, status in (({}, 428), ({"if-match": "the newest"}, 412)):
                body = {"json": example_of(content)} if content else {}
                answer = await client.request(method, path, headers=sent, **body)
                assert answer.status_code == status, f"{method} {path} {answer.status_code} {answer.text}"
            tried.append(path)
    assert len(tried) > 60


async def test_every_operation_says_how_it_can_refuse_and_points_at_one_answer_for_all(app: Litestar) -> None:
    schema = document(app)
    shared = schema["components"]["responses"]
    for path, item in schema["paths"].items():
        for method in (method for method in METHODS if method in item and path.startswith("/api/v1")):
            told = {status: answer for status, answer in item[method]["responses"].items() if status >= "4"}
            assert {"401", "403", "404"} <= told.keys(), f"{method} {path}"
            assert ("409" in told) or method == "get", f"{method} {path}"
            assert ("400" in told) == ("requestBody" in item[method]), f"{method} {path}"
            for status, answer in told.items():
                content = shared[answer["$ref"].rpartition("/")[2]]["content"]["application/problem+json"]
                assert content["example"]["status"] == int(status)
                assert not list(faults(schema["components"]["schemas"], content["schema"], content["example"], path))


SAMPLES = {"number": "1", "point": "change", "day": "2026-08-20", "year": "2026", "holder": "item"}


def versioned(app: Litestar) -> Iterator[tuple[str, HTTPRoute]]:
    """The writes of the interface whose handler takes the version that the caller saw."""
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items():
            if route.path.startswith("/api/v1") and "expected" in handler.parsed_fn_signature.parameters:
                yield str(method).lower(), route
