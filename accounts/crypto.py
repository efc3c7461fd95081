"""The keyed hash used to find and compare encrypted or secret values."""

import hashlib
import hmac

from django.conf import settings


def keyed_hash(purpose: str, value: str) -> str:
    """64 hexadecimal digits, the same for the same `purpose` and `value`.

    Keyed (HMAC), since all twelve-digit numbers can be tried quickly; `purpose` keeps hashes of different things apart.
    """
    return hmac.new(settings.IIN_HASH_KEY.encode(), f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()
