"""The state tables themselves: what each side can do, and that no state is out of reach or a trap by accident."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from portal.changes.model import ChangeStatus
from portal.changes.rules import CHANGE_STATES
from portal.contracts.model import ContractStatus, RevisionStatus
from portal.contracts.model_opening import OpeningStatus
from portal.contracts.rules_life import CONTRACT_STATES
from portal.contracts.rules_opening import OPENING_STATES
from portal.contracts.rules_versions import REVISION_STATES
from portal.core.states import BOTH, Move, Side, StateTable, WrongSide, WrongState
from portal.forecasts.model import RequestStatus
from portal.forecasts.rules import REQUEST_STATES
from portal.schedules.model import ConfirmationStatus, LineStatus, ReleaseStatus
from portal.schedules.model_releases import PreparedStatus
from portal.schedules.rules import AGREED_CHANGES, LINE_STATES
from portal.schedules.rules_answers import ANSWER_STATES
from portal.schedules.rules_releases import PREPARED_STATES, RELEASE_STATES
from portal.schedules.rules_reports import REPORT_STATES
from portal.shipments.model import ShipmentStatus
from portal.shipments.model_cumulative import EntryStatus
from portal.shipments.rules import SHIPMENT_STATES
from portal.shipments.rules_cumulating import ENTRY_STATES

TABLES = [
    (CONTRACT_STATES, ContractStatus, {ContractStatus.COMPLETED, ContractStatus.TERMINATED, ContractStatus.EXPIRED}),
    (
        REVISION_STATES,
        RevisionStatus,
        {RevisionStatus.AGREED, RevisionStatus.DECLINED, RevisionStatus.WITHDRAWN},
    ),
    (
        CHANGE_STATES,
        ChangeStatus,
        {ChangeStatus.DECLINED, ChangeStatus.WITHDRAWN, ChangeStatus.EXPIRED, ChangeStatus.APPLIED},
    ),
    (
        OPENING_STATES,
        OpeningStatus,
        {OpeningStatus.CONFIRMED, OpeningStatus.DECLINED, OpeningStatus.WITHDRAWN},
    ),
    (LINE_STATES, LineStatus, {LineStatus.CANCELLED}),
    (
        ANSWER_STATES,
        ConfirmationStatus,
        {ConfirmationStatus.DECLINED, ConfirmationStatus.REPLACED, ConfirmationStatus.CLOSED},
    ),
    (REQUEST_STATES, RequestStatus, {RequestStatus.ANSWERED, RequestStatus.SUPERSEDED}),
    (ENTRY_STATES, EntryStatus, {EntryStatus.AGREED, EntryStatus.DECLINED, EntryStatus.WITHDRAWN}),
    (PREPARED_STATES, PreparedStatus, {PreparedStatus.PUBLISHED, PreparedStatus.DISCARDED}),
    (RELEASE_STATES, ReleaseStatus, {ReleaseStatus.REJECTED, ReleaseStatus.SUPERSEDED}),
    (SHIPMENT_STATES, ShipmentStatus, {ShipmentStatus.CLOSED, ShipmentStatus.WITHDRAWN}),
]
SELLER, BUYER = Side.SELLER, Side.BUYER
PAGE = Path(__file__).parents[2] / "docs" / "states.md"
TITLES: dict[str, tuple[StateTable[Any], str]] = {
    "Contracts": (
        CONTRACT_STATES,
        "`accept`, `counter` and `decline` belong to the company that did not make the live offer, `withdraw` to the "
        "one that did; `resume` to the one that suspended. `propose`, `activate` and `complete` are the factory's, "
        "`expire` is the calendar's. A termination on a later day takes place on the morning after that day.",
    ),
    "Offers and versions of a contract": (
        REVISION_STATES,
        "The first proposal, each counter-offer and each amendment is an offer with the contract's whole content. An "
        "agreed one is a version; which version is in force follows from the days they begin on.",
    ),
    "Opening balances": (
        OPENING_STATES,
        "The factory enters the figures and may withdraw them; `confirm` and `decline` are the partner's. Only "
        "confirmed ones are in the ledger.",
    ),
    "Schedule lines": (
        LINE_STATES,
        "What was shipped and received are sums of documents, never statuses. After `reopen` the sum of the promises "
        "decides. A firm or shipped line is not cancelled but changed by agreement.",
    ),
    "Answers": (
        ANSWER_STATES,
        "One answer of the seller with all its parts. Inside what the contract tolerates or leaves free it is `valid` "
        "at once; a deviation that needs approval waits for the buyer. `close` is a release that changes the request.",
    ),
    "Releases before they are told": (
        PREPARED_STATES,
        "The factory's own. A release outside its tolerance is held, and somebody else than who prepared it approves; "
        "the partner is told when it is published, not before.",
    ),
    "Releases": (
        RELEASE_STATES,
        "The release itself never changes; this is how it stands with the partner, whose people `acknowledge` and "
        "`reject` on either side of a contract. After a rejection the release before it is in force.",
    ),
    "What an agreed change does to a schedule line": (
        AGREED_CHANGES,
        "A line with another quantity or day is asked for anew; where the seller agreed, it is confirmed at once.",
    ),
    "Change requests": (
        CHANGE_STATES,
        "`accept`, `decline` and `counter` belong to the company that did not make the live offer, `rebase` to the one "
        "that did, `submit` and `withdraw` to the one that asked. `review`, `expire`, `apply` and `fail` are the "
        "portal's. A buyer's change outside the firm zone and inside the band is accepted by rule when it is sent.",
    ),
    "Delays and problems": (
        REPORT_STATES,
        "A warning about a delivery. `settle_report` is the receipt that makes the delivery complete.",
    ),
    "Requests for a commit": (
        REQUEST_STATES,
        "A release asks the seller to commit to its forecast. `lapse` is the calendar's and `supersede` the next "
        "release's; a commit that comes late still answers.",
    ),
    "Cumulative quantities": (
        ENTRY_STATES,
        "A correction, a reset or an opening figure. `agree` and `decline` belong to the company that did not propose, "
        "`withdraw` to the one that did.",
    ),
    "Delivery notes": (SHIPMENT_STATES, "`receive` is the receipt that counts the last line of the delivery note."),
}


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"


DOOR = StateTable(
    Move("shut", by=(SELLER,), source=(Door.OPEN,), target=Door.SHUT),
    Move("open", by=BOTH, source=(Door.SHUT,), target=Door.OPEN),
)


def test_actions_are_those_of_the_side_in_the_tables_order() -> None:
    assert DOOR.actions(Door.OPEN, SELLER) == ["shut"]
    assert DOOR.actions(Door.OPEN, BUYER) == []
    assert DOOR.actions(Door.SHUT, BUYER) == ["open"]


def test_the_wrong_side_and_the_wrong_state_are_told_apart() -> None:
    with pytest.raises(WrongSide):
        DOOR.target(Door.OPEN, "shut", by=BUYER)
    with pytest.raises(WrongState) as refused:
        DOOR.target(Door.SHUT, "shut", by=SELLER)
    assert str(refused.value) == "This is “shut” now, so the action “shut” is not possible any more."


def test_the_table_prints_one_row_a_move() -> None:
    assert DOOR.table().splitlines()[2:] == [
        "| shut | seller | open | shut |",
        "| open | seller, buyer | shut | open |",
    ]


@pytest.mark.parametrize(("table", "statuses", "final"), TABLES)
def test_every_state_can_be_reached_from_the_first_and_only_final_ones_are_final(
    table: StateTable[Any], statuses: type[StrEnum], final: set[StrEnum]
) -> None:
    reached = _closure(table, [next(iter(statuses))])
    assert reached == set(statuses)
    assert {status for status in statuses if not any(table.actions(status, side) for side in Side)} == final


@pytest.mark.parametrize(("table", "statuses", "final"), TABLES)
def test_what_is_offered_can_be_done_and_nothing_else(
    table: StateTable[Any], statuses: type[StrEnum], final: set[StrEnum]
) -> None:
    for status in statuses:
        for side in Side:
            offered = table.actions(status, side)
            for action in {move.action for move in table}:
                if action in offered:
                    assert table.target(status, action, side) in statuses
                else:
                    with pytest.raises((WrongSide, WrongState)):
                        table.target(status, action, side)
    assert final <= set(statuses)


def test_the_documentation_shows_the_tables_that_run() -> None:
    """After a change of a table: python -m tests.core.test_states"""
    assert PAGE.read_text("utf-8") == _page()


def _page() -> str:
    parts = ["# States", "Drawn from the state tables in the code. Which role may act is in the table of permissions."]
    for title, (table, note) in TITLES.items():
        parts += [f"## {title}", note, table.table()]
    return "\n\n".join(parts) + "\n"


def _closure(table: StateTable[Any], start: Iterable[StrEnum]) -> set[StrEnum]:
    reached = set(start)
    while more := {m.target for m in table if reached & set(m.source)} - reached:
        reached |= more
    return reached


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(_page(), "utf-8")
