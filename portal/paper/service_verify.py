"""Is this copy still what left the portal? Four facts from the file itself, and what the database knows of it.

The file is a stranger's: it is opened in a child process with a lid, never here.
"""

import asyncio
import base64
import hashlib
import json
import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Contract
from portal.contracts.service import visible
from portal.core import child, clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.doctor import Finding, Level
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.core.settings import Settings, get_settings
from portal.paper.agreed import agreed, still_holds
from portal.paper.keys import SuppliedKeyUnusable, supplied_key
from portal.paper.model import SealedDocument, SealKey
from portal.paper.rules import SECONDS, Fact, Findings, facts_of, is_valid

MOST_MB = 20
_AT_ONCE = asyncio.Semaphore(2)


class NoFile(Invalid):
    code = "no-file"
    text = N_("Choose the PDF file that you want to check.")


class FileTooLarge(Invalid):
    code = "copy-too-large"
    text = N_("This file has more than {most} MB. The portal's documents are far smaller, so it is none of them.")


class Issued(Struct, frozen=True):
    """The document that the portal made and that this file is, byte for byte."""

    contract_id: UUID
    number: str
    party_name: str
    version_no: int
    language: str
    sealed_at: datetime
    content_sha256: str
    content_unchanged: bool  # the database still holds the content with this digest


class Verdict(Struct, frozen=True):
    """What is known of an uploaded file."""

    facts: tuple[Fact, ...]
    valid: bool  # all four facts are good
    file_sha256: str
    issued: Issued | None  # None: not made by the portal, or not for this company

    @property
    def genuine(self) -> bool:
        """The seal is valid, the portal made this very file, and the database still says the same."""
        return self.valid and self.issued is not None and self.issued.content_unchanged


async def verify(actor: Actor, content: bytes) -> Verdict:
    """Examine an uploaded copy. Raises NoFile, FileTooLarge; whatever else it is, there is a verdict."""
    actor.require(Permission.READ)
    if not content:
        raise NoFile(field="file")
    if len(content) > MOST_MB * child.MB:
        raise FileTooLarge(field="file", most=MOST_MB)
    digest = hashlib.sha256(content).hexdigest()
    async with unit_of_work(actor) as session:
        trusted = await certificates(session, actor)
        issued = await _issued(session, actor, digest)
    async with _AT_ONCE:
        found = await asyncio.to_thread(examined, content, stamp_roots(get_settings()))
    fingerprints = {hashlib.sha256(certificate).hexdigest() for certificate in trusted}
    facts = facts_of(found, fingerprints, clock.now())
    return Verdict(facts, is_valid(facts), digest, issued)


async def certificates(session: AsyncSession, actor: Actor) -> list[bytes]:
    """The certificates that seal, or once sealed, for this tenant; the newest first. DER."""
    query = (
        select(SealKey.certificate).where(SealKey.tenant_id == actor.tenant_id).order_by(col(SealKey.made_at).desc())
    )
    return list((await session.exec(query)).all())


def pem(certificates: list[bytes]) -> bytes:
    """Certificates as other programs read them."""
    return "".join(map(ssl.DER_cert_to_PEM_cert, certificates)).encode()


def examined(content: bytes, roots: list[bytes]) -> Findings:
    """What a child finds in the file. Blocks for some seconds at most."""
    if not content.startswith(b"%PDF-"):
        return Findings(problem="no_pdf")
    arguments = [json.dumps([base64.b64encode(root).decode() for root in roots])]
    try:
        said = child.answer_of("portal.paper.inspection:main", content, arguments, SECONDS)
    except child.ChildTooSlow:
        return Findings(problem="too_slow")
    except child.ChildTooLarge:
        return Findings(problem="too_large")
    except child.ChildFailed:
        return Findings(problem="broken")
    return msgspec.msgpack.decode(said, type=Findings)


def stamp_roots(settings: Settings) -> list[bytes]:
    """The certificates of timestamp authorities that the operator trusts, DER."""
    if not settings.tsa_ca:
        return []
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    found = x509.load_pem_x509_certificates(Path(settings.tsa_ca).read_bytes())
    return [each.public_bytes(Encoding.DER) for each in found]


def seal_findings(settings: Settings) -> Iterator[Finding]:
    """For `portal doctor`: whether the operator's own key can seal and the authorities' roots can be read."""
    if settings.seal_p12:
        try:
            supplied_key(settings)
        except SuppliedKeyUnusable as error:
            yield Finding(Level.WRONG, str(error))
        else:
            yield Finding(Level.OK, "PORTAL_SEAL_P12 can seal")
    if settings.tsa_ca:
        try:
            count = len(stamp_roots(settings))
        except ValueError:
            yield Finding(Level.WRONG, f"PORTAL_TSA_CA names {settings.tsa_ca}, which is no PEM file of certificates.")
        else:
            yield Finding(Level.OK, f"PORTAL_TSA_CA names {count} authorities")


async def _issued(session: AsyncSession, actor: Actor, digest: str) -> Issued | None:
    query = (
        select(SealedDocument)
        .join(
            Contract,
            and_(
                col(Contract.tenant_id) == col(SealedDocument.tenant_id),
                col(Contract.id) == col(SealedDocument.contract_id),
            ),
        )
        .where(visible(actor), SealedDocument.digest == digest)
    )
    row = (await session.exec(query)).first()
    if row is None:
        return None
    text = await agreed(session, actor, row.contract_id)
    return Issued(
        contract_id=row.contract_id,
        number=text.contract.number,
        party_name=text.contract.party_name,
        version_no=row.version_no,
        language=row.language,
        sealed_at=row.sealed_at,
        content_sha256=row.content_sha256,
        content_unchanged=await still_holds(session, text, row.version_no, row.content_sha256),
    )
