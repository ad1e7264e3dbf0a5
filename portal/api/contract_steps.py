"""Steps in the life of a contract over the interface. If-Match carries the contract's version."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.api.contracts import HELD, ContractState, state
from portal.contracts import service_life
from portal.contracts.inputs import Decline, Offer, Reason, Terminate
from portal.core.actor import Actor, Origin
from portal.parameters import FromPath, JSONBody
from portal.schedules.service_contract import complete_contract


class ContractStepController(Controller):
    path = "/contracts"
    tags = ("Contracts",)

    @post("/{contract_id:uuid}/propose", status_code=HTTP_200_OK, responses=HELD)
    async def propose(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
    ) -> Response[ContractState]:
        """Show the draft to the partner and ask for its answer. 202: colleagues have to approve it first."""
        return state(await service_life.propose(session, actor, contract_id, expected), actor, expected)

    @post("/{contract_id:uuid}/accept", status_code=HTTP_200_OK, responses=HELD)
    async def accept(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        origin: NamedDependency[Origin],
        contract_id: FromPath[UUID],
    ) -> Response[ContractState]:
        """Agree to the contract as it stands in the version of If-Match. The history keeps the evidence.

        Refused with `people-accept` where the workspace asks for a one-time code: then a person accepts on the page.
        """
        return state(await service_life.accept(session, actor, contract_id, expected, origin), actor, expected)

    @post("/{contract_id:uuid}/decline", status_code=HTTP_200_OK)
    async def decline(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Decline],
    ) -> Response[ContractState]:
        """Do not agree, and say why. The draft goes back to its writer."""
        return state(await service_life.decline(session, actor, contract_id, data, expected), actor)

    @post("/{contract_id:uuid}/withdraw", status_code=HTTP_200_OK)
    async def withdraw(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
    ) -> Response[ContractState]:
        """Take the own proposal back."""
        return state(await service_life.withdraw(session, actor, contract_id, expected), actor)

    @post("/{contract_id:uuid}/activate", status_code=HTTP_200_OK)
    async def activate(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
    ) -> Response[ContractState]:
        """Put an accepted contract in force: deliveries can be called off."""
        return state(await service_life.activate(session, actor, contract_id, expected), actor)

    @post("/{contract_id:uuid}/complete", status_code=HTTP_200_OK)
    async def complete(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
    ) -> Response[ContractState]:
        """End a contract of which nothing is open any more."""
        return state(await complete_contract(session, actor, contract_id, expected), actor)

    @post("/{contract_id:uuid}/counter", status_code=HTTP_200_OK, responses=HELD)
    async def counter(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Offer],
    ) -> Response[ContractState]:
        """Change terms of the other company's offer and send it back. What is left out stays as it was offered."""
        return state(await service_life.counter(session, actor, contract_id, data, expected), actor, expected)

    @post("/{contract_id:uuid}/suspend", status_code=HTTP_200_OK)
    async def suspend(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Reason],
    ) -> Response[ContractState]:
        """Call off nothing new until the same company resumes."""
        return state(await service_life.suspend(session, actor, contract_id, data, expected), actor)

    @post("/{contract_id:uuid}/resume", status_code=HTTP_200_OK)
    async def resume(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
    ) -> Response[ContractState]:
        """Go on after a suspension of the own company."""
        return state(await service_life.resume(session, actor, contract_id, expected), actor)

    @post("/{contract_id:uuid}/terminate", status_code=HTTP_200_OK)
    async def terminate(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[Terminate],
    ) -> Response[ContractState]:
        """End the contract before its time; what was called off is still delivered."""
        return state(await service_life.terminate(session, actor, contract_id, data, expected), actor)


ROUTES: list[Any] = [ContractStepController]
