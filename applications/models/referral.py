"""A referral with its extension and documents, the contract, and the stop-list."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from applications.models.bid import Bid
from applications.states import ReferralState
from bulletin.models import Group

# The largest form takes fourteen minutes on the slowest line that we wait for (docs/adr/0009-web-server.md).
PAPERS_ON_THEIR_WAY = timedelta(minutes=20)


class Referral(models.Model):
    """The paper with which a family comes to the kindergarten, valid until an instant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("referral number"), max_length=20, unique=True, editable=False)
    # Also reachable through the bid; kept here so that the database can enforce "one live referral per application".
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="referrals", verbose_name=_("application")
    )
    bid = models.OneToOneField(Bid, on_delete=models.PROTECT, related_name="referral", verbose_name=_("bid"))
    state = models.CharField(
        _("state"), max_length=10, choices=ReferralState.choices, default=ReferralState.ISSUED
    )
    issued_at = models.DateTimeField(_("issued at"))
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("issued by")
    )
    valid_until = models.DateTimeField(
        _("valid until"), help_text=_("The first instant at which it is not valid.")
    )
    # Promised at the issue; a day off that is added later takes none of them (`referrals.days_off`).
    working_days = models.PositiveSmallIntegerField(
        _("working days promised"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("After the day of issue. Empty once it is extended: an extension counts calendar days."),
    )
    held_since = models.DateTimeField(
        _("last day stands still since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("While a guardian is disputed, the extension is halted, and it does not expire."),
    )
    # The day that the family or the kindergarten names: when it was noted stands in the events.
    came_on = models.DateField(
        _("came on"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("The day on which the family came to the kindergarten with its papers."),
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    pdf = models.FileField(_("PDF"), upload_to="referrals/", blank=True)
    # When papers for its extension last began to arrive in time.
    handed_in_at = models.DateTimeField(_("papers handed in at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        ordering = ["-issued_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(state=ReferralState.ISSUED), name="one_live_referral"
            ),
            models.CheckConstraint(condition=Q(valid_until__gt=F("issued_at")), name="referral_has_time"),
            models.CheckConstraint(
                condition=Q(held_since=None) | Q(state=ReferralState.ISSUED), name="held_referral_is_issued"
            ),
        ]
        indexes = [
            models.Index(fields=["-issued_at", "-id"], name="referral_newest"),
            models.Index(
                fields=["valid_until"], condition=Q(state=ReferralState.ISSUED), name="referral_expiry"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def is_valid(self, *, now: datetime) -> bool:
        """Whether the family may still use it: a late sweep gives nobody an hour more, but a held one stays valid."""
        return self.state == ReferralState.ISSUED and (now < self.valid_until or self.held_since is not None)

    def handed_in(self, *, now: datetime) -> datetime:
        """The instant that decides whether an extension is in time: when its papers began to arrive, otherwise `now`.

        Within `PAPERS_ON_THEIR_WAY` the family may also replace a file that can't be accepted.
        """
        begun = self.handed_in_at
        return begun if begun is not None and begun <= now < begun + PAPERS_ON_THEIR_WAY else now

    def is_extendable(self, *, now: datetime) -> bool:
        """Whether an extension asked for at `now` is in time. While it is, nothing ends the referral by itself."""
        return self.is_valid(now=self.handed_in(now=now))

    @property
    def runs_out_at(self) -> datetime | None:
        """The first instant at which it can no longer be extended and ends by itself; None while it is held."""
        if self.held_since is not None:
            return None
        begun = self.handed_in_at
        if begun is None or begun >= self.valid_until:
            return self.valid_until
        return max(self.valid_until, begun + PAPERS_ON_THEIR_WAY)

    @property
    def last_moment(self) -> datetime:
        """The last microsecond of validity: its local date is shown as the last day."""
        return self.valid_until - timedelta(microseconds=1)


class Extension(models.Model):
    """The one extension of a referral, with the documents that prove its reason."""

    class Reason(models.TextChoices):
        ILLNESS = "illness", _("illness of the child or a parent")
        HOSPITAL = "hospital", _("treatment in a hospital or a sanatorium")
        TRAVEL = "travel", _("business trip or leave")
        MEDICAL = "medical", _("the medical examination is not finished")
        OTHER = "other", _("other reason")

    referral = models.OneToOneField(
        Referral, on_delete=models.PROTECT, related_name="extension", verbose_name=_("referral")
    )
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    explanation = models.CharField(_("explanation"), max_length=500, blank=True)
    previous_valid_until = models.DateTimeField(_("was valid until"))
    made_at = models.DateTimeField(_("extended at"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("extended by")
    )

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")

    def __str__(self) -> str:
        return str(self.referral)


class ExtensionDocument(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    extension = models.ForeignKey(
        Extension, on_delete=models.CASCADE, related_name="documents", verbose_name=_("extension")
    )
    file = models.FileField(_("file"), upload_to="extensions/")
    original_name = models.CharField(_("name of the file"), max_length=150)

    class Meta:
        verbose_name = _("supporting document")
        verbose_name_plural = _("supporting documents")

    def __str__(self) -> str:
        return self.original_name


class StopListEntry(models.Model):
    """A period in which an application can't bid, after the family let a referral expire.

    One without a referral came with the former queue: its stop, or a referral of its own that still runs.
    """

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="stops", verbose_name=_("application")
    )
    # A referral that was restored may run out again: each time is an entry of its own.
    referral = models.ForeignKey(
        Referral,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stops",
        db_index=False,
        verbose_name=_("referral"),
    )
    starts_at = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"), help_text=_("The first instant at which it does not hold."))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("lifted by"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stop-list")
        ordering = ["-starts_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(lifted_at=None), name="one_running_stop"
            ),
            models.CheckConstraint(condition=Q(until__gte=F("starts_at")), name="stop_runs_forward"),
        ]
        indexes = [
            models.Index(fields=["until"], condition=Q(lifted_at=None), name="stop_due"),
            models.Index(fields=["referral"], name="stop_of_referral"),
        ]

    def __str__(self) -> str:
        return str(self.application)

    @property
    def last_moment(self) -> datetime:
        """The last microsecond of the stop: its local date is shown as the last day."""
        return self.until - timedelta(microseconds=1)


class Contract(models.Model):
    """The goal: the kindergarten has enrolled the child."""

    referral = models.OneToOneField(
        Referral, on_delete=models.PROTECT, related_name="contract", verbose_name=_("referral")
    )
    number = models.CharField(_("contract number"), max_length=40)
    signed_at = models.DateTimeField(_("signed at"))
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("signed by")
    )
    moved_to = models.ForeignKey(
        Group,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("moved to the group"),
        help_text=_("Empty: the group of its vacancy."),
    )
    # The child left; all of these are empty while the contract runs.
    left_on = models.DateField(_("left on"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("end entered at"), null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("end entered by"),
    )
    end_reason = models.CharField(
        _("why the child left"), max_length=300, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        indexes = [models.Index(fields=["-signed_at", "-id"], name="contract_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(left_on=None, ended_at=None, ended_by=None)
                | Q(left_on__isnull=False, ended_at__isnull=False, ended_by__isnull=False),
                name="ended_contract_has_day_and_employee",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def group(self) -> Group:
        """The group in which the child is, or was until it left."""
        return self.moved_to or self.referral.bid.vacancy.group


class Transfer(models.Model):
    """A child moved from one group of its kindergarten to another; history, never changed."""

    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="transfers", verbose_name=_("contract")
    )
    source = models.ForeignKey(
        Group, on_delete=models.PROTECT, related_name="+", verbose_name=_("from the group")
    )
    target = models.ForeignKey(
        Group, on_delete=models.PROTECT, related_name="+", verbose_name=_("to the group")
    )
    at = models.DateTimeField(_("moved at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("moved by")
    )
    reason = models.CharField(_("reason"), max_length=300)
    undoes = models.OneToOneField(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="undone_by",
        verbose_name=_("undoes"),
    )

    class Meta:
        verbose_name = _("move to another group")
        verbose_name_plural = _("moves to other groups")
        default_permissions = ()
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_leads_elsewhere"),
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"
