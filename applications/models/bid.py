"""Bids for vacancies, and who may bid while a vacancy is for the head of the queue."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from applications.states import LIVE_OFFERS, BidState, OfferState, StandIn, Tier
from bulletin.models import Vacancy


class PriorityCutoff(models.Model):
    """Who is inside a vacancy's priority window: all of one queue up to this place in one tier.

    Decided once, when the vacancy is published, so that nothing is counted while families press the button.
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
    stand_in = models.CharField(
        _("decided by the education department because"),
        max_length=12,
        choices=StandIn.choices,
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: the kindergarten decided itself."),
    )
    # The bid itself is the outbox: a worker writes the notices later, so that nothing is rendered in the rush.
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
    # Since when the kindergarten owes the answer; empty of a bid that was given its place as it was sent.
    asked_at = models.DateTimeField(_("answer owed since"), null=True, blank=True, editable=False)
    # What employees were told of it while it waited: in the digest, at half of the time to answer, at its end.
    listed_at = models.DateTimeField(_("in the digest at"), null=True, blank=True, editable=False)
    reminded_at = models.DateTimeField(
        _("kindergarten reminded of it at"), null=True, blank=True, editable=False
    )
    escalated_at = models.DateTimeField(_("officials told of it at"), null=True, blank=True, editable=False)

    # When the family was told that the time to answer is over, and what that means.
    silence_told_at = models.DateTimeField(
        _("family told of the silence at"), null=True, blank=True, editable=False
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
            models.Index(fields=["-placed_at", "-id"], name="bid_newest"),
            models.Index(
                fields=["answer_due", "placed_at"],
                condition=Q(state=BidState.PENDING, holds_seat=True),
                name="bid_to_answer",
            ),
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

    def is_late(self, *, now: datetime) -> bool:
        """Whether the kindergarten had not answered when its time was over: from `answer_due` on, and not before."""
        return self.answer_due is not None and (self.decided_at or now) >= self.answer_due

    @property
    def answer_last_moment(self) -> datetime | None:
        """The last microsecond in which an answer is in time: its local date is shown as the last day."""
        return self.answer_due - timedelta(microseconds=1) if self.answer_due else None


class Offer(models.Model):
    """A place that was given back after an award by number, on its way to the next of the vacancy's bidders.

    While it is live it holds a place of the vacancy, as a bid does; while it seeks, it belongs to no family yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    vacancy = models.ForeignKey(
        Vacancy, on_delete=models.PROTECT, related_name="offers", verbose_name=_("vacancy")
    )
    application = models.ForeignKey(
        Application,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="offers",
        verbose_name=_("application"),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=OfferState.choices, default=OfferState.SEEKING
    )
    freed_at = models.DateTimeField(_("place free since"))
    made_at = models.DateTimeField(_("offered at"), null=True, blank=True)
    until = models.DateTimeField(
        _("can be accepted until"),
        null=True,
        blank=True,
        help_text=_("The first instant at which it can't be accepted."),
    )
    held_since = models.DateTimeField(
        _("last day stands still since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("While a guardian is disputed, not everybody may answer, and it does not end by itself."),
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("offer of a place")
        verbose_name_plural = _("offers of places")
        ordering = ["-freed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(state=OfferState.OFFERED),
                name="one_live_offer_per_application",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[OfferState.SEEKING, OfferState.NOBODY],
                    application=None,
                    made_at=None,
                    until=None,
                )
                | Q(state=OfferState.RECALLED)
                | Q(application__isnull=False, made_at__isnull=False, until__isnull=False),
                name="offer_has_family_and_end",
            ),
            models.CheckConstraint(
                condition=Q(state__in=LIVE_OFFERS, ended_at=None)
                | (~Q(state__in=LIVE_OFFERS) & Q(ended_at__isnull=False)),
                name="ended_offer_has_time",
            ),
            models.CheckConstraint(
                condition=Q(held_since=None) | Q(state=OfferState.OFFERED), name="held_offer_is_made"
            ),
        ]
        indexes = [
            models.Index(fields=["vacancy"], condition=Q(state__in=LIVE_OFFERS), name="offer_live"),
        ]

    def __str__(self) -> str:
        return f"{self.vacancy} → {self.application or '…'}"

    def is_open(self, *, now: datetime) -> bool:
        """Whether the family can still accept it."""
        is_in_time = self.held_since is not None or (self.until is not None and now < self.until)
        return self.state == OfferState.OFFERED and is_in_time

    @property
    def runs_out_at(self) -> datetime | None:
        """The first instant at which it ends by itself; None while it is held."""
        return self.until if self.held_since is None else None
