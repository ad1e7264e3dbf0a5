"""A document before it is typeset: a head and blocks, as plain texts in the reader's language. Holds no markup."""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from portal.core.i18n import Language


class Facts(Struct, frozen=True, tag="facts"):
    """Labels with their values, two beside each other, or each on a line of its own."""

    rows: Sequence[tuple[str, str]]
    title: str = ""
    wide: bool = False


class Parties(Struct, frozen=True, tag="parties"):
    """Who stands on which side: (role, company, what else is known)."""

    sides: Sequence[tuple[str, str, str]]


class Column(Struct, frozen=True):
    """One column of a grid. `share` is its part of the width; 0 takes what its content needs."""

    label: str
    share: int = 1
    right: bool = False


class Cell(Struct, frozen=True):
    """What stands in a cell, and in small letters below it."""

    text: str
    notes: Sequence[str] = ()


class Grid(Struct, frozen=True, tag="grid"):
    """A table whose head is repeated on every page."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    title: str = ""


class Words(Struct, frozen=True, tag="words"):
    """Paragraphs under a title."""

    lines: Sequence[str]
    title: str = ""


class Code(Struct, frozen=True, tag="code"):
    """A drawing that a scanner reads, with what it says beside it."""

    svg: str
    caption: str


class Signatures(Struct, frozen=True, tag="signatures"):
    """Lines to sign on by hand."""

    labels: Sequence[str]


class NewPage(Struct, frozen=True, tag="page"):
    """What follows begins on a page of its own."""


Block: TypeAlias = Facts | Parties | Grid | Words | Code | Signatures | NewPage


class Document(Struct, frozen=True):
    """A whole document. `mark` is written across every page; `foot` stands under every page beside its number."""

    language: Language
    kind: str
    title: str
    sub: str
    blocks: Sequence[Block]
    foot: Sequence[str]
    issuer: str
    mark: str = ""
