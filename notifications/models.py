"""What was said to whom: people's inboxes, and the outbox of SMS and e-mail."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from notifications.fields import PatientEncryptedTextField
from notifications.kinds import titles


class Notice(models.Model):
    """A notice in a person's inbox: the record of what the portal told them.

    Both languages are rendered when the notice is written, so changing a template later changes no record, and the
    reader may switch the language.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notices",
        verbose_name=_("recipient"),
    )
    kind = models.CharField(_("kind"), max_length=40, choices=titles)
    text_kk = models.TextField(_("text in Kazakh"))
    text_ru = models.TextField(_("text in Russian"))
    link = models.CharField(
        _("link"),
        max_length=200,
        blank=True,
        help_text=_("A path within the portal, without a language prefix."),
    )
    # The child that it is about, if it is for its guardians alone (`selectors.inbox_of`).
    about = models.UUIDField(null=True, editable=False)
    dedupe_key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(_("time"))
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["recipient", "-created_at"], name="notice_inbox"),
            models.Index(fields=["recipient"], condition=models.Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {localtime(self.created_at):%d.%m.%Y %H:%M}"

    @property
    def text(self) -> str:
        return self.text_ru if get_language() == "ru" else self.text_kk


class Outgoing(models.Model):
    """A text on its way: written in the transaction that caused it, delivered at least once."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        WITHHELD = "withheld", _("withheld: inbox only")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="%(class)ss",
        verbose_name=_("recipient"),
    )
    kind = models.CharField(_("kind"), max_length=40, choices=titles)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    text = PatientEncryptedTextField(
        _("text"), blank=True, help_text=_("Emptied once sent where it held a secret code.")
    )
    # As in the notice: it is not sent to who is no longer told of that.
    about = models.UUIDField(null=True, editable=False)
    dedupe_key = models.CharField(max_length=120, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Of these, how many ended without a clear answer: the text may have arrived each time.
    unclear = models.PositiveSmallIntegerField(
        _("attempts without a clear answer"), default=0, db_default=0, editable=False
    )
    next_attempt_at = models.DateTimeField(_("next attempt"))
    give_up_at = models.DateTimeField(_("give up at"))
    error = models.CharField(_("error"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {localtime(self.created_at):%d.%m.%Y %H:%M}"


class Message(Outgoing):
    """An SMS on its way."""

    phone = PhoneNumberField(_("phone"))
    provider_id = models.CharField(_("provider's number"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("SMS message")
        verbose_name_plural = _("SMS messages")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="message_due",
            ),
            models.Index(
                fields=["give_up_at", "created_at", "id"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="message_next",
            ),
            models.Index(
                fields=["kind"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="message_kind",
            ),
            models.Index(fields=["-created_at"], name="message_newest"),
            models.Index(fields=["phone", "-created_at"], name="message_of_phone"),
            models.Index(fields=["sent_at"], condition=models.Q(sent_at__isnull=False), name="message_sent"),
            models.Index(
                fields=["-created_at", "phone"],
                condition=models.Q(kind__in=["registration_code", "account_exists"]),
                name="message_newcomers",
            ),
        ]


class Mail(Outgoing):
    """An e-mail on its way. Its subject is the name of its kind, in its language."""

    address = PatientEncryptedTextField(_("e-mail address"))

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="mail_due",
            ),
            models.Index(
                fields=["give_up_at", "created_at", "id"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="mail_next",
            ),
            models.Index(
                fields=["kind"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="mail_kind",
            ),
            models.Index(fields=["-created_at"], name="mail_newest"),
        ]
