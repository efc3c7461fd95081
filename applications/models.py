"""What a family asks for and gets: application, bid, referral, extension, stop, contract; events; rules."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from applications.states import (
    LIVE_STATES,
    QUEUED_STATES,
    ApplicationState,
    BenefitState,
    BidState,
    CorrectionState,
    Move,
    ReferralState,
    Tier,
)
from bulletin.models import Language, Locality, Vacancy
from children.models import Child


class Rules(models.Model):
    """Periods and sizes in force from a date, for all localities or for one.

    The defaults are the manual's. A change never shortens a promise already shown: deadlines are stored as instants
    when they are promised.
    """

    locality = models.ForeignKey(
        Locality,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("locality"),
        help_text=_("Empty: for all localities that have no rules of their own."),
    )
    valid_from = models.DateField(_("valid from"))
    referral_working_days = models.PositiveSmallIntegerField(
        _("referral is valid, working days"), default=5, validators=[MinValueValidator(1)]
    )
    extension_calendar_days = models.PositiveSmallIntegerField(
        _("longest extension, calendar days"), default=30, validators=[MinValueValidator(1)]
    )
    stop_working_days = models.PositiveSmallIntegerField(_("stop-list, working days"), default=10)
    priority_working_days = models.PositiveSmallIntegerField(_("priority window, working days"), default=3)
    priority_seats_multiple = models.PositiveSmallIntegerField(
        _("families in the priority window per seat"), default=3, validators=[MinValueValidator(1)]
    )
    general_per_priority = models.PositiveSmallIntegerField(
        _("general children after each priority child"), default=3, validators=[MinValueValidator(1)]
    )
    activation_working_days = models.PositiveSmallIntegerField(
        _("kindergarten answers a bid within, working days"), default=2, validators=[MinValueValidator(1)]
    )
    archive_undo_hours = models.PositiveSmallIntegerField(_("archive can be undone for, hours"), default=24)
    youngest_age = models.PositiveSmallIntegerField(
        _("youngest age by birth year"), default=0, validators=[MaxValueValidator(10)]
    )
    oldest_age = models.PositiveSmallIntegerField(
        _("oldest age by birth year"), default=7, validators=[MaxValueValidator(10)]
    )

    interest_month = models.PositiveSmallIntegerField(
        _("interest is confirmed every year by, month"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
    )
    interest_day = models.PositiveSmallIntegerField(
        _("interest is confirmed every year by, day"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(28)],
    )
    interest_campaign_days = models.PositiveSmallIntegerField(
        _("the campaign begins before that date by, calendar days"), default=60
    )
    interest_grace_days = models.PositiveSmallIntegerField(
        _("a lapsed application can be restored for, calendar days"), default=90
    )
    moving_keeps_date = models.BooleanField(
        _("who moves here from another locality keeps the date of filing"), default=True
    )

    class Meta:
        verbose_name = _("rules")
        verbose_name_plural = _("rules")
        ordering = ["-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "valid_from"], nulls_distinct=False, name="one_set_of_rules_per_date"
            )
        ]

    def __str__(self) -> str:
        return f"{self.valid_from:%d.%m.%Y}"


class Application(models.Model):
    """A family's request for a place, with its number for life and its date in the queue."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("application number"), max_length=20, unique=True, editable=False)
    child = models.ForeignKey(
        Child, on_delete=models.PROTECT, related_name="applications", verbose_name=_("child")
    )
    locality = models.ForeignKey(
        Locality, on_delete=models.PROTECT, related_name="applications", verbose_name=_("locality")
    )
    # The queue's key together with the locality. Taken from the child at filing and kept beside it, since a queue
    # must be readable from one index.
    birth_year = models.PositiveSmallIntegerField(_("birth year"))
    languages = ArrayField(
        models.CharField(max_length=2, choices=Language.choices), verbose_name=_("languages of education")
    )
    tier = models.PositiveSmallIntegerField(
        _("part of the queue"), choices=Tier.choices, default=Tier.GENERAL
    )
    filed_at = models.DateTimeField(_("time of filing"))
    # Breaks a tie of filing times: given by the database, in the order of filing.
    sequence = models.BigIntegerField(unique=True, editable=False)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("filed by")
    )
    state = models.CharField(
        _("application status"),
        max_length=12,
        choices=ApplicationState.choices,
        default=ApplicationState.WAITING,
    )
    interest_confirmed_at = models.DateTimeField(_("interest confirmed at"))
    # Not a column: whether whoever asked for this application (`access`) may not bid for the child now.
    asker_is_disputed = False
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["-filed_at", "-sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["child"], condition=Q(state__in=LIVE_STATES), name="one_live_application_per_child"
            ),
            models.CheckConstraint(condition=~Q(languages=[]), name="application_has_languages"),
            models.CheckConstraint(
                condition=Q(state=ApplicationState.ARCHIVED, archived_at__isnull=False)
                | (~Q(state=ApplicationState.ARCHIVED) & Q(archived_at=None)),
                name="archived_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["locality", "birth_year", "tier", "filed_at", "sequence"],
                condition=Q(state__in=QUEUED_STATES),
                name="application_queue",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("applications:application", args=[self.pk])

    @property
    def is_interested(self) -> bool:
        return self.state != ApplicationState.LAPSED

    def get_languages_display(self) -> str:
        """The languages in words, separated by commas, as the manual shows them."""
        return ", ".join(str(Language(code).label) for code in self.languages)


class QueueCount(models.Model):
    """One addend of how many stand in a part of a queue: the rows of one locality, birth year, tier and month add up.

    Only the trigger on applications writes here, for every writer alike: a +1 or a -1, in the transaction that brought
    an application in, out or elsewhere. Rows are never updated, so nobody waits for anybody;
    `applications.queue.buckets` folds them.
    """

    locality = models.ForeignKey(
        Locality, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    birth_year = models.PositiveSmallIntegerField()
    tier = models.PositiveSmallIntegerField(choices=Tier.choices)
    # The first day of the month of filing, in UTC.
    month = models.DateField()
    n = models.IntegerField()
    folded = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["locality", "birth_year", "tier", "month"], include=["n"], name="queue_count_sum"
            ),
            models.Index(
                fields=["locality", "birth_year", "tier", "month"],
                condition=Q(folded=False),
                name="queue_count_loose",
            ),
        ]


