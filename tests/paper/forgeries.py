"""Two hundred ways to alter a sealed file: each returns bytes that must never be taken for the sealed document."""

import io
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from asn1crypto import keys, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter, copy_into_new_writer
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from portal.core.i18n import Language
from portal.paper.contract_paper import contract_document
from portal.paper.keys import Key
from portal.paper.sealing import sealed
from portal.paper.typesetting import typeset
from tests.paper.makers import ADDRESS, agreed_text, expired_key, foreign_key, line, own_key, plain_pdf, sealed_pdf

Forgery = tuple[str, bytes]
OVERLAY = b"BT /F0 40 Tf 60 500 Td (99,000 pcs) Tj ET"


def hole(data: bytes) -> tuple[int, int]:
    """Where the signature's own bytes begin and end."""
    (signature,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    _, first, second, _ = map(int, signature.byte_range)
    return first, second


def signed_by(data: bytes, key: Key, algorithm: str = "sha256", field: str = "Other") -> bytes:
    """The file with a signature as any other program makes one."""
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(key.certificate),
        signing_key=keys.PrivateKeyInfo.load(key.private_key),
        cert_registry=SimpleCertificateStore(),
    )
    meta = signers.PdfSignatureMetadata(field_name=field, md_algorithm=algorithm)
    out = signers.PdfSigner(meta, signer=signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data), strict=False))
    return bytes(out.getvalue())


# --- bytes ------------------------------------------------------------------------------------------------------------


def flipped(data: bytes, count: int = 130) -> Iterator[Forgery]:
    """One bit turned, at places all over the file, and closely in the signature and where it is described."""
    rng = random.Random(20261128)
    first, second = hole(data)
    places = [rng.randrange(8, len(data)) for _ in range(count - 50)]
    places += [rng.randrange(first, first + 2600) for _ in range(25)]  # the signature
    places += [rng.randrange(first + 3000, second) for _ in range(10)]  # the zeros behind it
    places += [rng.randrange(second, len(data)) for _ in range(15)]  # its dictionary, the tables, the end
    for place in places:
        bit = 1 << rng.randrange(7)
        yield f"bit {bit} at {place}", data[:place] + bytes((data[place] ^ bit,)) + data[place + 1 :]


def lettered(data: bytes) -> Iterator[Forgery]:
    """The signature's hex digits in the other case, which say the same."""
    first, second = hole(data)
    yield "small hex digits", data[:first] + data[first:second].lower() + data[second:]


