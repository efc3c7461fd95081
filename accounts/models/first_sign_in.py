"""The paper of a person whom an employee has registered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class FirstSignIn(models.Model):
    """The one-time code on the paper for a first sign-in: only its keyed hash is kept, of the paper printed last."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="first_sign_in", verbose_name=_("account")
    )
    registered_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("registered by")
    )
    registered_at = models.DateTimeField(_("registered at"))
    # Empty until a paper is printed.
    code_hash = models.CharField(max_length=64, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    expires_at = models.DateTimeField(_("paper valid until"), null=True, blank=True)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("assisted registration")
        verbose_name_plural = _("assisted registrations")
        ordering = ["-registered_at", "-id"]

    def __str__(self) -> str:
        return self.user.profile.masked_name
