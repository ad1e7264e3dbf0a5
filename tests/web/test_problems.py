"""What a program meets that sends something wrong: one kind of answer, in its language, with a code that is listed."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar
from litestar.testing import RequestFactory

from portal.accounts.service_keys import CreateKey, create_key
from portal.api import problems
from portal.app import create_app
from portal.core.access import permissions_of
from portal.core.db import unit_of_work
from portal.core.i18n import Language
from portal.core.settings import Settings
from portal.web.examples import JSON, document
from portal.web.language import wanted
from tests.factories import Tenant, fetch

ITEMS = "/api/v1/items"
CODES = (Path(__file__).parents[2] / "docs" / "refusals.md").read_text("utf-8")


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


@pytest.fixture
async def program(app: Litestar, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """The factory's ERP, which reads Chinese."""
    actor = tenant.factory
    async with unit_of_work(actor) as session:
        key = CreateKey(name="ERP", scopes=sorted(permissions_of(actor.scope, actor.role)))
        _row, token = await create_key(session, actor, key)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type, unused-ignore]
    headers = {"authorization": f"Bearer {token}", "accept-language": "zh-CN"}
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example", headers=headers) as client:
        yield client


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose sentence is Chinese and whose code is in the list."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    said: dict[str, Any] = answer.json()
    code = said["type"].rpartition("/")[2]
    assert f"| `{code}` |" in CODES, code
    for sentence in (said["detail"], *(each["detail"] for each in said.get("errors", []))):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in sentence), sentence
    assert said["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, code


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/nothing", (404, "not-found")),
        ("GET", "/api/nothing", (404, "not-found")),
        ("GET", "/api/openapi.yaml", (404, "not-found")),
        ("GET", "/api/v2/items", (404, "not-found")),
        ("POST", "/api/nothing", (404, "not-found")),
        ("POST", "/api", (405, "method-not-allowed")),
        ("GET", "/api/v1/items/no-id", (404, "not-found")),
        ("DELETE", ITEMS, (405, "method-not-allowed")),
        ("GET", f"{ITEMS}?search=%00", (422, "nul-in-address")),
        ("GET", f"{ITEMS}?limit=ten", (422, "invalid")),
        ("GET", f"{ITEMS}?serach=A100", (422, "field-unknown")),
        ("GET", "/api/v1/shipments?cursor=x&contract=y", (422, "field-unknown")),
    ],
)
async def test_a_wrong_address_is_a_problem(
    program: httpx.AsyncClient, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert problem(await program.request(method, path)) == expected


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "此处需要正文，但未发送。"),
        (b'{"code": "A1"', "正文不是有效的 JSON：内容不完整，或含有无效的数字或字符。"),
        (b'{"code": "\\ud800"}', "正文不是有效的 JSON：内容不完整，或含有无效的数字或字符。"),
        (b'{"code": "A1"} and more', "正文不是有效的 JSON：第 16 字节处有误。"),
        (b"[" * 100_000, "请求内容的嵌套层数过多。"),
    ],
)
async def test_an_unreadable_body_is_named_where_it_breaks(
    program: httpx.AsyncClient, tenant: Tenant, body: bytes, said: str
) -> None:
    answer = await program.post(ITEMS, content=body, headers={"content-type": JSON})
    assert problem(answer) == (400, "unreadable")
    assert answer.json()["detail"] == said
    assert await fetch(tenant.factory, "select 1 from item") == []


async def test_a_form_and_a_host_that_cannot_be_read_are_told_apart(program: httpx.AsyncClient) -> None:
    form = {"content-type": "multipart/form-data; boundary=lost"}
    broken = await program.post("/api/v1/verify", content=b"no form", headers=form)
    assert (problem(broken), "boundary" in broken.json()["detail"]) == ((400, "unreadable"), True)
    assert problem(await program.get(ITEMS, headers={"host": "two words"})) == (400, "request-refused")


async def test_a_wrong_method_is_told_the_right_ones(program: httpx.AsyncClient) -> None:
    answers = {path: await program.request("PATCH", path) for path in (ITEMS, "/sign-in", "/healthz")}
    told = {path: answer.headers["allow"] for path, answer in answers.items()}
    assert {answer.status_code for answer in answers.values()} == {405}
    both = "GET, HEAD, OPTIONS, POST"
    assert told == {ITEMS: both, "/sign-in": both, "/healthz": "GET, HEAD, OPTIONS"}
    assert answers["/sign-in"].headers["content-type"].startswith("text/html")


