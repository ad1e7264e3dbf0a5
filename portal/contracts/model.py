"""Framework contracts: fixed quantities per period that the factory and one partner agreed on."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlmodel import Field

from portal.core.actor import Direction
from portal.core.tables import (
    ROOM_TO_CHANGE,
    PrivateRow,
    SharedRow,
    child_of,
    document,
    document_or_none,
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


class DeviationRule(StrEnum):
    """What an answer that differs from what was asked leads to. One rule a kind of deviation."""

    FREE = "free"  # it holds at once
    APPROVAL = "approval"  # the buyer decides
    FORBIDDEN = "forbidden"  # it cannot be given


class Lapse(StrEnum):
    """What happens when the seller has not answered in time. It is always noted, and the buyer is told."""

    NOTHING = "nothing"
    REMIND = "remind"
    ESCALATE = "escalate"  # the seller's deputy, then the administrator
    DEEMED = "deemed"  # all that was asked counts as confirmed
    PREVIOUS = "previous"  # what was confirmed before the request changed
    PERCENT = "percent"  # a share of what was asked


class DateRule(StrEnum):
    """Where a date goes that falls on a day on which the place is closed."""

    EARLIER = "earlier"
    LATER = "later"
    NEAREST = "nearest"
    KEEP = "keep"


class ContractStatus(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"  # the factory's offer waits for the partner
    COUNTERED = "countered"  # the partner's offer waits for the factory
    ACCEPTED = "accepted"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    TERMINATED = "terminated"
    EXPIRED = "expired"


class PriceTier(StrEnum):
    """What `from_quantity` of a price is compared with."""

    ALL = "all"  # nothing: one price whatever the quantity
    CUMULATIVE = "cumulative"  # what the line had delivered before
    DELIVERY = "delivery"  # what this delivery holds


class RevisionStatus(StrEnum):
    """What became of an offer. Whether an agreed version is in force follows from its date, never from here."""

    PROPOSED = "proposed"
    REPLACED = "replaced"  # by the other company's counter-offer
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    AGREED = "agreed"


def _rule(kind: str) -> Any:
    return Field(default=None, sa_type=text_enum(DeviationRule, f"deviation_{kind}"), nullable=True)


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
    incoterm: str = Field(default="", max_length=3)  # ICC Incoterms 2020
    incoterm_place: str = Field(default="", max_length=120)
    payment_terms: str = Field(default="", max_length=200)
    take_or_pay_percent: Decimal | None = percentage(default=None)  # of each line's target, owed even if not taken
    penalty_percent: Decimal | None = percentage(default=None)  # of a late delivery's value, per day late
    penalty_cap_percent: Decimal | None = percentage(default=None)  # at most, of that value
    notice_days: int | None = None  # before the end; also when the reminder of the end is sent
    # How answers to deliveries are treated; where nothing is said, `rules_answers.policy` has the usual.
    deviation_quantity: DeviationRule | None = _rule("quantity")
    deviation_earlier: DeviationRule | None = _rule("earlier")
    deviation_later: DeviationRule | None = _rule("later")
    deviation_price: DeviationRule | None = _rule("price")
    early_days: int | None = None  # calendar days early that are no deviation
    late_days: int | None = None
    lapse: Lapse | None = Field(default=None, sa_type=text_enum(Lapse), nullable=True)
    lapse_percent: Decimal | None = percentage(default=None)  # with `percent` only
    transit_days: int | None = None  # calendar days from despatch to delivery
    date_rule: DateRule | None = Field(default=None, sa_type=text_enum(DateRule), nullable=True)
    release_no: int = 0  # the release in force; 0 before the first
    released_on: date | None = None  # its calculation date, from which zones count
    last_line_no: int = 0  # schedule lines are numbered within the contract
    proposed_by: UUID | None = None  # member
    proposed_at: datetime | None = None
    accepted_by: UUID | None = None  # member of the partner
    accepted_at: datetime | None = None
    suspended_by: str = Field(default="", max_length=8)  # the scope that may resume
    ends_on: date | None = None  # the last day after a termination
    end_reason: str = Field(default="", max_length=500)
    reminded_end: date | None = None  # the last day that a reminder was sent for
    reminded_use: date | None = None  # when somebody was last told that too little is called off
    source: str | None = Field(default=None, max_length=20)
    external_id: str | None = Field(default=None, max_length=120)
    version: int = 1


class ContractLine(SharedRow, table=True):
    """One item of a contract. Carries the item as agreed, because partners never read the factory's item table."""

    __tablename__ = "contract_line"
    __table_args__ = (
        parent(),
        unique("contract_id", "id"),  # lets what is under a line name its contract with it
        unique("contract_id", "line_no"),
        child_of("contract", "contract_id"),
        private_ref("item", "item_id"),
        CheckConstraint("(foq is null) = (cadence is null)", name="foq_with_cadence"),
        CheckConstraint("foq > 0 and pack_size > 0", name="positive"),
        CheckConstraint("firm_days >= 0 and tradeoff_days >= firm_days", name="zones_in_order"),
        index("contract_line", "contract_id"),
        index("contract_line", "item_id"),
        ROOM_TO_CHANGE,
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
    transit_days: int | None = None  # calendar days to this place; none: the contract's
    cumulative_from: date | None = None  # cumulative quantities count from here
    take_or_pay_quantity: Decimal | None = numeric(default=None)  # over the whole validity; wins over the percentage
    typed_periods: dict[str, Any] | None = document_or_none()  # as `evidence` writes them; none: from foq
    ended_from: date | None = None  # an amendment took the line out of the contract from this day on
    generated_until: date | None = None  # periods before this day have their schedule lines
    carried_remainder: Decimal = numeric(default=Decimal(0))  # what rounding to packs left over so far
    external_id: str | None = Field(default=None, max_length=200)
    version: int = 1


class ContractPrice(SharedRow, table=True):
    """A price of a contract line from a day on, for everything or for one order."""

    __tablename__ = "contract_price"
    __table_args__ = (
        unique("contract_line_id", "valid_from", "order_no", "from_quantity", "price"),
        child_of("contract_line", "contract_line_id"),
        CheckConstraint("price >= 0 and price_unit > 0", name="not_negative"),
        CheckConstraint("from_quantity >= 0", name="from_quantity"),
    )

    contract_line_id: UUID
    valid_from: date
    order_no: str = Field(default="", max_length=40)  # a price agreed for one order only
    price: Decimal = numeric()  # per price_unit of the line's unit, in the contract's currency
    price_unit: Decimal = numeric(default=Decimal(1))
    tier: PriceTier = Field(default=PriceTier.ALL, sa_type=text_enum(PriceTier))
    from_quantity: Decimal = numeric(default=Decimal(0))  # where this step of the scale begins, in the line's unit


class ContractRevision(SharedRow, table=True):
    """One offer to agree on the contract's whole content from a day on: the first proposal, a counter-offer, or an
    amendment. Once agreed it is a version of the contract; the content and its digest never change."""

    __tablename__ = "contract_revision"
    __table_args__ = (
        unique("contract_id", "number"),
        child_of("contract", "contract_id"),
        Index("ix_contract_revision_due", "tenant_id", "effective_from", postgresql_where=text("applies")),
        index("contract_revision", "contract_id"),
    )

    contract_id: UUID
    number: int  # within the contract, in the order of the offers
    status: RevisionStatus = Field(default=RevisionStatus.PROPOSED, sa_type=text_enum(RevisionStatus))
    effective_from: date
    content: dict[str, Any] = document()  # as `evidence.content` gives it
    sha256: str = Field(max_length=64)
    based_on: int | None = None  # the number of the version or offer that it changes
    note: str = Field(default="", max_length=500)
    offered_scope: str = Field(max_length=8)  # factory or partner
    offered_by: UUID | None = None  # member
    offered_name: str = Field(default="", max_length=120)
    offered_at: datetime
    answered_by: UUID | None = None  # member of the other company
    answered_name: str = Field(default="", max_length=120)
    answered_at: datetime | None = None
    answered_via: str = Field(default="", max_length=8)  # page, api
    answered_from: str = Field(default="", max_length=45)  # network address
    answered_agent: str = Field(default="", max_length=200)
    answered_with: str = Field(  # what proved the person beside the password: code, recovery_code
        default="", max_length=16, sa_column_kwargs={"server_default": ""}
    )
    reason: str = Field(default="", max_length=500)  # of a refusal
    applies: bool = False  # agreed, and not yet written into the contract's rows
    applied_at: datetime | None = None


class ContractTemplate(PrivateRow, table=True):
    """The terms of a contract that the factory begins new drafts from."""

    __tablename__ = "contract_template"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: str = Field(max_length=120)
    content: dict[str, Any] = document()  # as `evidence.content` gives it, without parties, number and days
    created_by: str = Field(default="", max_length=120)
    created_at: datetime


class ExchangeRate(PrivateRow, table=True):
    """What one unit of a currency was worth in another from a day on, for the factory's own overviews."""

    __tablename__ = "exchange_rate"
    __table_args__ = (
        UniqueConstraint("tenant_id", "base", "quote", "day"),
        CheckConstraint("rate > 0", name="positive"),
    )

    base: str = Field(max_length=3)  # one unit of it
    quote: str = Field(max_length=3)  # is worth `rate` of this
    day: date
    rate: Decimal = Field(max_digits=18, decimal_places=8, sa_type=Numeric(18, 8))


class ContractFile(SharedRow, table=True):
    """A file on a contract: the bytes lie in the file store under their digest."""

    __tablename__ = "contract_file"
    __table_args__ = (
        child_of("contract", "contract_id"),
        unique("contract_id", "digest", "internal"),
        index("contract_file", "contract_id"),
    )

    partner_sees = "not internal"

    contract_id: UUID
    name: str = Field(max_length=160)
    digest: str = Field(max_length=64)
    content_type: str = Field(max_length=80)
    size: int
    internal: bool = False  # the factory's own
    added_by: str = Field(default="", max_length=120)
    added_at: datetime


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
