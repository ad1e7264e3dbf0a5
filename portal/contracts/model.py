"""Framework contracts: fixed quantities per period that the factory and one partner agreed on."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, SmallInteger, UniqueConstraint
from sqlmodel import Field

from portal.core.actor import Direction
from portal.core.tables import (
    PrivateRow,
    SharedRow,
    child_of,
    index,
    numeric,
    of_party,
    parent,
    percentage,
    private_ref,
    text_enum,
    unique,
)


class ContractKind(StrEnum):
    PERIODIC = "periodic"
    ANNUAL = "annual"
    STRATEGIC = "strategic"
    LONG_TERM = "long_term"


class Cadence(StrEnum):
    """The period that a fixed order quantity is agreed for."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class DayUnit(StrEnum):
    """How firm and trade-off days are counted from the release date."""

    CALENDAR = "calendar"
    WORKING = "working"


class ContractStatus(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    ACTIVE = "active"
    COMPLETED = "completed"


class Contract(SharedRow, table=True):
    """One framework contract with one partner; `party_id` is that partner."""

    __tablename__ = "contract"
    __table_args__ = (
        parent(),
        unique("number"),
        unique("source", "external_id"),
        of_party(),
        CheckConstraint("valid_to is null or valid_to >= valid_from", name="valid_to_after_from"),
        index("contract", "status", "id"),
    )

    partner_sees = "proposed_at is not null"  # the factory's drafts are its own

    number: str = Field(max_length=60)  # unique per partner; two partners may carry the same
    direction: Direction = Field(sa_type=text_enum(Direction))
    kind: ContractKind = Field(default=ContractKind.PERIODIC, sa_type=text_enum(ContractKind))
    status: ContractStatus = Field(default=ContractStatus.DRAFT, sa_type=text_enum(ContractStatus))
    title: str = Field(default="", max_length=200)
    party_name: str = Field(max_length=200)  # as it stood when the contract was written
    partner_reference: str = Field(default="", max_length=60)  # the partner's own number for it
    currency: str = Field(max_length=3)
    valid_from: date
    valid_to: date | None = None  # the last day, inclusive
    time_zone: str = Field(default="UTC", max_length=64)  # the contract's business dates are dates here
    response_hours: int = 16  # working hours in which the seller answers a proposed line
    release_no: int = 0  # the release in force; 0 before the first
    released_on: date | None = None  # its calculation date, from which zones count
    last_line_no: int = 0  # schedule lines are numbered within the contract
    proposed_by: UUID | None = None  # member
    proposed_at: datetime | None = None
    accepted_by: UUID | None = None  # member of the partner
    accepted_at: datetime | None = None
    source: str | None = Field(default=None, max_length=20)
    external_id: str | None = Field(default=None, max_length=120)
    version: int = 1


class ContractLine(SharedRow, table=True):
    """One item of a contract. Carries the item as agreed, because partners never read the factory's item table."""

    __tablename__ = "contract_line"
    __table_args__ = (
        parent(),
        unique("contract_id", "line_no"),
        child_of("contract", "contract_id"),
        private_ref("item", "item_id"),
        CheckConstraint("(foq is null) = (cadence is null)", name="foq_with_cadence"),
        CheckConstraint("foq > 0 and pack_size > 0", name="positive"),
        CheckConstraint("firm_days >= 0 and tradeoff_days >= firm_days", name="zones_in_order"),
        index("contract_line", "contract_id"),
    )

    contract_id: UUID
    line_no: int
    item_id: UUID
    item_code: str = Field(max_length=60)
    description: str = Field(max_length=300)
    revision: str = Field(default="", max_length=20)
    partner_part_no: str = Field(default="", max_length=60)
    unit: str = Field(max_length=3)
    foq: Decimal | None = numeric(default=None)  # fixed order quantity of one period; none: pure call-off
    cadence: Cadence | None = Field(default=None, sa_type=text_enum(Cadence), nullable=True)
    target_quantity: Decimal | None = numeric(default=None)  # over the contract's whole validity
    band_below_percent: Decimal = percentage(default=Decimal(20))
    band_above_percent: Decimal = percentage(default=Decimal(20))
    pack_size: Decimal = numeric(default=Decimal(1))
    minimum_order: Decimal = numeric(default=Decimal(0))
    under_percent: Decimal = percentage(default=Decimal(0))  # delivery tolerance on a schedule line's total
    over_percent: Decimal = percentage(default=Decimal(0))
    firm_days: int = 28  # both counted from the release date; trade-off ends at tradeoff_days
    tradeoff_days: int = 63
    day_unit: DayUnit = Field(default=DayUnit.CALENDAR, sa_type=text_enum(DayUnit))
    delivery_weekdays: list[int] = Field(default=[], sa_type=ARRAY(SmallInteger))  # Monday is 0; empty: any
    ship_to_code: str = Field(default="", max_length=40)
    ship_to_country: str = Field(default="", max_length=80)
    ship_to_address: str = Field(default="", max_length=300)
    unloading_point: str = Field(default="", max_length=60)  # gate or dock
    receiving_window: str = Field(default="", max_length=40)  # as agreed, 07:00-09:00
    cumulative_from: date | None = None  # cumulative quantities count from here
    generated_until: date | None = None  # periods before this day have their schedule lines
    carried_remainder: Decimal = numeric(default=Decimal(0))  # what rounding to packs left over so far
    external_id: str | None = Field(default=None, max_length=200)
    version: int = 1


class ContractPrice(SharedRow, table=True):
    """A price of a contract line from a day on, for everything or for one order."""

    __tablename__ = "contract_price"
    __table_args__ = (
        unique("contract_line_id", "valid_from", "order_no", "price"),
        child_of("contract_line", "contract_line_id"),
        CheckConstraint("price >= 0 and price_unit > 0", name="not_negative"),
    )

    contract_line_id: UUID
    valid_from: date
    order_no: str = Field(default="", max_length=40)  # a price agreed for one order only
    price: Decimal = numeric()  # per price_unit of the line's unit, in the contract's currency
    price_unit: Decimal = numeric(default=Decimal(1))


class ContractNote(PrivateRow, table=True):
    """What the factory alone knows about a contract: goods for a customer straight from a supplier carry the
    customer's reference here, because the contract itself is shared with the supplier."""

    __tablename__ = "contract_note"
    __table_args__ = (
        UniqueConstraint("tenant_id", "contract_id"),
        private_ref("contract", "contract_id"),
        index("contract_note", "reference"),
    )

    contract_id: UUID
    reference: str = Field(default="", max_length=60)  # of the customer behind a purchase contract
    note: str = Field(default="", max_length=500)
