"""What a password, a role change and a key may be. Pure: everything comes in as an argument."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from portal.core.access import Permission, Role, permissions_of, roles_of
from portal.core.actor import Actor, Scope
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.i18n import N_

SHORTEST, LONGEST = 8, 128  # characters of a password
INVITATION_DAYS = 7
ADMIN_ROLE = {Scope.FACTORY: Role.ADMIN, Scope.PARTNER: Role.PARTNER_ADMIN}
ADMIN_ROLES = tuple(ADMIN_ROLE.values())


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
    if forms & common_passwords() or not letters:
        return bool(forms & common_passwords()) or _few_parts(plain)
    return _few_parts(plain) or any(_few_parts(form) for form in forms if len(form) >= SHORTEST)


def _few_parts(text: str) -> bool:
    """Whether the text is one or two characters over and over, a short part repeated, or steps along a known row."""
    if len(set(text)) <= 2:
        return True
    for size in range(1, len(text) // 2 + 1):
        if text == (text[:size] * len(text))[: len(text)] and size <= 4:
            return True
    return _is_walk(text)


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


# --- people and keys --------------------------------------------------------------------------------------------------


def check_role(scope: Scope, role: Role) -> None:
    """Raise RoleOfOtherScope when a company of this scope has no such role."""
    if role not in roles_of(scope):
        raise RoleOfOtherScope(field="role", role=role)


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
            raise ScopeBeyondRole(field="scopes", role=role, scope=permission)
        if actor.granted is not None and permission not in actor.granted:
            raise WiderThanKey(field="scopes")
