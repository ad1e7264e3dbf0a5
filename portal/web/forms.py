"""The base of every form model: what a browser sends is text, empty means absent, and unknown fields are refused."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from portal.core.inputs import check_texts


class Form(BaseModel):
    """A posted form. The page's own token is dropped; any other unknown field is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=10_000)

    _texts = field_validator("*")(check_texts)

    @model_validator(mode="before")
    @classmethod
    def _as_sent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        kept = {key: value for key, value in data.items() if key != "_csrf_token"}
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {key: value for key, value in kept.items() if not (value == "" and key in optional)}
