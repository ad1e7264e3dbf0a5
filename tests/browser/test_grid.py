"""The grid in a real browser: keys, a pasted table, undo, saving; and the same form without any script."""

from playwright.async_api import Page, expect

from tests.browser.site import Site
from tests.browser.world import World

GRID = "/contracts/{contract_id}/schedule/grid"
PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const pasted = { clipboardData: data, bubbles: true, cancelable: true };
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", pasted));
}"""


async def values(page: Page, row: int, *columns: int) -> list[str]:
    cells = page.locator("[data-grid] tbody tr").nth(row).locator("[name^='c.']")
    return [await cells.nth(column).input_value() for column in columns]


async def test_a_planner_moves_pastes_takes_back_and_saves(site: Site, world: World) -> None:
    page, trouble = await site.page(world, "factory", GRID)
    row = page.locator("[data-grid] tbody tr").first
    cells = row.locator("[name^='c.']")
    last = await cells.count() - 1
    before = await values(page, 0, last - 1, last)

    await cells.nth(last - 1).focus()
    await page.evaluate(PASTE, "1,111\t2,222")
    assert await values(page, 0, last - 1, last) == ["1,111", "2,222"]
    await page.keyboard.press("Control+z")
    assert await values(page, 0, last - 1, last) == before

    await cells.nth(last - 1).focus()
    await page.keyboard.type("70")
    await page.keyboard.press("ArrowRight")
    await expect(cells.nth(last)).to_be_focused()
    await expect(cells.nth(last - 1)).to_have_accessible_description("Whole packs: 40 / 80")
    await page.keyboard.type("80")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert await values(page, 0, last - 1, last) == ["70", "80"]
    await expect(page.locator(".cf-grid-loose")).to_contain_text("is not a multiple of the pack size 40 pcs.")
    await expect(cells.nth(last)).to_have_accessible_description("")
    assert trouble.lines == []


async def test_a_firm_cell_is_named_when_it_shrinks(site: Site, world: World) -> None:
    page, _trouble = await site.page(world, "factory", GRID)
    fixed = page.locator("[data-grid] td:has(i) > input[name^='c.']").first
    label = await fixed.get_attribute("aria-label")
    await fixed.fill("1")
    await page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("alert").first
    await expect(alert).to_contain_text(str(label).split(",")[0])
    await expect(page.locator("[data-grid] td.is-wrong input[aria-invalid]")).to_have_value("1")
