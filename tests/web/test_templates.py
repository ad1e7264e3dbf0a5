"""What the Content-Security-Policy, the two languages and the style sheet ask of every template, read from its text."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from portal.web.assets import DIST

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "portal" / "web" / "templates").rglob("*.html"))
CSS = sorted((ROOT / "frontend" / "src" / "css").glob("*.css"))
CATALOGUES = sorted((ROOT / "portal" / "locale" / "zh_CN").glob("*.po"))
FORBIDDEN = {
    "style attribute": r"\sstyle\s*=",
    "style element": r"<style\b",
    "inline handler": r"\son[a-z]+\s*=",
    "hx-on": r"hx-on\b",
    "script in an address": r"javascript:",
    "script in htmx values": r"[\"'{:\s]js:",
    "filter of a trigger": r"hx-trigger=\"[^\"]*\[",
    "htmx 2 stream": r"sse-(connect|swap)=",
    "inline script": r"<script(?![^>]*\bsrc=)",
    "other host": r"(?:src|href|action)=\"(?:https?:)?//",
}
FORM = re.compile(r"<form\b[^>]*method=\"post\"[^>]*>.*?</form>", re.DOTALL)
CJK = r"[\u4e00-\u9fff]"

each_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)


@cache
def chinese() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in CATALOGUES:
        with path.open("rb") as source:
            found |= {str(m.id): str(m.string) for m in read_po(source) if m.id and m.string}
    return found


def marked() -> Iterator[tuple[str, str]]:
    """(file, English text) of everything the pages translate."""
    environment = Environment(autoescape=True)
    for path in TEMPLATES:
        for _line, _function, message in extract_from_ast(environment.parse(path.read_text("utf-8"))):
            plural = (message,) if isinstance(message, str) else message or ()
            yield from ((path.name, text) for text in plural if text)
    for path in sorted((ROOT / "portal" / "web").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name in {"_", "N_", "ngettext"}:
                given = [a.value for a in node.args if isinstance(a, ast.Constant)]
                yield from ((path.name, text) for text in given if isinstance(text, str))


@each_template
def test_a_template_asks_nothing_that_the_policy_refuses(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert [name for name, pattern in FORBIDDEN.items() if re.search(pattern, text, re.IGNORECASE)] == []


@each_template
def test_every_post_form_carries_the_token(path: Path) -> None:
    forms = FORM.findall(path.read_text("utf-8"))
    assert all("csrf_input" in form for form in forms)


@each_template
def test_every_class_of_ours_exists_in_the_style_sheet(path: Path) -> None:
    sheet = "".join(css.read_text("utf-8") for css in CSS)
    scripts = "".join(js.read_text("utf-8") for js in (ROOT / "frontend" / "src" / "js").glob("*.js"))
    values = re.findall(r"class=\"([^\"]*)\"", path.read_text("utf-8"))
    used = {name for value in values for name in re.findall(r"\bcf-[a-z0-9_-]*[a-z0-9](?![-\w{])(?!\{\{)", value)}
    known = set(re.findall(r"\.(cf-[\w-]+)", sheet + scripts))
    assert used - known == set()


@each_template
def test_every_icon_is_in_the_subset(path: Path) -> None:
    drawn = json.loads((DIST / "icons.json").read_text("utf-8"))
    named = set(re.findall(r"\bicon\(\"([\w-]+)\"", path.read_text("utf-8")))
    assert named - set(drawn) == set()


def test_every_text_of_the_pages_has_its_chinese() -> None:
    assert sorted({(text, name) for name, text in marked() if text not in chinese()}) == []


def test_chinese_texts_use_full_width_punctuation_and_spaced_latin() -> None:
    texts = chinese().values()
    assert [text for text in texts if re.search(rf"{CJK}[,;:!?()]|[,;:!?(]{CJK}", text)] == []
    assert [text for text in texts if re.search(rf"{CJK}[A-Za-z0-9]|[A-Za-z0-9]{CJK}", text)] == []


def test_a_translation_asks_for_no_placeholder_that_is_not_filled() -> None:
    extra = {
        english: set(re.findall(r"\{(\w+)\}", text)) - set(re.findall(r"\{(\w+)\}", english))
        for english, text in chinese().items()
    }
    # the receipt's script offers the unit to every sentence about a count
    assert {english: names for english, names in extra.items() if names - {"unit"}} == {}


def test_the_week_matrix_translates_nothing_inside_its_loops() -> None:
    text = (ROOT / "portal" / "web" / "templates" / "schedules" / "_matrix.html").read_text("utf-8")
    cells = text[text.index("{%- for row in board.rows %}") :]
    assert not re.search(r"_\(|ngettext|ui\.|\|", cells)
