"""The base of what commands are asked with, by whichever face."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

NUL = "\x00"


def check_texts(value: Any) -> Any:
    """Refuse the one character that PostgreSQL cannot keep; it is never typed, only sent. Hot: asked of every field."""
    if isinstance(value, str):
        held = NUL in value
    elif isinstance(value, list):
        held = any(isinstance(text, str) and NUL in text for text in value)
    else:
        return value
    if held:
        raise ValueError("a text cannot hold the character NUL")
    return value


class Input(BaseModel):
    """A field that a command does not know is refused, not dropped; text comes without spaces around it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    _texts = field_validator("*")(check_texts)
