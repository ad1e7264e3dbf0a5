"""Formatted text: Telegram's HTML and MarkdownV2 become plain text with entities. Offsets count UTF-16 code units."""

import html
import re
from dataclasses import dataclass, field
from typing import Any

from portal.dev.telegram.refusals import Refused, bad

TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "span": "spoiler",
    "tg-spoiler": "spoiler", "a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}  # fmt: skip
_HTML = re.compile(
    r"<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9-]*)(?P<attributes>[^<>]*)>"
    r"|(?P<entity>&(?:lt|gt|amp|quot|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)|(?P<plain>[^<>&]+)"
)
_ATTRIBUTE = re.compile(r"""\s+([a-z-]+)(?:=(?:"([^"]*)"|'([^']*)'))?""")
_LINK = re.compile(r"(https?|tg|mailto|tel):\S+")
_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>]+[^\s<>.,;:!?)»”。，；：！？）])|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,32}(@\w{5,32})?)\b"
    r"|(?<!\w)(?P<mention>@[A-Za-z]\w{4,31})\b"
)


def utf16(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def unreadable(text: str) -> Refused:
    return bad(f"can't parse entities: {text}")


@dataclass
class Formatted:
    """Plain text and what is bold, a link or a command in it."""

    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return utf16(self.text)

    def mark(self, kind: str, start: int, **more: Any) -> None:
        """What was written since `start` is of this kind; nothing written, nothing marked."""
        if self.length > start:
            self.entities.append({"type": kind, "offset": start, "length": self.length - start, **more})

    def finished(self) -> "Formatted":
        """Without white space at the ends, with links, mentions and commands found, in Telegram's order."""
        text = self.text.strip()
        before = utf16(self.text[: len(self.text) - len(self.text.lstrip())])
        kept = []
        for entity in self.entities:
            start = max(entity["offset"] - before, 0)
            end = min(entity["offset"] + entity["length"] - before, utf16(text))
            if end > start:
                kept.append(entity | {"offset": start, "length": end - start})
        kept += [found for found in _found(text) if not any(_inside(found, entity) for entity in kept)]
        return Formatted(text, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"])))


def formatted(text: str, mode: str | None, entities: list[dict[str, Any]] | None = None) -> Formatted:
    """What the chat shows. `entities` are the caller's own, instead of a mode."""
    match (mode or "").lower():
        case "html":
            return _from_html(text).finished()
        case "markdownv2":
            return _Markdown(text).read().finished()
        case "":
            _check_given(text, entities or [])
            return Formatted(text, list(entities or [])).finished()
    raise bad("unsupported parse_mode")


def _check_given(text: str, entities: list[dict[str, Any]]) -> None:
    for entity in entities:
        if entity["offset"] < 0 or entity["length"] <= 0 or entity["offset"] + entity["length"] > utf16(text):
            raise bad(f"entity of type {entity['type']} is outside of the text")


def _found(text: str) -> list[dict[str, Any]]:
    return [
        {"type": kind, "offset": utf16(text[: found.start()]), "length": utf16(found[0])}
        for found in _FOUND.finditer(text)
        for kind in ("url", "bot_command", "mention")
        if found[kind]
    ]


def _inside(found: dict[str, Any], entity: dict[str, Any]) -> bool:
    """Whether an entity that holds no others covers what was found."""
    covers = (
        entity["offset"] < found["offset"] + found["length"] and found["offset"] < entity["offset"] + entity["length"]
    )
    return covers and entity["type"] in {"code", "pre", "text_link", "text_mention", "custom_emoji"}


def _from_html(text: str) -> Formatted:
    out = Formatted()
    opened: list[tuple[str, int, dict[str, Any]]] = []
    at = 0
    while at < len(text):
        token = _HTML.match(text, at)
        where = len(text[:at].encode())
        if token is None:
            raise unreadable(f"character '{text[at]}' at byte offset {where} must be written as an entity")
        tag = (token["tag"] or "").lower()
        if token["plain"] or token["entity"]:
            out.text += token["plain"] or html.unescape(token["entity"])
        elif tag not in TAGS:
            raise unreadable(f'Unsupported start tag "{tag}" at byte offset {where}')
        elif token["end"]:
            _close(out, opened, tag, where)
        else:
            opened.append((tag, out.length, _attributes(tag, token["attributes"], where)))
        at = token.end()
    if opened:
        raise unreadable(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return out


def _close(out: Formatted, opened: list[tuple[str, int, dict[str, Any]]], tag: str, where: int) -> None:
    if not opened:
        raise unreadable(f"Unexpected end tag at byte offset {where}")
    expected, start, more = opened.pop()
    if expected != tag:
        raise unreadable(f'Unmatched end tag at byte offset {where}, expected "</{expected}>", found "</{tag}>"')
    if tag == "code" and opened and opened[-1][0] == "pre":
        opened[-1][2].update(more)  # <pre><code class="language-x"> is one block
        return
    kind = "expandable_blockquote" if more.pop("expandable", None) is not None else TAGS[tag]
    out.mark(kind, start, **({} if tag == "code" else more))


def _attributes(tag: str, text: str, where: int) -> dict[str, Any]:
    """What an opening tag says besides its name, checked."""
    found = {name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text)}
    if _ATTRIBUTE.sub("", text).strip():
        raise unreadable(f'Malformed attributes of tag "{tag}" at byte offset {where}')
    match tag, found:
        case "a", {"href": str(url), **rest} if not rest and _LINK.fullmatch(url):
            return {"url": url}
        case "span", {"class": "tg-spoiler", **rest} if not rest:
            return {}
        case "code", {"class": str(name), **rest} if not rest and name.startswith("language-"):
            return {"language": name.removeprefix("language-")}
        case "tg-emoji", {"emoji-id": str(number), **rest} if not rest and number.isdigit():
            return {"custom_emoji_id": number}
        case "blockquote", {"expandable": _, **rest} if not rest:
            return {"expandable": True}
        case _, {**nothing} if not nothing and tag not in {"a", "span", "tg-emoji"}:
            return {}
    raise unreadable(f'Tag "{tag}" at byte offset {where} does not have the attributes it needs, or others')


class _Markdown:
    """MarkdownV2. Every reserved character is a mark or has a backslash before it."""

    MARKS = (("__", "underline"), ("||", "spoiler"), ("*", "bold"), ("_", "italic"), ("~", "strikethrough"))
    RESERVED = "_*[]()~`>#+-=|{}.!"

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out = Formatted()
        self.open: list[tuple[str, str, int]] = []

    def read(self) -> Formatted:
        while self.at < len(self.text):
            self._step()
        if self.open:
            kind = self.open[-1][1]
            raise unreadable(f"Can't find end of the entity starting at byte offset {self._where()}: {kind}")
        return self.out

    def _step(self) -> None:
        rest = self.text[self.at :]
        if rest[0] == "\\" and len(rest) > 1:
            self._plain(rest[1], 2)
        elif rest[0] == "`":
            self._code("```" if rest.startswith("```") else "`")
        elif rest[0] == "[":
            self.open.append(("](", "text_link", self.out.length))
            self.at += 1
        elif rest.startswith("](") and self.open and self.open[-1][0] == "](":
            self._link()
        elif (mark := next((pair for pair in self.MARKS if rest.startswith(pair[0])), None)) is not None:
            self._mark(*mark)
        elif rest[0] in self.RESERVED:
            raise unreadable(f"Character '{rest[0]}' is reserved and must be escaped with the preceding '\\'")
        else:
            self._plain(rest[0], 1)

    def _plain(self, text: str, length: int) -> None:
        self.out.text += text
        self.at += length

    def _mark(self, mark: str, kind: str) -> None:
        if self.open and self.open[-1][0] == mark:
            self.out.mark(kind, self.open.pop()[2])
        elif any(opened[0] == mark for opened in self.open):
            raise unreadable(f"Can't find end of {self.open[-1][1]} entity at byte offset {self._where()}")
        else:
            self.open.append((mark, kind, self.out.length))
        self.at += len(mark)

    def _code(self, fence: str) -> None:
        end = self.text.find(fence, self.at + len(fence))
        if end < 0:
            raise unreadable(f"Can't find end of code entity at byte offset {self._where()}")
        start = self.out.length
        self.out.text += re.sub(r"\\(.)", r"\1", self.text[self.at + len(fence) : end])
        self.out.mark("pre" if fence == "```" else "code", start)
        self.at = end + len(fence)

    def _link(self) -> None:
        end = self.text.find(")", self.at + 2)
        url = self.text[self.at + 2 : end]
        if end < 0 or not _LINK.fullmatch(url):
            raise unreadable(f"Can't find end of a URL at byte offset {self._where()}")
        self.out.mark("text_link", self.open.pop()[2], url=url)
        self.at = end + 1

    def _where(self) -> int:
        return len(self.text[: self.at].encode())
