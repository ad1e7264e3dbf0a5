"""The grammar: a sentence whose names, days and quantities have left signs, read for verbs and roles."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from bot.reading import days, numbers, parts
from bot.reading.days import EARLIER, LATER, Said
from bot.reading.model import Why, World
from bot.reading.numbers import Amount
from bot.reading.parts import PART, Named

D, Q, S = "[\ue000-\ue0ff]", "[\ue100-\ue1ff]", "[\ue200-\ue2ff]"
AMOUNT, SHIFT = 0xE100, 0xE200


@dataclass(frozen=True, slots=True)
class Shift:
    """So much earlier or later."""

    count: int
    unit: str  # day, week, month or work


@dataclass(slots=True)
class Sentence:
    """A sentence taken apart. skeleton: what is left, with signs."""

    skeleton: str
    named: Named
    days: list[Said]
    amounts: list[Amount]
    shifts: list[Shift]
    verbs: set[str] = field(default_factory=set)

    def has(self, pattern: str) -> bool:
        return re.search(pattern, self.skeleton, re.ASCII) is not None


_SHIFT_UNITS = {
    **dict.fromkeys(("个工作日", "工作日", "working days", "working day", "business days", "business day"), "work"),
    **dict.fromkeys(("天", "日", "days", "day"), "day"),
    **dict.fromkeys(("个星期", "个礼拜", "星期", "礼拜", "周", "weeks", "week"), "week"),
    **dict.fromkeys(("个月", "months", "month"), "month"),
}
_COUNT = rf"(?:(?<!\d)\d{{1,3}}|[{numbers.ZH}]+|\ba|\ban|\b{numbers.ENGLISH})"
_SHIFT = re.compile(
    rf"({_COUNT})[ -]?({'|'.join(sorted(_SHIFT_UNITS, key=len, reverse=True))})(以?后|之后|内)?(?![a-z])",
    re.IGNORECASE | re.ASCII,
)
_PERCENT = re.compile(
    rf"({numbers.NUMBER})\s?(?:%|percent|per cent)|百分之([{numbers.ZH}\d]+)", re.IGNORECASE | re.ASCII
)
_AMOUNT = re.compile(
    rf"(?<![a-z\d.])(?<!\d,)([-+]?)\s?({numbers.NUMBER})\s?({numbers.UNIT})?(?:(?:(?<! )[-~—](?! )|"
    rf" [-~—] |\s?[至到]\s?| to )({numbers.NUMBER})\s?({numbers.UNIT})?)?(?![a-z\d])",
    re.IGNORECASE | re.ASCII,
)
_SAME = re.compile(  # what is said to stay, stays
    r"[,，]?(?:数量|日期|交期|其[他余])都?不变|,? ?(?:\band )?(?:\bthe )?(?:\b(?:same )?quantity|\bdate) "
    r"(?:(?:stays|remains|is) )?(?:unchanged|the same)\b"
)
_INSTEAD = re.compile(  # Aug 18 rather than Aug 15
    rf"(?:\b(?:on|for|to|by) )?(?:the )?({D}|{Q}),? (?:rather than|instead of|and not)(?: on| for)?(?: the)? ({D}|{Q})"
)
_BECOMES = re.compile(rf"(?<!from )({Q}) ?(?:->|→|=>) ?({Q})")
_THE_REST = re.compile(
    r"(?:其余|余下|剩余|剩下)的?(?:数量)?|(?:\band )?\bthe (?:rest|remainder|remaining)\b(?: quantity)?"
)
REST = "\ue401"  # what a split leaves, as a quantity
_COUNTERS = re.compile(
    rf"(?:[{numbers.ZH}]|\d)+(?:批|笔|次|下|份)|\binto (?:two|three|four|2|3|4)\b|\bin (?:two|three|"
    rf"four|2|3|4)\b|\b(?:into|as|to) (?:one|a single)\b(?=$| deliver| on| for|[,.!])|\banother one\b|"
    rf"\b(?:two|three|four|2|3|4) (?=deliver)|一起|统一|一样"
)

VERBS: dict[str, str] = {
    "cancel": r"取消|不要了|作废|撤掉|撤销|删掉|不需要了|不[送发交来]了|\bcancel|"
    rf"\bscrap\b|\b(?:skip|kill|delete|remove|drop)(?: the| our| this)?(?: {D})?(?: of)? ?(?:{PART}|deliver|{D})|"
    r"(?:no longer|not|n't) (?:need|want)|不再需要",
    "split": r"拆|分成|分为|分\ue400|分批|\bsplit\b|\bdivide\b",
    "join": r"合并|归并|并单|合[到成为在至]|并[到成为入至在]|\bmerg|\bjoin|\bcombin|\bconsolidat|\bput\b.*\btogether\b",
    "new": r"新增|新加|新下|加订|加单|再要\ue400|再来\ue400|追?加\ue400|\b(?:new|another|extra|"
    r"additional) (?:delivery|order)\b|"
    r"\badd (?:a|another|one) (?:new )?delivery\b",
    "pause": r"暂停|停一下|先停|停止交货|停止送货|停送|不要?[送交发]货|(?<!the )\bpause\b|(?<!off )\bhold\b(?! on)|"
    rf"\bstop (?:the |all )?(?:deliver|shipping|sending)|\bno (?:more )?(?:deliver(?:y|ies)\b|{PART})|"
    r"\bon hold\b|\bsuspend\b",
    "less": rf"减|缩减|砍|\btrim\b|\btake\b.*\boff\b|\bremove (?={Q})|"
    rf"下调|少[送要给]?(?={Q})|少[送要给]|\breduc|\bdecreas|\bcut\b|\blower\b|\bless\b|"
    rf"\bfewer\b|\bminus\b",
    "more": rf"增|追加|上调|多[送要给]|多(?={Q})|再[来要](?={Q})|\banother (?={Q})|"
    rf"加(?={Q}|{PART})|\bincreas|\braise\b|(?<!any )\bmore\b|"
    rf"\bplus\b|\badd\b|\bextra\b|\badditional\b",
    "double": r"翻倍|加倍|\bdouble\b",
    "half": r"减半|\bhalve\b|\bhalf\b",
    "earlier": r"提前|提早|早[点些送到]|早(?=[\ue200-\ue2ff])|往前|前移|\bearlier\b|\bbring\b.*\bforward\b|"
    r"\bpull\b.*\bin\b|\badvance\b|\bsooner\b",
    "later": r"推迟|推后|延后|延期|延迟|延到|延至|顺延|拖到|晚(?!上|点)|缓|往后|后移|\bslip|"
    r"\bpush\b.*\bback\b|\blater\b|\bdelay|"
    r"\bpostpon|\bpush\b.*\bout\b|\blate\b|\bdefer",
    "move": r"改到|改至|改期|挪|移到|移至|调到|调至|\bmove\b|\bshift\b|\breschedul|\bpush\b|\bpull\b|"
    r"\bbring\b|->|→|=>",
    "set": rf"改|调整|变更|换成|变成|变为|调[成为]|只[送给交发](?!了)|先[送给交发](?={Q})|\bshould be\b|\bbecomes?\b|"
    rf"\bonly (?={Q})|"
    r"\bchange\b|\bset\b|\bmake\b|\badjust\b|\bupdate\b|只能|\bcan only\b|\bcould only\b",
}
_NEGATED = re.compile(
    r"(?<![来差])不(?!要了|需要了|再需要|能|可|够|[送发交来]了|要?[送交发]货)|没(?!有了)|勿|(?<![特分级类])别(?!的)|不能[改取]|"
    r"\b(?:nobody|never|stop(?! (?:the |all )?(?:deliver|shipping|sending))|undo|without|cannot|dont)\b|"
    r"(?:\bnot|n't)\b(?! (?:need|want))",
    re.ASCII,
)
_UNCLEAR = re.compile(
    rf"每|各周|都|所有|全部|之前|以前|以后|之后|之间|最晚|最早|不晚于|至少|最多|以[上下]|超过|去年|"
    rf"上周|上个?月|也许|可能|或|还是|"
    rf"{D}(?:起|开始|前|后)|剩|其余|余下|{D} week\b|\bthe (?:rest|remaining)\b|"
    rf"\b(?:every|all|weekly|daily|monthly|per|before|after|since|between|"
    rf"by(?= ?{D})|latest|earliest|"
    r"at least|at most|up to|minimum|maximum|everything|maybe|perhaps|might|last|or|instead|swap|replace)\b",
    re.ASCII,
)
_BARE = re.compile(  # what may stand before a quantity without a unit
    rf"(?:^|[,.;:，。；：、(\ue000-\ue0ff{PART}成为到至加增多少减给送要按改量消从由]|\b(?:to|by|it|send|need|want|plus|minus|add|"
    r"cut|reduce|increase|quantity|qty|cancel|now|about|around|and|with|only|raise|lower|half|into|make|of|from|"
    r"be|becomes|take|remove|do|deliver|ship|supply|another|the|trim|merge|join|combine)\b|"
    r"[-+]) ?[-+]?$",
    re.ASCII,
)
_BARE_TAIL = re.compile(
    rf" ?(?:$|[,.;:!?，。；：！？、)]|{D}|{Q}|{PART}|[的吧和更改调增减加到至]|\b(?:more|less|fewer|of|"
    rf"on|and|please|pls|instead|then|for|thanks|now|extra|each|off|from)\b)",
    re.ASCII,
)
_CONDITION = re.compile(r"如果|要是|假如|假设|万一|除非|\bif\b|\bunless\b|\bin case\b", re.ASCII)
_REQUEST = re.compile(
    r"行吗|行不行|好吗|能不能|能否|可不可以|可以|可否|能|\b(?:can|could|would|will) (?:you|we|i)\b|\bplease\b|\bpls\b",
    re.ASCII,
)
_ASKED = re.compile(
    r"为什么|为何|什么时候|何时|哪|谁|多少|了吗|了没|了么|已经?|\b(?:why|when|where|who|how|which|was|"
    r"were|did|has been|have you|should i|should we|shall i|shall we"
    r"|already|arrived|received|moved|changed)\b",
    re.ASCII,
)
_TOGETHER = re.compile(r"\ball\b|所有|全部|都")  # what a join may say
_PRICE = re.compile(r"单价|价格|报价|\bprice|\bcosts?\b|[￥¥$€]|\d\s?元|\brmb\b|\bcny\b|\beur\b|\busd\b", re.ASCII)
_APPROXIMATE = re.compile(r"大概|大约|差不多|左右|约|上下|\babout\b|\baround\b|\bapprox|\broughly\b|\bca\b", re.ASCII)


def plain(text: str) -> str:
    """Full-width signs as half-width, small letters, one space."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(?<=\d) (?=[年月日号])|(?<=[年月]) (?=\d)", "", text)  # a date may be spaced out


