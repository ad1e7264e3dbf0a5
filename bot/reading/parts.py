"""Contracts and parts of a sentence: exact names first, then slips of O for 0 and I for 1; what is alike is asked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bot.reading.model import Delivery

PART = "\ue300"  # stands in the sentence where a part stood
ALIKE = 70  # of 100: less is another part altogether
MARGIN = 10  # by how much the best must lead to be offered alone
_TOKEN = re.compile(r"[a-z0-9]+(?:[-_./][a-z0-9]+)*", re.IGNORECASE)
_NO_PART = re.compile(  # weeks, days, ordinals and quantities look like part numbers
    r"(?:w|wk|cw|kw|week)\d{1,2}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\d{1,2}(?:st|nd|rd|th)?|"
    r"\d+(?:st|nd|rd|th)|[\d.,]+(?:x|pcs|pc|ea|kgs?|g|t|m|l|k|cases?|box(?:es)?|packs?|cartons?|"
    r"pallets?|days?|weeks?)",
    re.IGNORECASE,
)
_RUNS = re.compile(r"[\u4e00-\u9fff]+|[A-Za-z][A-Za-z ]{2,}")


@dataclass(frozen=True, slots=True)
class Named:
    """What a sentence names. text: the sentence with a sign in place of each name."""

    text: str
    contracts: frozenset[str]
    parts: frozenset[str]
    alike: tuple[str, ...] | None = None  # parts like an unknown one; None: nothing unknown is named


def find(text: str, deliveries: Iterable[Delivery]) -> Named:
    """Take contracts and parts out of the sentence. The longest name is found first: A100-L is not A100."""
    rows = list(deliveries)
    contracts: set[str] = set()
    for contract in sorted({row.contract for row in rows}, key=len, reverse=True):
        text, hits = _bounded(contract).subn(" ", text)
        if hits:
            contracts.add(contract)
    names = _names(rows)
    parts: set[str] = set()
    clash: tuple[str, ...] | None = None
    for name in sorted(names, key=lambda each: (-len(each), each)):
        text, hits = _bounded(name).subn(PART, text)
        if hits and len(names[name]) > 1:
            clash = tuple(sorted(names[name]))
        elif hits:
            parts |= names[name]
    text, slips, unknown = _slips(text, names)
    return Named(text, frozenset(contracts), frozenset(parts | slips), clash or unknown)


def _names(rows: list[Delivery]) -> dict[str, set[str]]:
    """Every name of a part, with the parts that bear it."""
    names: dict[str, set[str]] = {}
    for row in rows:
        for name in {row.part, row.other, *(run.strip() for run in _RUNS.findall(row.description))} - {""}:
            names.setdefault(name.lower(), set()).add(row.part)
    return names


def _bounded(name: str) -> re.Pattern[str]:
    if len(name) == 1 and not name.isascii():  # one sign is part of other words as well
        return re.compile(rf"(?:(?<![\u4e00-\u9fff])|(?<=[把将的])){re.escape(name)}(?=[改加减取推提拆分暂的]|$|\s)")
    tail = "s?" if name[-1:].isalpha() and name.isascii() and " " in name else ""
    return re.compile(
        rf"(?<![a-z0-9])(?<![a-z0-9][-_./]){re.escape(name)}{tail}(?![a-z0-9]|[-_/.][a-z0-9])", re.IGNORECASE
    )


def folds(code: str) -> set[str]:
    """The code without hyphens, O as 0 and I as 1; the small L may be either."""
    bare = re.sub(r"[-_./ ]", "", code)
    return {each.upper().translate(str.maketrans("OI", "01")) for each in (bare, bare.replace("l", "1"))}


def _slips(text: str, names: dict[str, set[str]]) -> tuple[str, set[str], tuple[str, ...] | None]:
    """Names that are written with a slip, and what the first code that names nothing is like."""
    codes = {name: next(iter(folds(name.upper()))) for name in names if name.isascii() and _has_digit(name)}
    found: set[str] = set()
    unknown: tuple[str, ...] | None = None
    for token in dict.fromkeys(_TOKEN.findall(text)):
        meant = {part for name, code in codes.items() if code in folds(token) for part in names[name]}
        if len(meant) == 1 and (_has_letter(token) or "-" in token):
            found |= meant
        elif len(meant) > 1:
            unknown = tuple(sorted(meant))
        elif looks_like_part(token):
            unknown = _alike(token, codes, names)
        else:
            continue
        text = _bounded(token).sub(PART, text)
    return text, found, unknown


def looks_like_part(token: str) -> bool:
    """Letters with digits, but no week, day or quantity."""
    return _has_letter(token) and _has_digit(token) and not _NO_PART.fullmatch(token)


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _has_letter(text: str) -> bool:
    return any(sign.isalpha() for sign in text)


def _alike(token: str, codes: dict[str, str], names: dict[str, set[str]]) -> tuple[str, ...]:
    """At most three parts; one alone when it leads by the margin. They are offered, never taken."""
    folded = folds(token.upper()).pop()
    scored = process.extract(folded, codes, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
    best: dict[str, float] = {}
    for _code, score, name in scored:
        for part in names[name]:
            best[part] = max(score, best.get(part, 0))
    lead = max(best.values(), default=0)
    return tuple(sorted(part for part, score in best.items() if score > lead - MARGIN)[:3])
