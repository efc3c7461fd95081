"""All that the migrations up to 0008 make, at once, for an empty database: it saves most of the time.

A database that has some of them goes on with them.
"""

import uuid

import django.db.models.deletion
import phonenumber_field.modelfields
from django.conf import settings
from django.db import migrations, models

import notifications.fields
import notifications.kinds


class Migration(migrations.Migration):
    replaces = [
        ("notifications", "0001_initial"),
        ("notifications", "0002_encrypted_texts"),
        ("notifications", "0003_budgets"),
        ("notifications", "0004_no_delivered"),
        ("notifications", "0005_about"),
        ("notifications", "0006_sms_about"),
        ("notifications", "0007_mail"),
        ("notifications", "0008_next_of_the_outbox"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mail",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(choices=notifications.kinds.titles, max_length=40, verbose_name="kind"),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("kk", "Kazakh"), ("ru", "Russian")], max_length=2, verbose_name="language"
                    ),
                ),
                (
                    "text",
                    notifications.fields.PatientEncryptedTextField(
                        blank=True,
                        help_text="Emptied once sent where it held a secret code.",
                        verbose_name="text",
                    ),
                ),
                ("about", models.UUIDField(editable=False, null=True)),
                ("dedupe_key", models.CharField(max_length=120, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("withheld", "withheld: inbox only"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("next_attempt_at", models.DateTimeField(verbose_name="next attempt")),
                ("give_up_at", models.DateTimeField(verbose_name="give up at")),
                ("error", models.CharField(blank=True, max_length=200, verbose_name="error")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                ("address", notifications.fields.PatientEncryptedTextField(verbose_name="e-mail address")),
                (
                    "recipient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="%(class)ss",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="recipient",
                    ),
                ),
            ],
            options={
                "verbose_name": "e-mail",
                "verbose_name_plural": "e-mails",
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["next_attempt_at"],
                        name="mail_due",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["give_up_at", "created_at", "id"],
                        name="mail_next",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["kind"],
                        name="mail_kind",
                    ),
                    models.Index(fields=["-created_at"], name="mail_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(choices=notifications.kinds.titles, max_length=40, verbose_name="kind"),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("kk", "Kazakh"), ("ru", "Russian")], max_length=2, verbose_name="language"
                    ),
                ),
                (
                    "text",
                    notifications.fields.PatientEncryptedTextField(
                        blank=True,
                        help_text="Emptied once sent where it held a secret code.",
                        verbose_name="text",
                    ),
                ),
                ("about", models.UUIDField(editable=False, null=True)),
                ("dedupe_key", models.CharField(max_length=120, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("withheld", "withheld: inbox only"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("next_attempt_at", models.DateTimeField(verbose_name="next attempt")),
                ("give_up_at", models.DateTimeField(verbose_name="give up at")),
                ("error", models.CharField(blank=True, max_length=200, verbose_name="error")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                (
                    "phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        max_length=128, region=None, verbose_name="phone"
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(blank=True, max_length=80, verbose_name="provider's number"),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="%(class)ss",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="recipient",
                    ),
                ),
            ],
            options={
                "verbose_name": "SMS message",
                "verbose_name_plural": "SMS messages",
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["next_attempt_at"],
                        name="message_due",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["give_up_at", "created_at", "id"],
                        name="message_next",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["kind"],
                        name="message_kind",
                    ),
                    models.Index(fields=["-created_at"], name="message_newest"),
                    models.Index(fields=["phone", "-created_at"], name="message_of_phone"),
                    models.Index(
                        condition=models.Q(("sent_at__isnull", False)),
                        fields=["sent_at"],
                        name="message_sent",
                    ),
                    models.Index(
                        condition=models.Q(("kind__in", ["registration_code", "account_exists"])),
                        fields=["-created_at", "phone"],
                        name="message_newcomers",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(choices=notifications.kinds.titles, max_length=40, verbose_name="kind"),
                ),
                ("text_kk", models.TextField(verbose_name="text in Kazakh")),
                ("text_ru", models.TextField(verbose_name="text in Russian")),
                (
                    "link",
                    models.CharField(
                        blank=True,
                        help_text="A path within the portal, without a language prefix.",
                        max_length=200,
                        verbose_name="link",
                    ),
                ),
                ("about", models.UUIDField(editable=False, null=True)),
                ("dedupe_key", models.CharField(max_length=120, unique=True)),
                ("created_at", models.DateTimeField(verbose_name="time")),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read at")),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="recipient",
                    ),
                ),
            ],
            options={
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["recipient", "-created_at"], name="notice_inbox"),
                    models.Index(
                        condition=models.Q(("read_at", None)), fields=["recipient"], name="notice_unread"
                    ),
                ],
            },
        ),
    ]
