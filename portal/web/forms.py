"""The base of every form model: what a browser sends is text, empty means absent, and unknown fields are refused."""

from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from portal.core.inputs import check_texts
from portal.web.errors import BadForm

TOKEN = "_csrf_token"  # noqa: S105 - the name of a field


class Form(BaseModel):
    """A posted form. The page's own token is dropped; any other unknown field is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=10_000, defer_build=True)

    _texts = field_validator("*")(check_texts)

    @model_validator(mode="before")
    @classmethod
    def _as_sent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        kept = {key: value for key, value in data.items() if key != TOKEN}
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {key: value for key, value in kept.items() if not (value == "" and key in optional)}


async def known_fields(request: Request[Any, Any, Any], *names: str) -> FormMultiDict:
    """The posted form where files are among its fields. Raises BadForm for a field of another name."""
    form = await request.form()
    if unknown := sorted(set(form) - {*names, TOKEN}):
        raise BadForm(field=unknown[0], fields=unknown[0])
    return form
