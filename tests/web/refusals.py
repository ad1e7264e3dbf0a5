"""What a refused form says: the sentences under its fields, read from the page."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx
import pytest
from litestar import Litestar

from portal.core.actor import Actor
from portal.core.days import FIRST, LAST
from portal.core.i18n import Language, day, speaking
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Tenant, fetch

EN, ZH = Language.EN, Language.ZH
FIELD = re.compile(r'<(?:input|textarea|select)\b[^>]*\baria-invalid="true"[^>]*>')
SENTENCE = '<p class="cf-error" id="{id}-error">.*?<span>(.*?)</span>'


@asynccontextmanager
async def signed_in(app: Litestar, actor: Actor, language: Language = EN) -> AsyncIterator[Browser]:
    """A colleague of this role at a browser that shows this language."""
    person = await make_person(actor, actor.role)
    async with browsing(app, person.token) as browser:
        await browser.send("/language", language=language.value)
        yield browser


def wrong(answer: httpx.Response) -> dict[str, str]:
    """The sentence under each wrong field, by the field's name. A bare page of refusal is none of ours."""
    assert answer.status_code in (409, 422), (answer.status_code, text_of(answer)[-300:])
    assert "cf-refusal" not in answer.text, text_of(answer)
    return dict(_wrong(answer.text))


def _wrong(page: str) -> Iterator[tuple[str, str]]:
    for found in FIELD.findall(page):
        key, name = (re.search(rf' {part}="([^"]*)"', found) for part in ("id", "name"))
        assert key is not None, found
        assert name is not None, found
        yield name[1], sentence_at(page, key[1])


def sentence_at(page: str, key: str) -> str:
    """The sentence under the field of this id."""
    said = re.search(SENTENCE.format(id=re.escape(key)), page, re.DOTALL)
    assert said is not None, key
    return unescape(said[1])


def value_of(answer: httpx.Response, name: str) -> str:
    """What stands in a field of the page."""
    found = re.search(rf'<input\b[^>]*name="{re.escape(name)}"[^>]*value="([^"]*)"', answer.text)
    return unescape(found[1]) if found else ""


def outside(language: Language) -> str:
    """What is said of a day that nobody can mean."""
    with speaking(language):
        first, last = day(FIRST, year=True), day(LAST, year=True)
    if language is ZH:
        return f"年份不对。请填写 {first}至 {last}之间的日期。"
    return f"The year cannot be right. Enter a day from {first} to {last}."


EMPTY = {EN: "Fill in this field.", ZH: "请填写此项。"}
NO_DATE = {EN: "“2026-02-30” is not a date. Write it as 2026-11-24.", ZH: "“2026-02-30”不是日期。请写成 2026-11-24。"}
LONG = {EN: "At most {n} characters fit here.", ZH: "此处最多 {n} 个字符。"}
TONGUES = pytest.mark.parametrize("language", [EN, ZH])


async def rows(tenant: Tenant, *tables: str) -> list[Any]:
    """Everything in these tables, to compare before with after."""
    return [await fetch(tenant.factory, f"select to_jsonb(t) from {table} t order by 1") for table in tables]
