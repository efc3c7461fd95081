"""What the files of the former queue said: of an application that was brought in, and line by line."""

import unicodedata
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import identity
from applications.models.application import Application
from bulletin.models import ImportBatch, Locality
from notifications.fields import EncryptedTextField

# As long as the file allows.
LONGEST_NUMBER: Final = 40


def number_key(text: str) -> str:
    """A number of the former queue without what people type otherwise: case, spaces, signs, the alphabet.

    Two numbers may share a key: `1/23` and `12-3`.
    """
    letters = unicodedata.normalize("NFC", text).upper()
    plain = (str(unicodedata.decimal(sign, sign)) for sign in letters if sign.isalnum())
    return identity.in_one_alphabet("".join(plain))[:LONGEST_NUMBER]


class FormerRow(models.Model):
    """One row of the former queue, as its file had it: who may claim the application, and what it was called there.

    The application stands in the queue from the import on; its family claims it later (`waiting.claiming`).
    """

    class Proof(models.TextChoices):
        """By what it was known that the one who claimed it is the person of the file."""

        PHONE = "phone", _("the phone number of the account is that of the former queue")
        REGISTRY = "registry", _("the state knows the phone number of the account as its owner's")
        OFFICIAL = "official", _("checked by an official")

    application = models.OneToOneField(
        Application, on_delete=models.PROTECT, related_name="former", primary_key=True
    )
    # The import that brought it in.
    batch = models.ForeignKey(
        ImportBatch, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("loaded file")
    )
    line = models.PositiveIntegerField(_("line of the file"))
    locality = models.ForeignKey(
        Locality, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("locality")
    )
    old_number = models.CharField(_("number in the former queue"), max_length=LONGEST_NUMBER, blank=True)
    # `number_key` of it.
    number_key = models.CharField(
        max_length=LONGEST_NUMBER, blank=True, default="", db_default="", editable=False
    )
    filed_text = models.CharField(_("date as it stood in the file"), max_length=40, blank=True)
    guardian_iin = EncryptedTextField(_("IIN of the guardian in the file"), blank=True, default="")
    guardian_hash = models.CharField(max_length=64, null=True, editable=False, db_index=True)
    # E.164.
    phone = EncryptedTextField(_("phone number in the file"), blank=True, default="")
    phone_hash = models.CharField(max_length=64, null=True, editable=False, db_index=True)
    invited_at = models.DateTimeField(_("invited by SMS at"), null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("claimed by"),
    )
    proof = models.CharField(_("proof"), max_length=10, choices=Proof.choices, blank=True)

    HASHED: ClassVar = {
        "guardian_iin": [("guardian_hash", identity.iin_hash)],
        "phone": [("phone_hash", identity.phone_hash)],
    }

    class Meta:
        verbose_name = _("row of the former queue")
        verbose_name_plural = _("rows of the former queue")
        default_permissions = ()
        ordering = ["batch", "line"]
        indexes = [models.Index(fields=["number_key", "locality"], name="former_number_key")]
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="one_former_row_per_line"),
            models.CheckConstraint(
                condition=Q(claimed_at=None, claimed_by=None, proof="")
                | (Q(claimed_at__isnull=False, claimed_by__isnull=False) & ~Q(proof="")),
                name="former_claimed_or_not",
            ),
        ]

    def __str__(self) -> str:
        return self.old_number or str(self.line)


class FormerChange(models.Model):
    """What a newer file changed of an application that nobody had claimed, for as long as that file can be undone."""

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("loaded file")
    )
    # 0: it stands in no line of it.
    line = models.PositiveIntegerField(_("line of the file"))
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="+", verbose_name=_("application")
    )
    # JSON: values by their names (`waiting.former_values.Said`).
    before = EncryptedTextField(_("before"))
    after = EncryptedTextField(_("after"), blank=True, default="")
    # It was taken out of the queue; then `before` is all that was said of it.
    is_dropped = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("change by a newer file of the former queue")
        verbose_name_plural = _("changes by newer files of the former queue")
        default_permissions = ()
        ordering = ["batch", "line", "id"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "application"], name="one_former_change_by_a_file")
        ]

    def __str__(self) -> str:
        return str(self.line)


class FormerLine(models.Model):
    """One line of a file of the former queue and what became of it: each of its children is here, taken in or not.

    A line that was left out keeps what stood in it for as long as the file can be undone.
    """

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.PROTECT, related_name="former_lines", verbose_name=_("loaded file")
    )
    line = models.PositiveIntegerField(_("line of the file"))
    # The queue in which the file has it; empty where the line does not say it.
    locality = models.ForeignKey(
        Locality,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("locality"),
    )
    birth_year = models.PositiveSmallIntegerField(_("birth year"), null=True, blank=True)
    application = models.ForeignKey(
        Application,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="former_lines",
        verbose_name=_("application"),
    )
    # `bulletin.importing.problems.Problem`; empty where it was taken as it stood.
    problem = models.CharField(_("why it was left out"), max_length=30, blank=True)
    faults = models.JSONField(_("what is wrong"), default=list)
    # JSON: the cells by their columns.
    cells = EncryptedTextField(_("what stands in the line"), blank=True, default="")

    class Meta:
        verbose_name = _("line of the former queue")
        verbose_name_plural = _("lines of the former queue")
        default_permissions = ("view", "change")
        ordering = ["batch", "line"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="one_outcome_per_former_line"),
            models.CheckConstraint(
                condition=Q(application__isnull=False) | ~Q(problem=""), name="former_line_has_outcome"
            ),
        ]

    def __str__(self) -> str:
        return str(self.line)
