"""One-time links with which employees set up their accounts."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class StaffLink(models.Model):
    """A link that lets its holder set a password and a second factor, once. Only a hash of it is kept."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="staff_links", verbose_name=_("employee")
    )
    link_hash = models.CharField(max_length=64, unique=True, editable=False)
    # Empty for the first link of an account; then why the former factors became void.
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    made_at = models.DateTimeField(_("made at"))
    made_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    expires_at = models.DateTimeField(_("counts until"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("link for an employee")
        verbose_name_plural = _("links for employees")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(used_at=None, voided_at=None), name="one_live_staff_link"
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(voided_at=None), name="staff_link_ends_once"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("made_at")), name="staff_link_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.made_at:%d.%m.%Y}"
