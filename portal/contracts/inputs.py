"""What a caller says about a contract: the shapes are checked here, the trade's rules by `rules.py`."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.contracts.inputs_buckets import Amount, SetPeriods, SetTerms
from portal.contracts.model import Cadence, ContractKind, DateRule, DayUnit, DeviationRule, Lapse, PriceTier
from portal.core.actor import Direction
from portal.core.days import Day
from portal.core.inputs import Input

Percent = Annotated[Decimal, Field(max_digits=5, decimal_places=2)]
Days = Annotated[int, Field(ge=0, le=3650)]
Transit = Annotated[int, Field(ge=0, le=180)]


class NewPrice(Input):
    """A price from a day on; with an order number, for that order only; with a tier, one step of a scale."""

    valid_from: Day = Field(examples=["2027-01-01"])
    price: Decimal = Field(ge=0, max_digits=18, decimal_places=6, examples=["12.50"])
    price_unit: Decimal = Field(default=Decimal(1), gt=0, max_digits=18, decimal_places=6, examples=["1"])
    order_no: str = Field(default="", max_length=40)
    tier: PriceTier = Field(default=PriceTier.ALL, description="which quantity `from_quantity` is compared with")
    from_quantity: Decimal = Field(
        default=Decimal(0), ge=0, max_digits=18, decimal_places=6, description="where this step begins", examples=["0"]
    )


class LineTerms(Input):
    """What one line of a contract says about quantities, zones and delivery."""

    foq: Amount | None = Field(default=None, description="fixed order quantity of one period", examples=["600"])
    cadence: Cadence | None = Field(default=None, examples=["week"])
    target_quantity: Amount | None = Field(default=None, description="over the whole validity", examples=["31200"])
    band_below_percent: Percent = Decimal(20)
    band_above_percent: Percent = Decimal(20)
    pack_size: Amount = Field(default=Decimal(1), examples=["40"])
    minimum_order: Amount = Decimal(0)
    under_percent: Percent = Field(default=Decimal(0), description="delivery tolerance below, of a delivery's total")
    over_percent: Percent = Decimal(0)
    firm_days: Days = 28
    tradeoff_days: Days = Field(default=63, description="counted from the release date too, so never below firm_days")
    day_unit: DayUnit = DayUnit.CALENDAR
    delivery_weekdays: list[int] = Field(default=[], max_length=7, description="Monday is 0; empty: any working day")
    ship_to_code: str = Field(default="", max_length=40, examples=["WUX-1"])
    ship_to_country: str = Field(default="", max_length=80)
    ship_to_address: str = Field(default="", max_length=300)
    unloading_point: str = Field(default="", max_length=60, examples=["Gate 3"])
    receiving_window: str = Field(default="", max_length=40, examples=["07:00-09:00"])
    transit_days: Transit | None = Field(default=None, description="to this place; none: the contract's")
    cumulative_from: Day | None = None
    take_or_pay_quantity: Amount | None = Field(default=None, description="owed over the validity even if not taken")


class NewLine(LineTerms):
    """One item of a contract. What is left out of the item's copy is taken from the catalogue."""

    item_code: str = Field(min_length=1, max_length=60, examples=["A100"])
    description: str | None = Field(default=None, min_length=1, max_length=300)
    revision: str | None = Field(default=None, max_length=20)
    partner_part_no: str | None = Field(default=None, max_length=60, examples=["AD-88120"])
    unit: str | None = Field(default=None, max_length=3, examples=["H87"])
    prices: list[NewPrice] = Field(default=[], max_length=200)


class ChangeLine(LineTerms):
    """All terms of a line anew. The item stays: for another item, remove the line and add one."""

    description: str | None = Field(default=None, min_length=1, max_length=300)
    revision: str | None = Field(default=None, max_length=20)
    partner_part_no: str | None = Field(default=None, max_length=60)


class TradeTerms(Input):
    """What the head of a contract says, beside what never changes once it is agreed."""

    kind: ContractKind = ContractKind.PERIODIC
    title: str = Field(default="", max_length=200, examples=["Gearbox castings 2027"])
    partner_reference: str = Field(default="", max_length=60, description="the partner's own number for it")
    valid_to: Day | None = Field(default=None, description="the last day, inclusive", examples=["2027-12-31"])
    response_hours: int = Field(default=16, ge=1, le=400, description="working hours the seller has for an answer")
    incoterm: str = Field(default="", max_length=3, description="Incoterms 2020", examples=["DAP"])
    incoterm_place: str = Field(default="", max_length=120, examples=["Wuxi"])
    payment_terms: str = Field(default="", max_length=200, examples=["30 days net"])
    take_or_pay_percent: Percent | None = Field(default=None, description="of each line's target quantity")
    penalty_percent: Percent | None = Field(default=None, description="of a late delivery's value, per day late")
    penalty_cap_percent: Percent | None = Field(default=None, description="at most, of that value")
    notice_days: int | None = Field(default=None, description="before the end; the reminder is sent then")
    deviation_quantity: DeviationRule | None = Field(default=None, description="more than tolerated; none: forbidden")
    deviation_earlier: DeviationRule | None = Field(default=None, description="an earlier day; none: free")
    deviation_later: DeviationRule | None = Field(default=None, description="a later day; none: approval")
    deviation_price: DeviationRule | None = Field(default=None, description="another price; none: forbidden")
    early_days: Transit | None = Field(default=None, description="calendar days early that are no deviation")
    late_days: Transit | None = Field(default=None, description="calendar days late that are no deviation")
    lapse: Lapse | None = Field(default=None, description="when no answer came in time; none: escalate")
    lapse_percent: Percent | None = Field(default=None, description="of what was asked; with `percent` only")
    transit_days: Transit | None = Field(default=None, description="calendar days from despatch to delivery")
    date_rule: DateRule | None = Field(default=None, description="where a closed day moves to; none: later")


