"""Files that an employee brings: checked by a worker, shown, and loaded by a worker once the employee says so."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.made_by_worker import MadeByWorker
from applications.models.made_file import UNDER_WAY
from bulletin.models import ImportBatch
from notifications.fields import EncryptedTextField

# How long after it was brought it may be loaded; then it is deleted.
KEPT_FOR: Final = timedelta(hours=24)


class BroughtFile(MadeByWorker):
    """One file of one employee. `READY`: its step is done, and the report says what came of it."""

    class Step(models.TextChoices):
        CHECK = "check", _("is checked")
        LOAD = "load", _("is loaded")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("employee")
    )
    kind = models.CharField(max_length=20)
    name = models.CharField(_("file"), max_length=200)
    language = models.CharField(max_length=2)
    file = models.FileField(_("file"), upload_to="brought/", blank=True)
    step = models.CharField(max_length=5, choices=Step.choices, default=Step.CHECK)
    skip_bad = models.BooleanField(default=False)
    # Whether those go whom earlier files brought in and it does not have (`bulletin.importing.kinds.Run`).
    take_absent = models.BooleanField(default=False, db_default=False)
    # What the step came to (`bulletin.importing.running.Report`), or the fault of a file that can't be read.
    report = models.JSONField(null=True)
    trouble = models.JSONField(null=True)
    batch = models.ForeignKey(ImportBatch, on_delete=models.SET_NULL, null=True, related_name="+")
    # One-time links of employees, until they are handed over; then empty.
    links = EncryptedTextField(default="")

    class Meta:
        verbose_name = _("brought file")
        verbose_name_plural = _("brought files")
        default_permissions = ()
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(state__in=UNDER_WAY), name="brought_file_to_do")
        ]
