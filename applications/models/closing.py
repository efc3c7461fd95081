"""Which families with a contract were told of a closing."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from applications.models.referral import Contract
from bulletin.models import Closing


class ToldOfClosing(models.Model):
    """A family with a contract was told that its kindergarten or group closes, and later that this is over."""

    closing = models.ForeignKey(
        Closing,
        on_delete=models.CASCADE,
        related_name="told",
        verbose_name=_("closing of a kindergarten or group"),
    )
    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="told_of_closings", verbose_name=_("contract")
    )
    starts_on = models.DateField(
        _("first day that was told"), null=True, help_text=_("Empty: told before the portal kept it.")
    )
    reopens_on = models.DateField(_("planned opening that was told"), null=True)
    told_at = models.DateTimeField(_("told to the family at"))
    over_told_at = models.DateTimeField(_("end told to the family at"), null=True, blank=True)

    class Meta:
        verbose_name = _("family told of a closing")
        verbose_name_plural = _("families told of a closing")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["closing", "contract"], name="told_once_of_a_closing")]

    def __str__(self) -> str:
        return f"{self.closing} · {self.contract}"