class ContractTerms(TradeTerms):
    """The head of a contract."""

    currency: str = Field(min_length=3, max_length=3, examples=["CNY"])
    valid_from: Day = Field(examples=["2027-01-01"])
    time_zone: str | None = Field(default=None, max_length=64, examples=["Asia/Shanghai"])


class NewContract(ContractTerms):
    """A contract with everything in it, in one call. It begins as a draft that the partner does not see."""

    party_id: UUID
    direction: Direction
    number: str | None = Field(default=None, min_length=1, max_length=60, description="none: FC-<year>-<count>")
    lines: list[NewLine] = Field(default=[], max_length=1000)


class ChangeContract(ContractTerms):
    """The head of a draft anew."""

    number: str | None = Field(default=None, min_length=1, max_length=60)


class Decline(Input):
    """Why the proposal is not accepted; the other side reads it."""

    reason: str = Field(min_length=1, max_length=500, examples=["The price of A100 is not what we agreed in March."])


# Offers about a contract that both sides see: only what is said is changed ------------------------------------------


class HeadOffer(TradeTerms, SetTerms):
    """Terms of the head to be changed, and how its periods are used; what is left out stays as it is."""

    valid_from: Day | None = Field(default=None, description="only while the contract is not agreed")


class LineOffer(LineTerms):
    """Terms of one line to be changed; what is left out stays. A price for the same day, order and step is replaced."""

    line_no: int = Field(ge=1, examples=[1])
    prices: list[NewPrice] = Field(default=[], max_length=200)
    typed_periods: SetPeriods | None = Field(
        default=None, description="all periods of the line anew; an empty list: they follow from the fixed quantity"
    )


class Offer(Input):
    """What one company wants changed in the contract that the other one is to agree to."""

    terms: HeadOffer = HeadOffer()
    lines: list[LineOffer] = Field(default=[], max_length=1000)
    new_lines: list[NewLine] = Field(default=[], max_length=1000, description="the factory alone")
    ended_lines: list[int] = Field(default=[], max_length=1000, description="numbers of lines to take out")
    note: str = Field(default="", max_length=500, description="the other company reads it")


class Amendment(Offer):
    """An offer to change a contract in force from a day on."""

    effective_from: Day = Field(examples=["2027-04-01"])


class Reason(Input):
    """Why; the other side reads it."""

    reason: str = Field(min_length=1, max_length=500, examples=["The furnace is being rebuilt until April."])


class Terminate(Reason):
    """Nothing is called off after the last day; what was called off is still delivered."""

    last_day: Day = Field(examples=["2027-06-30"])


class WriteNote(Input):
    """What the factory alone knows about a contract."""

    reference: str = Field(default="", max_length=60, description="of the customer behind a purchase contract")
    note: str = Field(default="", max_length=500)


class SetRate(Input):
    """What one unit of the base currency is worth from a day on."""

    base: str = Field(min_length=3, max_length=3, examples=["EUR"])
    quote: str = Field(min_length=3, max_length=3, examples=["CNY"])
    day: Day = Field(examples=["2026-11-27"])
    rate: Decimal = Field(gt=0, max_digits=18, decimal_places=8, examples=["7.83"])


class SaveTemplate(Input):
    name: str = Field(min_length=1, max_length=120, examples=["Castings, weekly, ±20 %"])


class FromTemplate(Input):
    """A draft with the template's terms and lines, for a partner and over days of its own."""

    party_id: UUID
    direction: Direction
    valid_from: Day
    valid_to: Day | None = None
    number: str | None = Field(default=None, min_length=1, max_length=60)


# What was agreed, read back from its canonical form ------------------------------------------------------------------


class AgreedLine(LineTerms):
    """One line of a version. Bounds of its texts are those of the rows it came from."""

    line_no: int
    item_code: str
    description: str
    revision: str = ""
    partner_part_no: str = ""
    unit: str
    prices: list[NewPrice] = Field(default=[])
    typed_periods: SetPeriods | None = None  # none: they follow from the fixed quantity and its band


class Agreed(ContractTerms, SetTerms):
    """The whole content of a version."""

    form: int = 1  # of the canonical text: the first one says nothing of periods and their use
    party_id: UUID
    party_name: str
    number: str
    direction: Direction
    lines: list[AgreedLine] = Field(default=[])
