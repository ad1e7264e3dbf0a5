"""What a password, a role change and a key may be. Pure: everything comes in as an argument."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from portal.accounts.model import ChatDetail
from portal.core.access import ROLE_NAMES, Permission, Role, permissions_of, roles_of
from portal.core.actor import Actor, Scope
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.i18n import N_

SHORTEST, LONGEST = 8, 128  # characters of a password
INVITATION_DAYS = 7
ADMIN_ROLE = {Scope.FACTORY: Role.ADMIN, Scope.PARTNER: Role.PARTNER_ADMIN}
ADMIN_ROLES = tuple(ADMIN_ROLE.values())
MAINLAND_ZONES = frozenset(
    {"Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Urumqi", "Asia/Kashgar", "PRC"}
)
MAINLAND_NAMES = frozenset({"cn", "chn", "china", "mainland china", "prc", "中国", "中国大陆", "中华人民共和国"})


class PasswordTooShort(Invalid):
    code = "password-too-short"
    text = N_("A password needs at least {shortest} characters. Three or four words in a row are easy to remember.")


class PasswordTooLong(Invalid):
    code = "password-too-long"
    text = N_("A password may have at most {longest} characters.")


class PasswordTooCommon(Invalid):
    code = "password-too-common"
    text = N_("This password is one of the first that others try. Choose a different one.")


class PasswordNamesYou(Invalid):
    code = "password-names-you"
    text = N_("A password must not be your name, your e-mail or your company. Choose a different one.")


class WrongEmail(Invalid):
    code = "wrong-email"
    text = N_("“{email}” is not an e-mail address. Write it as name@company.example.")


class NameMissing(Invalid):
    code = "name-missing"
    text = N_("Enter a name of 1 to {longest} characters.")


class CodeWrong(Invalid):
    code = "code-wrong"
    text = N_("A code has 1 to 40 letters, digits, dots, hyphens or underscores, without spaces.")


class CodeTaken(Conflict):
    code = "code-taken"
    text = N_("The code “{taken}” is already in use. Choose another one.")


class NeitherCustomerNorSupplier(Invalid):
    code = "neither-customer-nor-supplier"
    text = N_("A partner is a customer, a supplier or both. Choose at least one.")


class NoWorkingWeekday(Invalid):
    code = "no-working-weekday"
    text = N_("Choose at least one working day of the week.")


class AlreadyMember(Conflict):
    code = "already-member"
    text = N_("{email} belongs to this company already.")


class AlreadyInvited(Conflict):
    code = "already-invited"
    text = N_("{email} is invited already. Send the open invitation again instead.")


class NothingChosen(Invalid):
    code = "restriction-empty"
    text = N_("Choose at least one contract or site that this person may see.")


class LastAdmin(Conflict):
    code = "last-admin"
    text = N_("This is the company’s last administrator. Make somebody else administrator first.")


class RoleOfOtherScope(Invalid):
    code = "role-not-here"
    text = N_("A member of this company cannot have the role “{role}”.")


class AdminRestricted(Invalid):
    code = "admin-restricted"
    text = N_("An administrator sees everything of the company. Choose another role before you restrict this person.")


class WiderThanKey(Forbidden):
    code = "wider-than-key"
    text = N_("An API key cannot give a right that it does not have itself.")


class ScopeBeyondRole(Invalid):
    code = "scope-beyond-role"
    text = N_("The role “{role}” does not include the right “{scope}”, so a key with this role cannot have it.")


# --- passwords --------------------------------------------------------------------------------------------------------

_LEET = str.maketrans("013457@$!", "oieastasi")
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_NOT_LETTERS = re.compile(r"[\W_]+")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
)
_WALKS = tuple(row for forward in _ROWS for row in (forward, forward[::-1]))


@cache
def common_passwords() -> frozenset[str]:
    """The passwords and words that attackers try first, lower case, one a line."""
    path = Path(__file__).parent / "common_passwords.txt"
    return frozenset(path.read_text(encoding="utf-8").split())


def check_password(password: str, known: Iterable[str] = (), field: str = "password") -> None:
    """Raise PasswordTooShort, PasswordTooLong, PasswordTooCommon or PasswordNamesYou.

    known: what anybody knows of this person: names, e-mail, company. Length is all that is asked of the composition;
    no rule about digits or signs, which make passwords worse (OWASP ASVS 5, 6.2).
    """
    if len(password) < SHORTEST:
        raise PasswordTooShort(field=field, shortest=SHORTEST)
    if len(password) > LONGEST:
        raise PasswordTooLong(field=field, longest=LONGEST)
    if is_common(password):
        raise PasswordTooCommon(field=field)
    if _names(password, known):
        raise PasswordNamesYou(field=field)


def is_common(password: str) -> bool:
    """Whether it is a common word, with digits and signs around it or for its letters, or a walk over the keyboard."""
    plain = password.lower().strip()
    letters = _EDGES.sub("", plain)
    forms = {plain, letters, plain.translate(_LEET), _EDGES.sub("", plain.translate(_LEET)), letters.translate(_LEET)}
    known = common_passwords()
    joined = any(plain[:cut] in known and plain[cut:] in known for cut in range(3, len(plain) - 2))
    return joined or bool(forms & known) or any(_few_parts(form) for form in forms if len(form) >= SHORTEST)


def _few_parts(text: str) -> bool:
    """Whether the text is one or two characters over and over, a short part repeated, or steps along a known row."""
    if len(set(text)) <= 2:
        return True
    repeated = any(text == (text[:size] * len(text))[: len(text)] for size in range(2, 5))
    return repeated or _is_walk(text)


def _is_walk(text: str) -> bool:
    """Whether it falls into at most two pieces of rows such as qwerty, 123456 or qazwsx."""
    for cut in range(len(text), 2, -1):
        if any(text[:cut] in row for row in _WALKS):
            rest = text[cut:]
            return len(rest) < 3 or any(rest in row for row in _WALKS)
    return False


def _names(password: str, known: Iterable[str]) -> bool:
    plain = _NOT_LETTERS.sub("", password.lower())
    bare = plain.strip("0123456789")
    for text in known:
        parts = {text, text.split("@")[0], *re.split(r"[\s@.]+", text)}
        words = {_NOT_LETTERS.sub("", part.lower()) for part in parts}
        if {word for word in words if len(word) >= 3} & {plain, bare}:
            return True
    return False


# --- companies and places ---------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\.]+(\.[^\s@<>,;:\"()\[\]\\.]+)+")
_CODE = re.compile(r"[\w.\-]{1,40}")


def checked_email(text: str) -> str:
    """The address in lower case. Raises WrongEmail when it cannot be one."""
    email = text.strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise WrongEmail(field="email", email=text)
    return email


def checked_name(text: str, longest: int = 120, field: str = "name") -> str:
    """The name on one line. Raises NameMissing when nothing is left or too much."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= longest:
        raise NameMissing(field=field, longest=longest)
    return name


