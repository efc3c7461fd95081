"""Encrypting a message for one browser (RFC 8291, aes128gcm of RFC 8188), and saying who sends it (RFC 8292).

The services between us and the browser read neither the text nor whom it is for.
"""

import base64
import json
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE: Final = ec.SECP256R1()
# An uncompressed point, and the secret beside it.
KEY_BYTES, SECRET_BYTES, _PRIVATE_BYTES = 65, 16, 32
# What every service takes (RFC 8030, 7.2), without the head and what encryption adds.
LONGEST_TEXT: Final = 3993
_RECORD_SIZE: Final = 4096


def encrypt(
    text: bytes,
    *,
    browser_key: bytes,
    secret: bytes,
    own_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a message that nobody but the browser with this key and secret reads.

    Raises `ValueError` for a key that is no point of the curve, or a text of more than `LONGEST_TEXT` bytes. A key and
    a salt of ours are made anew for each message; tests give those of the standard.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError("the text is too long")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, browser_key)
    ours = own_key or ec.generate_private_key(CURVE)
    salt = salt or os.urandom(16)
    public = point_of(ours.public_key())
    info = b"WebPush: info\x00" + browser_key + public
    shared = _derived(ours.exchange(ec.ECDH(), theirs), salt=secret, info=info, length=32)
    key = _derived(shared, salt=salt, info=b"Content-Encoding: aes128gcm\x00", length=16)
    nonce = _derived(shared, salt=salt, info=b"Content-Encoding: nonce\x00", length=12)
    head = salt + _RECORD_SIZE.to_bytes(4, "big") + bytes([len(public)]) + public
    # The last record ends with a two.
    return head + AESGCM(key).encrypt(nonce, text + b"\x02", None)


def authorization(origin: str, *, own_key: str, contact: str, until: int) -> str:
    """The header that says to the service at `origin` that the message is ours, until this second of the epoch."""
    private = private_key(own_key)
    claims = {"aud": origin, "exp": until, "sub": contact}
    signed = ".".join(to_text(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(SHA256())))
    signature = to_text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={public_key(own_key)}"


def new_private_key() -> str:
    """A new key of the portal, as settings hold it: thirty-two bytes in URL-safe Base64."""
    number = ec.generate_private_key(CURVE).private_numbers().private_value
    return to_text(number.to_bytes(_PRIVATE_BYTES, "big"))


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Raises `ValueError` for what is no such key."""
    octets = from_text(text)
    if len(octets) != _PRIVATE_BYTES:
        raise ValueError("no key")
    return ec.derive_private_key(int.from_bytes(octets, "big"), CURVE)


def public_key(text: str) -> str:
    """The other half of a private key, which browsers are told."""
    return to_text(point_of(private_key(text).public_key()))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_text(octets: bytes) -> str:
    """URL-safe Base64 without its padding, as all of these standards write it."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Raises `ValueError`."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _derived(material: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)
