"""Which characters the committed fonts can draw. What they cannot is written as its Unicode number, never left out.

The fonts are subsets (see fonts/README.md), and a typesetter draws an empty box, or nothing, for a character that is
missing. In a contract that would be a hole in the text, so the number stands in its place: 𠮷 becomes [U+20BB7].
"""

import struct
from functools import cache
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parent / "fonts"
TEXT = (FONTS / "PortalSans-Regular.otf", FONTS / "PortalLatin.ttf")  # the second for what the first lacks


@cache
def covered() -> frozenset[int]:
    """The code points that a document can show."""
    return frozenset().union(*map(characters_of, TEXT))


def characters_of(font: Path) -> frozenset[int]:
    """The code points in a font's own table (`cmap`, format 12 or 4)."""
    data = font.read_bytes()
    tables = {
        data[at : at + 4]: struct.unpack_from(">II", data, at + 8)
        for at in range(12, 12 + 16 * struct.unpack_from(">H", data, 4)[0], 16)
    }
    start, _length = tables[b"cmap"]
    found: set[int] = set()
    for entry in range(struct.unpack_from(">H", data, start + 2)[0]):
        at = start + struct.unpack_from(">I", data, start + 4 + 8 * entry + 4)[0]
        match struct.unpack_from(">H", data, at)[0]:
            case 12:
                found |= _groups(data, at)
            case 4:
                found |= _segments(data, at)
            case _:  # variation sequences say nothing about single characters
                continue
    return frozenset(found)


def _groups(data: bytes, at: int) -> set[int]:
    count = struct.unpack_from(">I", data, at + 12)[0]
    found: set[int] = set()
    for no in range(count):
        first, last, _glyph = struct.unpack_from(">III", data, at + 16 + 12 * no)
        found.update(range(first, last + 1))
    return found


def _segments(data: bytes, at: int) -> set[int]:
    count = struct.unpack_from(">H", data, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", data, at + 14)
    starts = struct.unpack_from(f">{count}H", data, at + 16 + 2 * count)
    found: set[int] = set()
    for first, last in zip(starts, ends, strict=True):
        found.update(range(first, last + 1))
    found.discard(0xFFFF)
    return found


def drawable(value: Any) -> Any:
    """The same plain value with every text as the fonts can draw it."""
    match value:
        case str():
            return value if covered().issuperset(map(ord, value)) else "".join(map(_drawn, value))
        case dict():
            return {key: drawable(part) for key, part in value.items()}
        case list() | tuple():
            return [drawable(part) for part in value]
        case _:
            return value


def _drawn(character: str) -> str:
    if character in "\n\t":
        return " " if character == "\t" else character
    return character if ord(character) in covered() else f"[U+{ord(character):04X}]"
