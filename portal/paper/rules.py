"""What an examined file proves. Four facts, each with its sentence; all four together make a seal valid.

The child that reads the file only finds; judging is here. A fifth question, whether this very file is one that the
portal made, is the database's to answer and stands beside the four (`service_verify`).
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from portal.core.i18n import N_, render

SECONDS, MEMORY = 8, 320 * 1024 * 1024  # processor time and bytes that examining one file may take
STRONG = frozenset({"sha256", "sha384", "sha512"})
AHEAD = timedelta(minutes=5)  # by which another clock may be before ours


class Findings(Struct, frozen=True):
    """What the child found in a file. `problem` says why there is nothing to judge."""

    problem: str = ""  # no_pdf, broken, locked, no_seal, several_seals
    unaltered: bool = False  # the signed bytes are those that were signed, and the signature fits its certificate
    canonical: bool = False  # the signature itself is written as sealing writes it, to the last byte
    whole: bool = False  # the signature covers the file from the first byte to the last
    algorithm: str = ""
    fingerprint: str = ""  # sha256 of the signer's certificate
    signer: str = ""
    valid_from: datetime | None = None  # of the certificate
    valid_to: datetime | None = None
    claimed_at: datetime | None = None  # the signer's own clock
    stamped_at: datetime | None = None  # a timestamp authority's
    stamp_intact: bool = False
    stamp_trusted: bool = False


class Fact(Struct, frozen=True):
    """One fact about a file: good or not, and why in words."""

    name: str
    good: bool
    text: str
    data: dict[str, Any] = {}

    @property
    def sentence(self) -> str:
        """Why, in the reader's language."""
        return render(self.text, self.data)


NAMES = {
    "intact": N_("Unaltered"),
    "whole": N_("Seal covers the whole file"),
    "signer": N_("Sealed by this portal"),
    "time": N_("Time"),
}
PROBLEMS = {
    "no_pdf": N_("This is not a PDF file."),
    "broken": N_("This PDF is damaged or built in a way that the portal's documents never are."),
    "locked": N_("This PDF is encrypted; the portal's documents never are."),
    "no_seal": N_("This PDF carries no seal."),
    "several_seals": N_("This PDF carries more than one signature; the portal's documents carry exactly one."),
    "too_slow": N_("This PDF could not be examined in the time allowed; the portal's documents take a moment."),
    "too_large": N_("This PDF needs more memory than the portal's documents ever do."),
}


def facts_of(found: Findings, trusted: Collection[str], now: datetime) -> tuple[Fact, ...]:
    """The four facts. trusted: fingerprints of the certificates that seal for this tenant."""
    if found.problem:
        return tuple(Fact(name, False, PROBLEMS[found.problem]) for name in NAMES)
    return _intact(found), _whole(found), _signer(found, trusted), _time(found, now)


def is_valid(facts: Sequence[Fact]) -> bool:
    """All four facts are good."""
    return len(facts) == len(NAMES) and all(fact.good for fact in facts)


def _intact(found: Findings) -> Fact:
    if found.algorithm not in STRONG:
        text = N_("The seal uses {algorithm}, which no longer proves anything.")
        return Fact("intact", False, text, {"algorithm": found.algorithm.upper()})
    if not found.unaltered:
        return Fact("intact", False, N_("The file was altered after it was sealed."))
    if not found.canonical:
        return Fact("intact", False, N_("The seal itself was altered after the sealing."))
    return Fact("intact", True, N_("Nothing in the sealed content was altered since it was sealed."))


def _whole(found: Findings) -> Fact:
    if not found.whole:
        return Fact("whole", False, N_("Something was added or cut off after the sealing: the seal does not cover it."))
    return Fact("whole", True, N_("The seal covers the file from its first byte to its last; nothing was added."))


def _signer(found: Findings, trusted: Collection[str]) -> Fact:
    data = {"signer": found.signer, "print": found.fingerprint[:16]}
    if found.fingerprint not in trusted:
        text = N_("It was sealed by “{signer}” (certificate {print}…), which is not a key of this portal.")
        return Fact("signer", False, text, data)
    at = _moment(found)
    if at is None or found.valid_from is None or found.valid_to is None or not found.valid_from <= at <= found.valid_to:
        text = N_("The certificate of “{signer}” ({print}…) was not valid at the time of sealing.")
        return Fact("signer", False, text, data)
    return Fact("signer", True, N_("It was sealed by “{signer}” (certificate {print}…), a key of this portal."), data)


def _moment(found: Findings) -> datetime | None:
    return found.stamped_at if found.stamped_at and found.stamp_trusted else found.claimed_at


def _time(found: Findings, now: datetime) -> Fact:
    at = _moment(found)
    if at is None:
        return Fact("time", False, N_("The seal does not say when it was made."))
    data = {"at": f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"}
    if at > now + AHEAD:
        return Fact("time", False, N_("The seal says {at} (UTC), which has not come yet."), data)
    if found.stamped_at is None:
        text = N_("{at} (UTC) by the portal's own clock; no timestamp authority attests it.")
        return Fact("time", True, text, data)
    if not found.stamp_intact:
        return Fact("time", False, N_("The timestamp in the seal was altered."))
    if not found.stamp_trusted:
        text = N_("{at} (UTC) by the portal's own clock; its timestamp authority is not trusted here.")
        return Fact("time", True, text, data)
    return Fact("time", True, N_("{at} (UTC), attested by a timestamp authority."), data)
