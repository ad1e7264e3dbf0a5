"""The seal on a PDF: one PAdES signature that certifies the file and allows no change (pyHanko).

Imported by jobs only: pyHanko and its cryptography take most of a second to load.
"""

import io

from asn1crypto import keys, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers, timestamps
from pyhanko_certvalidator.registry import SimpleCertificateStore

from portal.core.errors import Unavailable
from portal.paper.keys import Key

FIELD = "Seal"
DIGEST = "sha256"
ROOM = 16_384  # bytes kept free for the signature, hex digits; a timestamp takes up to 8,000


class StampFailed(Unavailable):
    """The timestamp authority did not answer as it should; the job tries again."""

    code = "timestamp-failed"


def sealed(pdf: bytes, key: Key, reason: str, tsa_url: str = "") -> bytes:
    """The same PDF with its seal; with a timestamp where an authority is named. Raises StampFailed."""
    store = SimpleCertificateStore()
    store.register_multiple(x509.Certificate.load(each) for each in key.chain)
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(key.certificate),
        signing_key=keys.PrivateKeyInfo.load(key.private_key),
        cert_registry=store,
    )
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm=DIGEST,
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        reason=reason,
    )
    stamper = timestamps.HTTPTimeStamper(tsa_url, timeout=10) if tsa_url else None
    try:
        out = signers.PdfSigner(meta, signer=signer, timestamper=stamper).sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)), bytes_reserved=ROOM
        )
    except timestamps.TimestampRequestError as error:
        raise StampFailed from error
    return bytes(out.getvalue())
