"""Opening balances over the interface: entered by the factory, confirmed or declined by the partner."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.inputs import Decline
from portal.contracts.inputs_opening import ProposeOpening
from portal.contracts.model_opening import OpeningBalance
from portal.core.actor import Actor
from portal.parameters import FromPath, JSONBody
from portal.shipments import service_opening
from portal.shipments.service_opening import figures_of


class FigureOut(Struct):
    """What was called off, shipped and received up to the cut-over date."""

    line_id: UUID
    period_id: UUID | None
    called: Decimal
    shipped: Decimal
    received: Decimal


class OpeningOut(Struct):
    """One set of figures: `proposed`, `confirmed`, `declined` or `withdrawn`. Only confirmed ones are in the ledger."""

    id: UUID
    number: int
    cut_over: date
    status: str
    figures: list[FigureOut]
    offered_name: str
    offered_at: datetime
    answered_name: str
    answered_at: datetime | None
    reason: str
    version: int


def opening_out(balance: OpeningBalance) -> OpeningOut:
    return OpeningOut(
        id=balance.id,
        number=balance.number,
        cut_over=balance.cut_over,
        status=balance.status.value,
        figures=[FigureOut(*figure) for figure in figures_of(balance)],
        offered_name=balance.offered_name,
        offered_at=balance.offered_at,
        answered_name=balance.answered_name,
        answered_at=balance.answered_at,
        reason=balance.reason,
        version=balance.version,
    )


class OpeningController(Controller):
    path = "/contracts/{contract_id:uuid}/opening"
    tags = ("Contracts",)

    @get()
    async def openings(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> list[OpeningOut]:
        """All sets of figures, the newest first, as both sides see them."""
        return [opening_out(one) for one in await service_opening.get_openings(session, actor, contract_id)]

    @post(status_code=HTTP_201_CREATED)
    async def propose(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[ProposeOpening],
    ) -> OpeningOut:
        """Put the figures up to a cut-over date before the partner. Nothing of them counts until it confirms."""
        return opening_out(await service_opening.propose_opening(session, actor, contract_id, data))

    @post("/confirm", status_code=HTTP_200_OK)
    async def confirm(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> OpeningOut:
        """Agree to the figures that wait: they become entries of the ledger. The partner alone."""
        return opening_out(await service_opening.confirm_opening(session, actor, contract_id))

    @post("/decline", status_code=HTTP_200_OK)
    async def decline(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[Decline],
    ) -> OpeningOut:
        """Do not agree to the figures that wait, and say why. The partner alone."""
        return opening_out(await service_opening.decline_opening(session, actor, contract_id, data))

    @post("/withdraw", status_code=HTTP_200_OK)
    async def withdraw(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> OpeningOut:
        """Take figures back that wait. The factory alone."""
        return opening_out(await service_opening.withdraw_opening(session, actor, contract_id))


ROUTES: list[Any] = [OpeningController]
