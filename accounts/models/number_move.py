"""Moves of a number: an account changes its phone number, gets another one for a lost one, or loses a recycled one."""

from datetime import datetime
from typing import ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.identity import Identity, document_hash, iin_hash
from accounts.models.people import User
from notifications.fields import EncryptedTextField, PatientEncryptedTextField

_LIVE: Final = Q(stopped_at=None, done_at=None)

_DOCUMENT: Final = "document "


def claimant_text(claimant: Identity) -> str:
    """What `NumberMove.claimant_identity` holds."""
    return claimant.iin or f"{_DOCUMENT}{claimant.document_number}"


def hash_of_claimant(text: str) -> str | None:
    """The hash of whoever `claimant_text` is about, under the present key."""
    document = text.removeprefix(_DOCUMENT)
    return iin_hash(text) if document == text else document_hash(document)


class NumberMove(models.Model):
    """One move, from being asked for until it is done or stopped. `accounts.numbers` alone writes it.

    Without `due_at` it waits for a person's decision.
    """

    class Kind(models.TextChoices):
        CHANGE = "change", _("change of number")
        RECOVERY = "recovery", _("lost number")
        ASSISTED = "assisted", _("new number, with an employee")
        RECYCLING = "recycling", _("number that another person claims")

    class Proof(models.TextChoices):
        """What was proven when it was asked for."""

        BOTH_NUMBERS = "both_numbers", _("password, codes to both numbers")
        NEW_NUMBER = "new_number", _("password, code to the new number")
        SECOND_PHONE = "second_phone", _("IIN, codes to the second phone and to the new number")
        EMAIL = "email", _("IIN, codes to the e-mail and to the new number")
        DOCUMENT = "document", _("document shown to an employee")
        CLAIM = "claim", _("code to the number, and another IIN")

    class Stopped(models.TextChoices):
        """Why it is not done."""

        BY_OWNER = "by_owner", _("stopped by the owner of the account, or whoever has its number")
        PROVEN = "proven", _("the owner has entered a code that came to the number of the account")
        SUPERSEDED = "superseded", _("another move was asked for")
        NUMBER_TAKEN = "number_taken", _("the new number was registered meanwhile")
        REFUSED = "refused", _("refused by an official")
        WITHDRAWN = "withdrawn", _("withdrawn or declined by an employee")

    account = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="number_moves", verbose_name=_("whose account")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    proof = models.CharField(_("what was proven"), max_length=12, choices=Proof.choices)
    old_phone = PhoneNumberField(_("number when it was asked for"), null=True, blank=True)
    # A recycled number leaves the account without one.
    new_phone = PhoneNumberField(_("new number"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    asked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("asked by")
    )
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped at"), null=True, blank=True)
    stopped_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("stopped by")
    )
    stopped_because = models.CharField(
        _("why it was stopped"), max_length=14, choices=Stopped.choices, blank=True
    )
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("done by")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    # The present password hashed anew: with it every session and known device ends, and the password stays. It counts
    # while the account's hash is the one that it was made beside (`stamp`).
    password = models.CharField(max_length=128, blank=True, editable=False)
    stamp = models.CharField(max_length=64, blank=True, editable=False)
    # Who says that a number is theirs now: full name, for the official who decides, until it is decided.
    claimant = EncryptedTextField(_("who has the number now"), blank=True)
    # Their IIN or document, from which `rotate_iin_keys` makes the hash anew: while somebody decides, and for as long
    # as a refusal counts.
    claimant_identity = PatientEncryptedTextField(blank=True, editable=False, default="", db_default="")
    claimant_hash = models.CharField(max_length=64, blank=True, editable=False)
    # What the state said about the number and that person (`accounts.registry.PhoneTie`).
    claimant_tie = models.CharField(max_length=7, blank=True, editable=False)

    HASHED: ClassVar = {"claimant_identity": [("claimant_hash", hash_of_claimant)]}

    class Meta:
        verbose_name = _("move of a number")
        verbose_name_plural = _("moves of numbers")
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=_LIVE, name="one_live_move_per_account"),
            models.UniqueConstraint(fields=["new_phone"], condition=_LIVE, name="one_live_move_per_number"),
            models.CheckConstraint(
                condition=Q(stopped_at=None) | Q(done_at=None), name="move_is_stopped_or_done"
            ),
            models.CheckConstraint(
                condition=Q(kind="recycling", new_phone=None)
                | ~Q(kind="recycling") & Q(new_phone__isnull=False),
                name="move_has_new_number",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=_LIVE, name="numbermove_due"),
            models.Index(fields=["old_phone"], condition=_LIVE, name="numbermove_from"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.asked_at):%d.%m.%Y %H:%M} {self.get_kind_display()}"

    @property
    def is_live(self) -> bool:
        """Whether it is neither done nor stopped."""
        return self.stopped_at is None and self.done_at is None

    def is_due(self, *, now: datetime) -> bool:
        """Whether its time has come: from `due_at` on, and not before."""
        return self.due_at is not None and now >= self.due_at
