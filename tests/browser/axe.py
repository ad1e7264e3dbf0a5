"""axe on a page: which of its rules are run where, and what is not looked at twice."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import BrowserContext, Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Said to each document and compiled only where it is asked for; sent with every page it takes longer than the rules.
#
# Half of the time of all rules goes into the contrast of one text after the other. It depends on nothing but the
# colours and the size of the text and on the ground below it; so where axe has passed a text, it is not asked about
# another one of the same look. A look is only given where the ground is known for certain: the colours of the
# ancestors up to the first that hides what lies below. Where anything is transparent, blended, a picture, or taken out
# of the flow above a ground of another, there is no look and axe is asked each time.
SCRIPT = (
    "window.loadAxe = () => {" + AXE_SCRIPT + "\n};"
    """
window.askAxe = async (tags, contrast, passed) => {
  if (!window.axe) {
    window.loadAxe();
    axe.addReporter("as found", (results, options, done) => done(results));
    axe.configure({rules: [{id: "color-contrast", selector: ":not([data-look-passed])"}]});
  }
  const CLEAR = "rgba(0, 0, 0, 0)", grounds = new Map(), looks = new Map();
  const ground = (e) => {
    if (!e) return "";
    if (grounds.has(e)) return grounds.get(e);
    const s = getComputedStyle(e), above = ground(e.parentElement), own = s.backgroundColor;
    const plain = s.backgroundImage === "none" && s.opacity === "1" && s.filter === "none"
      && s.mixBlendMode === "normal" && s.backdropFilter === "none" && s.clipPath === "none" && s.transform === "none";
    const flows = s.position === "static" || s.position === "relative";
    let found = null;
    if (plain && above !== null) found = /^rgb\\(/.test(own) ? own : flows ? above + (own === CLEAR ? "" : own) : null;
    // Hidden grounds below a floating layer do not matter, but transparency of the layer does.
    else if (plain && /^rgb\\(/.test(own) && !faded(e.parentElement)) found = own;
    grounds.set(e, found);
    return found;
  };
  const faded = (e) => {
    for (; e; e = e.parentElement) {
      const s = getComputedStyle(e);
      if (s.opacity !== "1" || s.filter !== "none" || s.mixBlendMode !== "normal") return true;
    }
    return false;
  };
  const look = (e) => {
    const below = ground(e), s = getComputedStyle(e);
    if (below === null || s.textShadow !== "none") return null;
    const kind = /^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(e.tagName) ? e.tagName : "";
    return [s.color, s.webkitTextFillColor, s.fontSize, s.fontWeight, below, kind].join("|");
  };
  const known = new Set(passed);
  if (contrast) for (const e of document.body.querySelectorAll("*")) {
    const shown = look(e);
    if (shown === null) continue;
    looks.set(e, shown);
    if (known.has(shown)) e.setAttribute("data-look-passed", "");
  }
  const results = await axe.run(document, {
    runOnly: tags, resultTypes: ["violations"], preload: false, reporter: "as found",
    rules: {"color-contrast": {enabled: contrast}},
  });
  const fresh = new Set();
  for (const rule of results) if (rule.id === "color-contrast")
    for (const found of rule.passes) if (looks.has(found.node.element)) fresh.add(looks.get(found.node.element));
  for (const e of document.querySelectorAll("[data-look-passed]")) e.removeAttribute("data-look-passed");
  const wrong = results.filter((rule) => rule.violations.length).map((rule) => `${rule.id}: ${
    rule.violations.slice(0, 3).map((found) => found.node.source.slice(0, 120)).join(", ")}`);
  return [wrong, [...fresh]];
};
"""
)
ASK = "([tags, contrast, passed]) => askAxe(tags, contrast, passed)"


@dataclass(slots=True)
class Axe:
    """Asks about pages and remembers the looks of text that have passed."""

    passed: set[str] = field(default_factory=set)

    async def prepare(self, context: BrowserContext) -> None:
        """Before the first page of a context."""
        await context.add_init_script(SCRIPT)

    async def violations(self, page: Page, *, contrast: bool) -> list[str]:
        """What axe finds on the page as it is now, as sentences."""
        found: list[Any] = await page.evaluate(ASK, [TAGS, contrast, sorted(self.passed)])
        self.passed.update(found[1])
        wrong: list[str] = found[0]
        return wrong
