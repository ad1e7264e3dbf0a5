"""What the forms of cumulative quantities send, and the commands they mean."""

from typing import Any, Literal

from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.shipments.service_cumulative import Correct, Report, Reset, SetPolicy
from portal.web.field_errors import command
from portal.web.forms import Form


class DocumentUnreadable(Invalid):
    code = "document-unreadable"
    text = N_("Row {row} is not a document. Write number, date and quantity, for example: {example}.")


class PolicyForm(Form):
    version: int
    count_by: str = ""
    count_per: str = ""
    count_rejected: str = ""
    returns_lower: str = ""
    other_orders: str = ""

    def command(self) -> SetPolicy:
        """A box that is not ticked is not sent."""
        ticks = {name: getattr(self, name) == "yes" for name in ("count_rejected", "returns_lower", "other_orders")}
        return command(SetPolicy, {"count_by": self.count_by, "count_per": self.count_per, **ticks})


class ReportForm(Form):
    as_of: str = ""
    requested: str = ""
    received: str = ""
    last_document: str = ""
    documents: str = ""
    note: str = ""

    def command(self) -> Report:
        """Raises DocumentUnreadable with the row."""
        said: dict[str, Any] = self.model_dump(exclude={"documents"})
        said["documents"] = [_document(no, row) for no, row in enumerate(self.documents.splitlines(), 1) if row.strip()]
        fields = {f"documents.{no}.{name}": "documents" for no in range(5000) for name in ("number", "day", "quantity")}
        return command(Report, said, fields)


def _document(no: int, row: str) -> dict[str, str]:
    """Three words, as they come out of a spreadsheet."""
    words = row.replace("\t", " ").replace(";", " ").split()
    if len(words) != 3:
        raise DocumentUnreadable(field="documents", row=no, example="ASN-07 2026-11-24 800")
    return {"number": words[0], "day": words[1], "quantity": words[2].replace(",", "")}


class CorrectForm(Form):
    figure: str = ""
    quantity: str = ""
    effective_on: str = ""
    reason: str = ""
    document: str = ""
    note: str = ""

    def command(self) -> Correct:
        return command(Correct, self.model_dump())


class ResetForm(Form):
    kind: str = ""
    start: str = ""
    sync_date: str = ""
    execution_date: str = ""
    reason: str = ""
    note: str = ""

    def command(self) -> Reset:
        return command(Reset, self.model_dump())


class EntryForm(Form):
    """The answer to a proposal, or its withdrawal."""

    action: Literal["agree", "decline", "withdraw"]
