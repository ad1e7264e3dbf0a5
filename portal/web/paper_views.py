"""What pages show of documents: the card of a contract's papers, and the verdict on a copy."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Contract
from portal.core import i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.i18n import Language, _
from portal.paper.agreed import accepted_version
from portal.paper.contract_paper import DRAFTS
from portal.paper.rules import NAMES, Fact
from portal.paper.service import sealed_documents
from portal.paper.service_verify import Issued, Verdict

LANGUAGES = {Language.ZH: "中文", Language.EN: "English"}  # each by its own name


class Paper(Struct, frozen=True):
    """One document to take away."""

    language: str
    lang: str
    href: str
    note: str


class Papers(Struct, frozen=True):
    """The card of a contract's documents."""

    rows: list[Paper]
    sealed: bool
    missing: bool  # accepted, and some sealed document is not there yet
    draft: bool = False  # the acceptance, and with it the seal, may still come


class FactView(Struct, frozen=True):
    """One fact about a copy."""

    name: str
    text: str
    good: bool


async def papers(session: AsyncSession, actor: Actor, contract: Contract) -> Papers | None:
    """The documents of a contract; none for a reader whose role shows no prices."""
    if not actor.may(Permission.SEE_PRICES):
        return None
    base = f"/contracts/{contract.id}/contract.pdf?language="
    version = await accepted_version(session, contract)
    if version is None:
        draft = contract.status in DRAFTS
        note = _("Draft, not sealed") if draft else _("Not accepted here, not sealed")
        rows = [Paper(name, key.value, base + key.value, note) for key, name in LANGUAGES.items()]
        return Papers(rows, sealed=False, missing=False, draft=draft)
    kept = await sealed_documents(session, actor, contract.id)
    rows = [
        Paper(
            LANGUAGES[Language(row.language)],
            row.language,
            f"{base}{row.language}&version={row.version_no}",
            sealed_words(row.version_no, row.sealed_at, actor.time_zone),
        )
        for row in kept
    ]
    missing = sum(row.version_no == version.number for row in kept) < len(LANGUAGES)
    return Papers(rows, sealed=True, missing=missing)


def sealed_words(version: int, at: datetime, zone: str) -> str:
    """Which version a document is, and when it was sealed."""
    return _("Version {n}, sealed on {moment}").format(n=i18n.number(version), moment=i18n.moment(at, zone))


# --- verdict ----------------------------------------------------------------------------------------------------------


def verify_context(
    certificates: Sequence[bytes], zone: str, verdict: Verdict | None = None, error: str = ""
) -> dict[str, Any]:
    """What `papers/verify.html` shows."""
    return {
        "prints": [hashlib.sha256(each).hexdigest() for each in certificates],
        "error": error,
        "verdict": verdict,
        "headline": headline(verdict) if verdict else "",
        "known": known_words(verdict.issued) if verdict else "",
        "known_facts": known_facts(verdict.issued, zone) if verdict and verdict.issued else [],
        "fact_rows": [fact_view(fact) for fact in verdict.facts] if verdict else [],
    }


def fact_view(fact: Fact) -> FactView:
    """A fact in the reader's language."""
    return FactView(_(NAMES[fact.name]), fact.sentence, fact.good)


def headline(verdict: Verdict) -> str:
    """The answer in one sentence."""
    if verdict.genuine:
        return _("This is the document that the portal sealed, unaltered.")
    if verdict.valid and verdict.issued is not None:
        return _("The document is genuine, but the portal's content has changed since.")
    if verdict.valid:
        return _("The seal is valid, but this portal has issued no such file to your company.")
    return _("Do not rely on this file: it is not a document as the portal sealed it.")


def known_words(issued: Issued | None) -> str:
    """Whether the database knows this very file."""
    if issued is None:
        return _("The portal has issued no file with exactly these bytes to your company.")
    if issued.content_unchanged:
        return _("The portal made exactly this file, and its content is what the database holds for this version.")
    return _("The portal made exactly this file, but the database holds another content for this version now.")


def known_facts(issued: Issued, zone: str) -> list[tuple[str, str]]:
    """Which document it is."""
    return [
        (_("Contract"), issued.number),
        (_("Partner"), issued.party_name),
        (_("Version"), i18n.number(issued.version_no)),
        (_("Language"), LANGUAGES[Language(issued.language)]),
        (_("Sealed"), i18n.moment(issued.sealed_at, zone)),
        (_("Content (SHA-256)"), issued.content_sha256),
    ]
