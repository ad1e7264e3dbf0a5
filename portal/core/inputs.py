"""The base of what commands are asked with, by whichever face."""

from pydantic import BaseModel, ConfigDict


class Input(BaseModel):
    """A field that a command does not know is refused, not dropped; text comes without spaces around it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
