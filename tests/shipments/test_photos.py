"""Photos at the dock: drawn anew, judged by content, and the law that shipped goods are always accounted for."""

import io
import random
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from PIL import ExifTags, Image

from portal.core import files as store
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.errors import NotFound, PortalError
from portal.shipments import files, service
from portal.shipments.counting import CountedLine, Receive
from portal.shipments.model import Problem, Receipt
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.shipments.makers import (
    Sent,
    correct,
    counting,
    in_transit,
    photo,
    png_bomb,
    receive,
    sent,
)

D = Decimal


# --- photos -----------------------------------------------------------------------------------------------------------


async def test_a_photo_is_stored_upright_small_and_without_its_place(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.SALE), [800])
    shipment, (announced,) = await sent(tenant, (line, 800), direction=Direction.SALE)
    picture = await store.drawn_anew(photo())
    receipt = await receive(tenant.customer, shipment, counting(announced, 760, Problem.DAMAGED), picture, picture)

    async with unit_of_work(tenant.factory) as session:
        (row,) = await files.of_receipt(session, tenant.factory, receipt.id)
        content = await files.content(tenant.factory, await files.get_photo(session, tenant.factory, row.id))
    stored = Image.open(io.BytesIO(content))
    assert (stored.size, row.content_type, row.size) == ((1200, 1600), "image/jpeg", len(content))
    assert dict(stored.getexif()) == {ExifTags.Base.DateTime: "2026:11:24 07:42:00"}
    for stranger in (tenant.supplier, replace(tenant.customer, contract_ids=frozenset())):
        async with unit_of_work(stranger) as session:
            with pytest.raises(NotFound):
                await files.get_photo(session, stranger, row.id)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", store.NotAPicture),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", store.NotAPicture),
        (b"%PDF-1.7", store.NotAPicture),
        (photo(kind="JPEG")[:5000], store.NotAPicture),
        (photo((8, 8), "GIF"), store.NotAPicture),
        (png_bomb(), store.TooManyPixels),
        (b"\xff\xd8\xff" + bytes(16 * 1024 * 1024), store.TooLarge),
    ],
    ids=["empty", "svg", "pdf", "cut off", "gif", "bomb", "too large"],
)
async def test_what_is_not_a_photo_is_refused(content: bytes, refusal: type[PortalError]) -> None:
    with pytest.raises(refusal):
        await store.drawn_anew(content)


async def test_a_name_cannot_lead_out_of_the_store(tenant: Tenant) -> None:
    for name in ("../../etc/passwd", "a" * 63, "A" * 64, "", "/" * 64):
        with pytest.raises(NotFound):
            await store.fetch(tenant.id, name)
    with pytest.raises(store.FileMissing):
        await store.fetch(tenant.id, "0" * 64)


# --- always true ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_shipped_is_received_in_transit_and_short_after_any_sequence(tenant: Tenant, seed: int) -> None:
    """I03, and the cached sums equal their documents, after random shipments, receipts, corrections, withdrawals."""
    rng = random.Random(seed)
    made = await make_contract(tenant, Direction.PURCHASE)
    lines = await make_deliveries(tenant, made, [100, 100, 100], over_percent=D(20), under_percent=D(5))
    on_the_way: list[Sent] = []
    posted: list[tuple[Receipt, Sent]] = []
    open_total: dict[UUID, Decimal] = {line.id: D(0) for line in lines}
    for _ in range(25):
        try:
            match rng.choice(["ship", "ship", "receive", "correct", "withdraw"]):
                case "ship":
                    chosen = rng.sample(lines, rng.randint(1, 3))
                    on_the_way.append(await sent(tenant, *((line, rng.randint(1, 60)) for line in chosen)))
                case "receive" if on_the_way:
                    batch = on_the_way.pop(rng.randrange(len(on_the_way)))
                    posted.append((await receive(tenant.factory, batch[0], random_count(rng, batch)), batch))
                case "correct" if posted:
                    receipt, batch = posted.pop(rng.randrange(len(posted)))
                    posted.append((await correct(tenant.factory, receipt, random_count(rng, batch)), batch))
                case "withdraw" if on_the_way:
                    batch = on_the_way.pop()
                    async with unit_of_work(tenant.supplier) as session:
                        await service.withdraw(session, tenant.supplier, batch[0].id, 1)
        except PortalError:
            continue
    waiting = await fetch(tenant.factory, WAITING, tenant.id)
    open_total.update({row[0]: row[1] for row in waiting})
    for line in lines:
        assert await in_transit(tenant.supplier, line) == open_total[line.id]
    assert await fetch(tenant.factory, UNEQUAL, tenant.id) == []


def random_count(rng: random.Random, batch: Sent) -> Receive:
    """Some answer for every line of a note."""
    return Receive(
        lines=[
            CountedLine(
                shipment_line_id=line.id,
                good=max(D(0), line.quantity - rng.choice([0, 0, 1, 5, -2])),
                problem=rng.choice(list(Problem)),
            )
            for line in batch[1]
        ]
    )


WAITING = """
select sl.schedule_line_id, sum(sl.quantity) from shipment_line sl
join shipment s on s.tenant_id = sl.tenant_id and s.id = sl.shipment_id and s.status <> 'withdrawn'
where sl.tenant_id = $1 and not exists (select 1 from receipt_line rl where rl.tenant_id = sl.tenant_id
    and rl.shipment_line_id = sl.id) group by 1"""
UNEQUAL = """
select l.id from schedule_line l
left join lateral (select coalesce(sum(sl.quantity), 0) as shipped from shipment_line sl
    join shipment s on s.tenant_id = sl.tenant_id and s.id = sl.shipment_id and s.status <> 'withdrawn'
    where sl.tenant_id = l.tenant_id and sl.schedule_line_id = l.id) d on true
left join lateral (select coalesce(sum(rl.accepted), 0) as accepted, coalesce(sum(rl.rejected), 0) as rejected
    from receipt_line rl join receipt r on r.tenant_id = rl.tenant_id and r.id = rl.receipt_id
    where rl.tenant_id = l.tenant_id and rl.schedule_line_id = l.id and not exists (select 1 from receipt n
        where n.tenant_id = r.tenant_id and n.party_id = r.party_id and n.corrects_id = r.id)) c on true
where l.tenant_id = $1
    and (l.shipped_quantity, l.received_quantity, l.rejected_quantity) <> (d.shipped, c.accepted, c.rejected)"""
