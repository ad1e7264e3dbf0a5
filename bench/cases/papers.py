"""A contract as a sealed document."""

import asyncio
import os
import time
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from uuid import UUID

from bench import machine
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, calm, repeat
from portal.contracts.model import Contract, ContractStatus
from portal.core import clock
from portal.core.actor import Direction
from portal.core.i18n import Language
from portal.paper.agreed import Agreed, Deed
from portal.paper.keys import made_key
from portal.paper.service import make_sealed

LINES = 100
COMPANY = "恒源精密机械有限公司"


async def contract_pdf(databases: Databases) -> Result:
    """From the agreed text of 100 lines to the sealed PDF/A in Chinese, in a worker that has sealed before."""
    key, run = made_key(COMPANY, clock.now()), count()

    async def seconds() -> float:
        text = agreed_text(next(run))  # another text each time: the typesetter remembers what it has set
        calm()
        begin = time.perf_counter()
        pdf = await asyncio.to_thread(make_sealed, text, Language.ZH, key)
        taken = time.perf_counter() - begin
        if b"/ByteRange" not in pdf:
            raise RuntimeError("the document was not sealed")
        return taken

    return alone("contract_pdf", await repeat(seconds), machine.peak_mb(os.getpid()))


def agreed_text(run: int) -> Agreed:
    """A year's contract with prices from two days on, as the history of an acceptance holds it."""
    at = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
    content: dict[str, Any] = {
        "party_id": str(UUID(int=1)),
        "party_name": "Aurora Drives",
        "number": "FC-2026-014",
        "direction": "purchase",
        "kind": "annual",
        "title": "2026 年度轴承座框架合同",
        "partner_reference": "AU-4711",
        "currency": "CNY",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "time_zone": "Asia/Shanghai",
        "response_hours": 16,
        "lines": [_line(no, run) for no in range(1, LINES + 1)],
    }
    digest = "ab" * 32
    deeds = tuple(Deed(verb, "王敏", COMPANY, at, "page", "203.0.113.9", digest) for verb in ("proposed", "accepted"))
    return Agreed(
        contract=_contract(at.date()),
        version_no=1,
        content=content,
        sha256=digest,
        standing_sha256=digest,
        factory=COMPANY,
        time_zone="Asia/Shanghai",
        deeds=deeds,
        accepted=True,
    )


def _contract(first: date) -> Contract:
    return Contract(
        tenant_id=UUID(int=1),
        party_id=UUID(int=1),
        number="FC-2026-014",
        direction=Direction.PURCHASE,
        status=ContractStatus.ACCEPTED,
        party_name="Aurora Drives",
        currency="CNY",
        valid_from=first,
    )


def _line(no: int, run: int) -> dict[str, Any]:
    prices = [
        {"valid_from": day, "order_no": "", "price": f"12.{no:02}", "price_unit": "1"}
        for day in ("2026-01-01", "2026-07-01")
    ]
    return {
        "line_no": no * 10,
        "item_code": f"A{1000 * run + no}",
        "description": f"轴承座 {no} 型，第 {run} 批，带密封圈",
        "revision": "C",
        "partner_part_no": f"AD-88{no:03}",
        "unit": "H87",
        "foq": str(600 + 40 * (no % 5)),
        "cadence": "week",
        "target_quantity": "31200",
        "band_below_percent": "20",
        "band_above_percent": "20",
        "pack_size": "40",
        "minimum_order": "80",
        "under_percent": "0",
        "over_percent": "5",
        "firm_days": 28,
        "tradeoff_days": 63,
        "day_unit": "calendar",
        "delivery_weekdays": [0, 3],
        "ship_to_code": f"WUX{no % 5}",
        "ship_to_country": "中国",
        "ship_to_address": "江苏省无锡市新吴区长江路 18 号",
        "unloading_point": "3 号门",
        "receiving_window": "07:00-09:00",
        "cumulative_from": "2026-01-01",
        "prices": prices,
    }


CASES = (Case("contract_pdf", Target(most=0.3), contract_pdf),)
