"""A dialog whose form was refused is open again: modal, with the sentence at its field and the field in focus."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.site import Site
from tests.browser.world import World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 390])
async def test_a_refused_dialog_opens_again_with_its_sentence(site: Site, world: World, width: int) -> None:
    page, trouble = await site.page(world, "factory", "/contracts/{contract_id}", width)
    trouble.refusals = True
    await page.get_by_text("More steps").click()
    await page.get_by_role("button", name="Suspend", exact=True).click()
    dialog = page.locator("#suspend")
    await dialog.get_by_label("Reason").fill("   ")
    await dialog.get_by_role("button", name=re.compile("Suspend")).click()

    reason = dialog.get_by_label("Reason")
    await expect(reason).to_have_accessible_description("Fill in this field.")
    await expect(reason).to_be_focused()
    assert await dialog.evaluate("dialog => dialog.matches(':modal')")
    await dialog.get_by_role("button", name="Back").click()
    await expect(dialog).to_be_hidden()
    assert trouble.lines == []
