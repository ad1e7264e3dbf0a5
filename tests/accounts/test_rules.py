"""What a password, an address and a role may be."""

import pytest

from portal.accounts import rules
from portal.core.access import Role
from portal.core.actor import Scope
from portal.core.errors import Conflict, Invalid

COMMON = [
    "password", "Password1", "passw0rd", "P@ssw0rd!", "12345678", "123456789", "1234567890", "87654321", "qwertyuiop",
    "qwerty123", "1q2w3e4r5t", "1qaz2wsx", "zaq12wsx", "iloveyou", "11111111", "aaaaaaaaaa", "abababab", "abcabcabc",
    "abcdefgh", "Welcome2026!", "Summer2026", "woaini1314", "5201314520", "letmein123", "admin123456", "asdfghjkl",
]  # fmt: skip
GOOD = [
    "correct pony battery",
    "tXe9#mQp",
    "三角铁和五只绵羊一起走",
    "vier blaue Elefanten",
    "k7 wolken über wuxi",
    "ninefold-halyard",
]


@pytest.mark.parametrize("password", COMMON)
def test_what_others_try_first_is_refused(password: str) -> None:
    with pytest.raises(rules.PasswordTooCommon):
        rules.check_password(password)


@pytest.mark.parametrize("password", GOOD)
def test_a_password_of_eight_characters_needs_no_digit_and_no_sign(password: str) -> None:
    rules.check_password(password, ("Ann Weber", "ann@aurora.example", "Aurora Drives GmbH"))


@pytest.mark.parametrize("password", ["ann.weber", "AnnWeber1", "auroradrives", "aurora99", "ann@aurora.example"])
def test_a_password_must_not_be_what_everybody_knows_of_the_person(password: str) -> None:
    with pytest.raises(rules.PasswordNamesYou):
        rules.check_password(password, ("Ann Weber", "ann.weber@aurora.example", "Aurora Drives", "ann@aurora.example"))


def test_length_is_counted_in_characters_and_nothing_is_cut_off() -> None:
    with pytest.raises(rules.PasswordTooShort):
        rules.check_password("tXe9#mQ")
    rules.check_password("ü9 " * 42 + "ab")
    with pytest.raises(rules.PasswordTooLong):
        rules.check_password("ü9 " * 43)


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "@aurora.example", "ann@aurora", "a b@c.de", "ann@x..y", "a@b.c,d@e.f"]
)
def test_what_cannot_be_an_address_is_refused(email: str) -> None:
    with pytest.raises(rules.WrongEmail):
        rules.checked_email(email)


def test_an_address_is_kept_in_lower_case() -> None:
    assert rules.checked_email(" Ann.Weber+portal@Aurora.Example ") == "ann.weber+portal@aurora.example"


def test_a_company_keeps_one_administrator() -> None:
    rules.check_not_last_admin(Role.CLERK, 1)
    rules.check_not_last_admin(Role.PARTNER_ADMIN, 2)
    with pytest.raises(Conflict):
        rules.check_not_last_admin(Role.PARTNER_ADMIN, 1)


def test_a_partner_has_no_factory_role() -> None:
    rules.check_role(Scope.PARTNER, Role.CLERK)
    with pytest.raises(Invalid):
        rules.check_role(Scope.PARTNER, Role.PLANNER)


@pytest.mark.parametrize("code", ["", "two words", "x" * 41, "a/b", "<b>"])
def test_a_code_is_one_short_word(code: str) -> None:
    with pytest.raises(rules.CodeWrong):
        rules.checked_code(code)
