"""Eight writers on one schedule line: every answer counts once, and nobody overwrites what they did not see."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import httpx

from portal.core import db, invariants
from portal.core.actor import Direction
from portal.schedules import service
from portal.schedules.rules import OutsideTolerance
from portal.schedules.service import ConfirmLine, Split
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.drills.conftest import Stage
from tests.factories import Tenant, fetch, make_contract, today

SECONDS = 20.0
WRITERS = 8
BODIES = {
    "supply": {"state": "secured", "note": "in the shed"},
    "confirm": {"splits": [{"quantity": "1", "delivery_date": today().isoformat()}]},
}
QUOTE = '"'


async def write(http: httpx.AsyncClient, url: str, number: int, until: float) -> Counter[int]:
    """Look at the line, then note the material or confirm a piece on the version that was seen. Counts the answers."""
    answers: Counter[int] = Counter()
    etag = (await http.get(url)).headers["etag"]
    while time.monotonic() < until:
        what = "supply" if number % 2 else "confirm"
        answer = await http.post(f"{url}/{what}", json=BODIES[what], headers={"If-Match": etag})
        answers[answer.status_code] += 1
        if answer.status_code == 200:
            etag = answer.headers["etag"]
        else:
            assert answer.status_code == 412, answer.text
            assert "now it is" in answer.json()["detail"]
            assert f"you saw version {etag.strip(QUOTE)}" in answer.json()["detail"].replace(",", "")
            etag = (await http.get(url)).headers["etag"]
    return answers


async def test_eight_writers_on_one_line_lose_and_fork_nothing(stage: Stage) -> None:
    line = stage.lines[0]
    headers = {"authorization": f"Bearer {stage.key}"}
    async with httpx.AsyncClient(base_url=stage.house.url, headers=headers, timeout=30) as http:
        until = time.monotonic() + SECONDS
        url = f"/api/v1/schedule-lines/{line.id}"
        counted = await asyncio.gather(*(write(http, url, number, until) for number in range(WRITERS)))
    answers = sum(counted, Counter[int]())

    (now,) = await fetch(stage.factory, "select version from schedule_line where id = $1", line.id)
    history = await fetch(
        stage.supplier,
        "select version from timeline where tenant_id = $1 and subject_id = $2 and version > $3 order by version",
        *(stage.supplier.tenant_id, line.id, line.version),
    )
    assert set(answers) == {200, 412}
    assert answers[200] == now["version"] - line.version == len(history)
    assert [entry["version"] for entry in history] == list(range(line.version + 1, now["version"] + 1))
    assert await invariants.run(str(stage.house.settings.database_url)) == []


async def test_answers_given_at_once_never_exceed_what_was_asked(tenant: Tenant) -> None:
    """Without a version seen, the lock on the line alone keeps the sum: three of eight thirties fit into a hundred."""
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    order = CallOff(contract_line_id=made.line.id, quantity=Decimal(100), due_date=today() + timedelta(days=7))
    async with db.unit_of_work(tenant.factory) as session:
        lines = [(await call_off(session, tenant.factory, made.contract.id, order)).id for _ in range(25)]
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    thirty = ConfirmLine(splits=[Split(quantity=Decimal(30), delivery_date=today() + timedelta(days=7))])

    async def confirm(line: UUID) -> bool:
        try:
            async with db.unit_of_work(tenant.supplier) as session:
                await service.confirm_line(session, tenant.supplier, line, None, thirty)
        except OutsideTolerance:
            return False
        return True

    for line in lines:
        assert sum(await asyncio.gather(*(confirm(line) for _ in range(WRITERS)))) == 3

    sums = await fetch(
        tenant.factory,
        "select distinct sum(quantity) as total from confirmation where tenant_id = $1 group by line_id",
        tenant.id,
    )
    assert [row["total"] for row in sums] == [90]
