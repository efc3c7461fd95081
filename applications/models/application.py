"""An application, and its append-only history."""

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from applications.journal_actions import Action
from applications.states import LIVE_STATES, QUEUED_STATES, ApplicationState, Move, Tier
from bulletin.models import Language, Locality
from children.disputes import Side
from children.models import Child

# The value until the end is computed: in the past, so that the row is looked at before anything is decided.
NEVER_LOOKED_AT = datetime(2000, 1, 1, tzinfo=UTC)

# Whose family is here: it can bid, and is asked what families are asked.
CLAIMED: Final = Q(filed_by__isnull=False)
# An application that nobody has claimed yet stands in the queue, waits for the end of a stop of the former one, or has
# left; nothing else can happen to it.
UNCLAIMED_STATES: Final = (
    ApplicationState.WAITING,
    ApplicationState.STOP_LISTED,
    ApplicationState.ARCHIVED,
)


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
    # With the locality, the key of the queue. Copied from the child at filing, since a queue must be readable from
    # one index.
    birth_year = models.PositiveSmallIntegerField(_("birth year"))
    languages = ArrayField(
        models.CharField(max_length=2, choices=Language.choices), verbose_name=_("languages of education")
    )
    tier = models.PositiveSmallIntegerField(
        _("part of the queue"), choices=Tier.choices, default=Tier.GENERAL
    )
    filed_at = models.DateTimeField(_("time of filing"))
    # Breaks ties between filing times: assigned by the database, in the order of filing.
    sequence = models.BigIntegerField(unique=True, editable=False)
    # Empty: it was brought in from the former queue, and nobody has claimed it yet (`FormerRow`).
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("filed by"),
        help_text=_("Empty: it was brought in from the former queue, and its family has not claimed it yet."),
    )
    state = models.CharField(
        _("application status"),
        max_length=12,
        choices=ApplicationState.choices,
        default=ApplicationState.WAITING,
    )
    interest_confirmed_at = models.DateTimeField(_("interest confirmed at"))
    # Not columns: the side of the user who loaded it (`access`) in a dispute about the child's guardians, and whether
    # costly acts are halted for them.
    asker_side: Side | None = None
    asker_is_bound: bool = False
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    # A lower bound of the first instant at which anything in it may end by itself (`rules.running_out`); empty: nothing
    # ends before the next move. Once it is past, `access.settling.settle` must run before anything is decided.
    runs_out_at = models.DateTimeField(
        null=True, editable=False, default=NEVER_LOOKED_AT, db_default=NEVER_LOOKED_AT
    )

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["-filed_at", "-sequence"]
        # Documents of benefits, of extensions and of guardians, and referrals as they are printed.
        permissions = [("open_papers", _("Can open the papers of families"))]
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
            models.CheckConstraint(
                condition=CLAIMED | Q(state__in=UNCLAIMED_STATES), name="unclaimed_only_waits"
            ),
        ]
        indexes = [
            models.Index(fields=["-filed_at", "-sequence", "-id"], name="application_newest"),
            models.Index(
                fields=["locality", "birth_year", "tier", "filed_at", "sequence"],
                condition=Q(state__in=QUEUED_STATES),
                name="application_queue",
            ),
            models.Index(
                fields=["locality", "birth_year", "tier", "filed_at", "sequence"],
                condition=Q(filed_by=None, state=ApplicationState.WAITING),
                name="application_unclaimed",
            ),
            models.Index(
                fields=["runs_out_at"], condition=Q(runs_out_at__isnull=False), name="application_runs_out"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("applications:application", args=[self.pk])

    def ran_out(self, *, now: datetime) -> bool:
        """Whether something in it may have ended by `now`, so that it must be settled before it is read."""
        return self.runs_out_at is not None and self.runs_out_at <= now

    @property
    def is_claimed(self) -> bool:
        """Whether a family stands behind it; one of the former queue waits for its own."""
        return self.filed_by_id is not None

    @property
    def asker_may_choose(self) -> bool:
        """Whether the user who loaded it may choose places for the child: send bids, change the languages."""
        return self.asker_side is None or self.asker_side.may_choose

    @property
    def asker_may_know(self) -> bool:
        """Whether the user who loaded it is told where it stands: bids, places, the referral."""
        return self.asker_side is None or self.asker_side.may_know

    @property
    def asker_may_begin(self) -> bool:
        """Whether the user who loaded it may do what others can't do after them: restore, claim a benefit."""
        return self.asker_side is None or self.asker_side.may_begin

    @property
    def is_interested(self) -> bool:
        return self.state != ApplicationState.LAPSED

    def get_languages_display(self) -> str:
        """The languages in words, separated by commas, as the manual shows them."""
        return ", ".join(str(Language(code).label) for code in self.languages)


_IS_IN, _WAS_IN = Q(to_state__in=QUEUED_STATES), Q(from_state__in=QUEUED_STATES)
# The events by which an application comes into the queues or leaves them; not those between two queues.
ENTERS_OR_LEAVES = (_IS_IN & ~_WAS_IN) | (~_IS_IN & _WAS_IN)
# Moves that a closing makes, too, where the event names it: as what they are told then.
OF_CLOSINGS = {Move.VOID_BID: Action.BID_CLOSED, Move.REVOKE_REFERRAL: Action.REFERRAL_CLOSED}
BETWEEN_QUEUES = (Move.CHANGE_LOCALITY, Move.CORRECT, Move.CHANGE_IMPORT)


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
    # Where the application stands after the event, and in which queue: with the state, all that its number depends on.
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
            models.Index(
                fields=["at"],
                include=["locality", "birth_year", "from_state", "to_state", "move", "id"],
                condition=ENTERS_OR_LEAVES,
                name="event_in_or_out",
            ),
            models.Index(
                fields=["at"],
                condition=Q(move__in=BETWEEN_QUEUES),
                name="event_other_queue",
            ),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%d.%m.%Y %H:%M} {self.told_move}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise PermissionDenied("Events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise PermissionDenied("Events are never deleted.")

    @property
    def told_move(self) -> str:
        """The move in words; what a closing ended is not told as a decision of the kindergarten."""
        closed = OF_CLOSINGS.get(Move(self.move)) if "closing" in self.data else None
        return str(closed.label if closed else self.get_move_display())
