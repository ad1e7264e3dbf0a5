"""Agreed texts, keys and sealed files as the tests of documents need them."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from portal.contracts.model import Contract, ContractStatus
from portal.core import clock
from portal.core.actor import Actor, Direction
from portal.core.i18n import Language
from portal.paper.agreed import Agreed, Deed
from portal.paper.contract_paper import contract_document
from portal.paper.keys import Key, made_key
from portal.paper.rules import Fact, facts_of
from portal.paper.sealing import sealed
from portal.paper.service import seal_contract
from portal.paper.service_verify import examined
from portal.paper.typesetting import typeset
from tests.contracts.makers import make_proposed, step
from tests.factories import Tenant

COMPANY = "恒源精密机械有限公司"
ADDRESS = "https://portal.example/verify"


def line(no: int, **terms: Any) -> dict[str, Any]:
    """One line of a canonical content: 800 pieces a week."""
    price = {"valid_from": "2026-01-01", "order_no": "", "price": "12.5", "price_unit": "1"}
    values: dict[str, Any] = {
        "line_no": no * 10,
        "item_code": f"A{100 + no}",
        "description": "轴承座，带密封圈",
        "revision": "C",
        "partner_part_no": f"AD-88{no}",
        "unit": "H87",
        "foq": "800",
        "cadence": "week",
        "target_quantity": "40000",
        "band_below_percent": "20",
        "band_above_percent": "20",
        "pack_size": "40",
        "minimum_order": "80",
        "under_percent": "0",
        "over_percent": "5",
        "firm_days": 28,
        "tradeoff_days": 63,
        "day_unit": "working",
        "delivery_weekdays": [0, 3],
        "ship_to_code": "WUXI",
        "ship_to_country": "中国",
        "ship_to_address": "江苏省无锡市新吴区长江路 18 号",
        "unloading_point": "3 号门",
        "receiving_window": "07:00-09:00",
        "cumulative_from": "2026-01-01",
        "prices": [price],
    }
    return values | terms


def agreed_text(*lines: dict[str, Any], accepted: bool = True, **head: Any) -> Agreed:
    """An agreed text that no database holds."""
    said: dict[str, Any] = {
        "party_id": str(UUID(int=1)),
        "party_name": "Aurora Drives",
        "number": "FC-2026-014",
        "direction": "sale",
        "kind": "annual",
        "title": "2026 年度轴承座框架合同",
        "partner_reference": "AU-4711",
        "currency": "CNY",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "time_zone": "Asia/Shanghai",
        "response_hours": 16,
        "lines": list(lines or (line(1), line(2))),
    }
    at = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
    sides = (("proposed", "Lena Vogt", COMPANY), ("accepted", "王敏", "Aurora Drives"))
    deeds = tuple(Deed(verb, name, company, at, "page", "203.0.113.9", "ab" * 32) for verb, name, company in sides)
    contract = Contract(
        tenant_id=UUID(int=1),
        party_id=UUID(int=1),
        number="FC-2026-014",
        direction=Direction.SALE,
        status=ContractStatus.ACCEPTED if accepted else ContractStatus.DRAFT,
        party_name="Aurora Drives",
        currency="CNY",
        valid_from=at.date(),
    )
    return Agreed(
        contract, 1, said | head, "ab" * 32, "ab" * 32, COMPANY, "Asia/Shanghai", deeds if accepted else (), accepted
    )


@cache
def plain_pdf(language: Language = Language.ZH) -> bytes:
    """A contract of two lines, typeset and not sealed."""
    return typeset(contract_document(agreed_text(), language, ADDRESS))


@cache
def own_key() -> Key:
    """The key that the tests' portal trusts."""
    return made_key(COMPANY, clock.now())


@cache
def foreign_key() -> Key:
    """A key of the same name that nobody trusts."""
    return made_key(COMPANY, clock.now())


@cache
def expired_key() -> Key:
    """A trusted key whose certificate ended a year ago."""
    return made_key(COMPANY, clock.now() - timedelta(days=11 * 365))


@cache
def sealed_pdf() -> bytes:
    """The contract as the portal seals it."""
    return sealed(plain_pdf(), own_key(), "FC-2026-014 v1")


def judged(data: bytes, roots: list[bytes] | None = None) -> tuple[Fact, ...]:
    """The four facts of a file, examined in this process."""
    from portal.paper.inspection import examine

    if not data.startswith(b"%PDF-"):
        return facts_of(examined(data, []), (), clock.now())
    trusted = {own_key().fingerprint, expired_key().fingerprint}
    return facts_of(examine(data, roots or []), trusted, clock.now())


def system(tenant: Tenant) -> Actor:
    """The workspace's machinery."""
    return Actor.system(tenant.id, tenant.factory.party_id)


async def make_accepted(tenant: Tenant, direction: Direction = Direction.SALE, *, seal: bool = True) -> Contract:
    """A contract that its partner accepted; with its documents unless told otherwise."""
    contract = await make_proposed(tenant, direction)
    await step(tenant.partner(direction), "accept", contract.id)
    if seal:
        await seal_contract(system(tenant), contract.id)
    return contract
