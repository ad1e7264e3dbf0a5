"""Versions of documents: whoever decides must have seen the state that is in force."""

from portal.core.errors import Conflict
from portal.core.i18n import N_


class Stale(Conflict):
    code = "stale"
    text = N_("This was changed meanwhile: you saw version {seen}, now it is {current}. Look and decide again.")


def check_version(seen: int, current: int) -> None:
    """Raise Stale unless the reader decided on the version that is in force."""
    if seen != current:
        raise Stale(seen=seen, current=current)
