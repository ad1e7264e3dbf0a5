"""The form of a counter-offer or an amendment: it stands filled with the present terms; what was changed is offered.

Fields of a line are named after it: `foq.1` is the fixed quantity of line 1.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from litestar import Request
from msgspec import Struct

from portal.contracts.evidence import USE, Content
from portal.contracts.inputs import Amendment, HeadOffer, LineOffer, NewLine, Offer
from portal.contracts.inputs_buckets import SetPeriods
from portal.contracts.words import ANSWER_LABELS
from portal.core.errors import Conflict, Invalid, PortalError, Reading
from portal.core.i18n import N_
from portal.web.errors import BadForm
from portal.web.field_errors import command, filled
from portal.web.ledger_forms import periods_text, typed_rows
from portal.web.typed import Typed

HEAD = (
    *("title", "valid_to", "payment_terms", "incoterm", "incoterm_place", "take_or_pay_percent", "penalty_percent"),
    *("penalty_cap_percent", "notice_days", "response_hours", *ANSWER_LABELS, *USE),
)
LINE = ("foq", "target_quantity", "band_below_percent", "band_above_percent", "minimum_order", "take_or_pay_quantity")
NEW = ("item_code", "foq", "cadence", "target_quantity", "pack_size", "price")
MOST_LINES = 100
PERIODS = "typed_periods"


class TooManyLines(Conflict):
    code = "too-many-lines"
    text = N_("This contract has more than {most} lines. Offer changes of it over the interface.")


class LineFields(Struct, frozen=True):
    """One line as the form shows it."""

    line_no: int
    name: str
    unit: str
    values: dict[str, str]
    price_unit: str  # for how many units the price is; empty: a scale, or no price, is not edited here


class OfferForm(Struct):
    """What stands in the form: by name, as somebody would type it."""

    typed: dict[str, str]
    error: PortalError | None = None

    def value(self, name: str) -> str:
        return self.typed.get(name, "")

    def wrong(self, name: str) -> str | None:
        return Typed(None, self.error).wrong(name)

    def refusal(self, shown: Mapping[str, str]) -> str | None:
        """What no field of the form shows."""
        return Typed(None, self.error).refusal(*shown)


def shown_fields(content: Content, first: str) -> dict[str, str]:
    """The form as it stands before anybody types. first: the day that stands as the day it begins."""
    fields = {name: _as_typed(content.get(name, USE.get(name))) for name in HEAD}
    fields |= {"effective_from": first, "note": ""}
    fields |= {f"new.{name}": "" for name in NEW}
    for line in content["lines"]:
        fields |= {f"{name}.{line['line_no']}": _as_typed(line.get(name)) for name in LINE}
        price = list_price(line)
        fields[f"price.{line['line_no']}"] = price["price"] if price else ""
        fields[f"end.{line['line_no']}"] = ""
        fields[f"{PERIODS}.{line['line_no']}"] = periods_text((line.get(PERIODS) or {}).get("periods", ()))
    return fields


def line_fields(content: Content) -> list[LineFields]:
    """The lines of the form. Raises TooManyLines."""
    if len(content["lines"]) > MOST_LINES:
        raise TooManyLines(most=MOST_LINES)
    found = []
    for line in content["lines"]:
        price = list_price(line)
        name = f"{line['item_code']} {line['description']}"
        values = {field: _as_typed(line.get(field)) for field in LINE}
        found.append(LineFields(line["line_no"], name, line["unit"], values, price["price_unit"] if price else ""))
    return found


def list_price(line: Content) -> Content | None:
    """The newest list price of a line, when it is a single one and not a scale."""
    listed = [price for price in line["prices"] if not price["order_no"]]
    newest = max((price["valid_from"] for price in listed), default=None)
    steps = [price for price in listed if price["valid_from"] == newest]
    return steps[0] if len(steps) == 1 and "tier" not in steps[0] else None


def _as_typed(value: Any) -> str:
    return "" if value is None else str(value)


async def read(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The posted fields as text."""
    form = await request.form()
    pairs = ((name, value) for name, value in form.multi_items() if isinstance(value, str))
    return {name: value.strip().replace("\r\n", "\n") for name, value in pairs if name != "_csrf_token"}


def offer_of(content: Content, typed: Mapping[str, str]) -> Offer:
    """The offer that the form means: only what differs from what stood in it."""
    return filled(Offer, _said(content, typed, content["valid_from"]), _names(content))


def amendment_of(content: Content, typed: Mapping[str, str]) -> Amendment:
    """The same from a day on."""
    day = typed.get("effective_from", "")
    return filled(Amendment, _said(content, typed, day) | {"effective_from": day}, _names(content))


