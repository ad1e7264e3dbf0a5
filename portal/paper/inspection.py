"""The child that opens a stranger's PDF and writes down what its seal proves (see `service_verify`).

pyHanko checks the cryptography and the coverage. Beyond it stands what pyHanko leaves to its callers: exactly one
signature, no byte of the file outside of it, and the signature itself in the one form in which sealing writes it,
because the bytes of a signature are what no signature covers.
"""

import base64
import hashlib
import io
import json
import sys
from typing import Any

import msgspec
from asn1crypto import cms, parser, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from portal.core import child
from portal.paper.rules import MEMORY, SECONDS, Findings

STAMP = "signature_time_stamp_token"


def main() -> None:
    """The child: limits first, then the file. Its argument is the list of trusted timestamp roots."""
    roots = [base64.b64decode(root) for root in json.loads(sys.argv[-1])]
    child.close_the_lid(MEMORY, SECONDS)
    found = examine(sys.stdin.buffer.read(), roots)
    sys.stdout.buffer.write(msgspec.msgpack.encode(found))
    sys.stdout.buffer.flush()


def examine(data: bytes, roots: list[bytes]) -> Findings:
    """Everything that the four facts rest on. Never raises, but for want of memory."""
    try:
        return _looked_at(data, roots)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever a parser says of a stranger's file, it is none of ours
        return Findings(problem="broken")


def _looked_at(data: bytes, roots: list[bytes]) -> Findings:
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    if reader.encrypted:
        return Findings(problem="locked")
    signatures = reader.embedded_signatures
    if len(signatures) != 1:
        return Findings(problem="several_seals" if signatures else "no_seal")
    (signature,) = signatures
    signer = signature.signer_cert
    status = validate_pdf_signature(
        signature,
        signer_validation_context=_context([signer.dump()]),
        ts_validation_context=_context(roots),
        skip_diff=True,  # no later revision is allowed, so what one changed is not asked
    )
    validity = signer["tbs_certificate"]["validity"]
    stamp = status.timestamp_validity
    return Findings(
        unaltered=bool(status.intact and status.valid),
        canonical=is_canonical(data, signature),
        whole=_is_whole(data, signature, status),
        algorithm=str(status.md_algorithm),
        fingerprint=hashlib.sha256(signer.dump()).hexdigest(),
        signer=str(signer.subject.native.get("common_name", signer.subject.human_friendly)),
        valid_from=validity["not_before"].native,
        valid_to=validity["not_after"].native,
        claimed_at=signature.self_reported_timestamp,
        stamped_at=stamp.timestamp if stamp else None,
        stamp_intact=bool(stamp and stamp.intact and stamp.valid),
        stamp_trusted=bool(stamp and stamp.intact and stamp.valid and stamp.trusted),
    )


def _context(roots: list[bytes]) -> ValidationContext:
    """Trust in these certificates and nothing else; nothing is fetched from anywhere."""
    return ValidationContext(trust_roots=[x509.Certificate.load(root) for root in roots], allow_fetching=False)


def _is_whole(data: bytes, signature: EmbeddedPdfSignature, status: Any) -> bool:
    first, length, second, rest = (int(part) for part in signature.byte_range)
    covers = first == 0 and second > length and second + rest == len(data)
    return bool(covers and status.coverage == SignatureCoverageLevel.ENTIRE_FILE)


def is_canonical(data: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Whether the signature's own bytes are those that sealing writes: plain DER as hex digits, zeros to the end,
    one signer, one digest, and nothing unsigned but a timestamp."""
    _, length, second, _ = (int(part) for part in signature.byte_range)
    hole = data[length:second]
    body = bytes.fromhex(hole[1:-1].decode("ascii"))
    der = body[: parser.peek(body)]
    padded = der.hex().upper().encode().ljust(len(hole) - 2, b"0")
    if hole != b"<" + padded + b">" or not is_der(der):
        return False
    info = cms.ContentInfo.load(der, strict=True)
    if info["content_type"].native != "signed_data":
        return False
    signed = info["content"]
    (signer,) = signed["signer_infos"]
    unsigned = signer["unsigned_attrs"].native or []
    return bool(
        signed["version"].native == "v1"
        and signer["version"].native == "v1"
        and signed["digest_algorithms"].dump() == cms.DigestAlgorithms([signer["digest_algorithm"]]).dump()
        and signed["encap_content_info"]["content_type"].native == "data"
        and signed["encap_content_info"]["content"].native is None
        and not signed["crls"].native
        and all(attribute["type"] == STAMP for attribute in unsigned)
    )


def is_der(data: bytes) -> bool:
    """Whether every element is spelled in the one way that DER allows; asn1crypto reads many more."""
    while data:
        length = parser.peek(data)
        kind, constructed, tag, _header, content, _trailer = parser.parse(data[:length])
        if parser.emit(kind, constructed, tag, content) != data[:length]:
            return False
        if constructed and not is_der(content):
            return False
        data = data[length:]
    return True
