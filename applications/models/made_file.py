"""Files that a worker makes for an employee: reports, and lists too long to be made while the page waits."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.made_by_worker import MadeByWorker

# How long it may be fetched once it is ready.
KEPT_FOR: Final = timedelta(hours=24)
UNDER_WAY = (MadeByWorker.State.WAITING, MadeByWorker.State.WORKING)


class MadeFile(MadeByWorker):
    """One spreadsheet for one employee, in the language in which it was asked for."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("employee")
    )
    # Which file (`applications.files.makers`), and what the page was asked for, in one order.
    what = models.CharField(max_length=40)
    query = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=2)
    title = models.CharField(_("title"), max_length=300)
    # The keys of the localities or kindergartens of whose rows it is made.
    places = ArrayField(models.PositiveIntegerField(), default=list)
    # Whether it names people: then it is for who reads names, when it is downloaded too.
    names_people = models.BooleanField(default=False)
    file = models.FileField(_("file"), upload_to="made/", blank=True)

    class Meta:
        verbose_name = _("file for an employee")
        verbose_name_plural = _("files for employees")
        default_permissions = ()
        permissions = [("read_reports", _("Can read the reports"))]
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "what", "query", "language"],
                condition=Q(state__in=UNDER_WAY),
                name="one_file_is_made_once",
            )
        ]
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(state__in=UNDER_WAY), name="made_file_to_make")
        ]