def checked_code(text: str) -> str:
    """The code without spaces around it. Raises CodeWrong."""
    code = text.strip()
    if not _CODE.fullmatch(code):
        raise CodeWrong(field="code")
    return code


def check_trade(is_factory: bool, is_customer: bool, is_supplier: bool) -> None:
    """Raise NeitherCustomerNorSupplier for a partner that is neither."""
    if not (is_factory or is_customer or is_supplier):
        raise NeitherCustomerNorSupplier(field="is_customer")


def checked_weekdays(days: Iterable[int]) -> list[int]:
    """Working weekdays in order, Monday is 0. Raises NoWorkingWeekday when none is left."""
    chosen = sorted({day for day in days if 0 <= day <= 6})
    if not chosen:
        raise NoWorkingWeekday(field="weekdays")
    return chosen


# --- people and keys --------------------------------------------------------------------------------------------------


def check_role(scope: Scope, role: Role) -> None:
    """Raise RoleOfOtherScope when a company of this scope has no such role."""
    if role not in roles_of(scope):
        raise RoleOfOtherScope(field="role", role=ROLE_NAMES[role])


def check_not_last_admin(role: Role, admins: int) -> None:
    """Raise LastAdmin when an administrator would go and none be left; admins: active ones, this one included."""
    if role in ADMIN_ROLES and admins <= 1:
        raise LastAdmin


def check_may_be_restricted(role: Role) -> None:
    """Raise AdminRestricted for roles that see everything."""
    if role in ADMIN_ROLES:
        raise AdminRestricted(field="role")


def check_gives(actor: Actor, scope: Scope, role: Role) -> None:
    """Raise WiderThanKey when a key would make somebody of its own company more powerful than itself."""
    if actor.granted is not None and actor.scope is scope and not permissions_of(scope, role) <= actor.granted:
        raise WiderThanKey


def check_scopes(actor: Actor, scope: Scope, role: Role, scopes: Iterable[Permission]) -> None:
    """Raise ScopeBeyondRole, or WiderThanKey when the maker of the key is a key with less."""
    allowed = permissions_of(scope, role)
    for permission in scopes:
        if permission not in allowed:
            raise ScopeBeyondRole(field="scopes", role=ROLE_NAMES[role], scope=permission.value)
        if actor.granted is not None and permission not in actor.granted:
            raise WiderThanKey(field="scopes")


def chat_detail(time_zone: str, country: str) -> ChatDetail:
    """How much messages to foreign chat services say until an administrator decides: for a factory in mainland China
    the number and the link, because each message with more would be data sent abroad."""
    mainland = time_zone in MAINLAND_ZONES or country.strip().casefold() in MAINLAND_NAMES
    return ChatDetail.NUMBER_ONLY if mainland else ChatDetail.FULL
