"""A proof of being an account's owner, as a browser may keep it: it names the account, and the account as it was.

It falls with the next change of the account's password or number. A number is no name: by the time the proof is used
it may be somebody else's. And whoever changes the password relies on it that no earlier proof is worth anything.
"""

import hmac
from dataclasses import dataclass, replace
from typing import Self

from django.core.exceptions import ValidationError

from accounts.crypto import keyed_hash
from accounts.models import User


def stamp_of(user: User | None) -> str:
    """What the account is now: changes with its password and its number, and is nobody else's. Empty for nobody."""
    if user is None:
        return ""
    phone = user.phone.as_e164 if user.phone else ""
    return keyed_hash("account-as-it-was", f"{user.pk} {user.username} {phone} {user.password}")


def is_as_it_was(user: User, stamp: str) -> bool:
    """Whether neither password nor number of `user` has changed since `stamp` was taken (`stamp_of`)."""
    return hmac.compare_digest(stamp_of(user), stamp)


def owner_of_number(phone: str) -> User | None:
    """The account of `phone` (E.164), unless it is blocked. Read it before the proof is judged, never afterwards."""
    return User.objects.filter(phone=phone, is_active=True).first()


@dataclass(frozen=True)
class OwnerProof:
    """Whose account, and its `stamp_of` then; both empty until something is proven."""

    account: str = ""
    stamp: str = ""

    def about(self, user: User) -> Self:
        """The same, as a proof about `user` as the caller has read it."""
        return replace(self, account=str(user.pk), stamp=stamp_of(user))

    def holds_for(self, user: User) -> bool:
        """Whether it is about `user`, who may do what is proven: not blocked, and as it was."""
        return user.is_active and self.account == str(user.pk) and is_as_it_was(user, self.stamp)

    @property
    def owner(self) -> User | None:
        """The account that it proves, or None. One query."""
        return self._judge(lock=False)

    def lock_owner(self) -> User | None:
        """The same, with the account's row locked in the caller's transaction."""
        return self._judge(lock=True)

    def _judge(self, *, lock: bool) -> User | None:
        users = User.objects.select_for_update() if lock else User.objects.all()
        try:
            user = users.filter(pk=self.account).first() if self.account else None
        except ValidationError:
            # No key: from another version of the portal.
            return None
        return user if user is not None and self.holds_for(user) else None
