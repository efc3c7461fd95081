"""Encryption of what a stolen database must not reveal: texts of SMS, identifiers of people."""

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
