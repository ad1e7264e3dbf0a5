"""Documents are complete: every agreed field is in them, every character is drawn, and no text of people is markup."""

import io
import json
import re
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from portal.contracts import evidence
from portal.core.i18n import Language
from portal.paper import contract_paper, typesetting
from portal.paper.contract_paper import AgreedHead, AgreedLine, AgreedPrice, contract_document
from portal.paper.document import Document, Grid, Words
from portal.paper.glyphs import FONTS, characters_of, covered, drawable
from portal.paper.typesetting import typeset
from tests.paper.makers import ADDRESS, agreed_text, line, plain_pdf


def texts_of(value: Any) -> list[str]:
    """Every text of a document, wherever it stands."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for part in value.values() for text in texts_of(part)]
        case list() | tuple():
            return [text for part in value for text in texts_of(part)]
        case _:
            return []


def said(document: Document) -> str:
    return "\n".join(texts_of(msgspec.to_builtins(document)))


def fonts_of(pdf: bytes) -> dict[str, bytes]:
    """The fonts embedded in a PDF, by name."""
    reader = PdfFileReader(io.BytesIO(pdf))
    found: dict[str, bytes] = {}
    for number in range(1, reader.trailer["/Size"]):
        entry = reader.get_object(generic.IndirectObject(number, 0, reader))
        if hasattr(entry, "get") and entry.get("/Type") == "/FontDescriptor":
            found[str(entry["/FontName"])] = entry["/FontFile3"].data
    return found


def page(*texts: str) -> Document:
    return Document(language=Language.ZH, kind="k", title="t", sub="", blocks=[Words(texts)], foot=("f",), issuer="i")


# --- characters -------------------------------------------------------------------------------------------------------


def test_the_fonts_draw_all_of_gb_2312_and_latin() -> None:
    rows = [bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)]
    chinese = {ord(text) for row in rows if (text := row.decode("gb2312", "ignore"))}
    assert len(chinese) == 6763
    assert not chinese - covered()
    assert not set(map(ord, "ÄÖÜßéčłøŐığ€£¥×±≤≥−–—“”‘’…·№℃²³µ°，。；：！？（）《》【】、")) - covered()


def test_the_fonts_are_small_enough_for_the_repository() -> None:
    assert sum(path.stat().st_size for path in FONTS.iterdir()) < 4_000_000


def test_a_page_of_chinese_embeds_our_fonts_and_lacks_no_character() -> None:
    sample = "框架合同约定的固定数量按周要货，锁定区内不可变更。供方须在十六个工作小时内答复。"
    pdf = typeset(page(*[sample] * 30))
    names = set(fonts_of(pdf))
    assert {name.partition("+")[2].removesuffix("-Identity-H") for name in names} == {
        "PortalSans-Regular",
        "PortalTitles",
    }
    used = set(map(ord, sample))
    assert used <= characters_of(FONTS / "PortalSans-Regular.otf")


@pytest.mark.parametrize("text", ["𠮷野家", "😀", "\u202e gnp.exe", "\u200b", "\x07", "ﷺ"])
def test_what_the_fonts_cannot_draw_stands_as_its_number(text: str) -> None:
    shown = drawable(text)
    strange = next(letter for letter in text if ord(letter) not in covered())
    assert f"[U+{ord(strange):04X}]" in shown
    assert set(map(ord, shown)) <= covered()
    assert typeset(page(text)).startswith(b"%PDF")


def test_line_breaks_stay_and_tabs_become_spaces() -> None:
    assert drawable("a\tb\nc") == "a b\nc"


# --- text is data -----------------------------------------------------------------------------------------------------

MARKUP = [
    '#panic("read")',
    '#read("/etc/passwd")',
    '#import "@preview/cetz:0.2.0": *',
    "$ x^2 $ *bold* _it_ `raw` = head",
    "</text><script>alert(1)</script>",
    "\\u{41} \\ @ref <label> [content] {code}",
    '"; panic("x"); "',
    "// comment /* more */",
]


@pytest.mark.parametrize("text", MARKUP)
def test_what_people_write_is_never_markup(text: str) -> None:
    document = contract_document(
        agreed_text(line(1, description=text, item_code=text[:60]), title=text, party_name=text), Language.EN, ADDRESS
    )
    plain = typesetting.plain(document)
    assert plain["title"] == text
    assert typeset(document).startswith(b"%PDF")


def test_templates_reach_for_nothing_outside() -> None:
    for template in typesetting.TEMPLATE.parent.glob("*.typ"):
        text = template.read_text("utf-8")
        assert not re.search(r"@preview|@local|\bread\(|\beval\(|\bplugin\(", text), template.name


def test_a_text_without_any_space_stays_on_the_page() -> None:
    long = "X" * 300
    assert typeset(page(long)).startswith(b"%PDF")


# --- completeness -----------------------------------------------------------------------------------------------------


def test_every_agreed_field_has_words() -> None:
    assert {*evidence.HEAD, *evidence.MORE_HEAD, *evidence.USE} <= set(AgreedHead.__struct_fields__)
    assert {*evidence.LINE, *evidence.MORE_LINE} <= set(AgreedLine.__struct_fields__)
    assert {*evidence.PRICE, *evidence.MORE_PRICE} <= set(AgreedPrice.__struct_fields__)


def test_a_field_without_words_is_printed_by_its_name() -> None:
    strange = agreed_text(line(1, warranty_months=24), forum="Hamburg", nothing="")
    words = said(contract_document(strange, Language.EN, ADDRESS))
    assert "forum" in words
    assert "Hamburg" in words
    assert "10: warranty_months" in words
    assert "nothing" not in words


@pytest.mark.parametrize("language", Language)
def test_a_contract_says_everything_that_was_agreed(language: Language) -> None:
    text = agreed_text()
    words = said(contract_document(text, language, ADDRESS))
    for part in ("FC-2026-014", "AU-4711", "Aurora Drives", "A101", "A102", "AD-881", "轴承座", "CNY", "12.50", "WUXI"):
        assert part in words
    for part in (
        "江苏省无锡市新吴区长江路 18 号",
        "07:00-09:00",
        "ab" * 32,
        "王敏",
        "Lena Vogt",
        ADDRESS,
        "Asia/Shanghai",
    ):
        assert part in words
    assert ("Accepted by" in words) is (language is Language.EN)
    assert ("接受方" in words) is (language is Language.ZH)


def test_both_addresses_of_one_place_are_printed() -> None:
    text = agreed_text(line(1), line(2, ship_to_address="江苏省无锡市另一条路 1 号"))
    grids = [block for block in contract_document(text, Language.EN, ADDRESS).blocks if isinstance(block, Grid)]
    assert len(grids[-1].rows) == 2


def test_a_draft_carries_its_mark_and_no_certificate() -> None:
    document = contract_document(agreed_text(accepted=False), Language.ZH, ADDRESS)
    assert document.mark == "草稿"
    assert "接受证明" not in said(document)
    assert contract_document(agreed_text(), Language.ZH, ADDRESS).mark == ""


def test_a_document_is_pdf_a() -> None:
    reader = PdfFileReader(io.BytesIO(plain_pdf()))
    metadata = reader.root["/Metadata"].data.decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in metadata


def test_the_kinds_have_words_of_their_own() -> None:
    assert set(contract_paper.KINDS) == {"periodic", "annual", "strategic", "long_term"}
    assert json.dumps(contract_paper.KINDS)


def test_the_web_and_the_worker_start_without_typesetting_or_sealing() -> None:
    heavy = "{'typst', 'pyhanko', 'pyhanko_certvalidator', 'asn1crypto'}"
    code = f"import sys, portal.app, jobs.worker; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
