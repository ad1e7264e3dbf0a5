"""Invoices as the factory's ERP or a colleague reports them: so much of one contract line, in one of its periods."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from portal.core.tables import SharedRow, child_of, index, numeric, parent


class ContractInvoice(SharedRow, table=True):
    """One invoiced quantity. A wrong one is reversed, which is a credit entry of the ledger; nothing is deleted."""

    __tablename__ = "contract_invoice"
    __table_args__ = (
        parent(),
        child_of("contract_line", "contract_line_id", same=["contract_id"]),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        Index(
            "ux_contract_invoice_number", "tenant_id", "party_id", "contract_line_id", "number",
            unique=True, postgresql_where=text("reversed_at is null"),
        ),
        index("contract_invoice", "contract_id", "id"),
    )  # fmt: skip

    contract_id: UUID
    contract_line_id: UUID
    bucket_id: UUID | None = None  # the period; none: the line is a pure call-off
    number: str = Field(max_length=60)
    invoiced_on: date
    quantity: Decimal = numeric()  # in the line's unit
    amount: Decimal | None = numeric(default=None)  # in the contract's currency
    source: str = Field(max_length=8)  # page, api
    entered_by: UUID | None = None
    entered_name: str = Field(default="", max_length=120)
    entered_at: datetime
    reversed_by: UUID | None = None
    reversed_name: str = Field(default="", max_length=120)
    reversed_at: datetime | None = None
    reason: str = Field(default="", max_length=300)  # of the reversal
