"""A walk over everything that the bot says and over every button, in both languages: nothing is left untranslated, and
Chinese stands with its own punctuation."""

import re
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from portal.core.actor import Direction
from portal.core.i18n import Language, catalogue
from portal.core.settings import get_settings
from portal.dev.telegram.client import Bubble
from tests.bot.makers import House, Linked
from tests.core.test_i18n import marked_texts, marked_texts_beside
from tests.factories import Tenant, make_contract, make_deliveries
from tests.shipments.makers import photo, sent

HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?!()]|[,;?!()][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?!\d)")
TIGHT = re.compile(r"[\u4e00-\u9fff][A-Za-z]|[A-Za-z][\u4e00-\u9fff]")
KEPT = (  # names and figures that no language changes
    r"https?://\S+|/\w+|A100|Bearing housing|Castings|Aurora|Hengyuan( Precision)?|FC-\w+|ASN-[\w-]+|WUXI|[RWC]-\d+|"
    r"English|Telegram|“[^”]*”"
)


def missing(text: str) -> list[str]:
    """English words in a Chinese message."""
    return re.findall(r"[A-Za-z]{2,}", re.sub(KEPT, "", text))


def texts(bubbles: list[Bubble]) -> Iterator[str]:
    for bubble in bubbles:
        yield bubble.text
        yield from bubble.labels


async def walk(house: House, tenant: Tenant, language: Language) -> list[str]:
    """Both sides say and press everything once; all that the bot said and offered."""
    zh = language is Language.ZH
    bought, sold = await make_contract(tenant, Direction.PURCHASE), await make_contract(tenant, Direction.SALE)
    await make_deliveries(tenant, bought, [800, 400], status="proposed")
    await make_deliveries(tenant, bought, [300], status="confirmed")
    lines = await make_deliveries(tenant, sold, [800, 50])
    notes = [(await sent(tenant, (line, int(line.ordered_quantity)), direction=Direction.SALE))[0] for line in lines]
    ben = await house.linked(tenant.supplier, language=language)
    ann = await house.linked(tenant.customer, language=language)
    collected: list[str] = []
    for who, said in ((ben, bought.contract.number), (ann, notes[0].number)):
        for command in ("/start", "/start x", "/today", "/schedule", "/changes", "/forecast",
                        "/company", "/settings", "/help", "/language",
                        "A999", "hm", said, "/bind X-1", "/change", "/tomorrow", *plainly(zh),
                        *sentences(zh)):  # fmt: skip
            await who.phone.say(command)
            await house.quiet()
        await who.phone.photo(photo((40, 30)))
        await house.quiet()
        collected += await everything(house, who, zh)
    return collected


def plainly(zh: bool) -> tuple[str, ...]:
    """Commands in other words, and an answer that is none."""
    if zh:
        return "我的订单到哪了？", "全部确认", "上一版以来有什么变化", "承诺预测", "A100 改成 2 托", "随便", "算了"
    return "where is my order?", "confirm all", "what changed?", "commit to it", "change A100 to 2 pallets", "x", "no"


def sentences(zh: bool) -> tuple[str, ...]:
    """One for each way in which a sentence can end."""
    return SENTENCES_ZH if zh else SENTENCES_EN


SENTENCES_ZH = (
    "A100 改成 900 件", "A100 改成 2 托", "取消 A100", "A199 改到月底", "8月32日 的 A100 改到 9月1日", "A100 暂停",
    "把 A100 拆成两批", "合并 A100 的交付", "不要改 A100", "如果有货就取消 A100", "A100 单价改成 12 元",
    "取消 A100 或者改到月底", "A100 每周加 20 件", "A100 大概改成 900 件", "按 90% 承诺", "不要按 90% 承诺",
    "把 A100 的缺口结转", "如果能就结转",
)  # fmt: skip
SENTENCES_EN = (
    "change A100 to 900", "change A100 to 2 pallets", "cancel A100", "move A199 to end of month", "pause A100",
    "split A100 in two", "merge the A100 deliveries", "don't change A100", "if in stock cancel A100",
    "change the price of A100 to 12", "cancel A100 or move it to end of month", "add 20 A100 every week",
    "change A100 to about 900", "commit to 90%", "don't commit to 90%",
    "carry the shortfall of A100 over", "carry it over if we can",
)  # fmt: skip


