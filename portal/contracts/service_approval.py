"""The factory's own word before it binds itself to a contract: asked by rule, applied when it is given.

A step that needs an approval leaves the contract as it is; the case keeps what is needed to take the step in the
requester's name once it is approved. The partner sees nothing of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Party
from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus
from portal.approvals.service import ask
from portal.catalog.service import items_by_code
from portal.contracts.evidence import Content, read_back
from portal.contracts.inputs import Agreed, Offer
from portal.contracts.model import Contract
from portal.contracts.rules_approval import ContractMovedOn, Figures, OfferStep, figures, months
from portal.contracts.service import subject
from portal.contracts.service_rates import in_own_currency
from portal.core import clock
from portal.core.actor import Actor, Origin
from portal.core.calendars import local_today


@dataclass(frozen=True, slots=True)
class Wish:
    """What the factory wants to say to the partner, and how to say it later."""

    step: OfferStep
    said: Content
    before: Content | None  # what holds; none for a new contract
    first: date  # from which it holds
    data: Mapping[str, Any] = field(default_factory=dict)  # plain values by which the step is taken again


Passed = ApprovalCase | None


async def cleared(session: AsyncSession, actor: Actor, contract: Contract, wish: Wish, passed: Passed = None) -> bool:
    """Whether the step may be taken now. Else it waits for people, or a rule refused it: the contract stays as it is.

    passed: the case that was just approved; the points after it are still asked.
    """
    if not actor.is_factory:
        return True
    said = read_back(wish.said)
    found = figures(said, read_back(wish.before) if wish.before else None, _today(contract))
    facts: dict[str, Any] | None = None
    done = [*passed.data["passed"], passed.point.value] if passed else []
    for point in _points(found):
        if point.value in done:
            continue
        facts = facts or await _facts(session, actor, contract, wish, said, found)
        known = facts if point is ApprovalPoint.PRICE else {k: v for k, v in facts.items() if k != PRICE_FACT}
        data = {**wish.data, "step": wish.step.value, "passed": [*done]}
        case = await ask(session, actor, point, subject(contract), known, label=contract.number, data=data)
        if case.status is not CaseStatus.APPROVED:
            return False
        done.append(point.value)
    return True


PRICE_FACT = "price_change_percent"


def _points(found: Figures) -> Iterator[ApprovalPoint]:
    yield ApprovalPoint.CONTRACT
    if found.prices_changed:
        yield ApprovalPoint.PRICE


def _today(contract: Contract) -> date:
    return local_today(clock.now(), contract.time_zone)


async def _facts(
    session: AsyncSession, actor: Actor, contract: Contract, wish: Wish, said: Agreed, found: Figures
) -> dict[str, Any]:
    party = select(Party.code).where(Party.tenant_id == actor.tenant_id, Party.id == contract.party_id)
    own = await in_own_currency(session, actor, contract.currency, _today(contract), (found.value, found.change))
    return {
        "step": wish.step,
        "direction": contract.direction,
        "party": (await session.exec(party)).one(),
        "value": own[0],
        "value_change": own[1],
        "value_change_percent": found.percent,
        PRICE_FACT: found.price_percent,
        "months": months(said),
        "notice_days": (wish.first - _today(contract)).days,
        "requester_role": actor.role,
        **await _items(session, actor, said),
    }


async def _items(session: AsyncSession, actor: Actor, said: Agreed) -> dict[str, Any]:
    codes = [line.item_code for line in said.lines]
    known = await items_by_code(session, actor, codes)
    return {"item": codes, "item_category": [item.category for item in known.values() if item.category]}


def kept(said: Offer | Origin | None) -> Any:
    """What was said with a step, as plain values that are read back when the step is taken."""
    if isinstance(said, Offer):
        return said.model_dump(mode="json", exclude_unset=True)
    return asdict(said) if said is not None else None


def requester(actor: Actor, case: ApprovalCase) -> Actor:
    """Whoever asked, at the moment at which a colleague's approval lets it go on."""
    system = Actor.system(actor.tenant_id, actor.party_id)
    return replace(
        system,
        member_id=case.requested_by,
        name=case.requested_name,
        channel=actor.channel,
        time_zone=actor.time_zone,
    )


def check_unmoved(contract: Contract, case: ApprovalCase) -> None:
    """Raise ContractMovedOn unless the contract is what it was when the approval was asked."""
    if contract.version != case.subject_version:
        raise ContractMovedOn(number=contract.number)
