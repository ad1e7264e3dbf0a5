"""One-time codes: the standard's own figures, the window, and that no code counts twice."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.accounts import rules_factor as rules
from portal.accounts.rules_factor import CodeUsed, CodeWrong
from portal.core.ids import uuid7

STANDARD = base64.b32encode(b"12345678901234567890").decode()  # RFC 6238, appendix B
NOON = datetime(2026, 11, 28, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "eight"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, eight: str) -> None:
    """Its table has eight digits; six are the last six of them."""
    moment = datetime.fromtimestamp(seconds, UTC)
    step = rules.step_of(moment)
    assert rules.code_at(STANDARD, step) == eight[2:]
    assert rules.used_step(STANDARD, eight[2:], moment, None) == step


def test_a_code_counts_one_step_early_and_one_late_and_no_further() -> None:
    step = rules.step_of(NOON)
    for away in (-1, 0, 1):
        assert rules.used_step(STANDARD, rules.code_at(STANDARD, step + away), NOON, None) == step + away
    for away in (-20, -2, 2, 20):
        with pytest.raises(CodeWrong):
            rules.used_step(STANDARD, rules.code_at(STANDARD, step + away), NOON, None)


def test_no_code_counts_twice_nor_after_a_newer_one() -> None:
    step = rules.step_of(NOON)
    for last, away in ((step, 0), (step + 1, 0), (step, -1), (step + 1, 1)):
        with pytest.raises(CodeUsed):
            rules.used_step(STANDARD, rules.code_at(STANDARD, step + away), NOON, last)
    assert rules.used_step(STANDARD, rules.code_at(STANDARD, step + 1), NOON, step) == step + 1
    later = NOON + timedelta(seconds=60)
    assert rules.used_step(STANDARD, rules.code_at(STANDARD, step + 2), later, step + 1) == step + 2


@pytest.mark.parametrize("typed", ["287082", "287 082", " 287-082\n", "２８７０８２", "287\u00a0082"])
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert rules.cleaned(typed) == "287082"
    assert rules.is_totp(rules.cleaned(typed))


@pytest.mark.parametrize("typed", ["", "28708", "2870820", "28708a", "٢٨٧٠٨٢٢", "x" * 9000])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert not rules.is_totp(rules.cleaned(typed))


def test_recovery_codes_are_ten_different_ones_that_only_their_owner_can_use() -> None:
    codes, ann, ben = rules.recovery_codes(), uuid7(), uuid7()
    assert (len(codes), len(set(codes))) == (10, 10)
    for code in codes:
        assert not rules.is_totp(rules.cleaned(code))
        assert rules.recovery_hash(ann, code) == rules.recovery_hash(ann, code.upper().replace("-", " "))
        assert rules.recovery_hash(ann, code) != rules.recovery_hash(ben, code)


def test_the_picture_says_who_where_and_the_secret() -> None:
    found = urlsplit(rules.address(STANDARD, "ann@aurora.example"))
    assert (found.scheme, found.netloc, found.path) == ("otpauth", "totp", "/Calloff:ann%40aurora.example")
    assert parse_qs(found.query) == {"secret": [STANDARD], "issuer": ["Calloff"]}
    assert rules.in_fours(STANDARD) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert len(base64.b32decode(rules.new_secret())) == 20
