"""Requests as a browser or a program would send them, without any memory of their own between two requests."""

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from litestar import Litestar

ORIGIN = "http://portal.example"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
_PLACEHOLDER = re.compile(r"\{(\w+):\w+\}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a request carries beside its path."""

    query: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] | None = None
    json: Any = None
    version: int | None = None  # If-Match
    file: tuple[str, bytes] | None = None  # makes the form a multipart one
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""  # as it is, instead of all that


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def place(self) -> str:
        """Where a redirect leads, without its query."""
        return str(self.headers.get("location", "")).partition("?")[0]


def filled(path: str, ids: dict[str, Any]) -> str:
    """The address of a route with the ids in their places."""
    return _PLACEHOLDER.sub(lambda found: quote(str(ids[found.group(1)]).lstrip("/")), path)


def named(path: str) -> set[str]:
    """The ids that a route's path names."""
    return set(_PLACEHOLDER.findall(path))


def anonymous(text: str, *own: str) -> str:
    """An answer without its reference and without the ids that were asked for."""
    for value in own:
        text = text.replace(value, "*")
    return _UUID.sub("*", text)


async def send(app: Litestar, method: str, path: str, parts: Parts, headers: dict[str, str]) -> Answer:
    """One request through the whole application. A stream is left after its first words."""
    content, sent = parts.content, {**headers, **parts.headers}
    if parts.form is not None and parts.file is None:
        content = urlencode(parts.form, doseq=True).encode()
        sent.setdefault("content-type", "application/x-www-form-urlencoded")
    if parts.version is not None:
        sent["if-match"] = f'"{parts.version}"'
    if parts.json is not None:
        content, sent["content-type"] = json.dumps(parts.json).encode(), "application/json"
    body: dict[str, Any] = {"content": content}
    if parts.file is not None:
        body = {"files": {"file": parts.file}, "data": parts.form}
    query = f"?{urlencode(parts.query, doseq=True)}" if parts.query else ""
    request = httpx.Request(method, f"{ORIGIN}{path}{query}", headers=sent, **body)
    transport = httpx.ASGITransport(_Impatient(app), raise_app_exceptions=True, client=("203.0.113.9", 1234))
    response = await transport.handle_async_request(request)
    return Answer(response.status_code, response.headers, await response.aread())


class _Impatient:
    """Hangs up on a stream, which would never end by itself."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        streams, heard = False, asyncio.Event()

        async def pass_on(message: Any) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                kinds = [value for name, value in message["headers"] if name == b"content-type"]
                streams = any(value.startswith(b"text/event-stream") for value in kinds)
            elif streams:
                heard.set()
                return
            await send(message)

        answering = asyncio.create_task(self.app(scope, receive, pass_on))
        hearing = asyncio.create_task(heard.wait())
        await asyncio.wait({answering, hearing}, return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()
        if heard.is_set():
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await answering
