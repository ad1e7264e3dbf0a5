"""The documents of a contract: a draft on demand, the sealed one made once per version and language and then kept.

Sealing is a job's work, outside of any transaction and safe to run twice: whoever comes first has made the document,
and everybody gets those same bytes from then on.
"""

import asyncio
import logging
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract, subject
from portal.core import clock, files
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, NotFound, Unavailable
from portal.core.files import Stored
from portal.core.i18n import N_, Language
from portal.core.journal import emit, record
from portal.core.settings import get_settings
from portal.paper.agreed import Agreed, agreed
from portal.paper.contract_paper import contract_document
from portal.paper.events import DocumentSealed, SealRequested
from portal.paper.keys import Key, current_key
from portal.paper.model import SealedDocument
from portal.paper.typesetting import pdf_of, typeset

logger = logging.getLogger(__name__)
PDF = "application/pdf"
LAST_VERSION = 2**31 - 1  # what the column holds


class NothingToSeal(Conflict):
    code = "nothing-to-seal"
    text = N_("Only a contract that was accepted in the portal has a sealed document. This one is “{status}”.")


class ContentMoved(Conflict):
    code = "content-moved"
    text = N_("The content is no longer what was accepted, so it cannot be sealed.")


class BeingSealed(Unavailable):
    code = "being-sealed"
    text = N_("The sealed document is being made. Open it again in a moment.")


@dataclass(frozen=True, slots=True)
class File:
    """A document ready to be sent."""

    content: bytes
    name: str  # without folders and without anything a header could trip over
    digest: str  # sha256 of the bytes

    @property
    def headers(self) -> dict[str, str]:
        """What the faces send with it."""
        return {"Content-Disposition": f'attachment; filename="{self.name}"', "ETag": f'"{self.digest}"'}


def verify_address() -> str:
    """Where anybody of this workspace checks a copy."""
    return f"{get_settings().base_url}/verify"


def safe_name(*parts: str) -> str:
    """A file name of ASCII letters, digits, dots and dashes."""
    text = "-".join(parts)
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text).strip("-")[:80] + ".pdf"


# --- for readers ------------------------------------------------------------------------------------------------------


async def contract_file(actor: Actor, contract_id: UUID, language: Language, version: int | None = None) -> File:
    """The contract as PDF: sealed once it was accepted, else a draft with its mark.

    version: an earlier one that was sealed; none: the one in force. It shows prices, so the role must. Raises
    Forbidden, NotFound, and BeingSealed while the job is at it.
    """
    actor.require(Permission.SEE_PRICES)
    async with unit_of_work(actor) as session:
        text = await agreed(session, actor, contract_id)
        wanted = text.version_no if version is None else version
        if not 0 < wanted <= LAST_VERSION:
            raise NotFound
        kept = await find_sealed(session, actor, contract_id, wanted, language)
    if kept is not None:
        name = safe_name(text.contract.number, f"v{kept.version_no}", language)
        return File(await files.fetch(actor.tenant_id, kept.digest), name, kept.digest)
    if wanted != text.version_no:
        raise NotFound
    if text.accepted:
        raise BeingSealed
    made = Stored(await pdf_of(contract_document(text, language, verify_address())), PDF)
    return File(made.content, safe_name(text.contract.number, "draft", language), made.digest)


async def sealed_documents(session: AsyncSession, actor: Actor, contract_id: UUID) -> list[SealedDocument]:
    """The sealed documents of a contract, the newest version first. Raises NotFound."""
    await get_contract(session, actor, contract_id)
    query = (
        select(SealedDocument)
        .where(SealedDocument.tenant_id == actor.tenant_id, SealedDocument.contract_id == contract_id)
        .order_by(col(SealedDocument.version_no).desc(), col(SealedDocument.language))
    )
    return list((await session.exec(query)).all())


async def find_sealed(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int, language: Language
) -> SealedDocument | None:
    """The sealed document of one version in one language."""
    query = select(SealedDocument).where(
        SealedDocument.tenant_id == actor.tenant_id,
        SealedDocument.contract_id == contract_id,
        SealedDocument.version_no == version,
        SealedDocument.language == language.value,
    )
    return (await session.exec(query)).one_or_none()


async def request_seal(session: AsyncSession, actor: Actor, contract_id: UUID) -> None:
    """Ask for the sealed documents of an accepted contract, where the acceptance has not brought them yet."""
    actor.require(Permission.SEE_PRICES)
    text = await agreed(session, actor, contract_id)
    if not text.accepted:
        raise NothingToSeal(status=text.contract.status)
    if not all([await find_sealed(session, actor, contract_id, text.version_no, language) for language in Language]):
        emit(session, actor, text.contract.party_id, SealRequested(contract_id))


# --- what the job does ------------------------------------------------------------------------------------------------


async def seal_contract(system: Actor, contract_id: UUID) -> None:
    """Make what is missing of an accepted contract's documents. Raises NothingToSeal, ContentMoved, Unavailable."""
    for language in Language:
        async with unit_of_work(system) as session:
            text = await agreed(session, system, contract_id)
            check_sealable(text)
            if await find_sealed(session, system, contract_id, text.version_no, language) is not None:
                continue
            key = await current_key(session, system, text.factory)
        content = await asyncio.to_thread(make_sealed, text, language, key)
        await _keep(system, text, language, key, Stored(content, PDF))


def check_sealable(text: Agreed) -> None:
    """Raise NothingToSeal without an acceptance, ContentMoved when it was of another content."""
    if not text.accepted:
        raise NothingToSeal(status=text.contract.status)
    if text.standing_sha256 != text.sha256:
        raise ContentMoved


def make_sealed(text: Agreed, language: Language, key: Key) -> bytes:
    """The sealed document. Blocks for a tenth of a second, or for the timestamp authority."""
    from portal.paper.sealing import sealed

    pdf = typeset(contract_document(text, language, verify_address()))
    reason = f"{text.contract.number} v{text.version_no} SHA-256 {text.sha256}"
    return sealed(pdf, key, reason, get_settings().tsa_url)


async def _keep(system: Actor, text: Agreed, language: Language, key: Key, made: Stored) -> None:
    """Store the bytes and their row, unless another try was first."""
    await files.keep(system.tenant_id, made)
    async with unit_of_work(system) as session:
        contract = await get_contract(session, system, text.contract.id, lock=True)
        if await find_sealed(session, system, contract.id, text.version_no, language) is not None:
            return
        session.add(
            SealedDocument(
                tenant_id=system.tenant_id,
                party_id=contract.party_id,
                contract_id=contract.id,
                version_no=text.version_no,
                language=language.value,
                digest=made.digest,
                size=made.size,
                content_sha256=text.sha256,
                fingerprint=key.fingerprint,
                sealed_at=clock.now(),
                stamped=bool(get_settings().tsa_url),
            )
        )
        record(session, system, subject(contract), "sealed", language=language.value, file=made.digest)
        emit(session, system, contract.party_id, DocumentSealed(contract.id))
        logger.info("contract sealed", extra={"contract_id": str(contract.id), "language": language.value})
