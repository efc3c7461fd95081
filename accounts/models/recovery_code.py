"""Codes on paper, for whoever has lost the phone with the authenticator app."""

from typing import ClassVar, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.crypto import keyed_hash
from accounts.models.people import User
from notifications.fields import EncryptedTextField

RECOVERY_CODE: Final = "recovery-code"


def recovery_code_hash(code_digest: str) -> str:
    """By which a code is found; `code_digest` is unkeyed."""
    return keyed_hash(RECOVERY_CODE, code_digest)


class RecoveryCode(models.Model):
    """One of a parent's recovery codes: only hashes of it are kept, and it counts once.

    The encrypted digest outlives the keys: `rotate_iin_keys` makes the keyed hash anew from it.
    """

    HASHED: ClassVar = {"code_digest": [("code_hash", recovery_code_hash)]}

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_digest = EncryptedTextField(editable=False, default="", db_default="")
    code_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="one_recovery_code_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.made_at:%d.%m.%Y}"