def cut(data: bytes) -> Iterator[Forgery]:
    first, second = hole(data)
    for length in (0, 4, 100, len(data) // 4, len(data) // 2, first, first + 100, second, second + 10, len(data) - 1):
        yield f"cut at {length}", data[:length]
    yield "without its first byte", data[1:]


def padded(data: bytes) -> Iterator[Forgery]:
    for tail in (
        b"\n",
        b" ",
        b"%",
        b"\0",
        b"%%EOF\n",
        b"% a note\n",
        b"PK\x05\x06" + bytes(18),
        b"startxref\n0\n%%EOF",
    ):
        yield f"with {tail[:10]!r} behind", data + tail
    for head in (b"\n", b"%PDF-1.4\n", b"MZ", b"<html></html>"):
        yield f"with {head!r} before", head + data


def described(data: bytes) -> Iterator[Forgery]:
    """What describes the signature, changed in its own length."""
    first, second = hole(data)
    ranges = data[second:].partition(b"/ByteRange")[2] or data[:first].rpartition(b"/ByteRange")[2]
    spelled = b"/ByteRange" + ranges[: ranges.index(b"]") + 1]
    numbers = [int(part) for part in spelled.partition(b"[")[2].rstrip(b"]").split()]
    for changed in (
        [0, numbers[1] - 10, numbers[2], numbers[3]],
        [0, numbers[1], numbers[2] + 10, numbers[3] - 10],
        [0, numbers[1], numbers[2], numbers[3] - 1],
        [1, numbers[1] - 1, numbers[2], numbers[3]],
        [0, 0, 0, 0],
        [0, numbers[1], numbers[2], 10 * numbers[3]],
    ):
        text = b"/ByteRange [" + b" ".join(str(number).encode() for number in changed)
        if len(text) < len(spelled):
            yield f"range {changed}", data.replace(spelled, text.ljust(len(spelled) - 1) + b"]")
    for old, new in (
        (b"/ByteRange", b"/ByteRangf"),
        (b"/Contents <", b"/Contentz <"),
        (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached"),
        (b"/DocMDP", b"/DocMDQ"),
        (b"/Type /Sig", b"/Type /Sih"),
        (b"/FT /Sig", b"/FT /Btn"),
        (b"/Filter /Adobe.PPKLite", b"/Filter /Adobe.PPKLitf"),
    ):
        if old in data:
            yield f"{old!r} as {new!r}", data.replace(old, new)


def transplanted(data: bytes) -> Iterator[Forgery]:
    """The signature of one document in another one, and the other way round."""
    other = sealed(typeset(contract_document(agreed_text(line(1, foq="99000")), Language.ZH, ADDRESS)), own_key(), "x")
    for name, body, donor in (("ours into another", other, data), ("another into ours", data, other)):
        (first, second), (begin, end) = hole(body), hole(donor)
        size = second - first
        signature = donor[begin:end][:-1].ljust(size - 1, b"0")[: size - 1] + b">"
        yield name, body[:first] + signature + body[second:]
    first, second = hole(data)
    for name, filling in (("zeros", b"0"), ("nines", b"9"), ("spaces", b" ")):
        yield f"{name} for the signature", data[: first + 1] + filling * (second - first - 2) + data[second - 1 :]


# --- revisions --------------------------------------------------------------------------------------------------------


def revised(data: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """The file with an appended revision."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data), strict=False)
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def first_page(writer: IncrementalPdfFileWriter) -> Any:
    pages = writer.root["/Pages"]
    while "/Kids" in pages:
        reference = pages["/Kids"].raw_get(0)
        pages = reference.get_object()
    return reference


def over_the_page(writer: IncrementalPdfFileWriter) -> None:
    reference = first_page(writer)
    page = reference.get_object()
    stream = writer.add_object(generic.StreamObject(stream_data=OVERLAY))
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), stream])
    writer.mark_update(reference)


def emptied_page(writer: IncrementalPdfFileWriter) -> None:
    reference = first_page(writer)
    reference.get_object()["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b""))
    writer.mark_update(reference)


def annotated(kind: str) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        reference = first_page(writer)
        box = generic.ArrayObject(map(generic.NumberObject, (60, 400, 400, 500)))
        note = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name(kind),
                pdf_name("/Rect"): box,
                pdf_name("/Contents"): generic.pdf_string("99,000 pcs"),
                pdf_name("/F"): generic.NumberObject(4),
            }
        )
        page = reference.get_object()
        present = list(page["/Annots"]) if "/Annots" in page else []
        page["/Annots"] = generic.ArrayObject([*present, writer.add_object(note)])
        writer.mark_update(reference)

    return change


def with_entry(name: str, value: generic.PdfObject) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[pdf_name(name)] = value
        writer.update_root()

    return change


def turned(writer: IncrementalPdfFileWriter) -> None:
    reference = first_page(writer)
    reference.get_object()[pdf_name("/Rotate")] = generic.NumberObject(180)
    writer.mark_update(reference)


def one_page_less(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    pages[pdf_name("/Kids")] = generic.ArrayObject(list(pages["/Kids"])[:1])
    pages[pdf_name("/Count")] = generic.NumberObject(1)
    writer.mark_update(writer.root.raw_get("/Pages"))


def idle(writer: IncrementalPdfFileWriter) -> None:
    writer.add_object(generic.pdf_string("nothing that is seen"))


def unfielded(writer: IncrementalPdfFileWriter) -> None:
    form = writer.root["/AcroForm"]
    form[pdf_name("/Fields")] = generic.ArrayObject()
    if isinstance(writer.root.raw_get("/AcroForm"), generic.IndirectObject):
        writer.mark_update(writer.root.raw_get("/AcroForm"))
    else:
        writer.update_root()


SCRIPT = generic.DictionaryObject(
    {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.pdf_string("app.alert(1)")}
)
CHANGES: dict[str, Callable[[IncrementalPdfFileWriter], None]] = {
    "text over the first page": over_the_page,
    "the first page emptied": emptied_page,
    "a page turned": turned,
    "a page taken out": one_page_less,
    "an object that nobody sees": idle,
    "the seal's field taken out": unfielded,
    "a script": with_entry("/OpenAction", SCRIPT),
    "another language": with_entry("/Lang", generic.pdf_string("ru")),
    "viewer preferences": with_entry("/ViewerPreferences", generic.DictionaryObject()),
    "no permissions any more": with_entry("/Perms", generic.DictionaryObject()),
    **{
        f"{kind} on the page": annotated(kind)
        for kind in ("/FreeText", "/Stamp", "/Text", "/Redact", "/Ink", "/Square")
    },
}


def appended(data: bytes) -> Iterator[Forgery]:
    for name, change in CHANGES.items():
        yield f"appended: {name}", revised(data, change)
    yield "appended twice", revised(revised(data, over_the_page), turned)


# --- signers ----------------------------------------------------------------------------------------------------------


@cache
def overlaid() -> bytes:
    """A file that was prepared before the sealing: the overlay is there, in a layer that is off."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        layer = writer.add_object(
            generic.DictionaryObject(
                {pdf_name("/Type"): pdf_name("/OCG"), pdf_name("/Name"): generic.pdf_string("layer")}
            )
        )
        off = generic.DictionaryObject({pdf_name("/OFF"): generic.ArrayObject([layer])})
        writer.root[pdf_name("/OCProperties")] = generic.DictionaryObject(
            {pdf_name("/OCGs"): generic.ArrayObject([layer]), pdf_name("/D"): off}
        )
        writer.update_root()
        over_the_page(writer)

    return revised(plain_pdf(), change)


def layer_on(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/OCProperties"]["/D"][pdf_name("/OFF")] = generic.ArrayObject()
    writer.update_root()


def resigned() -> Iterator[Forgery]:
    changed = typeset(contract_document(agreed_text(line(1, foq="99000")), Language.ZH, ADDRESS))
    yield "another text, sealed by another key", sealed(changed, foreign_key(), "FC-2026-014 v1")
    yield "the same text, sealed by another key", sealed(plain_pdf(), foreign_key(), "FC-2026-014 v1")
    yield "the same text, signed by another key", signed_by(plain_pdf(), foreign_key(), field="Seal")
    yield "sealed with an ended certificate", sealed(plain_pdf(), expired_key(), "FC-2026-014 v1")
    for algorithm in ("sha1", "sha224"):
        yield f"signed with {algorithm}", signed_by(plain_pdf(), own_key(), algorithm)
    freed = revised(sealed_pdf(), with_entry("/Perms", generic.DictionaryObject()))  # our seal forbids a second one
    yield "a second signature, of another key", signed_by(freed, foreign_key())
    yield "a second signature, of our key", signed_by(freed, own_key())
    yield "ours on top of another's", signed_by(signed_by(plain_pdf(), foreign_key()), own_key(), field="Mine")
    yield "another's on an appended page", signed_by(revised(freed, over_the_page), foreign_key())
    yield "a layer switched on after the sealing", revised(sealed(overlaid(), own_key(), "x"), layer_on)
    yield "a layer switched on and sealed by another", sealed(revised(overlaid(), layer_on), foreign_key(), "x")


def unsealed(data: bytes) -> Iterator[Forgery]:
    yield "never sealed", plain_pdf()
    yield "written anew without the seal", rewritten(data)
    yield "the first revision alone", data[: data.index(b"%%EOF") + 6]


def rewritten(data: bytes) -> bytes:
    writer: PdfFileWriter = copy_into_new_writer(PdfFileReader(io.BytesIO(data)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


# --- no document at all -----------------------------------------------------------------------------------------------


def encrypted() -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(plain_pdf())))
    writer.encrypt(owner_pass="owner", user_pass="user")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def strangers() -> Iterator[Forgery]:
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(64)
    yield "a text", "合同".encode()
    yield "a workbook", b"PK\x03\x04" + bytes(200)
    yield "a head alone", b"%PDF-1.7\n"
    yield (
        "a table that points to itself",
        b"%PDF-1.7\nxref\n0 1\ntrailer<</Size 1/Prev 9/Root 1 0 R>>\nstartxref\n9\n%%EOF",
    )
    yield "arrays in arrays", b"%PDF-1.7\n1 0 obj\n" + b"[" * 20_000 + b"]" * 20_000 + b"\nendobj\nstartxref\n9\n%%EOF"
    yield "an encrypted file", encrypted()
    yield "zeros", bytes(1000)


@cache
def all_forgeries() -> list[Forgery]:
    """Every altered file with what was done to it."""
    data = sealed_pdf()
    parts = (flipped, lettered, cut, padded, described, transplanted, appended, unsealed)
    return [*(forgery for part in parts for forgery in part(data)), *resigned(), *strangers()]
