"""Copies of a person's own data, made by a worker and kept for a day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.made_by_worker import MadeByWorker
from accounts.models.people import User


class DataExport(MadeByWorker):
    """One copy of everything about one person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports", verbose_name=_("user"))
    file = models.FileField(_("file"), upload_to="exports/", blank=True)

    class Meta:
        verbose_name = _("copy of a person's data")
        verbose_name_plural = _("copies of people's data")
        default_permissions = ()
        ordering = ["-asked_at"]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(state__in=["waiting", "working"]),
                name="data_export_to_make",
            )
        ]
