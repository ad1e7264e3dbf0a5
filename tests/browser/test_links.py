"""Links by HTTP alone: each one answers, each fragment names a place, and every page is reached from home."""

import re
from collections import Counter
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest

from portal.app import create_app
from portal.core.settings import Settings
from tests.browser.routes import NO_PAGE, PAGES, get_routes
from tests.browser.world import World

pytestmark = pytest.mark.browser

DOCUMENTS = 5  # of a kind that are opened: drafts link to other pages than what is in force
HREF = re.compile(r'<(?:a|area)\s[^>]*?href="([^"]*)"')
STREAMS = {route for route, what in NO_PAGE.items() if what == "stream"}
# Pages that no page links to, with the reason.
UNLINKED = {
    "/contracts/sheets/{run_id}": "opened by sending a workbook",
    "/profile/second-factor/set-up": "opened with the password",
    "/sign-in/code": "comes after the password",
    "/workbooks/{run_id}": "opened by sending a workbook",
    "/app": "opened from the menu of the bot",
    "/companies": "only for who works for two companies",
    "/invitations/{token}": "the link is handed over outside of the portal",
    "/new-password/{token}": "the link comes by mail",
}
MADE_UP = ("/approvals/", "/changes/")  # approving.py makes cases about requests that nobody made


class Crawl:
    """What one reader can reach from one page on."""

    def __init__(self, client: httpx.AsyncClient, routes: list[tuple[str, re.Pattern[str]]]) -> None:
        self.client = client
        self.routes = routes
        self.reached: set[str] = set()
        self.wrong: list[str] = []
        self.opened: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.seen: set[str] = set()
        self.queue: list[tuple[str, str]] = []

    async def run(self, start: str) -> None:
        self.queue.append((start, ""))
        while self.queue:
            await self.open(*self.queue.pop(0))

    async def open(self, link: str, found_on: str) -> None:
        """Follow one link, unless enough of its kind were opened."""
        path, _, fragment = link.partition("#")
        route = self.route_of(path)
        asked = tuple(sorted({key for key, _value in parse_qsl(urlsplit(path).query)}))
        kind = (route or path, asked)
        most = 1 if asked or route in NO_PAGE else DOCUMENTS
        if path in self.seen or route in STREAMS or self.opened[kind] >= most:
            return
        self.seen.add(path)
        self.opened[kind] += 1
        answer = await self.client.get(path)
        if answer.status_code != 200 and not (found_on.startswith(MADE_UP[0]) and path.startswith(MADE_UP[1])):
            self.wrong.append(f"{found_on} links to {path}, which answers {answer.status_code}")
        elif route is not None:
            self.reached.add(route)
        if answer.headers["content-type"].startswith("text/html"):
            self.read(path, fragment, found_on, answer)

    def read(self, path: str, fragment: str, found_on: str, answer: httpx.Response) -> None:
        """Note the links of a page."""
        if fragment and f'id="{fragment}"' not in answer.text:
            self.wrong.append(f"{found_on} links to {path}#{fragment}, which has no such place")
        for href in map(unescape, HREF.findall(answer.text)):
            if href.startswith("#"):
                if f'id="{href[1:]}"' not in answer.text:
                    self.wrong.append(f"{path} links to {href}, which has no such place")
                continue
            address = urlsplit(urljoin(str(answer.url), href))
            if address.netloc == self.client.base_url.netloc.decode():
                self.queue.append((address._replace(scheme="", netloc="").geturl(), path))

    def route_of(self, path: str) -> str | None:
        return next((route for route, form in self.routes if form.fullmatch(urlsplit(path).path)), None)


def forms() -> list[tuple[str, re.Pattern[str]]]:
    """The routes with the form of their addresses, the most exact first."""
    routes = sorted(get_routes(create_app(Settings(secret_key="x" * 40))), key=lambda route: route.count("{"))
    return [(route, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)))) for route in routes]


async def test_every_link_answers_and_every_page_is_linked(address: str, english: World) -> None:
    routes, wrong, reached = forms(), [], set()
    for who in ("factory", "customer", "supplier", ""):
        cookies = {"session": english.tokens[who]} if who else {}
        async with httpx.AsyncClient(base_url=address, cookies=cookies, follow_redirects=True, timeout=60) as client:
            crawl = Crawl(client, routes)
            await crawl.run("/" if who else "/sign-in")
            wrong += [f"as {who or 'nobody'}: {problem}" for problem in crawl.wrong]
            reached |= crawl.reached
    assert wrong == []
    assert sorted(set(PAGES) - reached - set(UNLINKED)) == []
    assert sorted(set(UNLINKED) & reached) == []
