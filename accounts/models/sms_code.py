"""Codes that prove something once: by SMS, or sent to another contact of an account."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField


class OneTimeCode(models.Model):
    """A one-time code: only its keyed hash is kept, bound to the asking session."""

    code_hash = models.CharField(max_length=64)
    session_hash = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        abstract = True


class SmsCode(OneTimeCode):
    """A code sent to the phone that it proves."""

    class Purpose(models.TextChoices):
        REGISTER = "register", _("registration")
        RESET = "reset", _("password reset")
        SIGN_IN = "sign_in", _("signing in")
        STOP = "stop", _("“Stop”")
        OLD_NUMBER = "old_number", _("change of number: the former one")
        NEW_NUMBER = "new_number", _("change of number: the new one")
        CONFIRM = "confirm", _("confirming the number")
        COMPLAINT = "complaint", _("complaint")

    phone = PhoneNumberField(_("phone"))
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)

    class Meta:
        verbose_name = _("SMS code")
        verbose_name_plural = _("SMS codes")
        indexes = [
            models.Index(fields=["phone", "purpose", "-created_at"], name="smscode_newest"),
            models.Index(fields=["expires_at"], name="smscode_expiry"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.created_at):%d.%m.%Y %H:%M} {self.get_purpose_display()}"


class ContactCode(OneTimeCode):
    """A code sent to a second phone or an e-mail address.

    `subject_hash` is a keyed hash of what it proves (`accounts.contacts`): a row tells neither whose contact it is nor
    which, and one that was sent to nobody looks like any other.
    """

    subject_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("code to a contact")
        verbose_name_plural = _("codes to contacts")
        indexes = [
            models.Index(fields=["subject_hash", "-created_at"], name="contactcode_newest"),
            models.Index(fields=["expires_at"], name="contactcode_expiry"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.created_at):%d.%m.%Y %H:%M}"
