"""A family's children, and who may act for them."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.masks import mask_identity
from accounts.models import Sex
from accounts.name_search import name_index
from children.nationalities import Nationality
from notifications.fields import EncryptedTextField

# As one says it of a child.
SEX_OF_CHILD: Final = {Sex.MALE: _("boy"), Sex.FEMALE: _("girl")}


class Child(models.Model):
    """A child as the person registry knows it; one row, however many guardians have added it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    iin = EncryptedTextField(_("IIN"))
    iin_hash = models.CharField(max_length=64, unique=True, editable=False)
    last_name = models.CharField(_("last name"), max_length=100)
    first_name = models.CharField(_("first name"), max_length=100)
    middle_name = models.CharField(_("patronymic"), max_length=100, blank=True)
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices)
    nationality = models.CharField(_("nationality"), max_length=60, blank=True, choices=Nationality.choices)
    # Of a child that came without an IIN (`GuardianClaim`): its certificate, which makes no second child.
    paper_number = EncryptedTextField(_("number of the certificate"), blank=True, default="", db_default="")
    paper_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    created_at = models.DateTimeField(_("added at"))
    guardians: "models.ManyToManyField[models.Model, Guardianship]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Guardianship", related_name="children", verbose_name=_("guardians")
    )

    # The hash column beside the encrypted one, and how it is made (`accounts.rotation`).
    HASHED: ClassVar = {
        "iin": [("iin_hash", identity.iin_hash)],
        "paper_number": [("paper_hash", identity.paper_hash), ("iin_hash", identity.stand_in)],
    }

    class Meta:
        verbose_name = _("child")
        verbose_name_plural = _("children")
        ordering = ["birth_date", "id"]
        indexes = [
            name_index("child_folded_name"),
            # The order of lists.
            models.Index(fields=["birth_date", "id"], name="child_oldest"),
        ]
        permissions = [
            ("look_at_family", _("Can look at the families they have to do with")),
            ("read_whole_card_of_family", _("Can read the whole card of a family")),
            ("read_names_of_family", _("Can read the names of a family in full")),
            ("send_to_family_again", _("Can send a message to a family again")),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """Last, first and middle name, as the registry writes them."""
        return " ".join(filter(None, (self.last_name, self.first_name, self.middle_name)))

    @property
    def birth_year(self) -> int:
        return self.birth_date.year

    @property
    def masked_identity(self) -> str:
        """The end of the IIN, or of the certificate's number where there is none."""
        return mask_identity(iin=self.iin, number=self.paper_number)


class Guardianship(models.Model):
    """Proof that a person may act for a child. Ended, never deleted."""

    class Source(models.TextChoices):
        REGISTRY = "registry", _("person registry")
        OFFICIAL = "official", _("checked by an official")

    child = models.ForeignKey(
        Child, on_delete=models.CASCADE, related_name="guardianships", verbose_name=_("child")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="guardianships",
        verbose_name=_("guardian"),
    )
    source = models.CharField(_("proof"), max_length=10, choices=Source.choices)
    added_at = models.DateTimeField(_("added at"), db_default=Now())
    verified_at = models.DateTimeField(_("checked at"))
    # When the registry was last asked by itself, whatever it said; None before the first time.
    asked_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("guardianship")
        verbose_name_plural = _("guardianships")
        constraints = [
            models.UniqueConstraint(
                fields=["child", "user"], condition=models.Q(ended_at=None), name="one_live_guardianship"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {localtime(self.verified_at):%d.%m.%Y}"


class Dispute(models.Model):
    """A guardian said about one added later: I don't know this person. One for each guardianship, kept for good.

    An official decides. Until then costly acts for the child are halted, unless the state knows the phone of the
    newcomer as theirs; `freed_at` says since when they no longer are.
    """

    class Outcome(models.TextChoices):
        STANDS = "stands", _("the guardianship stands")
        ENDS = "ends", _("the guardianship is ended")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    guardianship = models.OneToOneField(
        Guardianship, on_delete=models.CASCADE, related_name="dispute", verbose_name=_("guardianship")
    )
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("stopped by")
    )
    raised_at = models.DateTimeField(_("stopped at"))
    due_at = models.DateTimeField(
        _("decision due"), help_text=_("The first instant at which the decision is late.")
    )
    freed_at = models.DateTimeField(_("costly acts free since"), null=True, blank=True)
    is_mutual = models.BooleanField(
        _("neither side can bid"),
        default=False,
        help_text=_("Nothing proves who pressed “Stop” either: both sides have the same restrictions."),
    )
    outcome = models.CharField(_("decision"), max_length=6, choices=Outcome.choices, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
        help_text=_("Empty: the portal itself, because the registry no longer confirms the guardianship."),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("disputed guardianship")
        verbose_name_plural = _("disputed guardianships")
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome="", decided_at=None)
                | (~models.Q(outcome="") & models.Q(decided_at__isnull=False, freed_at__isnull=False)),
                name="dispute_decided_or_open",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(outcome=""), name="dispute_open"),
            models.Index(fields=["guardianship"], condition=models.Q(freed_at=None), name="dispute_halting"),
        ]

    def __str__(self) -> str:
        return f"{self.guardianship.child} · {localtime(self.raised_at):%d.%m.%Y}"

    @property
    def is_halting(self) -> bool:
        """Whether it halts costly acts for the child."""
        return self.freed_at is None

    @property
    def last_moment(self) -> datetime:
        """The last microsecond in which a decision is in time: its local date is the day shown as the last one."""
        return self.due_at - timedelta(microseconds=1)

    @property
    def is_ended_by_official(self) -> bool:
        """Whether the decision in force ended the guardianship; another decision can revive it."""
        ended_at = self.guardianship.ended_at
        return ended_at is not None and self.decided_by_id is not None and ended_at == self.decided_at

    @property
    def is_ended_by_registry(self) -> bool:
        """Whether the registry ended the guardianship: no official can revive it."""
        return self.guardianship.ended_at is not None and not self.is_ended_by_official


