"""What opens something without a password: 256 random bits, or derived from the instance's own secret.

Of either only the sha256 is stored.
"""

import hashlib
import hmac

from portal.core.settings import get_settings


def hash_of(token: str) -> str:
    """What is stored of a token. It cannot be guessed, so a plain hash suffices."""
    return hashlib.sha256(token.encode()).hexdigest()


def derived(text: str) -> str:
    """The token of a text, which names what it opens. Raises ValueError where the instance has no secret."""
    secret = get_settings().secret_key
    if not secret:
        raise ValueError("tokens need PORTAL_SECRET_KEY; without one anybody could derive them")
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()
