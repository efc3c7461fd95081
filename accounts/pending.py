"""A sign-in that waits for its code: an encrypted cookie of the browser that asked, and nothing on the server.

It looks the same whether the password was right or wrong, so it tells the browser no more than the page does.
"""

import json
import secrets
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.owner_proofs import OwnerProof, stamp_of
from accounts.sms_codes import LIFETIME
from notifications.cipher import decrypt, encrypt

# As long as a stamp.
_STAMP_BYTES = 32


@dataclass(frozen=True)
class PendingSignIn:
    """Who may sign in as `phone` with the code that was sent for `session`.

    `user` and `mark` belong to nobody where the password was wrong or no code could be sent (`is_real` is 0).
    `by_app` is 1 where the password is known to be right and only the app's code is missing. `asked_at` (ISO 8601) is
    when this browser last asked for the code, `free_at` when a code is no longer needed, and `target` where to go
    afterwards.
    """

    phone: str
    session: str
    user: str
    mark: str
    is_real: int
    asked_at: str
    free_at: str
    target: str
    by_app: int = 0

    def is_over(self, *, now: datetime) -> bool:
        """Whether every code that this browser asked for has expired."""
        return now >= datetime.fromisoformat(self.asked_at) + LIFETIME

    def asked_again(self, *, free_at: datetime, now: datetime) -> "PendingSignIn":
        """The same, still waiting for the code sent before: only the times are new."""
        return replace(self, asked_at=_text(now), free_at=_text(free_at))

    @property
    def owner(self) -> User | None:
        """The account, if it is still what it was when the password was checked."""
        return OwnerProof(self.user, self.mark).owner


def begin(
    user: User | None,
    *,
    phone: str,
    session: str,
    free_at: datetime,
    target: str,
    by_app: bool = False,
    now: datetime,
) -> PendingSignIn:
    """A sign-in of `user`; for None, one of the same size that no code can complete."""
    return PendingSignIn(
        phone=phone,
        session=session,
        user=str(user.pk if user else uuid.uuid4()),
        mark=stamp_of(user) if user else secrets.token_hex(_STAMP_BYTES),
        is_real=int(user is not None),
        asked_at=_text(now),
        free_at=_text(free_at),
        target=target,
        by_app=int(by_app),
    )


def keep(response: HttpResponse, pending: PendingSignIn) -> None:
    response.set_cookie(
        settings.PENDING_SIGN_IN_COOKIE_NAME,
        encrypt(json.dumps(asdict(pending))),
        max_age=LIFETIME,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def read(request: HttpRequest) -> PendingSignIn | None:
    """What `keep` kept in this browser, or None."""
    try:
        return PendingSignIn(
            **json.loads(decrypt(request.COOKIES.get(settings.PENDING_SIGN_IN_COOKIE_NAME, "")))
        )
    except (InvalidToken, TypeError):
        # No cookie, a forged one, or one from another version of the portal.
        return None


def forget(response: HttpResponse) -> None:
    response.delete_cookie(settings.PENDING_SIGN_IN_COOKIE_NAME, samesite="Lax")


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
