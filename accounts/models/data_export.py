"""Copies of a person's own data, made by a worker and kept for a day."""

import uuid

from django.db import models
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class DataExport(models.Model):
    """One copy of everything about one person: asked for, made, downloaded, deleted."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a worker")
        WORKING = "working", _("is being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports", verbose_name=_("user"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField(_("asked for at"))
    # When a worker last took it, and how often: one that died is followed by another.
    taken_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Parts that are written, of all.
    done = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)
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

    def __str__(self) -> str:
        return f"{localtime(self.asked_at):%d.%m.%Y %H:%M}"
