"""Numbers and quantities as people write them in both languages."""

import re
from dataclasses import dataclass
from decimal import Decimal

import cn2an

ZH = "零〇一二两三四五六七八九十百千万廿"
_WORDS = {
    **dict(
        zip(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), range(1, 11), strict=True)
    ),
    "a": 1,
    "an": 1,
    "eleven": 11,
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
    "thousand": 1000,
}
_WORD = "|".join(sorted((word for word in _WORDS if word not in {"a", "an"}), key=len, reverse=True))
ENGLISH = rf"(?:a )?(?:{_WORD})(?:[ -](?:{_WORD}))*"
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
NUMBER = rf"(?:(?:{DIGITS})k(?![a-z])|(?:{DIGITS})(?:[百千万][{ZH}\d]*)?|[{ZH}]+|\b{ENGLISH}\b)"

# What is written -> UN/ECE code, or PACK of the part, or PALLET, whose content nobody knows here
UNITS: dict[str, str] = {
    **dict.fromkeys(("件", "个", "只", "pcs", "pc", "pieces", "piece", "units", "unit", "ea", "each"), "H87"),
    **dict.fromkeys(("套", "sets", "set"), "SET"),
    **dict.fromkeys(("双", "pairs", "pair"), "PR"),
    **dict.fromkeys(("公斤", "千克", "kilos", "kilograms", "kgs", "kg"), "KGM"),
    **dict.fromkeys(("克", "grams", "gram", "g"), "GRM"),
    **dict.fromkeys(("吨", "tonnes", "tons", "tonne", "ton", "t"), "TNE"),
    **dict.fromkeys(("平方米", "㎡", "m2"), "MTK"),
    **dict.fromkeys(("立方米", "m3"), "MTQ"),
    **dict.fromkeys(("米", "metres", "meters", "m"), "MTR"),
    **dict.fromkeys(("升", "litres", "liters", "l"), "LTR"),
    **dict.fromkeys(("箱", "盒", "包", "cartons", "carton", "cases", "case", "boxes", "box", "packs", "pack"), "PACK"),
    **dict.fromkeys(("packages", "package", "ctns", "ctn"), "PACK"),
    **dict.fromkeys(("托盘", "栈板", "托", "板", "pallets", "pallet", "skids", "skid"), "PALLET"),
    "斤": "JIN",
}
UNIT = "|".join(f"{unit}(?![a-z0-9])" if unit.isascii() else unit for unit in sorted(UNITS, key=len, reverse=True))
_GRAMS = {"GRM": Decimal(1), "JIN": Decimal(500), "KGM": Decimal(1000), "TNE": Decimal(1_000_000)}
LONGEST = 9  # digits; more are a telephone number


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity as it stands in a sentence. unit: None when none is said; to: the end of a range; percent of it."""

    value: Decimal
    unit: str | None = None
    signed: bool = False
    to: Decimal | None = None
    percent: bool = False


def number_of(text: str) -> Decimal:
    """800, 1,200, 八百五, 1.2万, 1千2百, six hundred. Raises ValueError."""
    text = text.strip().lower().replace(",", "")
    if text.endswith("k") and text[:1].isdigit():
        return Decimal(text[:-1]) * 1000
    if text.isascii():
        return Decimal(text) if text[:1].isdigit() else _english(text)
    if re.fullmatch(r"[\d.]+[百千万]", text):
        return Decimal(text[:-1]) * Decimal(str(cn2an.cn2an("一" + text[-1], "smart")))
    return Decimal(str(cn2an.cn2an(text, "smart")))


def _english(text: str) -> Decimal:
    total, group = 0, 0
    for word in re.split(r"[ -]", text):
        value = _WORDS[word]
        if value == 1000:
            total, group = total + max(group, 1) * 1000, 0
        elif value == 100:
            group = max(group, 1) * 100
        else:
            group += value
    return Decimal(total + group)


def in_unit(amount: Amount, unit: str, pack: Decimal | None) -> Decimal | None:
    """The quantity in the delivery's own unit; None when it cannot be told for certain."""
    if amount.unit is None or amount.unit == unit:
        return amount.value
    if amount.unit == "PACK":
        if unit in {"XPK", "XBX"}:
            return amount.value
        return amount.value * pack if pack else None
    if amount.unit in _GRAMS and unit in _GRAMS:
        return amount.value * _GRAMS[amount.unit] / _GRAMS[unit]
    return None
