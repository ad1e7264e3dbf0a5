"""Secrets as they are stored: encrypted (AES-256-GCM) under keys derived from PORTAL_SECRET_KEY, one for each purpose.

A copy of the database alone opens none of them. When the secret key was replaced, none opens any more.
"""

import os
from typing import TYPE_CHECKING

from portal.core.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


def closed(secret: bytes, purpose: str, bound: bytes, settings: Settings) -> bytes:
    """The secret as it is stored. bound: what it belongs to; moved to another row it does not open."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher(purpose, settings).encrypt(nonce, secret, bound)


def opened(stored: bytes, purpose: str, bound: bytes, settings: Settings) -> bytes | None:
    """The secret, or None when PORTAL_SECRET_KEY is not the one it was stored under."""
    from cryptography.exceptions import InvalidTag

    try:
        return _cipher(purpose, settings).decrypt(stored[:NONCE], stored[NONCE:], bound)
    except InvalidTag:
        return None


def _cipher(purpose: str, settings: Settings) -> "AESGCM":
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    assert settings.secret_key  # completed at start
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(settings.secret_key.encode())
    return AESGCM(derived)
