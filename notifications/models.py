"""What was said to whom: people's inboxes, and the outbox of SMS and e-mail."""

import uuid
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from notifications.fields import PatientEncryptedTextField
from notifications.kinds import title_of, titles


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
    # Put away by its reader, who has read it; all that went together have the same instant, by which they come back.
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["recipient", "-created_at"], name="notice_inbox"),
            models.Index(
                fields=["recipient", "-created_at"],
                condition=models.Q(archived_at=None),
                name="notice_not_archived",
            ),
            models.Index(fields=["recipient"], condition=models.Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.kind_title} {localtime(self.created_at):%d.%m.%Y %H:%M}"

    @property
    def kind_title(self) -> str:
        """What it tells of: `get_kind_display`, which would make a dictionary of all names for this one."""
        return title_of(self.kind)

    @property
    def text(self) -> str:
        return self.text_ru if get_language() == "ru" else self.text_kk


class Outgoing(models.Model):
    """A text on its way: written in the transaction that caused it, delivered at least once."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("being sent")
        # A gateway or mail server took it over; whether it arrived is not known.
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        UNDELIVERED = "undelivered", _("not delivered")
        FAILED = "failed", _("failed")
        WITHHELD = "withheld", _("withheld: inbox only")
        # In its place went one SMS that tells of several (`bursts`).
        MERGED = "merged", _("told of in one SMS with others")

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
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Of these, how many ended without a clear answer: the text may have arrived each time.
    unclear = models.PositiveSmallIntegerField(
        _("attempts without a clear answer"), default=0, db_default=0, editable=False
    )
    next_attempt_at = models.DateTimeField(_("next attempt"))
    give_up_at = models.DateTimeField(_("give up at"))
    # From then on it is worthless. Only what has such an instant may break the night (`hours.due_at`).
    known_by = models.DateTimeField(null=True, editable=False)
    # That of the place that it is about, by whose clocks it goes; empty: that where its recipient lives.
    zone_name = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)
    error = models.CharField(_("error"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind_title} {localtime(self.created_at):%d.%m.%Y %H:%M}"

    @property
    def kind_title(self) -> str:
        """What it tells of: `get_kind_display`, which would make a dictionary of all names for this one."""
        return title_of(self.kind)

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of the place that it is about; None if it goes by the clocks of where its recipient lives."""
        return ZoneInfo(self.zone_name) if self.zone_name else None

    @property
    def to(self) -> str:
        """Where it goes, as its gateway takes it; empty if no key opens that, an error if it can't be read."""
        raise NotImplementedError


def _indexes_of_outbox(table: str) -> list[models.Index]:
    """What is under way: due, next to be sent, of a kind; and the newest rows for the workplace."""
    is_under_way = models.Q(state__in=["queued", "sending"])
    return [
        models.Index(fields=["next_attempt_at"], condition=is_under_way, name=f"{table}_due"),
        models.Index(fields=["give_up_at", "created_at", "id"], condition=is_under_way, name=f"{table}_next"),
        models.Index(fields=["kind"], condition=is_under_way, name=f"{table}_kind"),
        models.Index(fields=["-created_at"], name=f"{table}_newest"),
    ]


def _index_of_lost(table: str) -> models.Index:
    """What never arrived, which employees count and look after."""
    is_lost = models.Q(state__in=["failed", "undelivered"])
    return models.Index(fields=["created_at"], condition=is_lost, name=f"{table}_lost")


