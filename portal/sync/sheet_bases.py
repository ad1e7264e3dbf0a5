"""What workbooks of answers and commits were made from; kept in the file store under the digest that they name."""

from uuid import UUID

import msgspec

from portal.core import files
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.files import Stored
from portal.forecasts.rules import Span
from portal.sync.rules_sheets import Findings, Rows
from portal.sync.sheet_book import NotASheet
from portal.sync.sheet_work import LostExport


class AnswersBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="made", tag="answers"):
    """Deliveries that waited for an answer. on_behalf: of suppliers, whose answers the factory enters."""

    party_id: UUID
    on_behalf: bool
    versions: dict[str, int]  # by the delivery
    rows: Rows


class CommitsBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="made", tag="commits"):
    """The forecast of one contract by periods, with what was committed."""

    party_id: UUID
    contract_id: UUID
    span: Span
    commit_no: int
    release_no: int
    rows: Rows


Base = AnswersBase | CommitsBase


class FoundAnswers(Findings, frozen=True, kw_only=True):
    """What a workbook of answers does: deliveries confirmed at once, refused, and left to the buyer's decision."""

    confirmed: int = 0
    rejected: int = 0
    waiting: int = 0


class FoundCommits(Findings, frozen=True, kw_only=True):
    """What a workbook of commits does. number: of the version it makes, none where it changes nothing."""

    contract_id: UUID
    contract: str = ""
    release_no: int = 0
    number: int | None = None
    waits: bool = False  # the factory's own rules want a colleague's approval first


async def keep(actor: Actor, base: Base) -> str:
    """The digest by which the workbook names it."""
    return await files.keep(actor.tenant_id, Stored(msgspec.json.encode(base, order="sorted"), "application/json"))


async def read_base(actor: Actor, digest: str) -> Base:
    """Raises NotASheet for whatever this company's own workbooks of this kind were not made from, LostExport."""
    try:
        base: Base = msgspec.json.decode(await files.fetch(actor.tenant_id, digest), type=Base)
    except (NotFound, msgspec.MsgspecError):
        raise NotASheet(field="file") from None
    except files.FileMissing:
        raise LostExport from None
    if base.party_id != actor.party_id:
        raise NotASheet(field="file")
    return base