def flat(text: str) -> str:
    """Full-width signs as half-width, one space; letters as they were written."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).replace("’", "'")).strip()


def take_apart(text: str, world: World) -> Sentence | Why:
    """Names first, so that A100 Aug 15 is no day 00 of August; then days, then spans of days, then quantities."""
    named = parts.find(flat(text), world.deliveries)
    rest = _SAME.sub(" ", plain(named.text))
    rest, found = days.find(rest, world.today)
    rest = days.with_weekdays(rest, found, world.today)
    rest, shifts = _shifts(rest, found)
    rest = _COUNTERS.sub("\ue400", rest)
    rest, amounts = amounts_of(rest)
    rest = _BECOMES.sub(r" from \1到\2", _INSTEAD.sub(r" from \2到\1 ", rest))
    made = Sentence(rest, named, found, amounts, shifts)
    made.verbs = {verb for verb, pattern in VERBS.items() if made.has(pattern)}
    made.verbs |= {"more" if each.value > 0 else "less" for each in amounts if each.signed}
    if "split" in made.verbs:
        made.skeleton = _THE_REST.sub(REST, made.skeleton)
    return _refused(_SAME.sub(" ", plain(text)), made) or made


def _shifts(text: str, found: list[Said]) -> tuple[str, list[Shift]]:
    """Spans of days; three days "after" is a day that may be counted from today or from the delivery."""
    shifts: list[Shift] = []

    def taken(match: re.Match[str]) -> str:
        try:
            count = int(numbers.number_of(match[1]))
        except (ValueError, KeyError):
            return match[0]
        unit = _SHIFT_UNITS[match[2].lower()]
        if match.lastindex == 3 and match[3] and unit in {"day", "week"}:
            found.append(Said("after", day=count * (7 if unit == "week" else 1)))
            return chr(days.SIGN + len(found) - 1)
        shifts.append(Shift(count, unit))
        return chr(SHIFT + len(shifts) - 1)

    text = re.sub(r"\bin (?=(?:\d{1,3}|[a-z]+) days?\b)([\d a-z]+? days?)\b", r"到\1后", text)
    return _SHIFT.sub(taken, text), shifts


def amounts_of(text: str) -> tuple[str, list[Amount]]:
    """Quantities and percentages out of a sentence without days: with a sign for each."""
    amounts: list[Amount] = []

    def kept(amount: Amount) -> str:
        amounts.append(amount)
        return chr(AMOUNT + len(amounts) - 1)

    def percent(match: re.Match[str]) -> str:
        return kept(Amount(numbers.number_of(match[1] or match[2]), percent=True))

    def taken(match: re.Match[str]) -> str:
        sign, value, unit, to, to_unit = match.groups()
        if len(re.sub(r"\D", "", value)) >= numbers.LONGEST:
            return match[0]
        try:
            first, last = numbers.number_of(value), numbers.number_of(to) if to else None
        except (ValueError, KeyError):
            return match[0]
        code = numbers.UNITS.get((unit or to_unit or "").lower())
        lead = text[: match.start()].rstrip()
        if last is not None and re.search(r"(?:从|由|from)$", lead):  # from 400 to 500 is no range
            return f"{kept(Amount(first, code))}到{kept(Amount(last, code))}"
        return sign + kept(Amount(-first if sign == "-" else first, code, bool(sign), last))

    text = _PERCENT.sub(percent, text)
    return _AMOUNT.sub(taken, text), amounts


def is_asked(text: str) -> bool:
    """Whether a plain message asks or tells, and wishes for nothing."""
    return bool(_ASKED.search(text) or (re.search(r"吗\W*$", text) and not _REQUEST.search(text)))


def is_about_price(text: str) -> bool:
    """Whether a plain message speaks of money."""
    return _PRICE.search(text) is not None


def is_negated(text: str) -> bool:
    """Whether a plain message wishes that something is not done."""
    return _NEGATED.search(text) is not None


def is_conditional(text: str) -> bool:
    """Whether a plain message wishes for something only when something else happens."""
    return _CONDITION.search(text) is not None


def _refused(text: str, made: Sentence) -> Why | None:
    """What is certainly no single change."""
    if not made.verbs and not made.has(rf"(?:到|至|\bto)(?: about| around)? ?(?:{D}|{Q})"):
        return Why.NOTHING
    if is_asked(text):
        return Why.NOTHING
    if not (made.named.parts or made.named.alike is not None or made.days or made.amounts or made.shifts):
        return Why.NOTHING
    if is_about_price(text):
        return Why.PRICE
    if is_negated(text):
        return Why.NEGATED
    if is_conditional(text):
        return Why.CONDITION
    if len(made.named.parts) > 1:
        return Why.SEVERAL
    if contradicts(made.verbs):
        return Why.CONTRADICTION
    said = _TOGETHER.sub(" ", made.skeleton) if "join" in made.verbs else made.skeleton
    return Why.UNCLEAR if _UNCLEAR.search(said) or _unexplained(made) else None


def _unexplained(made: Sentence) -> bool:
    """Whether a number is left that may be a time, a gate or a telephone, or a part of the goods is moved alone."""
    for no, amount in enumerate(made.amounts):
        lead, _sign, tail = made.skeleton.partition(chr(AMOUNT + no))
        if amount.unit is None and not amount.percent and not (_BARE.search(lead) and _BARE_TAIL.match(tail)):
            return True
        if made.verbs & {"split", "new", "more", "less", "join"} or re.search(r"(?:[成为量]|\bit|\bto) ?$", lead):
            continue
        if re.search(rf"(?:到|至|\bto) ?{D}", tail, re.ASCII):
            return True
    if made.verbs & {"half"} and made.has(r"\bhalf of\b|一半"):
        return True
    return made.has(r"\d") or ("cancel" in made.verbs and made.has(rf"(?:从|自|\bfrom) ?{D}"))


def contradicts(verbs: set[str]) -> bool:
    """Two verbs that exclude each other."""
    ups, downs = verbs & {"more", "double"}, verbs & {"less", "half"}
    if "half" in verbs or "double" in verbs:
        downs, ups = downs - {"less"}, ups - {"more"}
    if (ups and downs) or {"earlier", "later"} <= verbs:
        return True
    if "join" in verbs and verbs & {"cancel", "split", "pause", "new", "double", "half", "more", "less"}:
        return True
    return "cancel" in verbs and bool(verbs & {"move", "earlier", "later", "split", "pause", "new"})


@dataclass(frozen=True, slots=True)
class Roles:
    """Which sign plays which part: places in the lists of the sentence."""

    source: tuple[int, ...]
    target: tuple[int, ...]
    before: tuple[int, ...]  # quantities said to be there now
    after: tuple[int, ...]


_TO = r"(?:到|至|成|为|改|调|挪|移|期|->|→|=>|-|\bto|\bbe|\bbecomes?|\buntil|\btill|\band|\bnow|\bby)(?: the| be)? ?$"
_OF = r"(?:从|由|原定?|\bfrom|\bon|\bof|\bfor|\bdue)(?: the)? ?$"


_BEFORE = rf"(?:从|由|\bfrom|{Q} (?:out )?of(?: the)?) ?$"  # 500 of the 600


def roles(made: Sentence) -> Roles:
    """Days and quantities by the words before them; unmarked days are first the present one, then the new one."""
    source: list[int] = []
    target: list[int] = []
    unmarked: list[int] = []
    before: list[int] = []
    after: list[int] = []
    for at, sign in enumerate(made.skeleton):
        lead, tail = made.skeleton[:at], made.skeleton[at + 1 :]
        code = ord(sign)
        if days.SIGN <= code < AMOUNT:
            place = code - days.SIGN
            if re.match(r" ?(?:的|'s\b)", tail) or re.search(_OF, lead):
                source.append(place)
            else:
                (target if re.search(_TO, lead) else unmarked).append(place)
        elif AMOUNT <= code < SHIFT:
            (before if re.search(_BEFORE, lead) else after).append(code - AMOUNT)
    for place in unmarked:
        (target if source else source).append(place)
    return Roles(tuple(source), tuple(target), tuple(before), tuple(after))


def direction(made: Sentence) -> int:
    """-1 earlier, 1 later, 0 not said."""
    return EARLIER if "earlier" in made.verbs else LATER if "later" in made.verbs else 0


def shifted(day: date, shift: Shift, sign: int, world: World) -> date:
    """The day so much earlier or later. Months keep the day of the month where they have it."""
    if shift.unit == "work":
        return world.calendar.add_working_days(day, sign * shift.count)
    if shift.unit == "month":
        month = day.year * 12 + day.month - 1 + sign * shift.count
        return days.of_month(month // 12, month % 12 + 1, 1, day.day)[1]
    return day + days.DAY * sign * shift.count * (7 if shift.unit == "week" else 1)


def share(amount: Amount, quantity: Decimal) -> Decimal:
    """So many percent of a quantity."""
    return quantity * amount.value / 100


def is_approximate(made: Sentence) -> bool:
    """Whether the quantity is only about right."""
    return _APPROXIMATE.search(made.skeleton) is not None
