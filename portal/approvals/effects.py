"""What a decision leads to: each upper domain registers, for its points, the command that applies the outcome.

So one page, one interface and one button decide whatever is asked, and no lower domain knows an upper one.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus
from portal.approvals.service import Decision, decide
from portal.core.actor import Actor

Effect = Callable[[AsyncSession, Actor, ApprovalCase], Awaitable[None]]
_effects: dict[ApprovalPoint, Effect] = {}


def applies(*points: ApprovalPoint) -> Callable[[Effect], Effect]:
    """Register what follows when a case of these points is approved or refused; it runs in the decider's transaction.

    The effect is called with the decider as actor and the ended case. What it raises undoes the decision too.
    """

    def register(effect: Effect) -> Effect:
        for point in points:
            assert point not in _effects, f"{point} has its effect already"
            _effects[point] = effect
        return effect

    return register


def asked_at(point: ApprovalPoint) -> bool:
    """Whether any domain asks at this point; a point without one is there for a domain that is not built yet."""
    return point in _effects


async def settle(
    session: AsyncSession, actor: Actor, case_id: UUID, version: int, verdict: Decision, note: str = ""
) -> ApprovalCase:
    """Decide, and apply what was decided: what pages, the interface and buttons call. Raises as `decide`."""
    case = await decide(session, actor, case_id, version, verdict, note)
    effect = _effects.get(case.point)
    if effect is not None and case.status is not CaseStatus.WAITING:
        await effect(session, actor, case)
    return case
