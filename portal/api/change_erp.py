"""Applied changes and the factory's ERP over the interface: what it does not show yet, and marking what it shows."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes import reads_erp, service_erp
from portal.changes.inputs import MarkShown, SetErpDays
from portal.changes.model import ErpState
from portal.changes.reads_erp import ErpFilter, ErpRow, Patience
from portal.core import paging
from portal.core.actor import Actor
from portal.core.db import read
from portal.parameters import FromQuery, JSONBody


class WaitingOut(Struct):
    """One applied change that the ERP does not show yet."""

    id: UUID
    number: Annotated[str, Meta(examples=["C-118"])]
    version: int
    erp_state: ErpState
    applied_at: datetime
    release_no: int | None
    contract_id: UUID
    contract_number: str
    party_name: str
    direction: str
    items: list[str]
    working_days: Annotated[int, Meta(description="since it was applied, in the factory's working days")]
    late: Annotated[bool, Meta(description="whether it has waited longer than it may")]


class ShownOut(Struct):
    """One change that is marked as shown."""

    id: UUID
    number: str
    erp_state: ErpState
    erp_reference: str
    version: int


class ErpDaysOut(Struct):
    """How many working days an applied change may wait for the ERP."""

    working_days: int


def waiting_out(row: ErpRow, known: Patience) -> WaitingOut:
    return WaitingOut(
        row.id, row.number, row.version, row.erp_state, row.applied_at, row.release_no, row.contract_id,
        row.contract_number, row.party_name, row.direction, row.items, known.age(row), known.is_late(row),
    )  # fmt: skip


class NotInErpController(Controller):
    path = "/change-requests/not-in-erp"
    tags = ("Changes",)

    @get()
    async def list_waiting(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        search: FromQuery[str] = "",
        erp_state: FromQuery[ErpState | None] = None,
        late: FromQuery[bool] = False,
    ) -> paging.PageOf[WaitingOut]:
        """Applied changes that the ERP does not show yet, the oldest first. `late`: only what has waited too long."""
        paging.check_limit(limit)
        after, wanted = reads_erp.after(cursor), ErpFilter(search, erp_state, late)
        async with read(actor) as connection:
            known = await reads_erp.patience(connection, actor)
            rows = await reads_erp.list_waiting(connection, actor, wanted, known, after, limit)
        more = reads_erp.key(rows[limit - 1]) if len(rows) > limit else None
        return paging.PageOf([waiting_out(row, known) for row in rows[:limit]], more)

    @post(status_code=HTTP_200_OK)
    async def mark_shown(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[MarkShown]
    ) -> list[ShownOut]:
        """The ERP shows these changes, all under one reference: `{"changes": [{"change_id": "...", "version": 3}],
        "reference": "4500018233"}`. All of them are marked, or none."""
        done = await service_erp.mark_shown(session, actor, data)
        return [ShownOut(one.id, one.number or "", one.erp_state, one.erp_reference, one.version) for one in done]


class ErpDaysController(Controller):
    path = "/erp-days"
    tags = ("Changes",)

    @get()
    async def get_days(self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]) -> ErpDaysOut:
        """How many working days an applied change may wait for the ERP before Today names it."""
        return ErpDaysOut(await service_erp.days(session, actor))

    @put()
    async def set_days(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[SetErpDays]
    ) -> ErpDaysOut:
        """Decide it for the workspace; for the factory's administrators: `{"working_days": 3}`."""
        return ErpDaysOut((await service_erp.set_days(session, actor, data)).erp_days)


ROUTES: list[Any] = [NotInErpController, ErpDaysController]
