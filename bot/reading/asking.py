"""Plain questions and wishes that are commands in other words: read whole or not at all, in both languages."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.reading.sentence import plain


class Wish(StrEnum):
    """What somebody wants to see or do."""

    TODAY = "today"  # what waits
    SCHEDULE = "schedule"  # what comes next
    CHANGES = "changes"  # what the last release changed
    FORECAST = "forecast"  # to commit to
    CONFIRM_ALL = "confirm_all"
    HELP = "help"
    SETTINGS = "settings"  # when and how one is told
    COMPANY = "company"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish, and the contract that it names."""

    wish: Wish
    contract: str = ""


_POLITE = r"\b(?:please|pls|thanks|thank you|can you(?! do)|could you|i want to|i would like to|i'd like to|let me)\b"
_POLITE += r"|\b(?:show me|show|tell me)\b|请问|请|麻烦|帮我|谢谢|我想|我要|看看|看一下|查看|查一下|一下|吗|呢|吧|啊"
_LAST = r"(?:last|latest|newest|new|previous)"
_ZH_RELEASE = (
    r"(?:上次|上一次|上一版|最近一?次?|最新一?版?|最新|这次|这一版|新一?版)?的?(?:发布|要货计划|计划|版本|版)?"
)
_NEWS = r"(?:变化|变动|改动|更新|变更|改变)"
_WHICH = r"(?:什么|哪些|啥)"
_SHAPES: dict[Wish, str] = {
    Wish.CHANGES: rf"what(?:'s| is| has|s)? (?:changed|new|different)(?: since| in| with| after)?(?: the)?"
    rf"(?: {_LAST})?(?: release)?(?: of| in| for)?|"
    rf"changes(?: since| in| of)?(?: the)?(?: {_LAST})?(?: release)?(?: of)?|"
    rf"(?:the )?{_LAST} release|what did the (?:{_LAST} )?release change|"
    rf"{_ZH_RELEASE}(?:以来|之后|后)?都?(?:(?:改|变|更新)了{_WHICH}|有?{_WHICH}{_NEWS}了?)|"
    rf"{_ZH_RELEASE}(?:以来|之后|后)?的?{_NEWS}(?:是什么)?",
    Wish.FORECAST: r"(?:the )?forecasts?(?: to commit(?: to)?)?|"
    r"commit(?: to)?(?: all)?(?: the| of the)?(?: forecasts?)?|"
    r"(?:要|待|需要?)?(?:承诺|提交承诺|做承诺)?的?预测(?:承诺)?|承诺(?:全部)?(?:预测)?|提交承诺|预测要承诺什么",
    Wish.CONFIRM_ALL: r"confirm (?:all|everything|them all|all of them|all deliveries|all of it)|"
    r"全部确认|全都确认|都确认|确认全部|确认所有|所有都确认|一键确认|全部交付都?确认|确认全部交付|确认所有交付",
    Wish.TODAY: r"today|what (?:waits|is waiting)(?: for me)?|what is to do(?: today)?|what do i have to do(?: today)?|"
    r"what(?:'s| is) (?:open|up) today|anything (?:to do|waiting)(?: for me)?|"
    r"今天|今日|待办|今天有什么(?:事|待办)?|有什么(?:待办|要做的|要处理的|要我处理的)|有待办",
    Wish.SCHEDULE: r"(?:the )?schedule|(?:the |my )?next deliver(?:y|ies)|what comes next|(?:upcoming )?deliveries|"
    r"(?:下一?[次笔批]|接下来的?|近期的?|最近的)(?:交付|交货|送货)(?:是什么时候)?|(?:交付|交货|要货)计划",
    Wish.HELP: r"help|what can you do|帮助|你(?:能|会)做什么|怎么用",
    Wish.SETTINGS: r"(?:my |the )?(?:notification )?settings|(?:my |the )?quiet hours|"
    r"(?:通知|消息|提醒|免打扰)?的?设置|设置(?:通知|消息|提醒|免打扰)|免打扰(?:时段|时间)?",
    Wish.COMPANY: r"(?:switch|change)(?: the| my)? company|(?:切换|更换|换)(?:一家)?公司",
    Wish.LANGUAGE: r"(?:switch|change)(?: the| my)? language|(?:切换|更换|更改|换)语言",
}
_READ = {wish: re.compile(shape) for wish, shape in _SHAPES.items()}
_CONTRACT = re.compile(r"(?<![a-z0-9])(?=[a-z0-9/_-]*\d)[a-z]+[a-z0-9]*(?:[-/_][a-z0-9]+)+(?![a-z0-9])")


_THANKS = re.compile(
    r"(?:(?:ok|okay|great|good|perfect|super|all right|got it|yes)[ ,.!]+)?"
    r"(?:(?:many |much )?thanks?(?: you| u)?|thx|ty|cheers|much appreciated|danke)"
    r"(?: (?:a lot|so much|very much|again))?|"
    r"(?:好的?|行|收到|嗯)?[，, ]?(?:非常|太|十分)?(?:感谢|谢谢|多谢|谢了|谢啦|辛苦了?|感恩|3q)(?:您|你|了|啦|啊)*"
)


_HELLO = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings)(?: there| all| everybody)?|"
    r"(?:你|您|大家)好[啊呀]?|(?:早上|上午|中午|下午|晚上)好|早安?|哈喽|嗨|在吗"
)


def thanks(text: str) -> bool:
    """Whether the whole message is nothing but thanks."""
    return _THANKS.fullmatch(_bare(text)) is not None


def greets(text: str) -> bool:
    """Whether the whole message is nothing but a greeting."""
    return _HELLO.fullmatch(_bare(text)) is not None


_QUESTION = re.compile(r"\bwhere\b|哪|\?$")


def something_else(text: str) -> bool:
    """Whether it is a question or a command in other words, and no figure or day that was asked for."""
    wish = asked(text)
    return _QUESTION.search(plain(text)) is not None or (wish is not None and wish.wish is not Wish.TODAY)


def _bare(text: str) -> str:
    return re.sub(r"[\s.!?。！？~～🙏👍😊👋]+$", "", plain(text))


def asked(text: str) -> Asked | None:
    """The wish that the whole message is; None when it is about anything else."""
    said = plain(text)
    named = _CONTRACT.findall(said)
    if len(named) > 1:
        return None
    rest = re.sub(_POLITE, " ", _CONTRACT.sub(" ", said))
    rest = re.sub(r"[.,?!;:。，？！；：、\"“”]", " ", rest)
    rest = re.sub(r"(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff])", "", re.sub(r"\s+", " ", rest)).strip()
    rest = re.sub(r"^(?:合同|的)+|(?:合同|的)+$", "", rest).strip()
    for wish, shape in _READ.items():
        if rest and shape.fullmatch(rest):
            if named and wish is not Wish.CHANGES:
                return None
            return Asked(wish, named[0].upper() if named else "")
    return None
