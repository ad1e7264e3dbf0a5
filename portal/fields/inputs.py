"""What commands about own fields are asked with."""

from typing import Annotated

from pydantic import Field

from portal.core.inputs import Input
from portal.fields.model import FieldKind, Holder

KEY = r"^[a-z][a-z0-9_]{0,19}$"
MOST_CHOICES = 30
MOST_FIELDS = 100  # of one holder
Label = Annotated[str, Field(min_length=1, max_length=60)]


class Choice(Input):
    """One value of a list, by its key and in both languages."""

    key: str = Field(pattern=KEY, examples=["class_a"])
    zh: Label = Field(examples=["甲类"])
    en: Label = Field(examples=["Class A"])


CLASSES = [{"key": "class_a", "zh": "甲类", "en": "Class A"}, {"key": "class_b", "zh": "乙类", "en": "Class B"}]


class NewField(Input):
    """A field to be defined. Holder, key and kind stay as they are chosen here."""

    holder: Holder = Field(examples=["item"])
    key: str = Field(pattern=KEY, examples=["hazard"])
    label_zh: Label = Field(examples=["危险等级"])
    label_en: Label = Field(examples=["Hazard class"])
    kind: FieldKind = Field(examples=["choice"])
    unit: str = Field(default="", max_length=20, description="of a number")
    choices: list[Choice] = Field(default=[], max_length=MOST_CHOICES, description="of a list", examples=[CLASSES])


class ChangeField(Input):
    """What changes; a field left out stays. Choices can be renamed and added, not taken out."""

    label_zh: Label | None = Field(default=None, examples=["危险等级"])
    label_en: Label | None = Field(default=None, examples=["Hazard class"])
    unit: str | None = Field(default=None, max_length=20)
    choices: list[Choice] | None = Field(default=None, max_length=MOST_CHOICES)


class WriteValues(Input):
    """All values of one document by key; a field left out or empty has none.

    Numbers and dates are text: "2.5", "2026-12-31"; a yes or no is "yes" or "no"; a choice is its key.
    """

    values: dict[str, str] = Field(max_length=MOST_FIELDS, examples=[{"hazard": "class_a"}])
