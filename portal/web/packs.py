"""Quantities that do not fill their packs, as a page says it: nothing is held back, whoever reads is only reminded."""

from collections.abc import Iterable

from portal.core import i18n
from portal.core.i18n import _
from portal.schedules import words
from portal.schedules.rules_grid import By
from portal.schedules.rules_packs import PackWarning

TOLD = 3  # in words; of the others the number


def sentences(found: Iterable[PackWarning], by: By) -> list[str]:
    """The first of them in words."""
    return shortened([words.pack_sentence(one, words.column_words(by, one.column)) for one in found])


def shortened(told: list[str]) -> list[str]:
    """The first sentences, and how many more there are."""
    rest = len(told) - TOLD
    return [*told[:TOLD], _("And {n} more.").format(n=i18n.number(rest))] if rest > 0 else told