def _said(content: Content, typed: Mapping[str, str], day: str) -> dict[str, Any]:
    stood = shown_fields(content, "")
    if unknown := sorted(set(typed) - set(stood) - {"version"}):
        raise BadForm(field="", fields=unknown[0])
    changed = {name: value for name, value in typed.items() if name in stood and value != stood[name]}
    reading, lines, new = Reading(), list[LineOffer](), list[NewLine]()
    with reading.part():
        terms = filled(HeadOffer, {name: _value(name, changed[name]) for name in HEAD if name in changed})
    for line in content["lines"]:
        with reading.part():
            lines += _line(line, changed, day)
    with reading.part():
        new += _new_line(typed, day)
    reading.done()
    return {
        "terms": terms,
        "lines": lines,
        "new_lines": new,
        "ended_lines": [line["line_no"] for line in content["lines"] if typed.get(f"end.{line['line_no']}")],
        "note": typed.get("note", ""),
    }


def _line(line: Content, changed: Mapping[str, str], day: str) -> list[LineOffer]:
    """What the form asks of one line; nothing where it stands as it was."""
    number = line["line_no"]
    said = {name: _value(name, changed[f"{name}.{number}"]) for name in LINE if f"{name}.{number}" in changed}
    price = list_price(line)
    if changed.get(f"price.{number}") and price is not None:
        amount, per = changed[f"price.{number}"], price["price_unit"]
        said["prices"] = [{"valid_from": day, "price": amount, "price_unit": per}]
    if f"{PERIODS}.{number}" in changed:
        said[PERIODS] = _periods(line, changed[f"{PERIODS}.{number}"], f"{PERIODS}.{number}")
    if not said:
        return []
    fields = {name: f"{name}.{number}" for name in LINE} | {"prices.0.price": f"price.{number}"}
    return [filled(LineOffer, said | {"line_no": number}, fields | {"prices.0.valid_from": "effective_from"})]


def _periods(line: Content, text: str, field: str) -> SetPeriods:
    """The list as it is typed. Where only quantities are others, the periods still follow each other as they did."""
    stood = line.get(PERIODS) or {"periods": ()}
    try:
        rows = typed_rows(text)
        if [(row["start"], row["end"]) for row in rows] == [(one["start"], one["end"]) for one in stood["periods"]]:
            return filled(SetPeriods, {"periods": rows, "cadence": stood.get("cadence", "custom")})
        return filled(SetPeriods, {"periods": rows})
    except Invalid as error:
        error.field, error.also = field, ()
        raise


def _new_line(typed: Mapping[str, str], day: str) -> list[NewLine]:
    """The line that the form adds, once its item is named."""
    said = {name: typed.get(f"new.{name}", "") for name in NEW}
    if not said["item_code"]:
        return []
    price = said.pop("price")
    terms: dict[str, Any] = dict(said)
    if price:
        terms["prices"] = [{"valid_from": day, "price": price}]
    return [command(NewLine, terms, {name: f"new.{name}" for name in NEW} | {"prices.0.price": "new.price"})]


def _value(name: str, text: str) -> Any:
    """An emptied field: texts become empty, figures and days are taken away."""
    if text:
        return text
    if name == "over_call_percent":
        return "0"
    return "" if name in {"title", "payment_terms", "incoterm", "incoterm_place"} else None


def _names(content: Content) -> dict[str, str]:
    """The command's fields under the names that they have in the form."""
    names = {f"terms.{name}": name for name in HEAD}
    for n, line in enumerate(content["lines"]):
        names |= {f"lines.{n}.{name}": f"{name}.{line['line_no']}" for name in LINE}
    return names


def in_form(error: Invalid | Conflict, typed: Mapping[str, str], content: Content) -> PortalError:
    """A refusal of the command under the names that its fields have in the form."""
    offered = _said(content, typed, typed.get("effective_from") or content["valid_from"])["lines"]
    error.rename(lambda field: _in_form(field, offered))
    return error


def _in_form(field: str, offered: Sequence[LineOffer]) -> str:
    where, _dot, rest = field.partition(".")
    at, _dot, name = rest.partition(".")
    if where == "terms":
        return rest
    if where == "lines" and at.isdecimal() and int(at) < len(offered):
        return f"{name.partition('.')[0]}.{offered[int(at)].line_no}"
    return f"new.{name}" if where == "new_lines" and at == "0" else field


def today_or_later(first: str, today: date) -> str:
    """The day that stands in the form of a new amendment."""
    return max(first, today.isoformat())
