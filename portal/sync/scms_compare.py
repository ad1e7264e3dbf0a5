"""What of an SCMS file is here already: a known line must read as before, a known delivery note be the same one."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.sync import scms_rows as col
from portal.sync.findings import Refusal, shortened
from portal.sync.scms_file import SOURCE, ScmsFile


class KnownShipment(Struct, frozen=True):
    """A delivery note that an earlier import wrote."""

    id: UUID
    receipt_id: UUID | None
    last_line_no: int
    fact: tuple[Any, ...]  # partner, order, day of despatch, day of receipt


class Comparison(Struct, frozen=True):
    """The file against the database: places of the lines that are new, and the rows that contradict what is there."""

    fresh: list[int]
    known: int
    shipments: dict[str, KnownShipment]
    refused: list[Refusal]


_LINES = """
select external_id, payload_hash from schedule_line
where tenant_id = $1 and source = $2 and external_id = any($3)"""
_SHIPMENTS = """
select s.number, s.id, p.name, s.order_no, s.shipped_on, r.id as receipt_id, r.received_on,
    (select max(l.line_no) from shipment_line l
        where l.tenant_id = s.tenant_id and l.shipment_id = s.id) as last_line_no
from shipment s
join party p on p.tenant_id = s.tenant_id and p.party_id = s.party_id
left join receipt r on r.tenant_id = s.tenant_id and r.shipment_id = s.id and r.source = $2
where s.tenant_id = $1 and s.source = $2 and s.number = any($3)"""


async def compare(connection: Driver, actor: Actor, file: ScmsFile) -> Comparison:
    """Ask for the file's lines by their IDs, and for the delivery notes of those that are new."""
    rows = await connection.fetch(_LINES, actor.tenant_id, SOURCE, file.lines.external_id)
    known: dict[str, str] = {row["external_id"]: row["payload_hash"] for row in rows}
    refused, fresh = [], []
    for at, (external_id, digest) in enumerate(zip(file.lines.external_id, file.lines.payload_hash, strict=True)):
        before = known.get(external_id)
        if before is None:
            fresh.append(at)
        elif before != digest:
            refused.append(Refusal(file.lines.row[at], col.ID, "known-otherwise", {"cell": shortened(external_id)}))
    shipments = await _known_shipments(connection, actor, file, fresh)
    refused += _other_shipments(file, fresh, shipments)
    return Comparison(fresh, len(known), shipments, sorted(refused, key=lambda refusal: refusal.row))


async def _known_shipments(
    connection: Driver, actor: Actor, file: ScmsFile, fresh: list[int]
) -> dict[str, KnownShipment]:
    places = {at for line in fresh if (at := file.lines.shipment[line]) is not None}
    rows = await connection.fetch(_SHIPMENTS, actor.tenant_id, SOURCE, [file.shipments[at].number for at in places])
    return {
        row["number"]: KnownShipment(
            row["id"],
            row["receipt_id"],
            row["last_line_no"] or 0,
            (row["name"], row["order_no"], row["shipped_on"], row["received_on"]),
        )
        for row in rows
    }


def _other_shipments(file: ScmsFile, fresh: list[int], known: dict[str, KnownShipment]) -> list[Refusal]:
    refused = []
    for line in fresh:
        at = file.lines.shipment[line]
        if at is None or (before := known.get(file.shipments[at].number)) is None:
            continue
        shipment = file.shipments[at]
        partner = file.partner(shipment.contract).name
        if before.fact != (partner, shipment.order_no, shipment.shipped_on, shipment.received_on):
            cell = {"cell": shortened(shipment.number)}
            refused.append(Refusal(file.lines.row[line], col.SHIPMENT, "known-shipment", cell))
    return refused
