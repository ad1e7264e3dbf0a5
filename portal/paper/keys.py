"""The key that seals a tenant's documents: made at first use, or supplied by the operator in PORTAL_SEAL_P12.

A made key is one elliptic-curve key with a certificate that it signed itself: nobody outside vouches for it, and
whoever trusts the factory's certificate trusts its seals. Its private half is stored encrypted (AES-256-GCM) under a
key derived from PORTAL_SECRET_KEY, so a copy of the database alone seals nothing. When the secret key was replaced, or
the certificate has less than a year left, a new key is made; certificates are kept for ever, so old seals stay good.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import at_rest, clock
from portal.core.actor import Actor
from portal.core.db import driver
from portal.core.errors import Unavailable
from portal.core.i18n import N_
from portal.core.settings import Settings, get_settings
from portal.paper.model import SealKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
    from cryptography.x509 import Certificate

logger = logging.getLogger(__name__)
YEARS = 10  # of a made certificate
LEFT = timedelta(days=365)  # a key with less than this left seals nothing new
PURPOSE = "portal seal key"
_LOCK = "select pg_advisory_xact_lock(hashtextextended('seal key ' || $1::text, 0))"


class SuppliedKeyUnusable(Unavailable):
    lasting = True
    code = "seal-key-unusable"
    text = N_("PORTAL_SEAL_P12 cannot be used: {why}. The operator can mend it; sealing waits until then.")


@dataclass(frozen=True, slots=True)
class Key:
    """A key ready to seal: certificate and private key as DER, and the certificates between it and its root."""

    certificate: bytes
    private_key: bytes
    chain: tuple[bytes, ...] = ()

    @property
    def fingerprint(self) -> str:
        """sha256 of the certificate, hex."""
        return hashlib.sha256(self.certificate).hexdigest()


async def current_key(session: AsyncSession, actor: Actor, name: str) -> Key:
    """The key that seals today; made or noted down if this tenant has none. name: the factory's."""
    settings = get_settings()
    connection = await driver(session)
    await connection.execute(_LOCK, str(actor.tenant_id))  # two jobs at a first use make one key
    kept = await _kept(session, actor)
    if settings.seal_p12:
        key = supplied_key(settings)
        if key.fingerprint not in {row.fingerprint for row in kept}:
            session.add(_row(actor.tenant_id, key, None))
        return key
    for row in kept:
        if row.private_key is not None and row.not_after > clock.now() + LEFT:
            private = opened(row.private_key, row.fingerprint, settings)
            if private is not None:
                return Key(row.certificate, private)
            logger.warning("a seal key cannot be opened with this secret key", extra={"key_id": str(row.id)})
    key = made_key(name, clock.now())
    session.add(_row(actor.tenant_id, key, closed(key, settings)))
    logger.info("seal key made", extra={"fingerprint": key.fingerprint})
    return key


async def _kept(session: AsyncSession, actor: Actor) -> list[SealKey]:
    query = select(SealKey).where(SealKey.tenant_id == actor.tenant_id).order_by(col(SealKey.made_at).desc())
    return list((await session.exec(query)).all())


def _row(tenant_id: UUID, key: Key, private_key: bytes | None) -> SealKey:
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(key.certificate)
    return SealKey(
        tenant_id=tenant_id,
        fingerprint=key.fingerprint,
        certificate=key.certificate,
        private_key=private_key,
        made_at=clock.now(),
        not_after=certificate.not_valid_after_utc,
    )


# --- made -------------------------------------------------------------------------------------------------------------


def made_key(name: str, now: datetime) -> Key:
    """A new key on P-256 with a certificate of its own for `name`, valid from the day before."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _cut(name, 64)),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{_cut(name, 57)} (seal)"),
        ]
    )
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    ) | {"digital_signature": True, "content_commitment": True, "encipher_only": False, "decipher_only": False}
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )
    return key_of(certificate, private)


def _cut(name: str, most: int) -> str:
    """As much of the name as a certificate holds: it counts bytes of UTF-8."""
    return name.encode()[:most].decode(errors="ignore")


def key_of(
    certificate: "Certificate", private: "CertificateIssuerPrivateKeyTypes", chain: "tuple[Certificate, ...]" = ()
) -> Key:
    """A key in the form that sealing takes."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Key(
        certificate.public_bytes(Encoding.DER),
        private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        tuple(each.public_bytes(Encoding.DER) for each in chain),
    )


# --- supplied ---------------------------------------------------------------------------------------------------------


def supplied_key(settings: Settings) -> Key:
    """The operator's key. Raises SuppliedKeyUnusable with the reason."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        data, password = Path(settings.seal_p12).read_bytes(), settings.seal_p12_password.encode() or None
        private, certificate, chain = pkcs12.load_key_and_certificates(data, password)
    except (OSError, ValueError) as error:
        raise SuppliedKeyUnusable(why=str(error)) from error
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or certificate is None:
        raise SuppliedKeyUnusable(why="it holds no RSA or elliptic-curve key with its certificate")
    if certificate.not_valid_after_utc < clock.now():
        raise SuppliedKeyUnusable(why=f"its certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}")
    return key_of(certificate, private, tuple(chain))


# --- at rest ----------------------------------------------------------------------------------------------------------


def closed(key: Key, settings: Settings) -> bytes:
    """The private half as it is stored."""
    return at_rest.closed(key.private_key, PURPOSE, key.fingerprint.encode(), settings)


def opened(stored: bytes, fingerprint: str, settings: Settings) -> bytes | None:
    """The private half, or None when PORTAL_SECRET_KEY is not the one it was stored under."""
    return at_rest.opened(stored, PURPOSE, fingerprint.encode(), settings)
