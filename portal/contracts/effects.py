"""What the approval of a contract's step leads to: the step is taken, in the name of whoever asked."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.effects import applies
from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus
from portal.contracts.inputs import Amendment, Offer
from portal.contracts.model import ContractStatus
from portal.contracts.rules_approval import OfferStep
from portal.contracts.service import get_contract
from portal.contracts.service_amendments import accept_amendment, amend, counter_amendment
from portal.contracts.service_approval import check_unmoved, requester
from portal.contracts.service_life import accept, counter, propose
from portal.core.actor import Actor, Origin
from portal.core.days import KEPT

IN_FORCE = (ContractStatus.ACTIVE, ContractStatus.SUSPENDED)


@applies(ApprovalPoint.CONTRACT, ApprovalPoint.PRICE)
async def go_on(session: AsyncSession, decider: Actor, case: ApprovalCase) -> None:
    """Take the step that was approved; a refused one is left. Raises ContractMovedOn, or what the step raises."""
    if case.status is not CaseStatus.APPROVED:
        return
    asker = requester(decider, case)
    contract = await get_contract(session, asker, case.subject_id, lock=True)
    check_unmoved(contract, case)
    in_force = contract.status in IN_FORCE
    said = case.data.get("offer")
    origin = Origin(**case.data["origin"]) if case.data.get("origin") else None
    match OfferStep(case.data["step"]):
        case OfferStep.PROPOSAL:
            await propose(session, asker, contract.id, passed=case)
        case OfferStep.AMENDMENT:
            await amend(session, asker, contract.id, Amendment.model_validate(said, context=KEPT), passed=case)
        case OfferStep.COUNTER if in_force:
            await counter_amendment(
                session, asker, contract.id, Amendment.model_validate(said, context=KEPT), passed=case
            )
        case OfferStep.COUNTER:
            await counter(session, asker, contract.id, Offer.model_validate(said, context=KEPT), passed=case)
        case OfferStep.ACCEPTANCE if in_force:
            await accept_amendment(session, asker, contract.id, origin=origin, passed=case)
        case OfferStep.ACCEPTANCE:
            await accept(session, asker, contract.id, origin=origin, passed=case)
