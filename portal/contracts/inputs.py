"""What a caller says about a contract: the shapes are checked here, the trade's rules by `rules.py`."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.contracts.model import Cadence, ContractKind, DayUnit
from portal.core.actor import Direction
from portal.core.inputs import Input

Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]
Percent = Annotated[Decimal, Field(max_digits=5, decimal_places=2)]
Days = Annotated[int, Field(ge=0, le=3650)]


class NewPrice(Input):
    """A price from a day on; with an order number, for that order only."""

    valid_from: date = Field(examples=["2027-01-01"])
    price: Decimal = Field(ge=0, max_digits=18, decimal_places=6, examples=["12.50"])
    price_unit: Decimal = Field(default=Decimal(1), gt=0, max_digits=18, decimal_places=6, examples=["1"])
    order_no: str = Field(default="", max_length=40)


class LineTerms(Input):
    """What one line of a contract says about quantities, zones and delivery."""

    foq: Amount | None = Field(default=None, description="fixed order quantity of one period", examples=["600"])
    cadence: Cadence | None = None
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
    cumulative_from: date | None = None


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


class ContractTerms(Input):
    """The head of a contract."""

    kind: ContractKind = ContractKind.PERIODIC
    title: str = Field(default="", max_length=200, examples=["Gearbox castings 2027"])
    partner_reference: str = Field(default="", max_length=60, description="the partner's own number for it")
    currency: str = Field(min_length=3, max_length=3, examples=["CNY"])
    valid_from: date = Field(examples=["2027-01-01"])
    valid_to: date | None = Field(default=None, description="the last day, inclusive", examples=["2027-12-31"])
    time_zone: str | None = Field(default=None, max_length=64, examples=["Asia/Shanghai"])
    response_hours: int = Field(default=16, ge=1, le=400, description="working hours the seller has for an answer")


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
