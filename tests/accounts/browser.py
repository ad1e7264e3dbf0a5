"""A browser without scripts: reads pages, sends their forms with their token, follows nothing by itself."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any, cast

import httpx
from litestar import Litestar

TOKEN = re.compile(r'name="_csrf_token" value="([^"]*)"')


class Browser:
    """One person's cookies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.form_token = ""

    async def open(self, path: str) -> httpx.Response:
        """A page; the token of its forms is kept."""
        answer = await self.client.get(path)
        if (found := TOKEN.search(answer.text)) and found.group(1):
            self.form_token = found.group(1)
        return answer

    async def send(self, path: str, headers: dict[str, str] | None = None, /, **fields: Any) -> httpx.Response:
        """A form with the token of the page opened last."""
        return await self.client.post(path, data={"_csrf_token": self.form_token, **fields}, headers=headers)

    @property
    def session(self) -> str | None:
        """What the browser carries now."""
        return self.client.cookies.get("session")


@asynccontextmanager
async def browsing(app: Litestar, token: str | None = None, address: str = "203.0.113.9") -> AsyncIterator[Browser]:
    """A browser, signed in when a session's token is given. address: where its connection comes from."""
    transport = httpx.ASGITransport(cast(Any, app), client=(address, 1234))
    cookies = {"session": token} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example", cookies=cookies) as client:
        browser = Browser(client)
        if token:
            await browser.open("/profile")
        yield browser


def text_of(answer: httpx.Response) -> str:
    """What a person reads on the page."""
    bare = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(bare).split())
