"""Complaints: what a family or a visitor says went wrong, and the answer by a day that they are told."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from bulletin.models import Kindergarten, Locality
from notifications.fields import EncryptedTextField


class Complaint(models.Model):
    """A complaint from being sent until it is answered and closed. `applications.complaints` alone writes it.

    Whoever is not content with the answer may say so once: that is a row of its own under the same number, which
    follows the first and has a term and an answer like it. A row is never deleted, the database refuses it; of one that
    is forgotten the texts and the phone are emptied.
    """

    class About(models.TextChoices):
        BID = "bid", _("the kindergarten refused our bid")
        LATE = "late", _("the kindergarten does not answer in time")
        REFERRAL = "referral", _("our referral ended or was revoked")
        QUEUE = "queue", _("our number in the queue")
        BENEFIT = "benefit", _("our benefit was not verified")
        CONDUCT = "conduct", _("how an employee treated us")
        MONEY = "money", _("somebody asked for money")
        PORTAL = "portal", _("the portal did not work")
        OTHER = "other", _("something else")

    class Stage(models.TextChoices):
        """Where a complaint stands at an instant: follows from the row."""

        WAITING = "waiting", _("Waits for an answer")
        LATE = "late", _("The answer is late")
        ANSWERED = "answered", _("Answered")
        FOLLOWED = "followed", _("Not solved: sent to another official")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("number"), max_length=20, editable=False)
    # Who complains: an account, or a visitor's phone in E.164 that a code has proven. Neither once it is forgotten.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who complains"),
    )
    phone = EncryptedTextField(_("phone"), blank=True, default="")
    phone_hash = models.CharField(max_length=64, null=True, editable=False, db_index=True)
    language = models.CharField(_("written in"), max_length=2, choices=settings.LANGUAGES)
    locality = models.ForeignKey(
        Locality, on_delete=models.PROTECT, related_name="+", verbose_name=_("locality")
    )
    about = models.CharField(_("about what"), max_length=10, choices=About.choices)
    application = models.ForeignKey(
        Application,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("application"),
    )
    kindergarten = models.ForeignKey(
        Kindergarten,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("kindergarten"),
    )
    text = EncryptedTextField(_("what happened"), blank=True)
    first = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="second",
        verbose_name=_("complaint that was answered and not solved"),
    )
    sent_at = models.DateTimeField(_("sent at"))
    # The first instant at which the answer is late.
    due_at = models.DateTimeField(_("due at"))
    # When the family and the city's officials were told that it is late.
    late_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    answer = EncryptedTextField(_("answer"), blank=True, default="")
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("answered by"),
    )
    # The first instant at which it is too late to say that the answer solves nothing; none of a second answer.
    open_until = models.DateTimeField(null=True, blank=True, editable=False)
    # When who complains said that it is solved.
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    HASHED: ClassVar = {"phone": [("phone_hash", phone_hash)]}

    class Meta:
        verbose_name = _("complaint")
        verbose_name_plural = _("complaints")
        default_permissions = ("view", "change")
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=Q(first=None), name="complaint_number_is_its_own"
            ),
            models.CheckConstraint(
                condition=Q(user=None) | Q(phone_hash=None), name="complaint_of_account_or_phone"
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, answered_by=None, answer="", open_until=None, closed_at=None)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
                name="complaint_answered_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(answered_at=None), name="complaint_open"),
            models.Index(fields=["answered_at"], name="complaint_answered"),
            models.Index(fields=["locality", "-sent_at"], name="complaint_of_locality"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.answered_at is None

    @property
    def last_moment(self) -> datetime:
        """A moment of the last day for the answer, to show that day."""
        return self.due_at - timedelta(microseconds=1)

    @property
    def last_moment_to_disagree(self) -> datetime | None:
        """A moment of the last day to say that the answer solves nothing."""
        return self.open_until - timedelta(microseconds=1) if self.open_until else None

    def stage(self, *, now: datetime) -> Stage:
        """Where it stands at `now`; reads the row that follows it."""
        if self.answered_at is None:
            return self.Stage.LATE if now >= self.due_at else self.Stage.WAITING
        if hasattr(self, "second"):
            return self.Stage.FOLLOWED
        is_over = self.closed_at is not None or self.open_until is None or now >= self.open_until
        return self.Stage.CLOSED if is_over else self.Stage.ANSWERED