class OverruledDecision(models.Model):
    """An earlier decision about a dispute, which an official has since overruled; never changed."""

    dispute = models.ForeignKey(
        Dispute, on_delete=models.CASCADE, related_name="overruled", verbose_name=_("disputed guardianship")
    )
    outcome = models.CharField(_("decision"), max_length=6, choices=Dispute.Outcome.choices)
    decided_at = models.DateTimeField(_("decided at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("overruled decision")
        verbose_name_plural = _("overruled decisions")
        ordering = ["decided_at", "id"]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} {self.decided_at:%d.%m.%Y}"


class GuardianClaim(models.Model):
    """Somebody says on paper that they are a child's guardian: one official checks the papers, another approves.

    Either the child has no IIN, or the registry doesn't know the guardian. Nothing of it counts before the approval,
    except the date: `made_at` becomes the date in the queue (docs/disputes.md).
    """

    class Ground(models.TextChoices):
        NO_IIN = "no_iin", _("the child has no IIN")
        NOT_IN_REGISTRY = (
            "not_in_registry",
            _("the registry does not name the person as the child's representative"),
        )

    class State(models.TextChoices):
        HANDED_IN = "handed_in", _("waits for a check")
        CHECKED = "checked", _("checked, waits for the second official")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")

    OPEN: ClassVar = (State.HANDED_IN, State.CHECKED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("guardian")
    )
    ground = models.CharField(_("why on paper"), max_length=20, choices=Ground.choices)
    # Of the child: exactly one of the two.
    iin = EncryptedTextField(_("IIN"), blank=True)
    paper_number = EncryptedTextField(_("number of the certificate"), blank=True)
    # Finds the child that it is about (`Child.iin_hash`).
    child_hash = models.CharField(max_length=64, editable=False)
    HASHED: ClassVar = {
        "iin": [("child_hash", identity.iin_hash)],
        "paper_number": [("child_hash", identity.stand_in)],
    }
    last_name = models.CharField(_("last name"), max_length=100)
    first_name = models.CharField(_("first name"), max_length=100)
    middle_name = models.CharField(_("patronymic"), max_length=100, blank=True)
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.HANDED_IN)
    made_at = models.DateTimeField(_("handed in at"))
    # By when it is decided, as the family was told; None for papers of before that was told.
    due_at = models.DateTimeField(_("decision by"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("checked by"),
    )
    note = models.CharField(_("what was checked"), max_length=500, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    child = models.ForeignKey(
        Child,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claims",
        verbose_name=_("child"),
        help_text=_("Once it is approved."),
    )

    class Meta:
        verbose_name = _("guardian by papers")
        verbose_name_plural = _("guardians by papers")
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "child_hash"],
                condition=models.Q(state__in=["handed_in", "checked"]),
                name="one_open_claim_per_guardian",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="approved")
                | models.Q(
                    models.Q(checked_by__isnull=False, decided_by__isnull=False, child__isnull=False),
                    ~models.Q(checked_by=models.F("decided_by")),
                ),
                name="claim_approved_by_two",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["handed_in", "checked"], decided_at=None)
                | models.Q(state__in=["approved", "refused"], decided_at__isnull=False),
                name="claim_decided_or_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["made_at"],
                condition=models.Q(state__in=["handed_in", "checked"]),
                name="claim_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.full_name} · {localtime(self.made_at):%d.%m.%Y}"

    @property
    def last_moment(self) -> datetime | None:
        """A moment of the last day for the decision, to show that day."""
        return self.due_at - timedelta(microseconds=1) if self.due_at else None

    def is_late(self, *, now: datetime) -> bool:
        """Whether nobody has decided, and the last day is over."""
        return self.is_open and self.due_at is not None and now >= self.due_at

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.last_name, self.first_name, self.middle_name)))

    @property
    def masked_identity(self) -> str:
        """As that of the child whom it is about."""
        return mask_identity(iin=self.iin, number=self.paper_number)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class ClaimPaper(models.Model):
    """A scanned paper that proves a claim; deleted some time after the decision."""

    claim = models.ForeignKey(
        GuardianClaim, on_delete=models.CASCADE, related_name="papers", verbose_name=_("guardian by papers")
    )
    file = models.FileField(_("document"), upload_to="claims/")
    original_name = models.CharField(_("name of the file"), max_length=150)

    class Meta:
        verbose_name = _("paper of a claim")
        verbose_name_plural = _("papers of claims")
        ordering = ["original_name", "pk"]

    def __str__(self) -> str:
        return self.original_name