async def everything(house: House, who: Linked, zh: bool) -> list[str]:
    """Press each kind of button once, those of new messages too, but not the other language; say what is asked."""
    pressed: set[str] = set()
    found: list[str] = []
    for _ in range(90):
        await a_minute_passes()  # nobody presses as fast
        bubbles = [bubble for bubble in await who.phone.messages() if bubble.by_bot]
        found += list(texts(bubbles))
        left = [
            (bubble.id, data, label)
            for bubble in bubbles
            for data, label in zip(bubble.data, bubble.labels, strict=False)
            if label not in pressed and label not in {"中文", "English"}
        ]
        if not left:
            break
        message, data, label = left[0]
        pressed.add(label)
        answer = await who.phone.press(data=data, message=message)
        found.append(answer.text or "")
        if label in {"Count", "清点", "Correct within 15 minutes", "15 分钟内可更正"}:
            for words in ("x", "1 2 3", "40"):
                await who.phone.say(words)
                await house.quiet()
        if label in {"Date", "日期", "Quantity", "数量"}:
            for words in ("x", "0", "2027-11-30", "70"):
                await who.phone.say(words)
                await house.quiet()
        if label in {"Other day", "其他日期"}:
            for words in ("x", "1 Jan", "2027-11-30"):
                await who.phone.say(words)
                await house.quiet()
    await who.phone.say("/stop")
    await house.quiet()
    assert not any(re.search(r"12\.50|CNY|[¥￥]", text) for text in found)  # the price of the contracts is never said
    assert not any("Too many" in text or "消息过多" in text for text in found)
    return [text for text in [*found, *texts([b for b in await who.phone.messages() if b.by_bot])] if text]


async def a_minute_passes() -> None:
    """Nobody has written anything lately."""
    client = Redis.from_url(get_settings().redis_url or "")
    if counted := [key async for key in client.scan_iter("LIMITS:chat*")]:
        await client.delete(*counted)
    await client.aclose()


@pytest.fixture
async def chinese(house: House, tenant: Tenant) -> list[str]:
    return await walk(house, tenant, Language.ZH)


async def test_everything_is_said_in_chinese_with_chinese_punctuation(chinese: list[str]) -> None:
    first = "还差一步：请在网页“我的账户 > 聊天”中批准此聊天。"
    assert first in chinese
    plain = [re.sub(r"https?://\S+", "", text) for text in chinese]
    assert sorted({text for text in plain if missing(text)}) == []
    assert sorted({text for text in plain if HALF_WIDTH.search(text)}) == []
    assert sorted({text for text in plain if TIGHT.search(text)}) == []
    assert len(set(chinese)) > 60


def told() -> dict[str, str]:
    """Every text that the bot, the notices, the letters and what they are made of can say, with its Chinese."""
    chinese = catalogue(Language.ZH)
    texts = {*marked_texts_beside("bot"), *marked_texts_beside("jobs"), *marked_texts("notices")}
    for domain in ("approvals", "changes", "forecasts", "schedules", "shipments"):  # their refusals and their words
        texts |= marked_texts(domain)
    return {text: chinese[text] for text in texts}


def test_no_message_of_any_kind_has_half_width_punctuation_in_chinese() -> None:
    """Also those that no walk reaches: every kind of notice, every level of a reminder, every refusal."""
    found = told()
    bare = {text: re.sub(r"\{\w*\}", "8", re.sub(KEPT, "", said)) for text, said in found.items()}

    assert len(found) > 600
    assert sorted(said for said in bare.values() if HALF_WIDTH.search(said)) == []
    words = r"\{(?:role|needed|measure)\}"  # are Chinese themselves
    tight = [
        said for said in found.values() if re.search(r"[\u4e00-\u9fff]\{|\}[\u4e00-\u9fff]", re.sub(words, "", said))
    ]
    assert sorted(tight) == []


async def test_everything_is_said_in_english(house: House, tenant: Tenant) -> None:
    said = await walk(house, tenant, Language.EN)

    assert sorted({text for text in said if re.search(r"[\u4e00-\u9fff]", text) and "中文" not in text}) == []
    assert sorted({text for text in said if re.search(r"\{\w*\}", text)}) == []
    assert [text for text in said for word in ("12.50", "CNY", "price is") if word in text] == []
    assert len(set(said)) > 60
