"""What a parent says is wrong in their data, and the answer."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from notifications.fields import EncryptedTextField


class Objection(models.Model):
    """One objection to wrong data, from being sent until it is answered. `applications.objections` alone writes it."""

    class About(models.TextChoices):
        PERSON = "person", _("parent: name, date of birth, sex")
        DOCUMENT = "document", _("parent: IIN or document")
        CHILD = "child", _("child: name, date of birth, IIN")
        APPLICATION = "application", _("application: date, benefit, decision")
        OTHER = "other", _("other data")

    class Answer(models.TextChoices):
        MENDED = "mended", _("the data is mended")
        STANDS = "stands", _("the data stands as it is")
        NOT_OURS = "not_ours", _("not ours to change")

    # What is always about one child.
    OF_A_CHILD: ClassVar = (About.CHILD, About.APPLICATION)
    # What is about no child.
    OF_A_PERSON: ClassVar = (About.PERSON, About.DOCUMENT)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="objections", verbose_name=_("who objects")
    )
    about = models.CharField(_("which data"), max_length=11, choices=About.choices)
    # The key of the child that it is about: children stand in an app above.
    child = models.UUIDField(_("child"), null=True, blank=True)
    # They may hold an IIN: how else should one say that it is wrong?
    wrong = EncryptedTextField(_("what is wrong"))
    right = EncryptedTextField(_("what would be right"))
    sent_at = models.DateTimeField(_("sent at"))
    # The first instant at which the answer is late.
    due_at = models.DateTimeField(_("due at"))
    answer = models.CharField(_("answer"), max_length=8, choices=Answer.choices, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("answered by"),
    )

    class Meta:
        verbose_name = _("objection to data")
        verbose_name_plural = _("objections to data")
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None, answered_by=None, reason="")
                | ~Q(answer="") & ~Q(reason="") & Q(answered_at__isnull=False, answered_by__isnull=False),
                name="objection_answered_whole",
            ),
            models.CheckConstraint(
                condition=~Q(about__in=["child", "application"]) | Q(child__isnull=False),
                name="objection_names_child",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(answer=""), name="objection_open"),
            models.Index(fields=["answered_at"], name="objection_answered"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.sent_at):%d.%m.%Y} {self.get_about_display()}"

    @property
    def is_open(self) -> bool:
        return not self.answer

    @property
    def last_moment(self) -> datetime:
        """A moment of the last day for the answer, to show that day."""
        return self.due_at - timedelta(microseconds=1)

    def is_late(self, *, now: datetime) -> bool:
        """Whether nobody has answered, and the last day is over."""
        return self.is_open and now >= self.due_at
