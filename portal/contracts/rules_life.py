"""Who may move a contract on, and what its last day is.

Pure, as `rules.py`.
"""

from datetime import date, timedelta
from decimal import Decimal

from portal.contracts.model import ContractStatus
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.i18n import N_
from portal.core.states import BOTH, Move, Side, StateTable

S = ContractStatus

# The table speaks of seller and buyer, and either may be the factory. That one company offers and the *other* answers
# is a second rule: `check_answered_by_other`, which `contract_actions` and `contract_target` apply. Whose offer is
# live follows from the state: the factory writes contracts, so `proposed` is its offer and `countered` the partner's.
CONTRACT_STATES = StateTable(
    Move("propose", by=BOTH, source=(S.DRAFT,), target=S.PROPOSED),
    Move("accept", by=BOTH, source=(S.PROPOSED, S.COUNTERED), target=S.ACCEPTED),
    Move("counter", by=BOTH, source=(S.PROPOSED,), target=S.COUNTERED),
    Move("counter", by=BOTH, source=(S.COUNTERED,), target=S.PROPOSED),
    Move("decline", by=BOTH, source=(S.PROPOSED, S.COUNTERED), target=S.DRAFT),
    Move("withdraw", by=BOTH, source=(S.PROPOSED,), target=S.DRAFT),
    Move("withdraw", by=BOTH, source=(S.COUNTERED,), target=S.PROPOSED),
    Move("activate", by=BOTH, source=(S.ACCEPTED,), target=S.ACTIVE),
    Move("amend", by=BOTH, source=(S.ACTIVE,), target=S.ACTIVE),
    Move("amend", by=BOTH, source=(S.SUSPENDED,), target=S.SUSPENDED),
    Move("suspend", by=BOTH, source=(S.ACTIVE,), target=S.SUSPENDED),
    Move("resume", by=BOTH, source=(S.SUSPENDED,), target=S.ACTIVE),
    Move("terminate", by=BOTH, source=(S.ACCEPTED, S.ACTIVE, S.SUSPENDED), target=S.TERMINATED),
    Move("complete", by=BOTH, source=(S.ACTIVE,), target=S.COMPLETED),
    Move("expire", by=BOTH, source=(S.ACCEPTED, S.ACTIVE, S.SUSPENDED), target=S.EXPIRED),
)
ANSWERS = frozenset({"accept", "decline", "counter"})  # taken by the company that was asked
TAKEN_BACK = frozenset({"withdraw"})  # taken by the company that offered
BY_THE_CALENDAR = frozenset({"expire"})  # taken by the portal on the day after the last; nobody is offered it


class OwnProposal(Forbidden):
    code = "own-proposal"
    text = N_("Your company proposed this contract, so the other company answers. You can withdraw the proposal.")


class NotYourProposal(Forbidden):
    code = "not-your-proposal"
    text = N_("The other company proposed this contract, so only it can withdraw. You can decline it.")


class SuspendedByOther(Forbidden):
    code = "suspended-by-other"
    text = N_("The other company suspended this contract, so only it can resume. You can terminate it.")


class PeopleAccept(Forbidden):
    code = "people-accept"
    text = N_(
        "Here a person accepts, on the page of the contract and with a one-time code. An API key or a chat cannot. Open"
        " the contract in the portal."
    )


class OnlyByCalendar(Forbidden):
    code = "only-by-calendar"
    text = N_("A contract expires by itself on the day after its last day. To end it earlier, terminate it.")


class EndsTooEarly(Invalid):
    code = "ends-too-early"
    text = N_("The contract cannot end on {day}: choose a day from {first} on.")


class EndsTooLate(Invalid):
    code = "ends-too-late"
    text = N_("The contract ends on {valid_to} anyway. Choose an earlier day.")


class NothingAgreed(Invalid):
    code = "nothing-agreed"
    text = N_("A contract needs at least one line before it can be proposed.")


class AlreadyEnded(Conflict):
    code = "already-ended"
    text = N_("The contract ended on {valid_to}, so it cannot become active. Agree on a later end first.")


class OpenLines(Conflict):
    code = "open-lines"
    text = N_("{count} deliveries are still open. Receive, close or cancel them before completing the contract.")


