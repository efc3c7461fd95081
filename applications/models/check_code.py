"""The code on a referral's paper, by which anybody who holds the paper can check it."""

from typing import ClassVar, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.crypto import keyed_hash
from applications.models.referral import Referral
from notifications.fields import EncryptedTextField

CHECK_CODE: Final = "referral-check"


def check_code_hash(code: str) -> str:
    """By which a code is found."""
    return keyed_hash(CHECK_CODE, code)


class CheckCode(models.Model):
    """One for each referral whose paper was made; it stays the same when the paper is made anew.

    Who reads the database alone learns no code: it is encrypted for the next paper, and found by a keyed hash.
    """

    HASHED: ClassVar = {"code": [("code_hash", check_code_hash)]}

    referral = models.OneToOneField(
        Referral, on_delete=models.CASCADE, related_name="check_code", verbose_name=_("referral")
    )
    code = EncryptedTextField(editable=False)
    code_hash = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        verbose_name = _("code of a referral")
        verbose_name_plural = _("codes of referrals")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.referral)