async def test_the_description_is_where_it_was(program: httpx.AsyncClient) -> None:
    for path in ("/api", "/api/openapi.json"):
        answer = await program.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.oai.openapi+json")
        assert answer.json()["info"]["title"] == "Calloff"
        assert (await program.options(path)).headers["allow"] == "GET, HEAD, OPTIONS"
    page = await program.get("/api/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("error", [ConnectionRefusedError(), asyncpg.AdminShutdownError("terminating connection")])
def test_a_database_that_is_away_is_worth_another_try(error: Exception) -> None:
    request = RequestFactory().get("/")
    answer = problems.broken(request, error)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.content["type"].endswith("/unavailable")
    assert problems.broken(request, ValueError()).status_code == 500


async def test_a_key_too_long_says_how_long_one_may_be(program: httpx.AsyncClient, tenant: Tenant) -> None:
    item = {"code": "A1", "description": "Housing", "unit": "H87"}
    answer = await program.post(ITEMS, json=item, headers={"idempotency-key": "k" * 81})
    assert problem(answer) == (422, "too-long")
    assert "80" in answer.json()["detail"]
    assert await fetch(tenant.factory, "select 1 from item") == []


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.ZH),
        ("de-DE, zh-HK;q=0.8, en;q=0.5", Language.ZH),
        ("zh;q=0.1, en-GB;q=0.9", Language.EN),
        ("en;q=0, zh;q=0.2", Language.ZH),
        ("fr, de;q=0.5", None),
        (";;;q=q,,", None),
        ("", None),
    ],
)
def test_the_best_of_the_accepted_languages_is_spoken(accepted: str, language: Language | None) -> None:
    assert wanted(accepted) is language


# --- the description as a generator of clients reads it ---------------------------------------------------------------


async def test_examples_do_what_they_show(app: Litestar, program: httpx.AsyncClient, tenant: Tenant) -> None:
    """Sent as they stand, but for the ids: what contradicts itself could be sent by nobody."""
    schema = document(app)

    def example(method: str, path: str) -> dict[str, Any]:
        said: dict[str, Any] = schema["paths"][path][method]["requestBody"]["content"][JSON]["example"]
        return said

    for path in ("/api/v1/parties", "/api/v1/items", "/api/v1/custom-fields", "/api/v1/sites"):
        made = await program.post(path, json=example("post", path))
        assert made.status_code == 201, made.text
    contract = {**example("post", "/api/v1/contracts"), "party_id": str(tenant.customer.party_id)}
    contract["lines"] = [{**line, "ship_to_code": ""} for line in contract["lines"]]
    draft = await program.post("/api/v1/contracts", json=contract)
    assert draft.status_code == 201, draft.text
    terms = "/api/v1/contracts/{contract_id}/ledger/terms"
    path = terms.replace("{contract_id}", draft.json()["id"])
    held = await program.put(path, json=example("put", terms), headers={"if-match": draft.headers["etag"]})
    assert held.status_code == 200, held.text
    commit = example("post", "/api/v1/contracts/{contract_id}/forecast/commits")
    assert ("percent" in commit) != ("periods" in commit)
    assert "sync_date" in example("post", "/api/v1/contracts/{contract_id}/cumulative/{line_id}/resets")


async def test_every_model_has_a_name_of_its_own_and_every_upload_a_body(app: Litestar) -> None:
    """Generators name a class by its title and leave out what uses a second one of the name."""
    schema = document(app)
    models = schema["components"]["schemas"]
    assert [name for name, model in models.items() if model.get("title", name) != name] == []
    uploads = [
        path for path in schema["paths"] if path.endswith(("/files", "/photos", "imports", "workbooks", "verify"))
    ]
    assert len(uploads) >= 8
    for path in uploads:
        assert "multipart/form-data" in schema["paths"][path]["post"]["requestBody"]["content"], path


async def test_exact_numbers_may_be_text_and_defaults_are_what_their_schema_says(app: Litestar) -> None:
    models = document(app)["components"]["schemas"]
    fields = [
        (f"{name}.{key}", part) for name, model in models.items() for key, part in model.get("properties", {}).items()
    ]
    numbers = [(name, part) for name, part in fields if "number" in str(part.get("type"))]
    assert len(numbers) > 25
    assert [name for name, part in numbers if part["type"] != ["number", "string"]] == []
    kinds: dict[str, type | tuple[type, ...]] = {"integer": int, "string": (str, Decimal), "boolean": bool}
    wrong = [
        name
        for name, part in fields
        if isinstance(part.get("type"), str) and part["type"] in kinds and "default" in part
        if not isinstance(part["default"], kinds[part["type"]])
    ]
    assert wrong == []
