"""Signed answers: what a provider says of somebody, so that it holds for one sign-in, here and now."""

import base64
import binascii
import hmac
import json
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from accounts.identity_provider.base import NotProven, Proven
from accounts.iin import IinError, parse_iin

# How old an answer may be, and how far the provider's clock may be ahead.
VALID_FOR: Final = timedelta(minutes=5)
AHEAD: Final = timedelta(minutes=1)
LONGEST: Final = 4_000
_LONGEST_NAME: Final = 200


def check(answer: str, *, key: Ed25519PublicKey, nonce: str, audience: str, now: datetime) -> Proven:
    """Whom `answer` proves. Raises `NotProven` unless `key` signed it for `nonce` and `audience` within five minutes.

    An answer is `payload.signature`, both in URL-safe Base64; the signature (Ed25519) is over the text of the payload,
    a JSON object with `iin`, `name`, `nonce`, `audience` and `issued_at` (ISO 8601 with a zone).
    """
    payload, dot, signature = answer.partition(".")
    if not dot or len(answer) > LONGEST or not answer.isascii():
        raise NotProven("no answer")
    try:
        key.verify(_decoded(signature), payload.encode())
        said = json.loads(_decoded(payload))
    except (InvalidSignature, ValueError, RecursionError):
        raise NotProven("not signed") from None
    if not isinstance(said, dict):
        raise NotProven("no answer")
    if not (hmac.compare_digest(_text(said, "nonce"), nonce) and _text(said, "audience") == audience):
        raise NotProven("meant for another sign-in")
    if not -AHEAD <= now - _instant(said) < VALID_FOR:
        raise NotProven("too old or too new")
    try:
        return Proven(iin=parse_iin(_text(said, "iin")), name=_text(said, "name")[:_LONGEST_NAME])
    except IinError:
        raise NotProven("no IIN") from None


def sign(*, key: Ed25519PrivateKey, iin: str, name: str, nonce: str, audience: str, now: datetime) -> str:
    """An answer as `check` takes it."""
    said = {"iin": iin, "name": name, "nonce": nonce, "audience": audience, "issued_at": now.isoformat()}
    payload = _encoded(json.dumps(said).encode())
    return f"{payload}.{_encoded(key.sign(payload.encode()))}"


def public_key(text: str) -> Ed25519PublicKey:
    """The key in its thirty-two bytes as Base64. Raises ValueError."""
    return Ed25519PublicKey.from_public_bytes(_decoded(text))


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or (name != "name" and not value.isascii()):
        raise NotProven(f"no {name}")
    return value


def _instant(said: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(said, "issued_at"))
    except ValueError:
        raise NotProven("no issued_at") from None
    if moment.tzinfo is None:
        raise NotProven("no issued_at")
    return moment


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
