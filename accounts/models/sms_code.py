"""Codes sent by SMS."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField


class SmsCode(models.Model):
    """A one-time code sent by SMS: only its keyed hash is kept, bound to the phone and the asking session."""

    class Purpose(models.TextChoices):
        REGISTER = "register", _("registration")
        RESET = "reset", _("password reset")
        SIGN_IN = "sign_in", _("signing in")
        STOP = "stop", _("“Stop”")
        OLD_NUMBER = "old_number", _("change of number: the former one")
        NEW_NUMBER = "new_number", _("change of number: the new one")
        CONFIRM = "confirm", _("confirming the number")

    phone = PhoneNumberField(_("phone"))
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    code_hash = models.CharField(max_length=64)
    session_hash = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("SMS code")
        verbose_name_plural = _("SMS codes")
        indexes = [
            models.Index(fields=["phone", "purpose", "-created_at"], name="smscode_newest"),
            models.Index(fields=["expires_at"], name="smscode_expiry"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.created_at):%d.%m.%Y %H:%M} {self.get_purpose_display()}"
