"""axe still finds what is wrong, however many texts and pages have passed before."""

import pytest
from playwright.async_api import Page

from tests.browser.axe import Axe
from tests.browser.site import DESKTOP, HEIGHTS, PHONE, Site, watched

pytestmark = pytest.mark.browser

STYLE = """(rules) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = [sheet];
}"""
NAMELESS = "() => document.querySelectorAll('label').forEach((label) => label.removeAttribute('for'))"


async def found(axe: Axe, page: Page, width: int, rules: str) -> set[str]:
    """The rules that are violated at this width when these styles are added."""
    await page.evaluate(STYLE, rules)
    await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
    return {line.partition(":")[0] for line in await axe.violations(page, contrast=True)}


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_a_text_that_cannot_be_read_is_found_after_others_passed(site: Site, width: int) -> None:
    axe = Axe()
    context = await site.person(None)
    await axe.prepare(context)
    page, _trouble = await watched(context)
    await page.goto("/sign-in")
    assert await found(axe, page, width, "") == set()
    assert axe.passed, "the looks of this page are known from here on"
    assert await found(axe, page, width, "") == set(), "and are not asked about again"
    assert await found(axe, page, width, "h1 { color: #bbb !important }") == {"color-contrast"}
    assert "color-contrast" in await found(axe, page, width, "main, main * { background: #333 !important }")
    assert "color-contrast" in await found(axe, page, width, "main { opacity: 0.3 }"), "faded as a whole"
    only_here = f"@media (min-width: {width - 10}px) and (max-width: {width + 10}px)"
    assert await found(axe, page, width, only_here + " { h1 { color: #bbb !important } }") == {"color-contrast"}
    assert await found(axe, page, width, "") == set(), "nothing that was wrong counts as passed"
    await page.evaluate(NAMELESS)
    assert "label" in await found(axe, page, width, "")
