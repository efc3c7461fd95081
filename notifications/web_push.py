"""Notices on screens: what a browser named as its address is asked to show a text (RFC 8030).

An address comes from the browser, so it is a stranger's word: https alone, a host of a known service, an address on
the open internet, one deadline, no redirects (`is_sound`, `peers`). It is a secret, too, and stands in no log.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from notifications import peers
from notifications.push_encryption import KEY_BYTES, SECRET_BYTES, authorization, encrypt, from_text
from notifications.sms.base import Outcome, SendResult
from notifications.troubles import Trouble

# Of one account: so many times `PUSH_SECONDS` must end before a send may take no longer (`SEND_SECONDS`).
MOST_DEVICES: Final = 5
LONGEST_ADDRESS: Final = 1_000
# Services take a signature for a day at most.
_SIGNED_FOR: Final = 12 * 3600
_OPEN_INTERNET: Final = peers.Papers(is_open_internet=True)
_OWN_NETWORK: Final = peers.Papers()


class Device(NamedTuple):
    """A browser: the key of its row, its address, and its keys as `keys_as_text` writes them."""

    pk: Any
    endpoint: str
    keys: str


@dataclass
class Sent:
    """What became of a text: for all devices together, and for which of them it was taken or is taken no more."""

    whole: SendResult
    taken_by: list[Any] = field(default_factory=list)
    gone: list[Any] = field(default_factory=list)


def is_sound(endpoint: str) -> bool:
    """Whether an address may be asked at all: https, at a known service, without a user or another port. Pure but for
    the settings."""
    if len(endpoint) > LONGEST_ADDRESS or not endpoint.isascii() or not endpoint.isprintable():
        return False
    try:
        parts = urlsplit(endpoint)
        is_plain = not (parts.username or parts.password or parts.fragment) and parts.port in (None, 443)
    except ValueError:
        return False
    host = parts.hostname or ""
    if settings.PUSH_TO_OWN_NETWORK and host == "localhost":
        return True
    known = any(host == service or host.endswith(f".{service}") for service in settings.PUSH_SERVICES)
    return parts.scheme == "https" and is_plain and known and " " not in endpoint


def keys_as_text(p256dh: str, auth: str) -> str:
    """The two keys of a browser as they are kept. Raises `ValueError` unless a text can be encrypted for them."""
    encrypt(b"", browser_key=_sized(p256dh, KEY_BYTES), secret=_sized(auth, SECRET_BYTES))
    return json.dumps([p256dh, auth])


class PushBackend:
    """Like a gateway for SMS, with the devices of an account in place of the phone."""

    name = "push"

    def send(
        self, devices: Sequence[Device], text: str, *, language: str, key: str, minutes: int, now: datetime
    ) -> Sent:
        """Hand `text` over for all these devices, one after the other; taken once one of them has it.

        What a browser does not fetch within `minutes` its service forgets. Two with one `key` are shown as one.
        """
        told = {"text": text, "tag": key, "language": language}
        sent = Sent(SendResult(Outcome.REFUSED, error=Trouble.NO_DEVICE.value))
        for device in devices[:MOST_DEVICES]:
            result = _hand_over(
                device, json.dumps(told, ensure_ascii=False).encode(), seconds=60 * minutes, now=now
            )
            if result.outcome is Outcome.ACCEPTED:
                sent.taken_by.append(device.pk)
            elif result.error == Trouble.NO_DEVICE:
                sent.gone.append(device.pk)
            if _WEIGHT[result.outcome] > _WEIGHT[sent.whole.outcome] or sent.whole.error == Trouble.NO_DEVICE:
                sent.whole = result
        return sent


# Of several devices the best counts; then what can be tried again.
_WEIGHT: Final = {
    Outcome.REFUSED: 0,
    Outcome.NOT_ASKED: 1,
    Outcome.UNAVAILABLE: 2,
    Outcome.UNCLEAR: 3,
    Outcome.ACCEPTED: 4,
}


def _hand_over(device: Device, text: bytes, *, seconds: int, now: datetime) -> SendResult:
    if not (device.endpoint and device.keys):
        return SendResult(Outcome.UNAVAILABLE, error=Trouble.NO_KEY_OF_ADDRESS.value)
    if not settings.PUSH_PRIVATE_KEY:
        return SendResult(Outcome.UNAVAILABLE, error="push: no key")
    if not is_sound(device.endpoint):
        # A service that the settings no longer name.
        return SendResult(Outcome.REFUSED, error="push: unknown service")
    p256dh, auth = json.loads(device.keys)
    parts = urlsplit(device.endpoint)
    signature = authorization(
        f"{parts.scheme}://{parts.netloc}",
        own_key=settings.PUSH_PRIVATE_KEY,
        contact=settings.PUSH_CONTACT,
        until=int(now.timestamp()) + _SIGNED_FOR,
    )
    try:
        answer = peers.post(
            device.endpoint,
            body=encrypt(text, browser_key=from_text(p256dh), secret=from_text(auth)),
            headers={
                "Authorization": signature,
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(seconds),
            },
            seconds=settings.PUSH_SECONDS,
            papers=_OWN_NETWORK if settings.PUSH_TO_OWN_NETWORK else _OPEN_INTERNET,
            at_once=_AT_ONCE,
            name=PushBackend.name,
        )
    except peers.NotAsked as reason:
        return SendResult(Outcome.NOT_ASKED, error=f"push: {reason}")
    except peers.Unavailable as reason:
        outcome = Outcome.UNCLEAR if reason.was_asked else Outcome.UNAVAILABLE
        return SendResult(outcome, error=f"push: {reason}")
    return _meaning(answer.status)


# As many as a delivery has lanes.
_AT_ONCE: Final = 8


def _meaning(status: int) -> SendResult:
    """What the answer of a service means for the message."""
    if 200 <= status < 300:
        return SendResult(Outcome.ACCEPTED)
    if status in (404, 410):
        return SendResult(Outcome.REFUSED, error=Trouble.NO_DEVICE.value)
    if status in (400, 413):
        outcome = Outcome.REFUSED
    else:
        outcome = Outcome.UNCLEAR if status >= 500 else Outcome.UNAVAILABLE
    return SendResult(outcome, error=f"push: HTTP {status}")


def _sized(text: str, length: int) -> bytes:
    octets = from_text(text)
    if len(octets) != length:
        raise ValueError("a key of the wrong length")
    return octets
