"""A card: what a message says and which buttons it has, before any channel gives it a form.

Plain text only; each channel escapes in its own way. Never a price, another person's name or a drawing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from unicodedata import east_asian_width
from uuid import UUID

from portal.core.actor import Actor
from portal.core.i18n import N_, _

Style = Literal["success", "danger", "primary", ""]


@dataclass(frozen=True, slots=True)
class Button:
    """Something the reader can do at once (an action), or a page to open (an address)."""

    label: str
    action_id: UUID | None
    url: str = ""
    style: Style = ""
    form: bool = False  # a page to fill in, which a chat may open within itself
    afterwards: bool = False  # about what is done already: it asks nothing of the reader


Rows = tuple[tuple[Button, ...], ...]
PAIR = 14  # columns of a label of which two stand beside each other on a phone; a Chinese sign takes two


def in_pairs(buttons: Sequence[Button]) -> Rows:
    """Two in a row where all labels are short enough to be read there, else one each."""
    wide = max((sum(1 + (east_asian_width(sign) in "WF") for sign in each.label) for each in buttons), default=0)
    width = 1 if wide > PAIR else 2
    return tuple(tuple(buttons[no : no + width]) for no in range(0, len(buttons), width))


@dataclass(frozen=True, slots=True)
class Card:
    """What (title), about which object (subject), figures (facts), what is wanted until when (deadline).

    state: what was answered meanwhile; then there are no buttons any more that would answer.
    """

    title: str
    subject: str
    facts: tuple[str, ...]
    deadline: str
    state: str
    buttons: Rows
    link: str  # the page of the object, a full address

    @property
    def lines(self) -> tuple[str, ...]:
        """The text, line by line; a channel may set off the first."""
        return tuple(line for line in (self.title, self.subject, *self.facts, self.state, self.deadline) if line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def rendering(self) -> str:
        """A digest of what the reader sees, so that an edit which changes nothing is not sent. Ids of buttons differ
        each time they are made and say nothing to the reader."""
        labels = "|".join(f"{button.label}>{button.url}" for row in self.buttons for button in row)
        return hashlib.sha256(f"{self.text}\n{labels}\n{self.link}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A card that is to be written: for which reader, of which object, and why (see `compose.card_for`)."""

    actor: Actor
    object_kind: str
    object_id: UUID
    purpose: str = ""


def number_only(card: Card) -> Card:
    """What may leave the country: what it is about, the number, and the link. No figures, and no button that answers:
    nobody shall agree to what they cannot read."""
    rows = (tuple(button for button in row if button.action_id is None) for row in card.buttons)
    deadline = "" if card.state else _(OPEN_THE_PAGE)
    return replace(card, facts=(), deadline=deadline, buttons=tuple(row for row in rows if row))


def shortened(card: Card, most: int) -> Card:
    """The card within a channel's length: figures fall away from the end, and the reader is told so."""
    facts = card.facts
    while facts and len(replace(card, facts=facts).text) > most:
        facts = (*facts[:-2], _(MORE_ON_THE_PAGE)) if len(facts) > 1 else ()
    return replace(card, facts=facts)


OPEN_THE_PAGE = N_("Open the page to see more and to answer.")
MORE_ON_THE_PAGE = N_("More on the page.")
