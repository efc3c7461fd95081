"""A made-up provider for the demo and the tests: its page lets one be anybody. A deploy check refuses it elsewhere."""

import hashlib
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from accounts.identity_provider import signed
from accounts.identity_provider.base import NotProven, Proven
from notifications.cipher import decrypt, encrypt

PAGE: Final = "/demo/identity/"


class SimulatedProvider:
    """Its codes hold their answer, encrypted: there is no server to ask."""

    simulated: Final = True

    def start(self, *, state: str, nonce: str, back: str) -> str:
        return f"{PAGE}?{urlencode({'state': state, 'nonce': nonce, 'back': back})}"

    def finish(self, code: str, *, nonce: str, back: str, now: datetime) -> Proven:
        try:
            answer = decrypt(code)
        except InvalidToken:
            raise NotProven("no answer") from None
        return signed.check(answer, key=_key().public_key(), nonce=nonce, audience=back, now=now)


def code_for(*, iin: str, name: str, nonce: str, back: str, now: datetime) -> str:
    """The code with which somebody who presses a button of the page comes back."""
    return encrypt(signed.sign(key=_key(), iin=iin, name=name, nonce=nonce, audience=back, now=now))


def _key() -> Ed25519PrivateKey:
    seed = hashlib.sha256(f"simulated provider of identity {settings.SECRET_KEY}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)
