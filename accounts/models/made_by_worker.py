"""What a worker makes while somebody waits for it."""

import uuid

from django.db import models
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _


class MadeByWorker(models.Model):
    """Asked for, made, downloaded, deleted; `accounts.making` says which worker makes it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a worker")
        WORKING = "working", _("is being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField(_("asked for at"))
    # The last sign of life of the worker that took it, and how often one did: who died is followed by another.
    taken_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Parts that are written, of all.
    done = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{localtime(self.asked_at):%d.%m.%Y %H:%M}"