def offered_by_factory(status: ContractStatus) -> bool:
    """Whose offer the present one is, or would be: the factory writes contracts, the partner only counters."""
    return status is not S.COUNTERED


def check_answered_by_other(action: str, proposed_by_us: bool) -> None:
    """Raise OwnProposal when we answer our own proposal, NotYourProposal when we withdraw another company's."""
    if action in BY_THE_CALENDAR:
        raise OnlyByCalendar
    if action in ANSWERS and proposed_by_us:
        raise OwnProposal
    if action in TAKEN_BACK and not proposed_by_us:
        raise NotYourProposal


def contract_actions(status: ContractStatus, side: Side, proposed_by_us: bool) -> list[str]:
    """What our company can do with the contract now. proposed_by_us: whether our company made the live proposal."""
    not_ours = (ANSWERS if proposed_by_us else TAKEN_BACK) | BY_THE_CALENDAR
    return [action for action in CONTRACT_STATES.actions(status, side) if action not in not_ours]


def contract_target(status: ContractStatus, action: str, by: Side, proposed_by_us: bool) -> ContractStatus:
    """The state after the action. Raises WrongSide, WrongState, OwnProposal, NotYourProposal or OnlyByCalendar."""
    target = CONTRACT_STATES.target(status, action, by)
    check_answered_by_other(action, proposed_by_us)
    return target


def check_resumed_by(suspended_by: str, us: str) -> None:
    """Raise SuspendedByOther: who stopped the contract says when it goes on. Both are scopes."""
    if suspended_by and suspended_by != us:
        raise SuspendedByOther


def check_end(day: date, valid_to: date | None, today: date) -> None:
    """Raise EndsTooEarly or EndsTooLate. day: the last day of a contract that is terminated; never in the past,
    because what was delivered was delivered under it."""
    if day < today:
        raise EndsTooEarly(field="last_day", day=day, first=today)
    if valid_to is not None and day > valid_to:
        raise EndsTooLate(field="last_day", valid_to=valid_to)


def last_day(valid_to: date | None, ends_on: date | None) -> date | None:
    """The last day on which anything can be called off for; none: until further notice."""
    return min(filter(None, (valid_to, ends_on)), default=None)


def over(today: date, valid_to: date | None, ends_on: date | None) -> ContractStatus | None:
    """What the contract becomes on the morning after its last day, by whichever of the two days came first."""
    last = last_day(valid_to, ends_on)
    if last is None or last >= today:
        return None
    return S.TERMINATED if last == ends_on else S.EXPIRED


def check_proposable(line_count: int) -> None:
    """Raise NothingAgreed for a contract without lines."""
    if line_count < 1:
        raise NothingAgreed


def check_activation(valid_to: date | None, today: date) -> None:
    """Raise AlreadyEnded when the last day of validity has passed; active before the first day is allowed."""
    if valid_to is not None and valid_to < today:
        raise AlreadyEnded(valid_to=valid_to)


def check_completion(open_lines: int) -> None:
    """Raise OpenLines while any schedule line of any contract line is open: one used-up line completes nothing."""
    if open_lines > 0:
        raise OpenLines(count=open_lines)


NOTICE = 60  # days before the end from which it is "soon" where nothing was agreed
TOO_LITTLE = Decimal("0.8")  # of the share of time that has passed
EARLY = Decimal("0.25")  # of its time, before which nothing is said about use


def ends_soon(today: date, last: date | None, notice_days: int | None) -> bool:
    """Whether the last day is within the agreed notice, and has not passed."""
    return last is not None and today <= last <= today + timedelta(days=NOTICE if notice_days is None else notice_days)


def underused(first: date, last: date | None, today: date, target: Decimal, used: Decimal) -> bool:
    """Whether much less was called off by today than the passed time says: under 80 % of an even pace, from a quarter
    of the time on. Test: 1,000 over 100 days, 40 days gone: below 320 is too little.
    """
    if last is None or not first <= today <= last:
        return False
    share = Decimal((today - first).days) / Decimal((last - first).days + 1)
    return share >= EARLY and used < target * share * TOO_LITTLE
