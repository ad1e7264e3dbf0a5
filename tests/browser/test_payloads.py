"""What a partner types is text on every page: no payload becomes an element, runs, or meets the policy at all."""

from collections.abc import Iterator
from itertools import cycle

import pytest
from playwright.async_api import Dialog, Page

from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.browser.routes import looked_at
from tests.browser.site import Site, Trouble, violations, watched
from tests.browser.words import Words
from tests.browser.world import World, make_world

pytestmark = pytest.mark.browser

PAYLOADS = (
    "<script>fired(1)</script>",
    "</script><script>fired(2)</script>",
    "<img src=x onerror=fired(3)>",
    '"><img src=x onerror=fired(4)>',
    "'><svg onload=fired(5)>",
    "<svg><script>fired(6)</script></svg>",
    '" onmouseover="fired(7)" autofocus onfocus="fired(7)" x="',
    "' onfocus='fired(8)' autofocus tabindex=1 x='",
    "<iframe srcdoc='<script>fired(9)</script>'></iframe>",
    "<a href=javascript:fired(10)>x</a>",
    "<form action=javascript:fired(11)><button>x</button></form>",
    "<details open ontoggle=fired(12)>",
    "<video><source onerror=fired(13)></video>",
    "<body onload=fired(14)>",
    "<input autofocus onfocus=fired(15)>",
    "<math><mtext><style><img src=x onerror=fired(16)></style>",
    "<noscript><p title='</noscript><img src=x onerror=fired(17)>'>",
    "<template><script>fired(18)</script></template>",
    "--><script>fired(19)</script><!--",
    "]]><script>fired(20)</script>",
    "&lt;script&gt;fired(21)&lt;/script&gt;",
    "&#60;img src=x onerror=fired(22)&#62;",
    "<div hx-get=/ hx-trigger=load hx-on:load=fired(23)></div>",
    "<div hx-trigger='load[fired(24)]' hx-get='/'></div>",
    "<meta http-equiv=refresh content='0;url=javascript:fired(25)'>",
    "<link rel=stylesheet href='data:text/css,*{color:red}'>",
    "<base href='https://elsewhere.example/'>",
    "{{ 7 * 7 }}{% raw %}{page}",
    "{name.__class__}%(name)s${fired(29)}",
    "</textarea></title></style><img src=x onerror=fired(30)>",
    '\\"-fired(31)-\\"',
    "`${fired(32)}`",
)
HOOK = """
window.ran = [];
window.fired = (n) => window.ran.push(n);
for (const name of ["alert", "confirm", "prompt"]) window[name] = () => window.ran.push(name);
"""
OURS = "script:not([type=module]), iframe, base, object, embed, style, meta[http-equiv], [srcdoc], math, video source"
FOUND = """(ours) => [
  ...window.ran.map((n) => `ran ${n}`),
  ...[...document.querySelectorAll(ours)].map((e) => `element ${e.outerHTML.slice(0, 80)}`),
  ...[...document.querySelectorAll("*")].flatMap((e) => [...e.attributes]
    .filter((a) => /^on|^hx-on/.test(a.name) || /^javascript:/i.test(a.value)).map((a) => `attribute ${a.name}`)),
]"""


def hostile_words() -> Words:
    """Names and notes made of payloads; every payload is somewhere."""
    given: Iterator[str] = cycle(PAYLOADS)

    def two() -> str:
        return f"{next(given)} {next(given)}"

    return Words(
        tenant=two(), customer=two(), supplier=two(), planner=next(given), clerk=next(given), seller=next(given),
        invited=next(given), items=(two(), two(), two(), two(), two()), castings=(two(), two()), place=next(given),
        titles=(two(), two(), two(), two()), late=two(), wet=two(), carrier=next(given), holiday=next(given),
    )  # fmt: skip


@pytest.fixture(scope="session")
async def hostile(database: Settings) -> World:
    """A workspace in which every name and note is a payload."""
    return await make_world(str(database.database_url), hostile_words(), Language.EN)


async def attacked(page: Page) -> list[str]:
    """What ran or became an element on this page, and what the policy had to stop."""
    found: list[str] = await page.evaluate(FOUND, OURS)
    return found + await violations(page)


async def test_no_name_or_note_becomes_more_than_text(site: Site, hostile: World) -> None:
    people: dict[str, tuple[Page, Trouble]] = {}
    wrong: list[str] = []

    async def opened_dialog(dialog: Dialog) -> None:
        wrong.append(f"a dialog opened: {dialog.message}")
        await dialog.dismiss()

    for shown in looked_at():
        if shown.who not in people:
            context = await site.person(hostile, shown.who)
            await context.add_init_script(HOOK)
            people[shown.who] = await watched(context)
            people[shown.who][0].on("dialog", opened_dialog)
        page, _trouble = people[shown.who]
        await page.goto(hostile.address(shown.path))
        wrong += [f"{shown.path} as {shown.who or 'nobody'}: {problem}" for problem in await attacked(page)]
    assert wrong == []


async def test_payloads_are_shown_as_they_were_typed(site: Site, hostile: World) -> None:
    page, _trouble = await site.page(hostile, "factory", "/contracts/{contract_id}/schedule")
    text = await page.locator("main").inner_text()
    assert all(name in text for name in hostile.words.items)
    assert hostile.words.late in text
