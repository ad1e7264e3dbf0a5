"""A form that was refused: what stood in it, and the sentences beside the fields that are wrong."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from portal.core.errors import PortalError
from portal.core.i18n import sentences
from portal.web.forms import Form


def plain(value: Any) -> str:
    """A value as a form field holds it; figures without idle zeros."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "" if value is None else str(value)


class Typed:
    """Given to the page that shows the form again. An empty one belongs to a form nobody has sent yet."""

    def __init__(self, data: Form | None = None, error: PortalError | None = None, **first: Any) -> None:
        self._values: dict[str, Any] = first if data is None else data.model_dump()
        self._error = error

    @property
    def error(self) -> PortalError | None:
        """Why the form was refused."""
        return self._error

    def value(self, name: str) -> Any:
        """What stood in the field."""
        return self._values.get(name, "")

    def has(self, name: str, value: Any) -> bool:
        """Whether a choice among several was made."""
        chosen = self._values.get(name)
        return value in chosen if isinstance(chosen, Iterable) and not isinstance(chosen, str) else value == chosen

    def wrong(self, name: str) -> str | None:
        """The sentence for this field."""
        return next((str(error) for error in self._each() if error.field == name), None)

    def refusal(self, *shown: str) -> str | None:
        """What no field of the form, of those named, shows."""
        return sentences(*(str(error) for error in self._each() if error.field not in shown)) or None

    def _each(self) -> tuple[PortalError, ...]:
        return () if self._error is None else self._error.each()
