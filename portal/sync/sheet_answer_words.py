"""An answer to a delivery as one text: 60@2026-12-07 40@2026-12-09, or refuse:material. Pure.

A despatch day follows its part as <2026-12-04, alone where it is the only day; another price ends the text as *12.5.

What stands in the portal is what is asked, as an answer would be, or answered:60@2026-12-07.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from portal.core import i18n
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.schedules.rules import RejectReason
from portal.schedules.words import REASONS
from portal.sync.cells import canonical_number

REFUSED = "refuse:"
ANSWERED = "answered:"


def parts_text(parts: Iterable[tuple[Decimal, date | None, date | None]], price: Decimal | None = None) -> str:
    """Equal answers have equal texts, in whatever order their parts were given."""
    told = sorted((str(there or leaves), _days(there, leaves), quantity) for quantity, there, leaves in parts)
    words = [f"{canonical_number(str(quantity))}@{days}" for _day, days, quantity in told]
    return " ".join(words if price is None else [*words, f"*{canonical_number(str(price))}"])


def _days(there: date | None, leaves: date | None) -> str:
    return f"{there or ''}{f'<{leaves}' if leaves else ''}"


def refusal_text(reason: str) -> str:
    return REFUSED + reason


def answer_words(text: str, unit: str) -> str:
    """60 pcs on 7 Dec 2026; 40 pcs on 9 Dec 2026."""
    if text.startswith(REFUSED):
        reason = text.removeprefix(REFUSED)
        return _("refused: {reason}").format(reason=_(REASONS[RejectReason(reason)]) if reason else "–")
    if text.startswith(ANSWERED):
        return _("answered: {answer}").format(answer=answer_words(text.removeprefix(ANSWERED), unit))
    told = [_part_words(part, unit) for part in text.split()]
    return ("；" if i18n.language.get() is i18n.Language.ZH else "; ").join(told)


def _part_words(part: str, unit: str) -> str:
    """One part, or the price of them all."""
    if part.startswith("*"):
        return _("at {price}").format(price=i18n.number(Decimal(part.removeprefix("*"))))
    quantity, _at, days = part.partition("@")
    there, _leaves, leaves = days.partition("<")
    said = {"quantity": show_quantity(Decimal(quantity), unit), "day": _day(there), "despatch": _day(leaves)}
    if not leaves:
        return _("{quantity} on {day}").format(**said)
    if not there:
        return _("{quantity}, leaves on {despatch}").format(**said)
    return _("{quantity} on {day}, leaves on {despatch}").format(**said)


def _day(text: str) -> str:
    return i18n.day(date.fromisoformat(text), year=True) if text else ""
