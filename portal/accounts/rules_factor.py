"""One-time codes of an app (TOTP, RFC 6238: SHA-1, 30 seconds, six digits) and recovery codes. Pure.

A code counts in its own step and in one step before and after it, because clocks differ; never a second time, and
never after a newer one was used.
"""

import hashlib
import hmac
import secrets
import unicodedata
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import pyotp

from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_

STEP = 30  # seconds
WINDOW = 1  # steps to either side
DIGITS = 6
ISSUER = "Calloff"
RECOVERY_CODES = 10
RECOVERY_LENGTH = 16  # of 31 signs each: 79 bits, so a plain hash of them suffices
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look like another


class Proof(StrEnum):
    """What went with the password; kept with an acceptance."""

    CODE = "code"
    RECOVERY = "recovery_code"


class CodeMissing(Invalid):
    code = "factor-code-missing"
    text = N_("Type the six digits that your authenticator app shows now, or one of your recovery codes.")


class CodeWrong(Invalid):
    code = "factor-code-wrong"
    text = N_(
        "This code is not right. Type the six digits that your authenticator app shows now, and check that the clock"
        " of your phone is right."
    )


class CodeUsed(Invalid):
    code = "factor-code-used"
    text = N_("This code was used already; each works once. Wait up to 30 seconds for the next one.")


class FactorMissing(Invalid):
    code = "factor-missing"
    text = N_("You have no second factor yet. Set one up under My account, Second factor, then come back.")


class FactorThere(Conflict):
    code = "factor-there"
    text = N_("Your second factor is set up already. Remove it first to set up another phone.")


class FactorNotBegun(Conflict):
    code = "factor-not-begun"
    text = N_("The setting up was not begun or was begun anew elsewhere. Begin it again and scan the new picture.")


def new_secret() -> str:
    """160 random bits, as apps read them."""
    return pyotp.random_base32()


def address(secret: str, email: str) -> str:
    """What the picture says to the app."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP).provisioning_uri(name=email, issuer_name=ISSUER)


def in_fours(secret: str) -> str:
    """The secret in groups of four, for typing."""
    return " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))


def cleaned(typed: str) -> str:
    """A code without what people put between its signs, in the form of a plain keyboard: １２３ ４５６ is 123456."""
    plain = unicodedata.normalize("NFKC", typed).lower()
    return "".join(sign for sign in plain if sign.isalnum())


def is_totp(code: str) -> bool:
    """Whether a cleaned code is of the app's kind; recovery codes are longer."""
    return len(code) == DIGITS and code.isascii() and code.isdecimal()


def step_of(moment: datetime) -> int:
    """The number of the time step."""
    return int(moment.timestamp()) // STEP


def code_at(secret: str, step: int) -> str:
    """The code of a time step."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP).generate_otp(step)


def used_step(secret: str, code: str, now: datetime, last_step: int | None) -> int:
    """The step whose code this is. Raises CodeWrong, and CodeUsed for a step that is not after the last one used."""
    around = range(step_of(now) - WINDOW, step_of(now) + WINDOW + 1)
    fits = [step for step in around if hmac.compare_digest(code_at(secret, step).encode(), code.encode())]
    if not fits:
        raise CodeWrong(field="code")
    if last_step is not None and fits[-1] <= last_step:
        raise CodeUsed(field="code")
    return fits[-1]


def recovery_codes() -> list[str]:
    """Ten new codes, as they are shown once."""
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    return ["-".join(code[n : n + 4] for n in range(0, RECOVERY_LENGTH, 4)) for code in made]


def recovery_hash(user_id: UUID, typed: str) -> str:
    """What is stored of a recovery code."""
    return hashlib.sha256(f"{user_id}:{cleaned(typed)}".encode()).hexdigest()
