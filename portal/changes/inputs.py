"""What a caller says about a change: the shapes are checked here, the trade's rules by `rules.py`."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.changes.model import ChangeReason, ErpState, PartKind
from portal.changes.rules import MOST_PARTS
from portal.core.days import Day
from portal.core.inputs import Input

Amount = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
Reference = Annotated[str, Field(max_length=60, description="the document in the ERP that shows the change")]
DueDay = Annotated[Day, Field(examples=["2026-12-01"])]


class NewPiece(Input):
    """One part of a split: so much on this day."""

    quantity: Amount = Field(examples=["400"])
    due_date: DueDay


class NewPart(Input):
    """What is wanted of one delivery. What is left out stays as it is."""

    kind: PartKind = PartKind.CHANGE
    line_id: UUID | None = Field(default=None, description="the delivery; left out for an addition")
    version: int | None = Field(default=None, description="of the delivery, as the caller saw it")
    contract_line_id: UUID | None = Field(default=None, description="the contract's line, for an addition")
    quantity: Amount | None = Field(default=None, examples=["800"])
    due_date: DueDay | None = None
    place: str | None = Field(default=None, max_length=40, description="the ship-to site's code", examples=["WUX-1"])
    price: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=6, description="per unit")
    pieces: list[NewPiece] = Field(default=[], max_length=20, description="of a split; the first stays the delivery")
    bucket_id: UUID | None = Field(default=None, description="of a carry-over: the agreed period that has ended")
    to_bucket_id: UUID | None = Field(default=None, description="of a carry-over: the later period in which it counts")


class NewPause(Input):
    """No delivery between two days: what lies there moves to the first working day after them, or falls away."""

    contract_line_id: UUID | None = Field(default=None, description="left out: every line of the contract")
    since: DueDay = Field(description="the first day without deliveries")
    until: DueDay = Field(description="the last day without deliveries", examples=["2026-12-15"])
    drop: bool = Field(default=False, description="the deliveries fall away; otherwise they move behind the pause")


class Parts(Input):
    """What an offer wants, and why."""

    parts: list[NewPart] = Field(default=[], max_length=MOST_PARTS)
    pauses: list[NewPause] = Field(default=[], max_length=20, description="each covers the deliveries of its days")
    note: str = Field(default="", max_length=500, description="the other company reads it")


class NewChange(Parts):
    """A change to be asked for. It begins as a draft that the other company does not see."""

    contract_id: UUID
    reason: ChangeReason


class Counter(Parts):
    """Another offer about the same deliveries; from now on it is the only live one."""


class Accept(Input):
    """Agree. Without parts: to all of it."""

    parts: list[int] | None = Field(default=None, max_length=MOST_PARTS, description="numbers of the parts agreed to")


class Refuse(Input):
    """Do not agree, and say why; the other side reads it."""

    reason: str = Field(min_length=1, max_length=500, examples=["The furnace is full until Friday."])


class Comment(Input):
    """A remark that both companies read."""

    note: str = Field(min_length=1, max_length=500)


class SetTerms(Input):
    """How changes of one contract are agreed."""

    by_line: bool = Field(default=False, description="whether parts of a request can be agreed one by one")
    answer_hours: int | None = Field(default=None, ge=1, le=400, description="working hours; none: the contract's own")


class NoteErp(Input):
    """How far an applied change has come in the factory's ERP."""

    state: ErpState
    reference: Reference = ""


class ShownChange(Input):
    """One applied change that the ERP shows."""

    change_id: UUID
    version: int | None = Field(default=None, description="of the request, as the caller saw it")


class MarkShown(Input):
    """Several applied changes that the ERP shows: all of them are marked, or none."""

    changes: list[ShownChange] = Field(min_length=1, max_length=200)
    reference: Reference = Field(min_length=1, examples=["4500018233"])


class SetErpDays(Input):
    """How long an applied change may wait for the ERP before Today names it."""

    working_days: int = Field(ge=1, le=60, examples=[3])
