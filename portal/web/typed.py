"""A form that was refused: what stood in it, and the sentence beside the field that is wrong."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from portal.core.errors import PortalError
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
        return str(self._error) if self._error is not None and self._error.field == name else None

    def refusal(self, *shown: str) -> str | None:
        """The sentence when no field of the form, of those named, shows it."""
        return str(self._error) if self._error is not None and self._error.field not in shown else None
