"""Encryption of personal identifiers, and the keyed hash by which they are found."""

import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@lru_cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """`text` as a token that only the holders of `IIN_KEYS` can read; different at every call."""
    return _cipher(tuple(settings.IIN_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text behind `token`, encrypted with any of `IIN_KEYS`. Raises `cryptography.fernet.InvalidToken`."""
    return _cipher(tuple(settings.IIN_KEYS)).decrypt(token.encode()).decode()


def keyed_hash(purpose: str, value: str) -> str:
    """64 hexadecimal digits, the same for the same `purpose` and `value`.

    Keyed (HMAC), since twelve digits are soon enumerated; `purpose` keeps hashes of different things apart.
    """
    return hmac.new(settings.IIN_HASH_KEY.encode(), f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()
