"""Every page in both languages, wide and narrow: readable by everybody, translated, within its own policy."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from portal.app import create_app
from portal.core.i18n import Language, catalogue
from portal.core.settings import Settings
from tests.browser.axe import Axe
from tests.browser.routes import NO_PAGE, PAGES, Shown, get_routes, looked_at
from tests.browser.site import DESKTOP, HEIGHTS, LOCALES, PHONE, Site, Trouble, violations, watched
from tests.browser.world import World
from tests.sync.samples import some

pytestmark = pytest.mark.browser

GROUPS = 4  # tests a language, so that the workers can share them
SETTLE = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map((e) => `${e.tagName}.${e.className}`)"""
# Words that stand letter under letter, because their column was left no room.
NARROW = """() => [...document.querySelectorAll("main :is(tbody th, td, dd, p, li)")]
  .filter((e) => e.checkVisibility() && e.textContent.trim().length > 5)
  .filter((e) => { const b = e.getBoundingClientRect(); return b.width > 2 && b.width < 30 && b.height > 90; })
  .slice(0, 3).map((e) => `${e.tagName} ${e.textContent.trim().slice(0, 20)}`)"""
MISSING = """() => [
  ...[...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src),
  ...[...document.querySelectorAll("svg.cf-icon")].filter((s) => !s.children.length).map((s) => "empty icon"),
]"""
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const place = walker.currentNode.parentElement;
    if (!place.closest("[lang=en], code, pre, script, style, template, textarea")) found.push(walker.currentNode.data);
  }
  for (const name of ["aria-label", "placeholder", "title", "alt", "data-announce"])
    for (const e of document.querySelectorAll(`[${name}]`))
      if (!e.closest("[lang=en]")) found.push(e.getAttribute(name));
  for (const [name, value] of Object.entries(document.querySelector("[data-receipt]")?.dataset ?? {}))
    if (name.startsWith("text")) found.push(value);
  found.push(document.title);
  return found.map((text) => text.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""
# What stays as it is in Chinese: the product, time zones, addresses, ways to write something down.
LATIN = re.compile(
    r"“[^”]*”|名称：Aurora|\{\w+\}|[0-9a-f]{8,}|\S+\.(?:csv|xlsx)|Calloff|Asia/Shanghai|Shanghai|SHA-256|https?://\S+|[\w.-]*@people\.example|(?:factory|customer|supplier)-\w+"
    r"|Telegram|PDF|PAdES|Incoterm|(?<![\w/])/(?:today|schedule|help|start|settings|language|company|stop|bind)\b"
    r"|OpenAPI|English|XLSX|CSV|API|/api/v1|UTC|CNY|ERP|EUR|gzip"
    r"|(?<![a-z])[A-Z][A-Z0-9]+(?:-\w+)*(?![a-z])|ETag|If-Match|Idempotency-Key|application/problem\+json|POST"
)
HEADINGS = set(some(1).header)  # of the file that the imports show: what it says is quoted as it is
LOOSE = re.compile(r"[。；！？] [\u4e00-\u9fff]")
ENGLISH_WORDS = re.compile(r"[A-Za-z]{3,}")


def test_every_get_route_is_looked_at_or_is_no_page() -> None:
    routes = get_routes(create_app(Settings(secret_key="x" * 40)))
    assert sorted(routes - set(PAGES) - set(NO_PAGE)) == []
    assert sorted((set(PAGES) | set(NO_PAGE)) - routes) == []


@pytest.mark.parametrize("group", range(GROUPS))
async def test_pages_in_english(site: Site, english: World, axe: Axe, group: int) -> None:
    assert await look(site, english, Language.EN, axe, looked_at()[group::GROUPS]) == []


@pytest.mark.parametrize("group", range(GROUPS))
async def test_pages_in_chinese(site: Site, chinese: World, axe: Axe, group: int) -> None:
    assert await look(site, chinese, Language.ZH, axe, looked_at()[group::GROUPS]) == []


SHEET = 697  # CSS pixels between the margins of A4


async def test_paper_shows_schedules_as_tables_without_what_can_only_be_pressed(site: Site, chinese: World) -> None:
    page, _ = await site.page(chinese, "factory", width=PHONE, locale="zh-CN")
    await page.set_viewport_size({"width": SHEET, "height": 1000})
    await page.emulate_media(media="print")
    for path, content in (
        ("/contracts/{contract_id}/schedule", ".cf-matrix tbody tr >> nth=0"),
        ("/schedules", "main thead >> nth=0"),
        ("/contracts/{contract_id}/releases/{number}", "main thead >> nth=0"),
        ("/", ".cf-today-item >> nth=0"),
    ):
        await page.goto(chinese.address(path))
        await expect(page.locator(content)).to_be_visible()
        await expect(page.locator("main .cf-button:visible, main .cf-tabs:visible, .cf-agenda:visible")).to_have_count(
            0
        )
        assert await page.evaluate(TOO_WIDE) == []


async def look(site: Site, world: World, language: Language, axe: Axe, pages: Iterable[Shown]) -> list[str]:
    """What is wrong on these pages, as sentences."""
    people: dict[str, tuple[Page, Trouble]] = {}
    wrong: list[str] = []
    for shown in pages:
        if shown.who not in people:
            context: BrowserContext = await site.person(world, shown.who, locale=LOCALES[language])
            await axe.prepare(context)
            people[shown.who] = await watched(context)
        page, trouble = people[shown.who]
        found = await examine(page, trouble, world, shown, language, axe)
        wrong += [f"{shown.path} as {shown.who or 'nobody'}: {problem}" for problem in found]
    return wrong


async def examine(page: Page, trouble: Trouble, world: World, shown: Shown, language: Language, axe: Axe) -> list[str]:
    """One page at both widths; what a smaller window shows is the same document."""
    trouble.lines.clear()
    trouble.refusals = shown.status >= 400
    await page.set_viewport_size({"width": DESKTOP, "height": HEIGHTS[DESKTOP]})
    answer = await page.goto(world.address(shown.path))
    assert answer is not None
    found = [] if answer.status == shown.status else [f"answers {answer.status} instead of {shown.status}"]
    contrast = language is Language.EN  # colours are the same in every language
    for width in (DESKTOP, PHONE):
        await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        await page.evaluate(SETTLE)
        found += [f"{width} px: {problem}" for problem in await axe.violations(page, contrast=contrast)]
        found += [f"{width} px: wider than the window: {name}" for name in await page.evaluate(TOO_WIDE)]
        found += [f"{width} px: letter under letter: {name}" for name in await page.evaluate(NARROW)]
    found += [f"missing picture {name}" for name in await page.evaluate(MISSING)]
    found += await headed(page, language)
    if language is Language.ZH:
        texts = await page.evaluate(TEXTS)
        found += [f"not in Chinese: {text}" for text in english_in(texts)]
        found += [f"a space between Chinese sentences: {text}" for text in texts if LOOSE.search(text)]
    found += [f"policy: {refusal}" for refusal in await violations(page)]
    return found + [f"console: {line}" for line in trouble.lines]


async def headed(page: Page, language: Language) -> list[str]:
    """One main heading, the right language and a title."""
    state: dict[str, Any] = await page.evaluate(
        "() => ({h1: document.querySelectorAll('h1').length, lang: document.documentElement.lang,"
        " title: document.title, main: document.querySelectorAll('main').length})"
    )
    wrong = [] if state["h1"] == 1 else [f"{state['h1']} main headings"]
    wrong += [] if state["lang"] == language else [f"says its language is {state['lang']}"]
    wrong += [] if state["title"].strip(" ·") else ["has no title"]
    return wrong + ([] if state["main"] == 1 else [f"{state['main']} main parts"])


def english_in(texts: Iterable[str]) -> list[str]:
    """Texts that are a key of the catalogue, and words of three Latin letters that belong to nothing known."""
    unknown = {text for text in texts if text in keys() or ENGLISH_WORDS.search(LATIN.sub("", text))}
    return sorted(unknown - HEADINGS)


@cache
def keys() -> frozenset[str]:
    """English texts whose Chinese differs, so that seeing them means nobody translated."""
    return frozenset(key for key, text in catalogue(Language.ZH).items() if key != text and len(key) > 2)
