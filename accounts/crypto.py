"""The keyed hash used to find and compare encrypted or secret values."""

import hashlib
import hmac

from django.conf import settings


def keyed_hash(purpose: str, value: str) -> str:
    """64 hexadecimal digits, the same for the same `purpose` and `value`.

    Keyed (HMAC), since all twelve-digit numbers can be tried quickly; `purpose` keeps hashes of different things apart.
    """
    return _hash(settings.IIN_HASH_KEY, purpose, value)


def keyed_hashes(purpose: str, value: str) -> list[str]:
    """The hash under the present key, then under the one of before if there is one: a stored hash may be either."""
    keys = filter(None, (settings.IIN_HASH_KEY, settings.IIN_HASH_KEY_OLD))
    return [_hash(key, purpose, value) for key in keys]


def digest(purpose: str, value: str) -> str:
    """64 hexadecimal digits without a key, for what is kept encrypted and found by the keyed hash of this."""
    return hashlib.sha256(f"{purpose}:{value}".encode()).hexdigest()


def _hash(key: str, purpose: str, value: str) -> str:
    return hmac.digest(key.encode(), f"{purpose}:{value}".encode(), "sha256").hex()
