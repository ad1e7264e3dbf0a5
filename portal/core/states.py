"""State machines as data. Page buttons, bot keyboards and the API's `actions` are drawn from the same table."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from portal.core.errors import Conflict
from portal.core.i18n import N_

S = TypeVar("S", bound=StrEnum)


class Side(StrEnum):
    """Who acts on one contract. Comes from its direction and the actor's scope, never from a role."""

    SELLER = "seller"
    BUYER = "buyer"


BOTH = (Side.SELLER, Side.BUYER)


class WrongState(Conflict):
    code = "wrong-state"
    text = N_("This is “{status}” now, so the action “{action}” is not possible any more.")


class WrongSide(Conflict):
    code = "wrong-side"
    text = N_("The action “{action}” belongs to the other company.")


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """One allowed step: who may take it, from which states, to which."""

    action: str
    by: tuple[Side, ...]
    source: tuple[S, ...]
    target: S


class StateTable(Generic[S]):
    """The allowed moves of one kind of document. An action may have several moves with different sources."""

    def __init__(self, *moves: Move[S]) -> None:
        self.moves = moves
        # The same as a look-up, for commands on rows by the thousand; of several moves the first counts.
        self._targets = {
            (m.action, side, status): m.target for m in reversed(moves) for side in m.by for status in m.source
        }

    def __iter__(self) -> Iterator[Move[S]]:
        return iter(self.moves)

    def actions(self, status: S, side: Side) -> list[str]:
        """What this side can do now, in the table's order."""
        return list(dict.fromkeys(m.action for m in self.moves if status in m.source and side in m.by))

    def target(self, status: S, action: str, by: Side) -> S:
        """The state after the action. Raises WrongSide or WrongState when it is not allowed."""
        target = self._targets.get((action, by, status))
        if target is not None:
            return target
        if not any(m.action == action and by in m.by for m in self.moves):
            raise WrongSide(action=action)
        raise WrongState(status=status, action=action)

    def table(self) -> str:
        """The moves as a Markdown table; docs/states.md holds it and a test compares."""
        rows = ["| action | by | from | to |", "|---|---|---|---|"]
        rows += [f"| {m.action} | {', '.join(m.by)} | {', '.join(m.source)} | {m.target} |" for m in self.moves]
        return "\n".join(rows)