class BenefitCategory(models.Model):
    """A ground on which a child stands earlier in the queue (льгота): data, edited by officials."""

    slug = models.SlugField(_("code"), unique=True)
    name_kk = models.CharField(_("name in Kazakh"), max_length=200)
    name_ru = models.CharField(_("name in Russian"), max_length=200)
    proof_kk = models.CharField(_("required proof in Kazakh"), max_length=300)
    proof_ru = models.CharField(_("required proof in Russian"), max_length=300)
    tier = models.PositiveSmallIntegerField(
        _("part of the queue"),
        choices=[choice for choice in Tier.choices if choice[0] != Tier.GENERAL],
    )
    valid_days = models.PositiveSmallIntegerField(
        _("valid after the check for, calendar days"),
        null=True,
        blank=True,
        help_text=_("Empty: until the child gets a place."),
    )
    is_active = models.BooleanField(_("can be claimed"), default=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("benefit category")
        verbose_name_plural = _("benefit categories")
        ordering = ["tier", "order", "slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_ru if get_language() == "ru" else self.name_kk

    @property
    def proof(self) -> str:
        return self.proof_ru if get_language() == "ru" else self.proof_kk


class Benefit(models.Model):
    """A family's claim to a benefit: it counts only once an official verified it, and for a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="benefits", verbose_name=_("application")
    )
    category = models.ForeignKey(
        BenefitCategory, on_delete=models.PROTECT, related_name="benefits", verbose_name=_("benefit category")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=BenefitState.choices, default=BenefitState.CLAIMED
    )
    document = models.FileField(_("document"), upload_to="benefits/")
    original_name = models.CharField(_("name of the file"), max_length=150)
    claimed_at = models.DateTimeField(_("claimed at"))
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("claimed by")
    )
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
    valid_until = models.DateTimeField(
        _("valid until"),
        null=True,
        blank=True,
        help_text=_("The first instant at which it does not count; empty: without an end."),
    )

    class Meta:
        verbose_name = _("benefit")
        verbose_name_plural = _("benefits")
        ordering = ["-claimed_at", "-id"]
        constraints = [
            # Two, so that a benefit can be proved anew while the former proof still counts.
            models.UniqueConstraint(
                fields=["application", "category"],
                condition=Q(state=BenefitState.CLAIMED),
                name="one_open_claim_per_category",
            ),
            models.UniqueConstraint(
                fields=["application", "category"],
                condition=Q(state=BenefitState.VERIFIED),
                name="one_counted_benefit_per_category",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until"], condition=Q(state=BenefitState.VERIFIED), name="benefit_expiry"
            ),
            models.Index(
                fields=["claimed_at"], condition=Q(state=BenefitState.CLAIMED), name="benefit_to_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.category}"

    def counts(self, *, now: datetime) -> bool:
        """Whether it moves the child forward at `now`: a late expiry job gives nobody a minute more."""
        return self.state == BenefitState.VERIFIED and (self.valid_until is None or now < self.valid_until)

    @property
    def last_moment(self) -> datetime | None:
        """The last microsecond in which it counts: its local date is the day shown as the last one."""
        return self.valid_until - timedelta(microseconds=1) if self.valid_until else None


class Correction(models.Model):
    """A change of the queue by an official decision, carried out only when a second official approved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="corrections", verbose_name=_("application")
    )
    new_filed_at = models.DateTimeField(_("new time of filing"), null=True, blank=True)
    new_birth_year = models.PositiveSmallIntegerField(_("new birth year"), null=True, blank=True)
    previous_filed_at = models.DateTimeField(_("previous time of filing"))
    previous_birth_year = models.PositiveSmallIntegerField(_("previous birth year"))
    reason = models.CharField(_("reason"), max_length=500)
    document_number = models.CharField(_("number of the order"), max_length=60)
    document_date = models.DateField(_("date of the order"))
    state = models.CharField(
        _("state"), max_length=10, choices=CorrectionState.choices, default=CorrectionState.PROPOSED
    )
    proposed_at = models.DateTimeField(_("proposed at"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["-proposed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(new_filed_at__isnull=False) | Q(new_birth_year__isnull=False),
                name="correction_changes_something",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="correction_four_eyes"
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(state=CorrectionState.PROPOSED),
                name="one_open_correction_per_application",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.document_number}"


class PriorityCutoff(models.Model):
    """Who is inside a vacancy's priority window: all of one queue up to this place in one tier.

    Decided once, when the vacancy is published, so that no rank is counted while families press the button.
    A tier without a row has nobody inside.
    """

    vacancy = models.ForeignKey(
        Vacancy, on_delete=models.CASCADE, related_name="cutoffs", verbose_name=_("vacancy")
    )
    birth_year = models.PositiveSmallIntegerField(_("birth year"))
    tier = models.PositiveSmallIntegerField(_("part of the queue"), choices=Tier.choices)
    filed_at = models.DateTimeField(_("last time of filing inside"))
    sequence = models.BigIntegerField()

    class Meta:
        verbose_name = _("priority cut-off")
        verbose_name_plural = _("priority cut-offs")
        constraints = [
            models.UniqueConstraint(fields=["vacancy", "birth_year", "tier"], name="one_cutoff_per_tier")
        ]

    def __str__(self) -> str:
        return f"{self.birth_year} {self.tier}"


class Bid(models.Model):
    """A family's request for one of a vacancy's places."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="bids", verbose_name=_("application")
    )
    vacancy = models.ForeignKey(
        Vacancy, on_delete=models.PROTECT, related_name="bids", verbose_name=_("vacancy")
    )
    state = models.CharField(_("state"), max_length=10, choices=BidState.choices, default=BidState.PENDING)
    placed_at = models.DateTimeField(_("sent at"))
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("sent by")
    )
    # A pending bid holds a seat from the start in first-come mode, and from its award in queue-order mode.
    holds_seat = models.BooleanField(_("holds a place"), default=False)
    answer_due = models.DateTimeField(_("the kindergarten answers by"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # The bid itself is the outbox: a worker writes the notices, so that nothing is rendered in the rush.
    told_at = models.DateTimeField(
        _("told to the family at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the family's notices about the sent bid were written."),
    )
    # When a collected bid got its place by queue number, and the same mark for the notices of that.
    awarded_at = models.DateTimeField(_("place given at"), null=True, blank=True, editable=False)
    award_told_at = models.DateTimeField(
        _("place told to the family at"), null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("bid")
        verbose_name_plural = _("bids")
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(state=BidState.PENDING),
                name="one_live_bid_per_application",
            ),
        ]
        indexes = [
            models.Index(
                fields=["vacancy", "placed_at"], condition=Q(state=BidState.PENDING), name="bid_pending"
            ),
            models.Index(fields=["placed_at"], condition=Q(told_at=None), name="bid_to_tell"),
            models.Index(
                fields=["awarded_at"],
                condition=Q(awarded_at__isnull=False, award_told_at=None, holds_seat=True),
                name="bid_award_to_tell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} → {self.vacancy}"

    @property
    def answer_last_moment(self) -> datetime | None:
        """The last microsecond in which an answer is in time: its local date is the day shown as the last one."""
        return self.answer_due - timedelta(microseconds=1) if self.answer_due else None


# The largest form takes fourteen minutes on the slowest line that is waited for (docs/adr/0009-web-server.md).
PAPERS_ON_THEIR_WAY = timedelta(minutes=20)


class Referral(models.Model):
    """The paper with which a family comes to the kindergarten, valid until an instant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("referral number"), max_length=20, unique=True, editable=False)
    # Also reachable through the bid; kept here so that the database can hold "one live referral per application".
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
    held_since = models.DateTimeField(
        _("last day stands still since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("While a guardian is disputed, the extension is halted, and it does not expire."),
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    pdf = models.FileField(_("PDF"), upload_to="referrals/", blank=True)
    # When papers for its extension last began to come in time.
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
            models.Index(
                fields=["valid_until"], condition=Q(state=ReferralState.ISSUED), name="referral_expiry"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def is_valid(self, *, now: datetime) -> bool:
        """Whether the family may still use it: a late expiry job gives nobody an hour more, but a held one stays."""
        return self.state == ReferralState.ISSUED and (now < self.valid_until or self.held_since is not None)

    def handed_in(self, *, now: datetime) -> datetime:
        """The instant that decides whether an extension is in time: when its papers began to come, else `now`.

        For `PAPERS_ON_THEIR_WAY` the family may also send others for a file that can't be taken.
        """
        begun = self.handed_in_at
        return begun if begun is not None and begun <= now < begun + PAPERS_ON_THEIR_WAY else now

    def is_extendable(self, *, now: datetime) -> bool:
        """Whether an extension asked for at `now` is in time. While it is, nothing ends the referral by itself."""
        return self.is_valid(now=self.handed_in(now=now))

    @property
    def last_moment(self) -> datetime:
        """The last microsecond of validity: its local date is the day shown as the last one."""
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
    """A time in which an application can't bid, after a referral that the family let expire."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="stops", verbose_name=_("application")
    )
    referral = models.OneToOneField(
        Referral, on_delete=models.PROTECT, related_name="stop", verbose_name=_("referral")
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
        indexes = [models.Index(fields=["until"], condition=Q(lifted_at=None), name="stop_due")]

    def __str__(self) -> str:
        return str(self.application)

    @property
    def last_moment(self) -> datetime:
        """The last microsecond of the stop: its local date is the day shown as the last one."""
        return self.until - timedelta(microseconds=1)


class Contract(models.Model):
    """The end of the way: the kindergarten took the child in."""

    referral = models.OneToOneField(
        Referral, on_delete=models.PROTECT, related_name="contract", verbose_name=_("referral")
    )
    number = models.CharField(_("contract number"), max_length=40)
    signed_at = models.DateTimeField(_("signed at"))
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("signed by")
    )

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")

    def __str__(self) -> str:
        return self.number


class Event(models.Model):
    """One change of an application: append-only, and the only source of its history."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="events", verbose_name=_("application")
    )
    at = models.DateTimeField(_("time"))
    move = models.CharField(_("event"), max_length=20, choices=Move.choices)
    from_state = models.CharField(_("from"), max_length=12, choices=ApplicationState.choices, blank=True)
    to_state = models.CharField(_("to"), max_length=12, choices=ApplicationState.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who"),
        help_text=_("Empty: the portal itself, by a deadline."),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    data = models.JSONField(default=dict, help_text=_("What the state does not say: a bid, a referral."))
    # Where the application stands in which queue after the event: with the state, all that its number depends on.
    locality = models.ForeignKey(
        Locality, on_delete=models.PROTECT, related_name="+", verbose_name=_("locality")
    )
    birth_year = models.PositiveSmallIntegerField(_("birth year"))
    tier = models.PositiveSmallIntegerField(_("part of the queue"), choices=Tier.choices)
    filed_at = models.DateTimeField(_("time of filing"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["application", "id"], name="event_history"),
            models.Index(fields=["locality", "birth_year", "id"], name="event_queue"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%d.%m.%Y %H:%M} {self.get_move_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise PermissionDenied("Events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise PermissionDenied("Events are never deleted.")
