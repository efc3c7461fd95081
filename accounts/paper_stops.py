"""A paper for signing in that an employee has asked for, on the page «Stop» (`accounts.stops`).

Its account has no phone for a code, so only an owner who is signed in can stop it.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.first_sign_in import can_be_stopped, stop_paper
from accounts.models import FirstSignIn, User
from accounts.stops import Advice, Choice, NotStopped


class AnotherPaper:
    """What `accounts.stops.Stoppable` asks for."""

    code = "paper"

    @property
    def heading(self) -> str:
        return _("New paper for signing in")

    @property
    def what(self) -> str:
        return _("A new paper for signing in that you did not ask for: sign in first")

    @property
    def nothing(self) -> str:
        """Nothing: hardly anybody signs in with a paper."""
        return ""

    @property
    def claim(self) -> str:
        return _("Stop the paper")

    @property
    def consequences(self) -> list[str]:
        return [
            _("No paper is printed, and one that was printed is void. Your login number and password stay."),
            _("Set a new password afterwards if somebody else may know yours."),
        ]

    def choices(self, user: User, *, now: datetime) -> list[Choice]:
        first = _of(user)
        if first is None or not can_be_stopped(first, now=now):
            return []
        if first.asked_at is not None:
            rows = [{"label": _("Asked for at"), "at": first.asked_at}]
        else:
            rows = [{"label": _("Printed; valid until"), "at": first.expires_at}]
        return [Choice(str(first.pk), _("New paper for signing in"), rows)]

    def advice(self, user: User, *, is_signed_in: bool, now: datetime) -> Advice | None:
        return None

    def stop(self, user: User, key: str, *, address: str | None, now: datetime) -> str:
        first = _of(user)
        if first is None or str(first.pk) != key or not stop_paper(first, address=address, now=now):
            raise NotStopped(_("There is no paper to stop any more"))
        return _("Stopped. Nobody can sign in with that paper")


def _of(user: User) -> FirstSignIn | None:
    return FirstSignIn.objects.select_related("user").filter(user=user).first()
