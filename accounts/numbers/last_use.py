"""When an account was last used: the sign-in, by the portal's clock."""

from typing import Any

from django.contrib.auth.signals import user_logged_in

from accounts.models import User
from notifications.clock import estimate_clock


def keep_last_use() -> None:
    """Let a sign-in write `last_login` by the portal's clock. Django's own receiver would take the web server's.

    Call it before that one is connected: of two with one name the first counts.
    """
    user_logged_in.connect(_note, dispatch_uid="update_last_login")


def _note(sender: Any, user: User, **kwargs: Any) -> None:
    user.last_login = estimate_clock()
    user.save(update_fields=["last_login"])
