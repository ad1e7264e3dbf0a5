"""What pydantic and msgspec find wrong with a field is told in our own sentences, in both languages."""

import re
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from portal.core import faults
from portal.core.days import DayImplausible
from portal.core.i18n import Language, speaking
from portal.core.inputs import Input


class Packing(StrEnum):
    BOX = "box"
    PALLET = "pallet"


class Part(Input):
    code: str


Amount = Annotated[Decimal, Field(gt=0, le=900, max_digits=6, decimal_places=2)]
LATIN = re.compile(r"[A-Za-z]{2,}")


def told(fault: faults.Fault) -> tuple[str, str]:
    """The sentence in English and in Chinese."""
    with speaking(Language.ZH):
        chinese = faults.sentence(fault)
    return faults.sentence(fault), chinese


def fault_of(kind: Any, value: Any) -> faults.Fault:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return caught.value.errors()[0]


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (Part, {}, "Fill in this field."),
        (Part, {"code": None}, "Fill in this field."),
        (Part, {"code": 7}, "A text belongs here, not 7."),
        (Part, {"code": "A", "cdoe": "B"}, "There is no field of this name here. Leave it out or correct its name."),
        (Part, {"code": "a\x00"}, "A text cannot hold the character NUL."),
        (Part, "A100", "An object with named fields belongs here, not A100."),
        (Annotated[str, Field(min_length=1)], "", "Fill in this field."),
        (Annotated[str, Field(min_length=3)], "AB", "At least 3 characters are needed here."),
        (Annotated[str, Field(max_length=2)], "ABC", "At most 2 characters fit here."),
        (
            Annotated[str, Field(pattern="^[A-Z]{3}$")],
            "yen",
            "“yen” is not written in the form that is asked for here.",
        ),
        (Amount, "many", "“many” is not a number. Write it as 1200 or 0.5."),
        (Amount, [1], "“[1]” is not a number. Write it as 1200 or 0.5."),
        (Amount, "NaN", "“NaN” is not a number. Write it as 1200 or 0.5."),
        (Amount, "0", "Enter a number above 0."),
        (Amount, "901", "Enter 900 or less."),
        (Amount, "0.125", "At most 2 digits can stand after the decimal point."),
        (int, "1.5", "“1.5” is not a whole number. Write it as 12."),
        (int, 1.5, "“1.5” is not a whole number. Write it as 12."),
        (Annotated[int, Field(ge=1)], 0, "Enter 1 or more."),
        (Annotated[int, Field(lt=5)], 5, "Enter a number below 5."),
        (bool, "perhaps", "“perhaps” is neither true nor false."),
        (date, "24/11", "“24/11” is not a date. Write it as 2026-11-24."),
        (date, "2026-11-24T10:00:00", "“2026-11-24T10:00:00” is not a date. Write it as 2026-11-24."),
        (
            AwareDatetime,
            "2026-11-24T10:00:00",
            "“2026-11-24T10:00:00” is not a date and time with its zone. Write it as 2026-11-24T08:00:00+08:00.",
        ),
        (UUID, "7", "“7” is not an id. Send one as the interface gave it."),
        (list[str], "A100", "A list belongs here, not A100. A single entry is a list of one."),
        (Annotated[list[str], Field(min_length=1)], [], "Fewer entries than are needed: send 1 or more."),
        (Annotated[list[str], Field(max_length=1)], ["a", "b"], "More entries than fit here: send 1 or fewer."),
        (Packing, "bag", "“bag” cannot be chosen here. Choose one of these: box, pallet."),
        (Literal["agree", "decline"], "x", "“x” cannot be chosen here. Choose one of these: agree, decline."),
        (Annotated[int, Field(multiple_of=5)], 7, "This value is not allowed."),
    ],
)
def test_a_fault_of_a_body_is_a_sentence_in_both_languages(kind: Any, value: Any, sentence: str) -> None:
    english, chinese = told(fault_of(kind, value))
    assert english == sentence
    assert chinese != english
    names = {"NUL", "yen", "many", "perhaps", "NaN", "true", "false", "bag", "box", "pallet", "agree", "decline"}
    assert set(LATIN.findall(chinese)) <= names


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (int, "x", "“x” is not a whole number. Write it as 12."),
        (Annotated[int, Meta(ge=1)], "0", "Enter 1 or more."),
        (Annotated[int, Meta(le=200)], "201", "Enter 200 or less."),
        (date, "x", "“x” is not a date. Write it as 2026-11-24."),
        (date | None, "x", "“x” is not a date. Write it as 2026-11-24."),
        (datetime, "x", "“x” is not a date and time with its zone. Write it as 2026-11-24T08:00:00+08:00."),
        (UUID, "x", "“x” is not an id. Send one as the interface gave it."),
        (Packing, "x", "Choose one of the values offered."),
        (Decimal, "x", "“x” is not a number. Write it as 1200 or 0.5."),
        (bool, "x", "“x” is neither true nor false."),
        (Annotated[str, Meta(max_length=2)], "abc", "At most 2 characters fit here."),
        (Annotated[str, Meta(min_length=1)], "", "Fill in this field."),
        (Annotated[str, Meta(pattern="^y$")], "x", "“x” is not written in the form that is asked for here."),
        (dict[str, str], "x", "An object with named fields belongs here, not x."),
    ],
)
def test_a_fault_of_a_query_is_a_sentence_in_both_languages(kind: Any, value: str, sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind, strict=False)
    english, chinese = told(faults.from_words(str(caught.value), value))
    assert english == sentence
    assert chinese != english


def test_what_nobody_knows_is_still_a_sentence() -> None:
    english, chinese = told(faults.from_words("Something of next year", "x"))
    assert (english, chinese) == ("This value is not allowed.", "该值不允许使用。")


def test_each_kind_of_fault_is_one_that_pydantic_has() -> None:
    assert set(faults.KINDS) - {DayImplausible.code} <= {known["type"] for known in list_all_errors()}
