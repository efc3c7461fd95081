"""What was done, and by whom."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import journal
from accounts.models.people import User


class AuditEntry(models.Model):
    """One thing that was done: append-only. What concerns a parent is shown to them as their journal."""

    at = models.DateTimeField(_("time"))
    action = models.CharField(_("action"), max_length=40, choices=journal.titles)
    actor = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    subject = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="journal",
        verbose_name=_("whom it concerns"),
    )
    target = models.CharField(_("object"), max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    # The object itself, for its page of history: `audit.key_of`. Never shown.
    about = models.CharField(max_length=100, blank=True, editable=False, default="", db_default="")
    # The child whose guardians alone read what others did, by its key; empty: whoever it concerns.
    child = models.UUIDField(null=True, editable=False)
    # What a form of the workplace changed: `accounts.changes`. No words that somebody typed.
    changes = models.JSONField(_("changes"), null=True, editable=False)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["subject", "-at", "-id"], name="audit_journal"),
            # By these `accounts.audit_search` finds a page of entries among any number of them.
            models.Index(fields=["action", "-at", "-id"], name="audit_action"),
            models.Index(fields=["actor", "action", "-at", "-id"], name="audit_actor"),
            models.Index(
                fields=["target", "-at", "-id"], condition=~models.Q(target=""), name="audit_target"
            ),
            models.Index(fields=["about", "-at", "-id"], condition=~models.Q(about=""), name="audit_thing"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%d.%m.%Y %H:%M} {self.get_action_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise PermissionDenied("Audit entries are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise PermissionDenied("Audit entries are never deleted.")

    def get_action_display(self) -> str:  # type: ignore[no-redef]
        """What was done. Django's own would make a dictionary of all names for each entry that it names."""
        return journal.title_of(self.action)
