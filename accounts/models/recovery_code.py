"""Codes on paper, for whoever has lost the phone with the authenticator app."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class RecoveryCode(models.Model):
    """One of a parent's recovery codes: only its keyed hash is kept, and it counts once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
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
