"""Sealed documents and the keys that seal them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field

from portal.core.tables import Policy, Row, SharedRow, child_of, index, unique


class SealKey(Row, table=True):
    """A key that seals this tenant's documents. Its certificate is for everybody; its private half never leaves the
    factory's rows, encrypted under PORTAL_SECRET_KEY, and is absent where the operator supplied the key."""

    __tablename__ = "seal_key"
    __table_args__ = (UniqueConstraint("tenant_id", "fingerprint"),)
    policy: ClassVar[Policy] = Policy.PUBLISHED

    fingerprint: str = Field(max_length=64)  # sha256 of the certificate, hex
    certificate: bytes = Field(sa_type=LargeBinary)  # DER
    private_key: bytes | None = Field(default=None, sa_type=LargeBinary)  # see keys.py; not granted to partners
    made_at: datetime
    not_after: datetime


class SealedDocument(SharedRow, table=True):
    """One version of a contract in one language, as it was sealed. The bytes lie in the file store; never changed."""

    __tablename__ = "sealed_document"
    __table_args__ = (
        unique("contract_id", "version_no", "language"),
        child_of("contract", "contract_id"),
        index("sealed_document", "digest"),
    )

    contract_id: UUID
    version_no: int  # of the agreed text, from 1
    language: str = Field(max_length=5)
    digest: str = Field(max_length=64)  # sha256 of the file
    size: int  # bytes
    content_sha256: str = Field(max_length=64)  # of the canonical content, as both sides accepted it
    fingerprint: str = Field(max_length=64)  # of the certificate that sealed it
    sealed_at: datetime
    stamped: bool = False  # a timestamp authority attests the moment
