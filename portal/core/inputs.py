"""The base of what commands are asked with, by whichever face."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from portal.core.i18n import N_

NUL = "\x00"


class Unfit(ValueError):
    """What a check of an input finds, as a sentence that is marked for translation."""


def check_texts(value: Any) -> Any:
    """Refuse the one character that PostgreSQL cannot keep; it is never typed, only sent. Hot: asked of every field."""
    if isinstance(value, str):
        held = NUL in value
    elif isinstance(value, list):
        held = any(isinstance(text, str) and NUL in text for text in value)
    else:
        return value
    if held:
        raise Unfit(N_("A text cannot hold the character NUL."))
    return value


class Input(BaseModel):
    """A field that a command does not know is refused, not dropped; text comes without spaces around it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    _texts = field_validator("*")(check_texts)
