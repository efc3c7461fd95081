"""A real provider behind the city's gateway: the browser goes to its page, the answer comes from server to server."""

import json
import logging
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.conf import settings

from accounts.identity_provider import signed
from accounts.identity_provider.base import NotProven, Proven
from notifications import peers

logger = logging.getLogger(__name__)


class HttpProvider:
    """Sends browsers to `IDENTITY_PROVIDER_URL`, and asks `…/answers` with the bearer token `IDENTITY_PROVIDER_TOKEN`.

    What it answers must be signed with the private key of `IDENTITY_PROVIDER_KEY`.
    """

    simulated: Final = False

    def start(self, *, state: str, nonce: str, back: str) -> str:
        query = urlencode({"state": state, "nonce": nonce, "back": back})
        return f"{settings.IDENTITY_PROVIDER_URL.rstrip('/')}?{query}"

    def finish(self, code: str, *, nonce: str, back: str, now: datetime) -> Proven:
        try:
            return self._finish(code, nonce=nonce, back=back, now=now)
        except NotProven as reason:
            logger.warning("The provider of identity proves nobody: %s", reason)
            raise

    def _finish(self, code: str, *, nonce: str, back: str, now: datetime) -> Proven:
        try:
            answer = peers.post(
                f"{settings.IDENTITY_PROVIDER_URL.rstrip('/')}/answers",
                body=json.dumps({"code": code, "back": back}).encode(),
                headers={
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {settings.IDENTITY_PROVIDER_TOKEN}",
                },
                seconds=settings.IDENTITY_PROVIDER_SECONDS,
            )
        except peers.Unavailable as reason:
            raise NotProven(str(reason)) from None
        if answer.status != 200:
            raise NotProven(f"status {answer.status}")
        try:
            said = json.loads(answer.body)["answer"]
            key = signed.public_key(settings.IDENTITY_PROVIDER_KEY)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotProven("no answer") from None
        if not isinstance(said, str):
            raise NotProven("no answer")
        return signed.check(said, key=key, nonce=nonce, audience=back, now=now)
