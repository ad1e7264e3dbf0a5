"""Documents over the interface, and whether a copy is still what left the portal."""

import hashlib
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from msgspec import Meta, Struct
from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.i18n import Language
from portal.paper import service, service_printing, service_verify
from portal.paper.model import SealedDocument
from portal.paper.service import PDF, File
from portal.paper.service_verify import Issued, Verdict
from portal.parameters import FromPath, FromQuery, MultipartBody

Digest = Annotated[str, Meta(examples=["9f2c6a1e3b7d4c58a0e1f2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7"])]


class CheckFile(BaseModel):
    """The PDF as a multipart part named `file`."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: UploadFile


class DocumentOut(Struct):
    """A sealed document; its bytes are under `/contracts/{contract_id}/contract.pdf?language=&version=`."""

    version: int
    language: Annotated[str, Meta(examples=["zh-CN"])]
    sealed_at: datetime
    timestamped: bool
    size: int
    sha256: Digest
    content_sha256: Digest
    certificate_sha256: Digest


class FactOut(Struct):
    """One of the four facts, with its reason in the caller's language."""

    name: Annotated[str, Meta(examples=["intact"])]
    good: bool
    sentence: Annotated[str, Meta(examples=["Nothing in the sealed content was altered since it was sealed."])]


class VerdictOut(Struct):
    """`genuine`: the seal is valid, the portal made this very file, and the database still holds its content."""

    genuine: bool
    valid: bool
    facts: list[FactOut]
    file_sha256: Digest
    issued: Issued | None


class CertificateOut(Struct):
    """A certificate that seals, or once sealed, this workspace's documents."""

    sha256: Digest
    pem: Annotated[str, Meta(examples=["-----BEGIN CERTIFICATE-----\n..."])]


def sent(file: File) -> Response[bytes]:
    """A document as a download."""
    return Response(file.content, media_type=PDF, headers=file.headers)


def document_out(row: SealedDocument) -> DocumentOut:
    return DocumentOut(
        version=row.version_no,
        language=row.language,
        sealed_at=row.sealed_at,
        timestamped=row.stamped,
        size=row.size,
        sha256=row.digest,
        content_sha256=row.content_sha256,
        certificate_sha256=row.fingerprint,
    )


def verdict_out(verdict: Verdict) -> VerdictOut:
    facts = [FactOut(fact.name, fact.good, fact.sentence) for fact in verdict.facts]
    return VerdictOut(verdict.genuine, verdict.valid, facts, verdict.file_sha256, verdict.issued)


class PaperController(Controller):
    tags = ("Documents",)

    @get("/contracts/{contract_id:uuid}/contract.pdf", media_type=PDF)
    async def contract_pdf(
        self,
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        language: FromQuery[Language] = Language.EN,
        version: FromQuery[int | None] = None,
    ) -> Response[bytes]:
        """The contract as PDF: sealed once it was accepted, the same bytes every time; before that a marked draft.

        Without `version` the version in force. 503 `being-sealed` for the moment between the acceptance and the seal.
        """
        return sent(await service.contract_file(actor, contract_id, language, version))

    @get("/contracts/{contract_id:uuid}/documents")
    async def documents(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> list[DocumentOut]:
        """The sealed documents of a contract, the newest version first."""
        return [document_out(row) for row in await service.sealed_documents(session, actor, contract_id)]

    @post("/contracts/{contract_id:uuid}/documents", status_code=HTTP_202_ACCEPTED)
    async def seal(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> None:
        """Ask for sealed documents that are missing, as after an outage. Made within seconds; nothing is made twice."""
        await service.request_seal(session, actor, contract_id)

    @get("/contracts/{contract_id:uuid}/releases/{number:int}/release.pdf", media_type=PDF)
    async def release_pdf(
        self,
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        number: FromPath[int],
        language: FromQuery[Language] = Language.EN,
    ) -> Response[bytes]:
        """A release as PDF, each delivery beside what it was in the release before. Not sealed."""
        return sent(await service_printing.release_file(actor, contract_id, number, language))

    @get("/shipments/{shipment_id:uuid}/note.pdf", media_type=PDF)
    async def note_pdf(
        self, actor: NamedDependency[Actor], shipment_id: FromPath[UUID], language: FromQuery[Language] = Language.EN
    ) -> Response[bytes]:
        """A delivery note as PDF, with the code that opens its receipt. Not sealed."""
        return sent(await service_printing.note_file(actor, shipment_id, language))

    @get("/receipts/{receipt_id:uuid}/receipt.pdf", media_type=PDF)
    async def receipt_pdf(
        self, actor: NamedDependency[Actor], receipt_id: FromPath[UUID], language: FromQuery[Language] = Language.EN
    ) -> Response[bytes]:
        """A posted receipt as PDF, with what was turned back and why. Not sealed."""
        return sent(await service_printing.receipt_file(actor, receipt_id, language))

    @post("/verify", status_code=HTTP_200_OK)
    async def verify(self, data: MultipartBody[CheckFile], actor: NamedDependency[Actor]) -> VerdictOut:
        """Examine a copy of a sealed PDF: four facts, and whether the portal made this very file. Nothing is kept."""
        return verdict_out(await service_verify.verify(actor, await data.file.read()))

    @get("/seal-certificates")
    async def certificates(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> list[CertificateOut]:
        """The certificates to check seals by with another program, the newest first."""
        found = await service_verify.certificates(session, actor)
        return [CertificateOut(hashlib.sha256(each).hexdigest(), service_verify.pem([each]).decode()) for each in found]


ROUTES: list[Any] = [PaperController]
