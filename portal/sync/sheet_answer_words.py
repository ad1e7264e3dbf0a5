"""An answer to a delivery as one text: 60@2026-12-07 40@2026-12-09, or refuse:material. Pure.

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


def parts_text(parts: Iterable[tuple[Decimal, date]]) -> str:
    """Equal answers have equal texts, in whatever order their parts were given."""
    return " ".join(f"{canonical_number(str(quantity))}@{day}" for day, quantity in sorted((d, q) for q, d in parts))


def refusal_text(reason: str) -> str:
    return REFUSED + reason


def answer_words(text: str, unit: str) -> str:
    """60 pcs on 7 Dec 2026; 40 pcs on 9 Dec 2026."""
    if text.startswith(REFUSED):
        reason = text.removeprefix(REFUSED)
        return _("refused: {reason}").format(reason=_(REASONS[RejectReason(reason)]) if reason else "–")
    if text.startswith(ANSWERED):
        return _("answered: {answer}").format(answer=answer_words(text.removeprefix(ANSWERED), unit))
    told = [
        _("{quantity} on {day}").format(
            quantity=show_quantity(Decimal(quantity), unit), day=i18n.day(date.fromisoformat(day), year=True)
        )
        for quantity, _at, day in (part.partition("@") for part in text.split())
    ]
    return ("；" if i18n.language.get() is i18n.Language.ZH else "; ").join(told)
