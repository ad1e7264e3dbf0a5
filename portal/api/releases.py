"""Releases over the interface: published, held, answered, and any two of them compared."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import Driver, read
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.schedules import (
    reads_board,
    reads_inbound,
    reads_next,
    reads_releases,
    reads_zones,
    service_answers,
    service_holding,
    words,
)
from portal.schedules.model import ReleaseStatus
from portal.schedules.model_releases import ReleaseStanding
from portal.schedules.reads_board import ReleaseLineRow, ReleaseRow
from portal.schedules.reads_contents import Contents
from portal.schedules.reads_inbound import InboundRelease
from portal.schedules.reads_next import Kept
from portal.schedules.reads_releases import Comparison, StandingRow
from portal.schedules.rules_difference import ChangeKind
from portal.schedules.rules_inbound import Finding
from portal.schedules.service_publishing import Publish


class Published(Struct):
    """The new release; or, with `prepared_id`, that it is held for an approver and nobody was told."""

    id: UUID | None
    number: int | None
    prepared_id: UUID | None = None


class ReleaseOut(Struct):
    """A release beside the one it was compared with when it was made."""

    release: ReleaseRow
    standing: StandingRow
    contents: Contents
    before: ReleaseRow | None
    lines: list[ReleaseLineRow]
    gone: list[ReleaseLineRow]


class Answered(Struct):
    """How the release stands now."""

    status: ReleaseStatus
    version: int


class PartDifference(Struct):
    """How the running total of one contract line differs: new less old, in its unit."""

    contract_line_id: UUID
    item_code: str
    unit: str
    total: Decimal
    most: Decimal
    most_on: date


class LineDifference(Struct):
    """One delivery in both releases; one side is null where it is only in the other."""

    kind: ChangeKind
    schedule_line_id: UUID
    contract_line_id: UUID
    due_date: date | None
    quantity: Decimal | None
    earlier_date: date | None
    earlier_quantity: Decimal | None


class DifferenceOut(Struct):
    """What changed from one release to another. `lines` leaves out what is the same."""

    sentence: str
    number: int
    against: int | None
    counts: dict[str, int]
    delivered: int
    parts: list[PartDifference]
    lines: list[LineDifference]


def answered(standing: ReleaseStanding) -> Response[Answered]:
    """The standing after an answer, with its version as ETag."""
    return Response(Answered(standing.status, standing.version), headers={"ETag": f'"{standing.version}"'})


async def release_out(connection: Driver, actor: Actor, contract_id: UUID, number: int) -> ReleaseOut:
    """One release with all it told. NotFound."""
    found = await reads_zones.release_today(connection, actor, contract_id, number, clock.now())
    standing = (await reads_releases.standings(connection, actor, contract_id, number))[number]
    return ReleaseOut(found.release, standing, found.contents, found.before, found.lines, found.gone)


def difference_out(found: Comparison) -> DifferenceOut:
    """A comparison for programs."""
    lines = [
        LineDifference(
            change.kind,
            change.there.line_id,
            change.there.part_id,
            change.after.due if change.after else None,
            change.after.quantity if change.after else None,
            change.before.due if change.before else None,
            change.before.quantity if change.before else None,
        )
        for change in found.difference.lines
        if change.kind is not ChangeKind.SAME
    ]
    parts = [
        PartDifference(one.part_id, named.item_code, named.unit, one.total, one.most, one.most_on)
        for one in found.difference.parts
        for named in (found.parts[one.part_id],)
    ]
    counts = {kind.value: count for kind, count in found.difference.counts.items()}
    against = found.before.number if found.before else None
    said = words.sentence(found.difference, found.parts, against) if against else ""
    return DifferenceOut(said, found.release.number, against, counts, found.delivered, parts, lines)


class ReleaseController(Controller):
    path = "/contracts/{contract_id:uuid}/releases"
    tags = ("Releases",)

    @post(status_code=HTTP_201_CREATED)
    async def publish(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Publish],
    ) -> Published:
        """Freeze the open lines as the next numbered release, or hold it where it leaves the plan's tolerance.

        If-Match carries the contract's version. `{"kind": "jit"}` speaks of the deliveries inside the JIT horizon.
        """
        made = await service_holding.release(session, actor, contract_id, expected, data)
        return Published(made.release_id, made.number, made.prepared_id)

    @get()
    async def releases(self, actor: NamedDependency[Actor], contract_id: FromPath[UUID]) -> list[ReleaseRow]:
        """The contract's releases, newest first."""
        async with read(actor) as connection:
            await reads_board.board_head(connection, actor, contract_id)  # foreign and absent: not found, not empty
            return await reads_board.releases(connection, actor, contract_id)

    @get("/next/kept")
    async def kept(self, actor: NamedDependency[Actor], contract_id: FromPath[UUID]) -> list[Kept]:
        """What the firm zone keeps of what is wanted with the next release: only what was told is firm. The factory's.

        Published 100 and wanted 130: told 100, rest 30 on the first working day after the zone. Wanted 80: told 100.
        """
        async with read(actor) as connection:
            return await reads_next.kept_by_firm(connection, actor, contract_id, clock.now())

    @get("/{number:int}")
    async def release(
        self, actor: NamedDependency[Actor], contract_id: FromPath[UUID], number: FromPath[int]
    ) -> Response[ReleaseOut]:
        """One release with all it told, beside the one before it. The ETag is the version that an answer carries.

        `zone` is the one that was published and stays; `zone_today` is that of a release made today, null once the day
        has passed.
        """
        async with read(actor) as connection:
            out = await release_out(connection, actor, contract_id, number)
        return Response(out, headers={"ETag": f'"{out.standing.version}"'})

    @get("/{number:int}/difference")
    async def difference(
        self,
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        number: FromPath[int],
        against: FromQuery[int | None] = None,
    ) -> DifferenceOut:
        """What changed since another release of the contract: per delivery, cumulative, and in one sentence."""
        async with read(actor) as connection:
            return difference_out(await reads_releases.compared(connection, actor, contract_id, number, against))

    @post("/{number:int}/acknowledge", status_code=HTTP_200_OK)
    async def acknowledge(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        number: FromPath[int],
    ) -> Response[Answered]:
        """The partner has read the newest release and works by it."""
        return answered(await service_answers.acknowledge_release(session, actor, contract_id, number, expected))

    @post("/{number:int}/reject", status_code=HTTP_200_OK)
    async def reject(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        number: FromPath[int],
        data: JSONBody[service_answers.RejectRelease],
    ) -> Response[Answered]:
        """The partner refuses the newest release; the one before it stays in force."""
        return answered(await service_answers.reject_release(session, actor, contract_id, number, expected, data))

    @post("/held/approve", status_code=HTTP_201_CREATED)
    async def approve(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[service_holding.Decide],
    ) -> Published:
        """Publish what is held. If-Match carries the version of what is held."""
        made = await service_holding.approve_release(session, actor, contract_id, expected, data)
        return Published(made.release_id, made.number)

    @post("/held/discard", status_code=HTTP_204_NO_CONTENT)
    async def discard(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[service_holding.Decide],
    ) -> None:
        """Do not tell what is held."""
        await service_holding.discard_release(session, actor, contract_id, expected, data)

    @post("/check", status_code=HTTP_200_OK)
    async def check(
        self, actor: NamedDependency[Actor], contract_id: FromPath[UUID], data: JSONBody[InboundRelease]
    ) -> list[Finding]:
        """Check a release that a customer sends before it is taken over. Nothing is changed."""
        async with read(actor) as connection:
            return await reads_inbound.check_inbound(connection, actor, contract_id, data)


ROUTES: list[Any] = [ReleaseController]
