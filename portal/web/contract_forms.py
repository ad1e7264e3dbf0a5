"""What the forms on contract pages send, and the commands they mean."""

from typing import Any

from pydantic import Field, field_validator

from portal.contracts.inputs import (
    ChangeContract,
    ChangeLine,
    Decline,
    FromTemplate,
    NewContract,
    NewLine,
    NewPrice,
    Reason,
    SaveTemplate,
    SetRate,
    Terminate,
    WriteNote,
)
from portal.web.field_errors import command, filled
from portal.web.forms import Form

PRICE_FIELDS = {
    "prices.0.price": "price",
    "prices.0.valid_from": "price_from",
    "prices.0.price_unit": "price_unit",
    "valid_from": "price_from",
}


class HeadForm(Form):
    """The head of a contract, as typed."""

    number: str = ""
    kind: str = ""
    title: str = ""
    partner_reference: str = ""
    currency: str = ""
    valid_from: str = ""
    valid_to: str = ""
    time_zone: str = ""
    response_hours: str = ""
    incoterm: str = ""
    incoterm_place: str = ""
    payment_terms: str = ""
    take_or_pay_percent: str = ""
    penalty_percent: str = ""
    penalty_cap_percent: str = ""
    notice_days: str = ""
    deviation_quantity: str = ""
    deviation_earlier: str = ""
    deviation_later: str = ""
    deviation_price: str = ""
    early_days: str = ""
    late_days: str = ""
    lapse: str = ""
    lapse_percent: str = ""
    transit_days: str = ""
    date_rule: str = ""

    @field_validator("currency")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.upper()


class NewContractForm(HeadForm):
    party_id: str = ""
    direction: str = ""

    def command(self) -> NewContract:
        return command(NewContract, self.model_dump())


class EditContractForm(HeadForm):
    version: int

    def command(self) -> ChangeContract:
        return command(ChangeContract, self.model_dump(exclude={"version"}))


class TermsForm(Form):
    """The terms of a line, as typed."""

    version: int
    description: str = ""
    revision: str = ""
    partner_part_no: str = ""
    foq: str = ""
    cadence: str = ""
    target_quantity: str = ""
    band_below_percent: str = ""
    band_above_percent: str = ""
    pack_size: str = ""
    minimum_order: str = ""
    under_percent: str = ""
    over_percent: str = ""
    firm_days: str = ""
    tradeoff_days: str = ""
    day_unit: str = ""
    delivery_weekdays: list[str] = Field(default=[], max_length=7)
    ship_to_code: str = ""
    ship_to_country: str = ""
    ship_to_address: str = ""
    unloading_point: str = ""
    receiving_window: str = ""
    transit_days: str = ""
    cumulative_from: str = ""
    take_or_pay_quantity: str = ""

    @field_validator("delivery_weekdays", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]


class EditLineForm(TermsForm):
    def command(self) -> ChangeLine:
        """An emptied revision or part number is emptied; any other empty field takes its default."""
        said = self.model_dump(exclude={"version"})
        may_be_empty = {"revision", "partner_part_no"}
        return filled(ChangeLine, {name: value for name, value in said.items() if value != "" or name in may_be_empty})


class NewLineForm(TermsForm):
    item_code: str = ""
    price: str = ""
    price_unit: str = ""
    price_from: str = ""

    def command(self) -> NewLine:
        """Without a price the line has none yet."""
        terms = self.model_dump(exclude={"version", "price", "price_unit", "price_from"})
        if self.price:
            said = {"price": self.price, "price_unit": self.price_unit, "valid_from": self.price_from}
            terms["prices"] = [{name: value for name, value in said.items() if value}]
        return command(NewLine, terms, PRICE_FIELDS)


class PriceForm(Form):
    version: int
    price: str = ""
    price_unit: str = ""
    price_from: str = ""
    order_no: str = ""
    tier: str = ""
    from_quantity: str = ""

    def command(self) -> NewPrice:
        said = self.model_dump(exclude={"version", "price_from"})
        return command(NewPrice, said | {"valid_from": self.price_from}, PRICE_FIELDS)


class StepForm(Form):
    """A step in the contract's life, on the version that was seen."""

    version: int


class AcceptForm(StepForm):
    """The own company's word, with a one-time code where the workspace asks for one."""

    code: str = ""


class ReasonForm(StepForm):
    reason: str = ""

    def command(self) -> Reason:
        return command(Reason, {"reason": self.reason})


class TerminateForm(StepForm):
    reason: str = ""
    last_day: str = ""

    def command(self) -> Terminate:
        return command(Terminate, {"reason": self.reason, "last_day": self.last_day})


class NoteForm(Form):
    """The factory's private note."""

    reference: str = ""
    note: str = ""

    def command(self) -> WriteNote:
        return command(WriteNote, self.model_dump())


class TemplateForm(Form):
    name: str = ""

    def command(self) -> SaveTemplate:
        return command(SaveTemplate, self.model_dump())


class FromTemplateForm(Form):
    """The partner and the days of a draft begun from a template."""

    direction: str = ""
    party_id: str = ""
    valid_from: str = ""
    valid_to: str = ""
    number: str = ""

    def command(self) -> FromTemplate:
        return command(FromTemplate, self.model_dump())


class RateForm(Form):
    base: str = ""
    quote: str = ""
    day: str = ""
    rate: str = ""

    @field_validator("base", "quote")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.upper()

    def command(self) -> SetRate:
        return command(SetRate, self.model_dump())


class DeclineForm(StepForm):
    reason: str = ""

    def command(self) -> Decline:
        return command(Decline, {"reason": self.reason})
