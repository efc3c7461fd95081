"""The paper of a person whom an employee has registered."""

from typing import ClassVar, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.crypto import keyed_hash
from accounts.models.people import User
from notifications.fields import EncryptedTextField

FIRST_SIGN_IN: Final = "first-sign-in"


def paper_code_hash(code_digest: str) -> str:
    """With which an entered code is compared; `code_digest` is unkeyed."""
    return keyed_hash(FIRST_SIGN_IN, code_digest)


class FirstSignIn(models.Model):
    """The one-time code on the paper for a first sign-in: only hashes are kept, of the paper printed last.

    The encrypted digest outlives the keys: `rotate_iin_keys` makes the keyed hash anew from it.
    """

    HASHED: ClassVar = {"code_digest": [("code_hash", paper_code_hash)]}

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="first_sign_in", verbose_name=_("account")
    )
    registered_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("registered by")
    )
    registered_at = models.DateTimeField(_("registered at"))
    # Both empty until a paper is printed.
    code_digest = EncryptedTextField(blank=True, editable=False, default="", db_default="")
    code_hash = models.CharField(max_length=64, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    expires_at = models.DateTimeField(_("paper valid until"), null=True, blank=True)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    # Of the paper that is to be printed: whoever registered the person, or asks for another one. A colleague prints it.
    asked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("paper asked for at"), null=True, blank=True)
    why = models.CharField(_("what happened"), max_length=300, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("assisted registration")
        verbose_name_plural = _("assisted registrations")
        ordering = ["-registered_at", "-id"]

    def __str__(self) -> str:
        return self.user.profile.masked_name
