"""Opens the portal's pages for signed-in people and writes down what goes wrong on them."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Response

from portal.accounts import identity, second_factor
from tests.browser.world import World

PHONE = 390
DESKTOP = 1440
HEIGHTS = {PHONE: 844, DESKTOP: 900}
LOCALES = {"en": "en-GB", "zh-CN": "zh-CN"}
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} refused ${event.blockedURI || event.sourceFile}`));
"""


@dataclass  # without slots: Playwright keeps its wrapper on the listener
class Trouble:
    """What a page said on its console."""

    lines: list[str] = field(default_factory=list)
    refusals: bool = False  # a refused request is written on the console too; some pages are refusals

    def hear(self, message: ConsoleMessage) -> None:
        expected = self.refusals and "Failed to load resource" in message.text
        if message.type == "error" and not expected:
            self.lines.append(f"{message.text} ({message.location.get('url', '')})")

    def fail(self, error: Error) -> None:
        self.lines.append(f"uncaught: {error.message}")


async def half_way(world: World) -> str:
    """What the customer's browser carries between password and code."""
    user = await identity.find_user(world.emails["customer"])
    assert user is not None
    return second_factor.half_way(user)


class Site:
    """One address and one browser; each person gets a context of their own."""

    def __init__(self, address: str, browser: Browser) -> None:
        self.address = address
        self.browser = browser
        self.contexts: list[BrowserContext] = []

    async def person(
        self, world: World | None, who: str = "", width: int = DESKTOP, *, worker: bool = False, **more: Any
    ) -> BrowserContext:
        """A browser context, signed in when `who` is named: factory, customer or supplier. half-way: the customer,
        who has given the password and not the code."""
        more.setdefault("locale", "en-GB")
        more.setdefault("service_workers", "allow" if worker else "block")
        context = await self.browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]}, base_url=self.address, **more
        )
        self.contexts.append(context)
        context.set_default_timeout(10_000)
        await context.add_init_script(WATCH)
        if world is not None and who:
            name, value = ("half-way", await half_way(world)) if who == "half-way" else ("session", world.tokens[who])
            await context.add_cookies([{"name": name, "value": value, "url": self.address}])
        return context

    async def page(
        self, world: World | None, who: str = "", path: str = "", width: int = DESKTOP, **more: Any
    ) -> tuple[Page, Trouble]:
        """A page of this person, opened at a path when one is given."""
        context = await self.person(world, who, width, **more)
        page, trouble = await watched(context)
        if path:
            await page.goto(world.address(path) if world else path)
        return page, trouble

    async def close(self) -> None:
        for context in self.contexts:
            with suppress(Error):
                await context.close()
        self.contexts.clear()


async def watched(context: BrowserContext) -> tuple[Page, Trouble]:
    """A new page whose console is listened to."""
    page, trouble = await context.new_page(), Trouble()
    page.on("console", trouble.hear)
    page.on("pageerror", trouble.fail)
    return page, trouble


async def opened(page: Page, path: str) -> Response:
    """Go to a path and wait until what the page fetches by itself has come."""
    answer = await page.goto(path)
    assert answer is not None
    return answer


async def violations(page: Page) -> list[str]:
    """What the Content-Security-Policy refused on this page."""
    found: list[str] = await page.evaluate("window.violations ?? []")
    return found
