"""Documents to PDF/A by Typst. Everything that people wrote is data: no text of theirs is ever read as markup.

Typst is imported at the first document, because the web process starts without it. It sees the folder of templates
and nothing else: no system font, no package from anywhere.
"""

import asyncio
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from portal.core.i18n import Language
from portal.paper.document import Code, Document
from portal.paper.glyphs import FONTS, drawable

if TYPE_CHECKING:
    import typst

LONG_WORD = re.compile(r"[!-~]{24,}")
ANYWHERE = "\u200b"  # a place where a line may end
TEMPLATE = Path(__file__).parent / "templates" / "document.typ"
STANDARD: Final = "a-2b"
_AT_ONCE = asyncio.Semaphore(2)


async def pdf_of(document: Document) -> bytes:
    """The document as PDF/A-2b. Works in a thread, at most two at once."""
    async with _AT_ONCE:
        return await asyncio.to_thread(typeset, document)


def typeset(document: Document) -> bytes:
    """The document as PDF/A-2b."""
    import typst

    compiler = typst.Compiler(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(plain(document), ensure_ascii=False)},
    )
    made = compiler.compile(format="pdf", pdf_standards=["a-2b"])
    assert isinstance(made, bytes)
    return made


@cache
def _fonts() -> "typst.Fonts":
    """The committed fonts and no others, read once."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def plain(document: Document) -> dict[str, Any]:
    """The document as the template reads it."""
    drawings = [block.svg for block in document.blocks if isinstance(block, Code)]
    said: dict[str, Any] = drawable(msgspec.to_builtins(document))
    said["lang"], said["region"] = ("zh", "cn") if document.language is Language.ZH else ("en", "gb")
    for block in said["blocks"]:
        if block["type"] == "grid" or (block["type"] == "facts" and not block["wide"]):
            block["rows"] = breakable(block["rows"])
    codes = (block for block in said["blocks"] if block["type"] == "code")
    for block, drawing in zip(codes, drawings, strict=True):
        block["svg"] = drawing
    return said


def breakable(value: Any) -> Any:
    """The same with long words that may end a line anywhere, rather than leave their cell."""
    match value:
        case str():
            return LONG_WORD.sub(lambda found: ANYWHERE.join(found[0]), value)
        case dict():
            return {key: breakable(part) for key, part in value.items()}
        case list():
            return [breakable(part) for part in value]
        case _:
            return value