class Message(Outgoing):
    """An SMS on its way."""

    phone = PhoneNumberField(_("phone"))
    # To the second phone: it goes only while that is proven, and never ends in somebody else's hands.
    is_copy = models.BooleanField(_("to the second phone"), default=False, db_default=False)
    # The gateway that took it, a colon, and its number for it; only some gateways give one.
    provider_id = models.CharField(_("provider's number"), max_length=80, blank=True)
    # As they were when it was taken: texts are emptied, and prices change.
    segments = models.PositiveSmallIntegerField(_("segments"), null=True, blank=True)
    cost = models.DecimalField(_("cost, ₸"), max_digits=8, decimal_places=2, null=True, blank=True)
    # When to ask the gateway whether it arrived; empty once that is known, or asked no more.
    ask_at = models.DateTimeField(null=True, editable=False)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    # The message that did not arrive, and that this one repeats by another way.
    instead_of = models.UUIDField(null=True, editable=False)
    # The gateway that took that one: it is asked last.
    avoids = models.CharField(max_length=20, blank=True, default="", db_default="", editable=False)

    # Its index holds those few that have one.
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        verbose_name = _("SMS message")
        verbose_name_plural = _("SMS messages")
        ordering = ["-created_at"]
        indexes = [
            *_indexes_of_outbox("message"),
            _index_of_lost("message"),
            models.Index(fields=["phone", "-created_at"], name="message_of_phone"),
            models.Index(fields=["sent_at"], condition=models.Q(sent_at__isnull=False), name="message_sent"),
            models.Index(fields=["ask_at"], condition=models.Q(ask_at__isnull=False), name="message_asks"),
            models.Index(
                fields=["provider_id"], condition=~models.Q(provider_id=""), name="message_at_provider"
            ),
            models.Index(
                fields=["merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="message_merged",
            ),
            models.Index(
                fields=["-created_at", "phone"],
                condition=models.Q(kind__in=["registration_code", "account_exists"]),
                name="message_newcomers",
            ),
        ]

    # Kept: to format a phone takes longer than whatever is looked up by it.
    @cached_property
    def to(self) -> str:
        """The phone in E.164."""
        number: str = self.phone.as_e164
        return number


class Gateway(models.Model):
    """What all workers know of an SMS gateway that is in trouble, or was."""

    name = models.CharField(_("SMS gateway"), max_length=20, primary_key=True)
    # Until then the others are asked first; once it has passed, the gateway is on trial until it has done well.
    left_until = models.DateTimeField(null=True)
    # How often in a row it has been left: each time for longer.
    times_left = models.PositiveSmallIntegerField(default=0)
    # What only a person can mend (`sms.base.Alarm`).
    alarm = models.CharField(max_length=20, blank=True)
    alarm_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class GatewayMinute(models.Model):
    """How a gateway did in one minute with messages of one kind: counts, as the rows of messages keep the last try."""

    gateway = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    minute = models.DateTimeField()
    taken = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["minute", "gateway", "kind"], name="gateway_minute_once")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.kind} {self.minute:%d.%m.%Y %H:%M}"


class Mail(Outgoing):
    """An e-mail on its way. Its subject is the name of its kind, in its language."""

    address = PatientEncryptedTextField(_("e-mail address"))

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        ordering = ["-created_at"]
        indexes = [*_indexes_of_outbox("mail"), _index_of_lost("mail")]

    @property
    def to(self) -> str:
        return self.address or ""


class PushSubscription(models.Model):
    """A browser that shows the notices of an account on the screen of its device (RFC 8030).

    It counts while the account has the password with which it was turned on, as a session does.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="push_subscriptions",
        verbose_name=_("recipient"),
    )
    # Where the service of the browser takes messages, and the keys for which they are encrypted, as JSON.
    endpoint = PatientEncryptedTextField(_("address"))
    keys = PatientEncryptedTextField(_("keys"))
    # A keyed hash of the address: a browser has one, whoever uses it.
    endpoint_hash = models.CharField(max_length=64, unique=True, editable=False)
    # What it is, in words of ours, and a keyed hash of the number in its cookie.
    device = models.CharField(_("device"), max_length=40, blank=True)
    device_hash = models.CharField(max_length=64, editable=False)
    stamp = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created at"))
    last_success_at = models.DateTimeField(_("last sent"), null=True, blank=True)
    # The browser gave the address up: what is left is shown to its owner.
    gone_at = models.DateTimeField(_("no longer there since"), null=True, blank=True)

    class Meta:
        verbose_name = _("device that shows notices")
        verbose_name_plural = _("devices that show notices")
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.device


class PushMessage(Outgoing):
    """A notice on its way to the screens of its recipient's devices, whichever these are when it goes."""

    class Meta:
        verbose_name = _("notice on a screen")
        verbose_name_plural = _("notices on screens")
        ordering = ["-created_at"]
        indexes = _indexes_of_outbox("push")

    @property
    def to(self) -> str:
        return f"push:{self.recipient_id}"


class TelegramMessage(Outgoing):
    """A message on its way to a chat with our bot."""

    chat = PatientEncryptedTextField(_("chat"))

    class Meta:
        verbose_name = _("Telegram message")
        verbose_name_plural = _("Telegram messages")
        ordering = ["-created_at"]
        indexes = _indexes_of_outbox("telegram")

    @property
    def to(self) -> str:
        return self.chat or ""
