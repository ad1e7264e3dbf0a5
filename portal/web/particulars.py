"""What the audit noted with a deed, as a reader's words: names, quantities with their unit, days, words for values.

Ids and whole digests stay in the file, where they prove something; on the page they would only hide the rest.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.approvals.facts import POINT_NAMES
from portal.changes import words as change_words
from portal.core import i18n
from portal.core.access import ROLE_NAMES
from portal.core.i18n import N_, Language, _
from portal.core.quantities import UNITS, show_quantity
from portal.fields.words import told
from portal.schedules import words as schedule_words
from portal.web.keys import PERMISSION_NAMES
from portal.web.notifications import CHANNEL_NAMES

NAMES: dict[str, str] = {
    "acceptance": N_("Accepting contracts asks for"),
    "accepted": N_("Accepted"),
    "added": N_("Added"),
    "after": N_("After"),
    "base": N_("One unit of"),
    "because": N_("Because"),
    "before": N_("Before"),
    "bot": N_("Channel"),
    "by_line": N_("By line"),
    "by_rule": N_("By rule"),
    "called": N_("Called off"),
    "carried": N_("Carried on"),
    "changed": N_("Changed"),
    "changes": N_("Changes"),
    "chat_detail": N_("What messages say"),
    "closed": N_("Closed"),
    "code": N_("Code"),
    "consequence": N_("Below the floor"),
    "contracts": N_("Contracts"),
    "date": N_("Date"),
    "day": N_("Valid from"),
    "days": N_("Days"),
    "deemed": N_("By silence"),
    "deputy_of": N_("In the place of"),
    "deviations": N_("Deviations"),
    "differing": N_("Differing lines"),
    "digest": N_("Digest"),
    "due": N_("Due by"),
    "effective_from": N_("In force from"),
    "entry": N_("Entry"),
    "erp_days": N_("Working days for the ERP"),
    "field": N_("Field"),
    "fields": N_("Fields"),
    "file": N_("File"),
    "firm": N_("Share in the firm zone"),
    "former": N_("Formerly"),
    "hours": N_("Hours"),
    "is_customer": N_("Customer"),
    "is_supplier": N_("Supplier"),
    "item_code": N_("Item"),
    "kind": N_("Kind"),
    "language": N_("Language"),
    "lapse": N_("When nobody answers"),
    "last_day": N_("Last day"),
    "line_no": N_("Line"),
    "lines": N_("Lines"),
    "live_from": N_("In force from"),
    "made": N_("Made"),
    "make_days": N_("Days of making"),
    "missing": N_("Missing"),
    "n": N_("Periods"),
    "name": N_("Name"),
    "note": N_("Note"),
    "number": N_("Number"),
    "offer": N_("Version"),
    "on_behalf": N_("For the other side"),
    "part": N_("Item"),
    "part_no": N_("Part number"),
    "parts": N_("Parts"),
    "percent": N_("Percent"),
    "photos": N_("Photos"),
    "planned": N_("Planned"),
    "point": N_("Approval of"),
    "price": N_("Price"),
    "quantity": N_("Quantity"),
    "quote": N_("Of the currency"),
    "reason": N_("Reason"),
    "received": N_("Received"),
    "refused": N_("Refused"),
    "reference": N_("Reference"),
    "rejected": N_("Rejected"),
    "release": N_("Release"),
    "role": N_("Role"),
    "rows": N_("Rows"),
    "rule": N_("Rule"),
    "scopes": N_("Rights"),
    "sha256": N_("Digest"),
    "shares": N_("Shares of cost"),
    "since": N_("Since"),
    "sites": N_("Sites"),
    "splits": N_("Parts"),
    "state": N_("State"),
    "step": N_("Step"),
    "target": N_("Target"),
    "trigger": N_("Trigger"),
    "unit": N_("Unit"),
    "until": N_("Until"),
    "valid_from": N_("Valid from"),
    "way": N_("Decided by"),
    "weeks": N_("Number of weeks"),
    "zone": N_("Zone"),
}
OWN_NAMES = {Language.ZH.value: "中文", Language.EN.value: "English"}  # each language by its own name
HIDDEN = ("command", "contract", "key", "member", "partner", "party", "values_after", "values_before")  # ids and keys
AMOUNTS = ("quantity", "accepted", "rejected", "called", "carried", "missing", "target")
CODES: dict[str, dict[str, str]] = {  # name -> code -> its words; other reasons are written by people
    "role": {role.value: word for role, word in ROLE_NAMES.items()},
    "point": {point.value: word for point, word in POINT_NAMES.items()},
    "bot": dict(CHANNEL_NAMES),
    "scopes": {scope.value: word for scope, word in PERMISSION_NAMES.items()},
    "unit": {unit: word for unit, (_places, word) in UNITS.items()},
    "reason": {
        **{reason.value: word for reason, word in schedule_words.REASONS.items()},
        **{reason.value: word for reason, word in change_words.REASONS.items()},
    },
    "way": {way.value: word for way, word in change_words.WAYS.items()},
}
DIGEST = 12  # characters of a digest that are enough to compare by eye
DIGESTS = re.compile(r"[0-9a-f]{64}")


def particulars(data: Mapping[str, Any], limit: int) -> str:
    """One line of words, cut at `limit` characters."""
    chinese = i18n.language.get() is Language.ZH
    joint, between = ("：", "；") if chinese else (": ", "; ")
    text = between.join(f"{name}{joint}{value}" for name, value in _words(data))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _words(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, value) of what a reader understands."""
    unit = str(data.get("unit", ""))
    measured = unit in UNITS and any(name in data for name in (*AMOUNTS, "splits"))
    for name, value in data.items():
        if name.endswith("_id") or name in HIDDEN or value in ("", None, [], {}):
            continue
        if name == "unit" and measured:
            continue
        shown = _value(name, value, unit if measured else "")
        yield _(NAMES.get(name) or name), shown


def _value(name: str, value: Any, unit: str) -> str:
    match value:
        case bool():
            return _("yes") if value else _("no")
        case list():
            return _(", ").join(_value(name, part, unit) for part in value)
        case {"date": day, "quantity": quantity}:
            return f"{_amount(str(quantity), unit)} · {_text('date', str(day))}"
        case {"zh": str(chinese), "en": str(english)}:
            return told(chinese, english)
        case dict():
            return " ".join(f"{_(NAMES.get(key) or key)} {_value(key, part, unit)}" for key, part in value.items())
        case _ if name in AMOUNTS:
            return _amount(str(value), unit)
        case int():
            return i18n.number(value)
        case _:
            return _text(name, str(value))


def _amount(text: str, unit: str) -> str:
    try:
        quantity = Decimal(text)
    except InvalidOperation:
        return text
    return show_quantity(quantity, unit) if unit else i18n.number(quantity)


def _text(name: str, text: str) -> str:
    """A value in words: a role's name, a day with its month, the beginning of a digest, else as it is translated."""
    if name in ("sha256", "digest") or DIGESTS.fullmatch(text):
        return f"{text[:DIGEST]}…"
    if name == "language" and text in OWN_NAMES:
        return OWN_NAMES[text]
    if word := CODES.get(name, {}).get(text):
        return _(word).rstrip(".。")
    try:
        return i18n.day(date.fromisoformat(text), year=True)
    except ValueError:
        return _(text)
