"""Five kinds of refusal. A command raises one; each face maps the five kinds once.

A concrete error is a small class beside the rule that raises it: a stable `code`, a sentence `text` marked for
translation, and the data that fill its placeholders. The sentence says what is wrong and how to mend it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from portal.core.i18n import N_, render, sentences


class PortalError(Exception):
    """Base of every refusal. `str(error)` is the sentence in the reader's language."""

    code: ClassVar[str] = "error"
    text: ClassVar[str] = N_("This could not be done.")

    def __init__(self, field: str | None = None, **data: Any) -> None:
        self.field = field  # the input field that is wrong, as the form and the API name it
        self.also: tuple[PortalError, ...] = ()  # what else is wrong with the same input, each at its own field
        self.data = data
        super().__init__(self.code)

    def __str__(self) -> str:
        return render(self.text, self.data)

    def each(self) -> tuple["PortalError", ...]:
        """This and what else is wrong with the same input, in the order of the input."""
        return (self, *self.also)

    def in_full(self) -> str:
        """All that is wrong with the input, each sentence once: for readers who see no fields to tell them at."""
        return sentences(*dict.fromkeys(str(one) for one in self.each()))

    def rename(self, name: Callable[[str], str]) -> None:
        """Call the fields of all that is wrong as the caller's input calls them."""
        for error in self.each():
            error.field = name(error.field or "")


class NotFound(PortalError):
    """Absent, or not yours: the two are never told apart."""

    code = "not-found"
    text = N_("There is nothing here, or it is not shared with your company.")


class Forbidden(PortalError):
    """The object is visible, but this role may not do this."""

    code = "forbidden"
    text = N_("Your role does not allow this. An administrator of your company can change it.")


class Conflict(PortalError):
    """The object moved on since the reader saw it, or its state does not allow the action."""

    code = "conflict"
    text = N_("Somebody changed this meanwhile. Look at the current state and decide again.")


class Invalid(PortalError):
    """The input can be read but breaks a rule."""

    code = "invalid"
    text = N_("This value is not allowed.")


class Unavailable(PortalError):
    """Something we depend on does not answer; trying again later may help."""

    lasting: ClassVar[bool] = False  # time alone does not help: somebody has to mend it
    code = "unavailable"
    text = N_("A service the portal depends on does not answer. What you entered is kept; try again in a minute.")


E = TypeVar("E", bound=PortalError)


def together(found: Iterable[E]) -> E:
    """All that is wrong with one input as one refusal: the first one, with the others beside it, one a field.

    found: at least one; of several at the same field only the first is told.
    """
    by_field: dict[str | None, E] = {}
    for error in found:
        by_field.setdefault(error.field, error)
    first, *others = by_field.values()
    first.also = tuple(others)
    return first


class Reading:
    """Reads or checks an input part by part, and refuses all that is wrong with it at once."""

    def __init__(self) -> None:
        self._found: list[Invalid] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        """Read one part inside; where it is refused, the others are read all the same."""
        try:
            yield
        except Invalid as error:
            self._found += [one for one in error.each() if isinstance(one, Invalid)]

    def done(self) -> None:
        """Raise what was found wrong, if anything was."""
        if self._found:
            raise together(self._found)
