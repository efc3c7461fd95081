"""The keyed hash by which what is encrypted or secret is found and compared."""

import hashlib
import hmac

from django.conf import settings


def keyed_hash(purpose: str, value: str) -> str:
    """64 hexadecimal digits, the same for the same `purpose` and `value`.

    Keyed (HMAC), since twelve digits are soon enumerated; `purpose` keeps hashes of different things apart.
    """
    return hmac.new(settings.IIN_HASH_KEY.encode(), f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()
